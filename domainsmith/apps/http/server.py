"""Binding, running and stopping the server."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from domainsmith.apps.http.application import ModelWorker, build_application
from domainsmith.apps.http.expert import ServedExpert
from domainsmith.apps.http.limits import Gate, TimedH11Protocol
from domainsmith.errors import InputInvalid, PortInUse
from domainsmith.records import Endpoint

__all__ = ["bind", "check_exposure", "is_loopback", "serve"]

_CONNECTIONS = 256
_IDLE_SECONDS = 5
_STOP_SECONDS = 10
_HEAD_BYTES = 16 * 1024


def is_loopback(host: str) -> bool:
    """Tell whether an address is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, api_key: str | None) -> None:
    """Refuse to serve the network without a key.

    Args:
        host: Address to bind.
        api_key: The key that clients must bear, if any.

    Raises:
        InputInvalid: The host is not loopback and there is no key.
    """
    if not is_loopback(host) and not api_key:
        raise InputInvalid(
            "Serving beyond this machine needs an API key",
            where=host,
            fix="Set DOMAINSMITH_API_KEY or --api-key, or bind 127.0.0.1.",
        )


def bind(host: str, port: int) -> socket.socket:
    """Take an address.

    Args:
        host: Address or name.
        port: 0 takes a free port.

    Returns:
        The bound socket, not yet listening.

    Raises:
        PortInUse: Another program has the port, or this one may not take it.
        InputInvalid: The host is no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise InputInvalid("No such host", where=host, fix="Bind 127.0.0.1.") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Listening now makes the port ours before the model loads; early clients wait.
        listener.listen(128)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PortInUse(
            f"Cannot listen on the port: {reason}",
            where=f"{host}:{port}",
            fix="Stop the other program or choose another --port (0 takes a free one).",
        ) from error
    return listener


class _OrderlyEnd(logging.Filter):
    """Leaves out of the log that a stop cut answers that were still being streamed.

    Args:
        server: Whose stop it is; its other errors are logged.
    """

    def __init__(self, server: uvicorn.Server) -> None:
        super().__init__()
        self._server = server

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is an error, and no part of stopping."""
        error = record.exc_info[1] if record.exc_info else None
        cut = isinstance(error, asyncio.CancelledError) or "graceful shutdown" in record.msg
        return not (self._server.should_exit and cut)


class _Server(uvicorn.Server):
    """uvicorn's server; a signal ends it in order and with exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT without raising them again afterwards."""

        def leave(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)

        try:
            before = {number: signal.signal(number, leave) for number in _SIGNALS}
        except ValueError:  # not the main thread: whoever runs it sets should_exit
            yield
            return
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(
    expert: ServedExpert,
    listener: socket.socket,
    *,
    host: str,
    api_key: str | None = None,
    on_ready: Callable[[Endpoint], None] = lambda endpoint: None,
    on_server: Callable[[uvicorn.Server], None] = lambda server: None,
) -> None:
    """Serve until a signal comes.

    Args:
        expert: The model side.
        listener: A bound socket; closed at the end.
        host: What was bound, for the check of host names.
        api_key: The key that clients must bear, if any.
        on_ready: Called once requests are answered.
        on_server: Gets the server, whose ``should_exit`` stops it from another thread.
    """
    port = listener.getsockname()[1]
    hosts = frozenset({"127.0.0.1", "localhost", "::1", host.lower()})
    gate = Gate(
        build_application(expert, ModelWorker()),
        api_key=api_key,
        hosts=hosts if is_loopback(host) else frozenset(),
    )
    config = uvicorn.Config(
        gate,
        http=TimedH11Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        h11_max_incomplete_event_size=_HEAD_BYTES,
    )
    # Invalid bytes from a client are answered with 400; they are no event for the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    server = _Server(config)
    on_server(server)
    name = f"[{host}]" if ":" in host else host
    endpoint = Endpoint(
        url=f"http://{name}:{port}/v1",
        models=tuple(expert.models),
        pid=os.getpid(),
        adapter_id=expert.adapter_id,
    )
    asyncio.run(_run(server, listener, lambda: on_ready(endpoint)))


async def _run(
    server: uvicorn.Server, listener: socket.socket, on_ready: Callable[[], None]
) -> None:
    async def announce() -> None:
        while not server.started:
            await asyncio.sleep(0.02)
        on_ready()

    announcing = asyncio.create_task(announce())
    log, orderly = logging.getLogger("uvicorn.error"), _OrderlyEnd(server)
    log.addFilter(orderly)
    try:
        await server.serve(sockets=[listener])
    finally:
        log.removeFilter(orderly)
        announcing.cancel()
        listener.close()
