"""The routes: health, models and chat completions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from domainsmith.apps.http.expert import Reply, ServedExpert
from domainsmith.apps.http.protocol import (
    ChatRequest,
    answer_details,
    chunk_body,
    completion_body,
    error_body,
    parse_request,
)
from domainsmith.errors import (
    ContextOverflow,
    DomainSmithError,
    InputNotFound,
    OperatorError,
    UserError,
)

__all__ = ["QUEUE_LIMIT", "ModelWorker", "build_application"]

QUEUE_LIMIT = 32
"""Requests that may wait for the model; the next one is told to come back."""
RETRY_SECONDS = 5


class _QueueFullError(Exception):
    """More requests wait than the limit allows."""


class _ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


class ModelWorker:
    """One thread for all model calls, so that the network never waits for the model.

    Args:
        queue_limit: Calls that may wait beside the one that runs.
    """

    def __init__(self, queue_limit: int = QUEUE_LIMIT) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._limit = queue_limit
        self._cancels: set[threading.Event] = set()

    @property
    def load(self) -> int:
        """Calls that run or wait."""
        return len(self._cancels)

    async def pieces(
        self, work: Iterator[str | Reply], cancel: threading.Event
    ) -> AsyncGenerator[str | Reply]:
        """Run an iterator in the thread and hand its values over as they come.

        Args:
            work: Consumed in the worker thread only.
            cancel: Set here when the consumer leaves.

        Yields:
            The iterator's values.
        """
        if self.load > self._limit:
            raise _QueueFullError
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Any] = asyncio.Queue()

        def put(item: object) -> None:
            # The loop is gone when the server has stopped; then nobody waits either.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(queue.put_nowait, item)

        def run() -> None:
            try:
                if not cancel.is_set():
                    for value in work:
                        put(value)
                        if cancel.is_set():
                            break
                put(None)
            except Exception as error:  # noqa: BLE001 - handed to the request that waits
                put(error)

        self._cancels.add(cancel)
        future = self._pool.submit(run)
        future.add_done_callback(lambda _: put(None))
        try:
            while (item := await queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            cancel.set()
            future.cancel()
            self._cancels.discard(cancel)

    def stop(self) -> None:
        """Cancel what runs and wait for the thread."""
        for cancel in list(self._cancels):
            cancel.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


def build_application(expert: ServedExpert, worker: ModelWorker) -> FastAPI:
    """Assemble the application; the gate goes in front of it.

    Args:
        expert: The model side.
        worker: The thread for model calls; stopped with the application.

    Returns:
        The application without any automatic pages.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(worker.stop)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "model": expert.models[0], "load": worker.load}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        rows = [
            {"id": name, "object": "model", "created": 0, "owned_by": "domainsmith"}
            for name in expert.models
        ]
        return {"object": "list", "data": rows}

    @app.post("/v1/chat/completions")
    async def completions(request: Request) -> Response:
        chat = parse_request(await request.body())
        expert.check(chat)
        if chat.stream:
            return await _streamed(request, chat, expert, worker)
        return await _whole(request, chat, expert, worker)

    _add_error_answers(app)
    return app


async def _whole(
    request: Request, chat: ChatRequest, expert: ServedExpert, worker: ModelWorker
) -> Response:
    cancel = threading.Event()

    def work() -> Iterator[str | Reply]:
        yield expert.reply(chat, cancel)

    pieces = worker.pieces(work(), cancel)
    reply = await _first_unless_gone(request, pieces, cancel)
    await pieces.aclose()
    if not isinstance(reply, Reply):
        raise _ClientGoneError
    body = completion_body(chat, reply.answer, reply.text, reply.finish_reason, reply.usage)
    return JSONResponse(body)


async def _streamed(
    request: Request, chat: ChatRequest, expert: ServedExpert, worker: ModelWorker
) -> Response:
    cancel = threading.Event()
    pieces = worker.pieces(expert.stream(chat, cancel), cancel)
    # The first piece is awaited here, so that an error still becomes a status code.
    first = await _first_unless_gone(request, pieces, cancel)
    return StreamingResponse(
        _events(chat, first, pieces),
        media_type="text/event-stream",
        headers={"cache-control": "no-store"},
    )


async def _first_unless_gone(
    request: Request, pieces: AsyncGenerator[str | Reply], cancel: threading.Event
) -> str | Reply:
    """Await the first value, but stop the work if the client leaves before it comes."""

    async def until_gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    first = asyncio.ensure_future(anext(pieces))
    gone = asyncio.ensure_future(until_gone())
    try:
        await asyncio.wait({first, gone}, return_when=asyncio.FIRST_COMPLETED)
        if first.done():
            return first.result()
        raise _ClientGoneError
    except StopAsyncIteration:
        raise _ClientGoneError from None
    finally:
        if not first.done():
            cancel.set()
            first.cancel()
        gone.cancel()
        await asyncio.gather(first, gone, return_exceptions=True)


async def _events(
    chat: ChatRequest, first: str | Reply, pieces: AsyncGenerator[str | Reply]
) -> AsyncIterator[bytes]:
    # An answer's id is the hash of its text, so a stream has an id of its own until the last event.
    identity = f"stream_{uuid.uuid4().hex[:16]}"
    yield _event(chunk_body(identity, chat, {"role": "assistant", "content": ""}))
    item: str | Reply | None = first
    try:
        while item is not None:
            if isinstance(item, Reply):
                for body in _closing(identity, chat, item):
                    yield _event(body)
            else:
                yield _event(chunk_body(identity, chat, {"content": item}))
            item = await anext(pieces, None)
    except DomainSmithError as error:
        yield _event(error_body(str(error), kind="server_error"))
    finally:
        await pieces.aclose()
    yield b"data: [DONE]\n\n"


def _closing(identity: str, chat: ChatRequest, reply: Reply) -> Iterator[dict[str, Any]]:
    details = answer_details(reply.answer)
    yield chunk_body(identity, chat, {}, finish_reason=reply.finish_reason, domainsmith=details)
    if chat.stream_options is not None and chat.stream_options.include_usage:
        yield chunk_body(identity, chat, None, usage=reply.usage)


def _event(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(_QueueFullError)
    async def queue_full(_: Request, error: _QueueFullError) -> JSONResponse:
        body = error_body("Too many requests are waiting.", kind="rate_limit_error", code="queue")
        return JSONResponse(body, 429, headers={"retry-after": str(RETRY_SECONDS)})

    @app.exception_handler(_ClientGoneError)
    async def client_gone(_: Request, error: _ClientGoneError) -> Response:
        return Response(status_code=499)

    @app.exception_handler(DomainSmithError)
    async def failed(_: Request, error: DomainSmithError) -> JSONResponse:
        if isinstance(error, InputNotFound):
            return JSONResponse(error_body(str(error), code="model_not_found"), 404)
        if isinstance(error, ContextOverflow):
            return JSONResponse(error_body(str(error), code="context_length_exceeded"), 400)
        if isinstance(error, UserError):
            return JSONResponse(error_body(str(error), code="invalid_value"), 400)
        status = 503 if isinstance(error, OperatorError) else 500
        return JSONResponse(error_body(str(error), kind="server_error"), status)

    @app.exception_handler(Exception)
    async def defect(_: Request, error: Exception) -> JSONResponse:
        body = error_body(f"Unexpected {type(error).__name__}.", kind="server_error")
        return JSONResponse(body, 500)
