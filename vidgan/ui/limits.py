"""How much anybody may send to the page at once."""

import asyncio

MAX_BODY = 30 * 2**20  #: bytes of a request: a picture of 20 MB as base64, and a little
LARGE = 2**20  #: bytes from which on a request waits for its turn
TURNS = 3  #: such requests at a time
PATIENCE = 60  #: seconds that the body of one may take to arrive


class BodyLimit:
    """ASGI middleware: a request whose body is too long gets 413, before or as soon as that shows, one that does not
    arrive in time 408; and of the large ones only a few are held in memory at the same time."""

    def __init__(self, app):
        self.app = app
        self.turns = asyncio.Semaphore(TURNS)

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        told = dict(scope["headers"]).get(b"content-length", b"")
        length = int(told) if told.isdigit() else None
        if length is not None and length > MAX_BODY:
            return await _refuse(send, 413, b"That is more than this page takes at once.")
        if scope["method"] in ("GET", "HEAD", "OPTIONS") or (length is not None and length < LARGE):
            return await self.app(scope, receive, send)
        async with self.turns:
            try:
                body = await asyncio.wait_for(_read(receive), PATIENCE)
            except TimeoutError:
                return await _refuse(send, 408, b"That took too long to arrive.")
            if body is None:
                return await _refuse(send, 413, b"That is more than this page takes at once.")
            first = iter([{"type": "http.request", "body": body, "more_body": False}])

            async def replay():
                return next(first, None) or await receive()

            await self.app(scope, replay, send)


async def _read(receive) -> bytes | None:
    """The whole body; None where it grows too long."""
    parts, total = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":  # the visitor has gone
            return b"".join(parts)
        parts.append(message.get("body", b""))
        total += len(parts[-1])
        if total > MAX_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


async def _refuse(send, status: int, why: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(why)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": why})
