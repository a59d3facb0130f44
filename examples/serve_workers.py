"""One emitter in a web server's workers: KAFKA=... gunicorn --preload -w 2 -k asgi serve_workers:app, or uvicorn"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from schemas.emitter import Emitter

emitter = Emitter.to_kafka(os.environ["KAFKA"], source="shop/assistant", service_name="assistant")


@asynccontextmanager
async def life(_app: FastAPI) -> AsyncIterator[None]:
    yield
    emitter.close(10)  # a worker that ends sends what waits; each has a queue and a connection of its own


app = FastAPI(lifespan=life)


@app.get("/answer/{session}")
async def answer(session: str) -> int:
    async with emitter.observe(session_id=session, request_model="gpt-4o", outcome="success"):
        return os.getpid()
