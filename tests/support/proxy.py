"""A reverse proxy in a process of its own, which knows people by a cookie and names them, as oauth2-proxy does."""

import json
import socket
import subprocess
import sys
from contextlib import contextmanager

from aiohttp import ClientSession, CookieJar, web

from streams.local.broker import die_with_parent
from tests.support.waiting import wait_until

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "te", "upgrade", "host"}
NAMING = ("x-forwarded-user", "x-forwarded-groups")


def application(upstream, people):
    """Return it: what clients say of who they are is removed, and their address is written to the end of the hops."""

    async def forward(request):
        name = request.cookies.get("signed-in", "")
        headers = [
            (each, value)
            for each, value in request.headers.items()
            if each.lower() not in HOP and each.lower().replace("_", "-") not in NAMING
        ]
        headers = [(each, value) for each, value in headers if each.lower() != "x-forwarded-for"]
        hops = [*request.headers.getall("X-Forwarded-For", []), request.remote]
        headers += [("X-Forwarded-For", ", ".join(hops)), ("Host", request.headers["Host"])]
        if name in people:
            headers += [("X-Forwarded-User", name), ("X-Forwarded-Groups", ",".join(people[name]))]
        async with (
            ClientSession(cookie_jar=CookieJar(unsafe=True), auto_decompress=False) as session,
            session.request(
                request.method, upstream + request.raw_path, headers=headers, data=await request.read(),
                allow_redirects=False,
            ) as answer,
        ):  # fmt: skip
            kept = [(each, value) for each, value in answer.headers.items() if each.lower() not in HOP]
            coding = answer.headers.get("Content-Encoding")
            kept += [("Content-Encoding", coding)] if coding else []
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    return app


@contextmanager
def proxy(port, upstream, people):
    """Run one in front of an address."""
    command = [sys.executable, "-m", "tests.support.proxy", str(port), upstream, json.dumps(people)]
    process = subprocess.Popen(command, preexec_fn=die_with_parent)  # noqa: PLW1509
    try:
        wait_until(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _answers(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    web.run_app(application(sys.argv[2], json.loads(sys.argv[3])), host="127.0.0.1", port=int(sys.argv[1]), print=None)
