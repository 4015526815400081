"""One request on its way through the batch, and what an engine counts."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domainsmith.model_io.generation import Completion, FinishReason, GenerationRequest

if TYPE_CHECKING:
    from domainsmith.model_io.constrain import RowGrammar

__all__ = ["Row", "Statistics"]


@dataclass(slots=True)
class Statistics:
    """What an engine has done since it was loaded.

    Attributes:
        prompt_tokens: Tokens of all prompts.
        prefilled_tokens: Of these, tokens that were computed (shared prefixes count once).
        cached_tokens: Prompt tokens that were not computed, because an earlier call had kept their
            states (a shared prefix counts once here, too).
        decoded_tokens: Tokens that were sampled.
        forced_tokens: Tokens that were appended without sampling, because a constraint allowed
            nothing else.
        steps: Decoding steps, whatever the number of rows and of tokens in each.
        halvings: Times that memory ran out and the batch was halved.
    """

    prompt_tokens: int = 0
    prefilled_tokens: int = 0
    cached_tokens: int = 0
    decoded_tokens: int = 0
    forced_tokens: int = 0
    steps: int = 0
    halvings: int = 0


@dataclass(slots=True, eq=False)
class Row:
    """One request on its way.

    Attributes:
        prompt: Its tokens. An adapter's virtual tokens stand in front, as numbers below 0: they
            are never computed, because the prefix that they are in is always there.
        virtual: Number of these.
        computed: Of the generated tokens, those whose states are in the batch's cache.
    """

    index: int
    request: GenerationRequest
    prompt: list[int]
    grammar: RowGrammar | None = None
    virtual: int = 0
    generated: list[int] = field(default_factory=list)
    computed: int = 0
    dice: random.Random = field(default_factory=random.Random)
    text: str = ""
    finish: FinishReason | None = None

    def __post_init__(self) -> None:
        self.dice.seed(self.request.seed)

    @property
    def adapter(self) -> str | None:
        """Of the request."""
        return self.request.adapter

    @property
    def temperature(self) -> float:
        """Of the request."""
        return self.request.temperature

    @property
    def top_p(self) -> float:
        """Of the request."""
        return self.request.top_p

    @property
    def top_k(self) -> int:
        """Of the request."""
        return self.request.top_k

    @property
    def pending(self) -> int:
        """Generated tokens that are not computed yet."""
        return len(self.generated) - self.computed

    @property
    def max_new_tokens(self) -> int:
        """Bound of the row, which a choice may have raised."""
        return self.grammar.max_new_tokens if self.grammar else self.request.max_new_tokens

    def completion(self) -> Completion:
        """Return the result; a row that was not finished counts as cancelled."""
        return Completion(
            index=self.index,
            text=self.text,
            prompt_tokens=len(self.prompt) - self.virtual,
            completion_tokens=len(self.generated),
            finish_reason=self.finish or "cancelled",
        )
