"""A chat model that answers many conversations in real batches of its engine."""

from __future__ import annotations

import asyncio
import threading
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import get_config_list

from domainsmith.errors import DomainSmithError
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Completion, GenerationRequest

__all__ = ["BatchedChat", "Completed"]

Completed = tuple[GenerationRequest, Completion]
"""What was asked of the engine, and what it answered."""


class BatchedChat(BaseChatModel):
    """A chat model that answers many conversations in real batches.

    LangChain's own ``batch`` calls ``invoke`` in threads, which an engine would answer one by one.
    Here ``invoke`` gets the finished answer as ``completed`` instead, so that callbacks and traces
    of each conversation are as for a single call.

    Attributes:
        engine: Computes.
    """

    engine: Engine

    @abstractmethod
    def _request(
        self, messages: list[BaseMessage], stop: Sequence[str] | None = None, **kwargs: Any
    ) -> GenerationRequest:
        """Turn a call into a request of the engine."""

    def batch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Answer many conversations in real batches.

        Args:
            inputs: Conversations.
            config: One for all, or one each.
            return_exceptions: Give an error in place of an answer instead of raising it.
            **kwargs: As for ``invoke``.

        Returns:
            Answers in the order of the inputs.
        """
        found = dict(
            self.batch_as_completed(inputs, config, return_exceptions=return_exceptions, **kwargs)
        )
        return [found[number] for number in range(len(inputs))]

    def batch_as_completed(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        cancel: threading.Event | None = None,
        **kwargs: Any,
    ) -> Iterator[tuple[int, Any]]:
        """Answer many conversations in real batches; give each answer as soon as it is finished.

        Args:
            inputs: Conversations.
            config: One for all, or one each.
            return_exceptions: Give an error in place of an answer instead of raising it.
            cancel: When set, what is not finished ends within one token, with what it has.
            **kwargs: As for ``invoke``.

        Yields:
            Number of the input, and its answer.
        """
        configs = get_config_list(config, len(inputs))
        requests: dict[int, GenerationRequest] = {}
        for number, item in enumerate(inputs):
            try:
                request = self._request(self._convert_input(item).to_messages(), **kwargs)
                self.engine.check(request)
            except DomainSmithError as error:
                if not return_exceptions:
                    raise
                yield number, error
            else:
                requests[number] = request
        order = list(requests)
        left = set(order)
        try:
            for done in self.engine.generate(list(requests.values()), cancel=cancel):
                number = order[done.index]
                completed: Completed = requests[number], done
                answer = self.invoke(inputs[number], configs[number], completed=completed, **kwargs)
                left.discard(number)
                yield number, answer
        except DomainSmithError as error:
            if not return_exceptions:
                raise
            yield from ((number, error) for number in sorted(left))

    async def abatch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Answer many conversations in real batches, in a thread; see :meth:`batch`."""
        found = {}
        async for number, answer in self.abatch_as_completed(
            inputs, config, return_exceptions=return_exceptions, **kwargs
        ):
            found[number] = answer
        return [found[number] for number in range(len(inputs))]

    async def abatch_as_completed(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> AsyncIterator[tuple[int, Any]]:
        """Give answers as they are finished, computed in a thread.

        A task that is cancelled ends the whole batch within one token; see
        :meth:`batch_as_completed`.
        """
        cancel = kwargs.pop("cancel", None) or threading.Event()
        answers = self.batch_as_completed(
            inputs, config, return_exceptions=return_exceptions, cancel=cancel, **kwargs
        )
        try:
            while (found := await asyncio.to_thread(next, answers, None)) is not None:
                yield found
        finally:
            cancel.set()
