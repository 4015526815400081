"""What stands between the network and the application: a pure ASGI gate and a header clock.

uvicorn has neither a body limit nor a time limit for a request's head, so both are here.
The gate denies by default: only the listed routes exist, and all but ``/health`` need the key
if there is one.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from domainsmith.apps.http.bodies import error_body

__all__ = ["BODY_LIMIT", "PUBLIC", "ROUTES", "Gate", "TimedH11Protocol"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

BODY_LIMIT = 2 * 1024 * 1024
"""Bytes of a request body."""
BODY_SECONDS = 30.0
"""Seconds in which a request body must arrive."""
HEAD_SECONDS = 10.0
"""Seconds in which a request's head must arrive, counted from the connection or last answer."""
PUBLIC = frozenset({("GET", "/"), ("HEAD", "/"), ("GET", "/health")})
"""What needs no key: it tells nothing but that a server is here."""
ROUTES = PUBLIC | {
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/embeddings"),
}
"""All that exists; anything else is denied before the application sees it."""


class _RefusedError(Exception):
    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


class Gate:
    """Checks key, route, host and body before the application runs.

    Args:
        app: The application behind the gate.
        api_key: The key that requests must bear; None on loopback without one.
        hosts: Accepted host names (against DNS rebinding); empty accepts all.
        body_limit: Bytes of a request body.
    """

    def __init__(
        self,
        app: Asgi,
        *,
        api_key: str | None = None,
        hosts: frozenset[str] = frozenset(),
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self._app = app
        self._key = None if api_key is None else hashlib.sha256(api_key.encode()).digest()
        self._hosts = hosts
        self._body_limit = body_limit

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Run one connection event of the ASGI protocol."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no other protocol is spoken here; the connection is closed
        try:
            headers = {key.decode("latin-1"): value for key, value in scope["headers"]}
            self._check(scope["method"], scope["path"], headers)
            body = await self._body(headers, receive)
        except _RefusedError as refused:
            await _refuse(send, refused)
            return
        await self._app(scope, _replay(body, receive), send)

    def _check(self, method: str, path: str, headers: dict[str, bytes]) -> None:
        host = _host_name(headers.get("host", b"").decode("latin-1"))
        if self._hosts and host not in self._hosts:
            raise _RefusedError(400, "This host name is not served here.", "invalid_host")
        if (method, path) not in PUBLIC and not self._authorised(headers):
            raise _RefusedError(401, "A valid API key is needed.", "invalid_api_key")
        if (method, path) not in ROUTES:
            known = any(path == route for _, route in ROUTES)
            status = 405 if known else 404
            raise _RefusedError(status, f"There is no {method} {path[:100]} here.", "not_found")

    def _authorised(self, headers: dict[str, bytes]) -> bool:
        if self._key is None:
            return True
        scheme, _, token = headers.get("authorization", b"").partition(b" ")
        given = hashlib.sha256(token.strip()).digest()
        return hmac.compare_digest(given, self._key) and scheme.lower() == b"bearer"

    async def _body(self, headers: dict[str, bytes], receive: Receive) -> bytes:
        if headers.get("content-encoding", b"identity").lower() != b"identity":
            raise _RefusedError(415, "Compressed request bodies are not accepted.", "encoding")
        declared = headers.get("content-length", b"")
        if declared.isdigit() and int(declared) > self._body_limit:
            raise self._too_large()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await self._read(receive)
        except TimeoutError:
            raise _RefusedError(
                408, "The request body did not arrive in time.", "timeout"
            ) from None

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _RefusedError(400, "The client left.", "disconnected")
            body += message.get("body", b"")
            if len(body) > self._body_limit:
                raise self._too_large()
            if not message.get("more_body"):
                return bytes(body)

    def _too_large(self) -> _RefusedError:
        return _RefusedError(413, f"The body is larger than {self._body_limit} bytes.", "too_large")


def _host_name(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand the body that was read to the application, then what the connection says."""
    handed = False

    async def next_message() -> Message:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


async def _refuse(send: Send, refused: _RefusedError) -> None:
    payload = json.dumps(error_body(refused.message, code=refused.code)).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(payload)).encode()),
        (b"connection", b"close"),  # what was not read of the body must not be parsed as a request
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})


class TimedH11Protocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with a time limit for each request's head."""

    _head_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first head."""
        super().connection_made(transport)
        self._start_clock()

    def handle_events(self) -> None:
        """Stop the clock once a head is complete and its answer is under way."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_clock()

    def on_response_complete(self) -> None:
        """Start the clock for the next head."""
        super().on_response_complete()
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock with the connection."""
        self._stop_clock()
        super().connection_lost(exc)

    def _start_clock(self) -> None:
        self._stop_clock()
        self._head_clock = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_clock(self) -> None:
        if self._head_clock is not None:
            self._head_clock.cancel()
            self._head_clock = None
