"""Observe calls of an asynchronous client: OPENAI_BASE_URL=... python examples/observe_async.py BROKER QUESTION..."""

import asyncio
import sys

from openai import AsyncOpenAI

from schemas.emitter import Emitter
from schemas.vendors import guards_from_openai

emitter = Emitter.to_kafka(sys.argv[1], source="shop/assistant", service_name="assistant")


async def answer(question: str) -> None:
    async with emitter.observe(session_id="s1", request_model="gpt-4o") as call:  # errors and time-outs are told too
        asked = [{"role": "user", "content": question}]
        reply = await AsyncOpenAI().chat.completions.create(model="gpt-4o", messages=asked)
        call.add(response_id=reply.id, response_model=reply.model, guards=guards_from_openai(reply))
        call.add(finish_reasons=[choice.finish_reason for choice in reply.choices])
    emitter.feedback(call.event_id, score=1)  # later, when the user has said so


async def main() -> None:
    await asyncio.gather(*map(answer, sys.argv[2:]))


asyncio.run(main())
print(emitter.check().problem or "all arrived")
