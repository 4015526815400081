"""Streams that break, stand still or are left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from scripted_server import Events, Hang, Raw, Say, Script, chunk, scripted_server

from domainsmith.errors import EndpointUnavailable


@pytest.fixture(scope="module")
def running() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def server(running: Script) -> Script:
    running.plays(Say("8 kg"))
    return running


BEGUN = (chunk({"role": "assistant", "content": "8"}), chunk({"content": " k"}))
FAILED = json.dumps({"error": {"message": "out of memory", "code": None}})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Events(BEGUN), "broke off in the middle"),
        (Events((*BEGUN, "[DONE]")), "broke off in the middle"),
        (Events(BEGUN, reset=True), "broke off in the middle"),
        (Events((*BEGUN, FAILED)), "failed in the middle of the answer: out of memory"),
        (Events((*BEGUN, "{")), "it is no JSON"),
        (Raw(b"<html>Welcome</html>", "text/html"), "it holds no answer"),
        (Events(()), "it holds no answer"),
    ],
)
def test_a_stream_that_breaks_is_an_error(server: Script, answer: object, words: str) -> None:
    server.plays(answer)

    async def collect() -> list[str]:
        return [piece.text async for piece in server.chat().astream("Hi")]

    shown = (piece.text for piece in server.chat().stream("Hi"))
    with pytest.raises(EndpointUnavailable, match=words):
        list(shown)
    with pytest.raises(EndpointUnavailable, match=words):
        asyncio.run(collect())


def test_a_stream_that_stands_still_is_an_error(server: Script) -> None:
    server.plays(Events((chunk({"role": "assistant", "content": "8"}),), hold=True))

    async def collect() -> list[str]:
        remote = server.chat(stream_chunk_timeout=0.3)
        return [piece.text async for piece in remote.astream("Hi")]

    with pytest.raises(EndpointUnavailable, match=r"in time|broke off"):
        list(server.chat(timeout=0.3).stream("Hi"))
    with pytest.raises(EndpointUnavailable, match="in time"):
        asyncio.run(collect())


def test_leaving_a_stream_closes_the_connection(server: Script) -> None:
    server.plays(Events((chunk({"role": "assistant", "content": "8"}),), hold=True))

    async def leave() -> None:
        pieces = server.chat().astream("Hi")
        await anext(pieces)
        await pieces.aclose()
        assert await asyncio.to_thread(server.gone.wait, 5)

    asyncio.run(leave())
    server.gone.clear()
    pieces = server.chat().stream("Hi")
    next(pieces)
    pieces.close()
    assert server.gone.wait(5)


@pytest.mark.parametrize("stream", [False, True])
def test_cancelling_closes_the_connection(server: Script, stream: bool) -> None:
    server.plays(Hang())

    async def leave() -> None:
        async def ask() -> None:
            if stream:
                async for _ in server.chat().astream("Hi"):
                    pass
            else:
                await server.chat().ainvoke("Hi")

        task = asyncio.create_task(ask())
        while not server.seen:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.gone.wait, 5)

    asyncio.run(leave())
