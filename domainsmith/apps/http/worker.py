"""The one thread in which the model computes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["QUEUE_LIMIT", "ModelWorker", "QueueFullError"]

QUEUE_LIMIT = 32
"""Requests that may wait for the model; the next one is told to come back."""

_Piece = TypeVar("_Piece")


class QueueFullError(Exception):
    """More requests wait than the limit allows."""


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
        self, work: Iterator[_Piece], cancel: threading.Event
    ) -> AsyncGenerator[_Piece]:
        """Run an iterator in the thread and hand its values over as they come.

        Args:
            work: Consumed in the worker thread only.
            cancel: Set here when the consumer leaves.

        Yields:
            The iterator's values.

        Raises:
            QueueFullError: Too many calls wait.
        """
        if self.load > self._limit:
            raise QueueFullError
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
