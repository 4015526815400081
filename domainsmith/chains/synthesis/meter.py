"""Count the tokens that models read and write, whoever calls them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from domainsmith.chains.synthesis.method import Materials
from domainsmith.model_io.generation import (
    Completion,
    GenerationRequest,
    Generator,
    LogLikelihood,
    Scorer,
)
from domainsmith.records import Message

__all__ = ["Meter", "metered"]


class Meter:
    """A running count.

    Attributes:
        tokens: Read and written so far; prompts that were cached are counted as read.
        invalid: Answers so far that broke their constraint at every try.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self.invalid = 0


def metered(materials: Materials) -> tuple[Materials, Meter]:
    """Let a meter run along with the models of some materials.

    Args:
        materials: What a method will be built from.

    Returns:
        Equal materials whose models count, and the count.
    """
    meter = Meter()
    generator = _Generator(materials.generator, meter)
    told = materials.scorer
    scorer = None if told is None else _Scorer(told, materials.generator, meter)
    return replace(materials, generator=generator, scorer=scorer), meter


class _Generator:
    def __init__(self, inner: Generator, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def model_name(self) -> str:
        return self._inner.model_name

    @property
    def context_length(self) -> int:
        return self._inner.context_length

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        return self._inner.render(messages, add_generation_prompt=add_generation_prompt)

    def count_tokens(self, text: str) -> int:
        return self._inner.count_tokens(text)

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        for done in self._inner.generate(requests, batch_size=batch_size, cancel=cancel):
            self._meter.tokens += done.prompt_tokens + done.completion_tokens
            self._meter.invalid += done.finish_reason == "invalid"
            yield done


class _Scorer:
    def __init__(self, inner: Scorer, generator: Generator, meter: Meter) -> None:
        self._inner = inner
        self._generator = generator
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        scores = self._inner.score(pairs, adapter=adapter)
        read = sum(self._generator.count_tokens(prompt) for prompt, _ in pairs)
        self._meter.tokens += read + sum(score.tokens for score in scores)
        return scores
