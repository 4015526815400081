"""The routes: what is here, health, models, chat completions and embeddings."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from domainsmith.apps.http.bodies import completion_body, embeddings_body, error_body, root_body
from domainsmith.apps.http.events import OUTPUT_INVALID, answer_events
from domainsmith.apps.http.expert import Reply, ServedExpert
from domainsmith.apps.http.limits import ROUTES
from domainsmith.apps.http.protocol import ChatRequest, parse_embedding_request, parse_request
from domainsmith.apps.http.vectors import embed_texts
from domainsmith.apps.http.worker import ModelWorker, QueueFullError
from domainsmith.errors import (
    ContextOverflow,
    DomainSmithError,
    InputNotFound,
    OperatorError,
    OutputInvalid,
    UserError,
)

__all__ = ["ModelWorker", "build_application"]

RETRY_SECONDS = 5


_Piece = TypeVar("_Piece")


class _ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


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

    @app.api_route("/", methods=["GET", "HEAD"])
    async def root() -> dict[str, Any]:
        return root_body(ROUTES)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "model": expert.models[0], "load": worker.load}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_model_row(expert, name) for name in expert.models]}

    @app.post("/v1/chat/completions")
    async def completions(request: Request) -> Response:
        chat = parse_request(await request.body())
        expert.check(chat)
        if chat.stream:
            return await _streamed(request, chat, expert, worker)
        return await _whole(request, chat, expert, worker)

    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> Response:
        return await _vectors(request, expert, worker)

    _add_error_answers(app)
    return app


def _model_row(expert: ServedExpert, name: str) -> dict[str, Any]:
    row = {"id": name, "object": "model", "created": 0, "owned_by": "domainsmith"}
    return {**row, "max_model_len": expert.context_length}


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
    body = completion_body(
        chat.model, reply.answer, reply.text, reply.finish_reason, reply.usage, reply.calls
    )
    return JSONResponse(body)


async def _streamed(
    request: Request, chat: ChatRequest, expert: ServedExpert, worker: ModelWorker
) -> Response:
    cancel = threading.Event()
    pieces = worker.pieces(expert.stream(chat, cancel), cancel)
    # The first piece is awaited here, so that an error still becomes a status code.
    first = await _first_unless_gone(request, pieces, cancel)
    return StreamingResponse(
        answer_events(chat, first, pieces),
        media_type="text/event-stream",
        headers={"cache-control": "no-store"},
    )


async def _vectors(request: Request, expert: ServedExpert, worker: ModelWorker) -> Response:
    asked = parse_embedding_request(await request.body())
    cancel = threading.Event()

    def work() -> Iterator[dict[str, Any]]:
        vectors, tokens = embed_texts(expert.embedder, asked)
        packed = asked.encoding_format == "base64"
        yield embeddings_body(asked.model, vectors, tokens, packed=packed)

    pieces = worker.pieces(work(), cancel)
    body = await _first_unless_gone(request, pieces, cancel)
    await pieces.aclose()
    return JSONResponse(body)


async def _first_unless_gone(
    request: Request, pieces: AsyncGenerator[_Piece], cancel: threading.Event
) -> _Piece:
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


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(QueueFullError)
    async def queue_full(_: Request, error: QueueFullError) -> JSONResponse:
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
        if isinstance(error, OutputInvalid):
            # Not 5xx: the same request would get the same answer, so trying again is of no use.
            return JSONResponse(error_body(str(error), code=OUTPUT_INVALID), 422)
        if isinstance(error, UserError):
            return JSONResponse(error_body(str(error), code="invalid_value"), 400)
        status = 503 if isinstance(error, OperatorError) else 500
        return JSONResponse(error_body(str(error), kind="server_error"), status)

    @app.exception_handler(Exception)
    async def defect(_: Request, error: Exception) -> JSONResponse:
        body = error_body(f"Unexpected {type(error).__name__}.", kind="server_error")
        return JSONResponse(body, 500)
