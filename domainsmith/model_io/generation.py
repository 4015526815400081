"""Requests, completions and the protocols that everything above the models is written against.

Nothing heavy is imported here, so chains, tools and tests can use the types at no cost.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from domainsmith.errors import InputInvalid
from domainsmith.model_io.text_spans import mark_spans
from domainsmith.records import Message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Completion",
    "Constraint",
    "Embedder",
    "FinishReason",
    "GenerationRequest",
    "Generator",
    "LogLikelihood",
    "Reranker",
    "Scorer",
    "embed_queries",
]

FinishReason = Literal["stop", "length", "cancelled", "invalid"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule that the output obeys by construction: tokens that break it are never sampled.

    Attributes:
        kind: ``json_schema``, ``regex`` (anchored at both ends) or ``choice``.
        body: The JSON schema as JSON text, the pattern, or the choices. A mapping or a list given
            here is brought into that form, so constraints are hashable. The order of a schema's
            properties is kept, because the model writes them in that order.
    """

    kind: Literal["json_schema", "regex", "choice"]
    body: str | tuple[str, ...]

    def __post_init__(self) -> None:
        body: Any = self.body
        if self.kind == "choice":
            if isinstance(body, str) or not body or not all(isinstance(c, str) and c for c in body):
                raise InputInvalid("A choice constraint needs a list of non-empty strings")
            object.__setattr__(self, "body", tuple(dict.fromkeys(body)))
        elif self.kind == "json_schema" and not isinstance(body, str):
            object.__setattr__(self, "body", _ordered_json(body))
        elif not isinstance(body, str):
            raise InputInvalid("A regex constraint needs a pattern")

    @classmethod
    def choice(cls, options: Sequence[str]) -> Constraint:
        """Allow exactly one of some strings; repeated ones count once."""
        return cls("choice", tuple(options))

    @classmethod
    def regex(cls, pattern: str) -> Constraint:
        """Allow the strings that match a pattern from end to end."""
        return cls("regex", pattern)

    @classmethod
    def json_schema(
        cls,
        schema: Mapping[str, Any] | type[BaseModel],
        *,
        spans: Mapping[str, str] | None = None,
    ) -> Constraint:
        """Allow JSON documents of a schema.

        Args:
            schema: As such or as a pydantic class.
            spans: Texts by the path of a field, as in ``"order.customer"``: the strings there are
                copied from their text. A schema may say the same itself, with the keyword
                :data:`domainsmith.model_io.text_spans.SPAN_OF` and a text.

        Raises:
            InputInvalid: There is no string at a path.
        """
        if isinstance(schema, type):
            schema = schema.model_json_schema()
        return cls("json_schema", _ordered_json(mark_spans(schema, spans or {})))

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a ``json_schema`` constraint."""
        if self.kind != "json_schema" or not isinstance(self.body, str):
            raise InputInvalid("Only a json_schema constraint has a schema", where=self.kind)
        schema: dict[str, Any] = json.loads(self.body)
        return schema


def _ordered_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One prompt and how to continue it.

    Attributes:
        prompt: The rendered prompt, special tokens included (see :meth:`Generator.render`).
        max_new_tokens: Upper bound of the completion, in tokens. A ``choice`` is always completed,
            and JSON is steered to its end when the bound comes near.
        temperature: 0 takes the most likely token each time.
        top_p: Smallest set of tokens whose probabilities reach this sum; 1 keeps all.
        top_k: Number of most likely tokens kept; 0 keeps all.
        seed: Of this row alone; the other rows of a batch do not influence its draws.
        stop: Texts that end the completion; they are not part of it.
        constraint: What the completion must look like.
        adapter: Name of a loaded adapter; absent takes the base weights.
    """

    prompt: str
    max_new_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    stop: tuple[str, ...] = ()
    constraint: Constraint | None = None
    adapter: str | None = None

    def __post_init__(self) -> None:
        problems = []
        if self.max_new_tokens < 1:
            problems.append(f"max_new_tokens is {self.max_new_tokens}, must be at least 1")
        if not 0.0 <= self.temperature <= 100.0:
            problems.append(f"temperature is {self.temperature}, must be 0 to 100")
        if not 0.0 < self.top_p <= 1.0:
            problems.append(f"top_p is {self.top_p}, must be above 0 and at most 1")
        if self.top_k < 0:
            problems.append(f"top_k is {self.top_k}, must be 0 or more")
        if isinstance(self.stop, str) or not all(self.stop):
            problems.append("stop must be a tuple of non-empty strings")
        if problems:
            raise InputInvalid("; ".join(problems), where="generation request")


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered to one request.

    Attributes:
        index: Position of the request in the list that was given.
        text: The completion, without special tokens and without the stop text.
        prompt_tokens: Tokens of the prompt.
        completion_tokens: Tokens that were sampled, the end token included.
        finish_reason: ``stop`` (the model or a stop text ended it, or the constraint is complete),
            ``length`` (the token bound was reached), ``cancelled``, or ``invalid``: a served model
            that cannot be held to the constraint broke it at every try, and the text is empty.
        cached_tokens: Tokens of the prompt that were not computed, because an earlier call had.
    """

    index: int
    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: FinishReason
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """How likely a completion is after a prompt.

    Attributes:
        sum: Log-probability of all completion tokens together, in nats.
        tokens: Number of completion tokens.
    """

    sum: float
    tokens: int

    @property
    def mean(self) -> float:
        """Log-probability per token, in nats; 0 for an empty completion."""
        return self.sum / self.tokens if self.tokens else 0.0


@runtime_checkable
class Generator(Protocol):
    """Answers many prompts, batched or in parallel."""

    @property
    def model_name(self) -> str:
        """Name that goes into records and lineage."""
        ...

    @property
    def context_length(self) -> int:
        """Prompt and completion tokens that fit together."""
        ...

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        """Turn chat messages into a prompt."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        ...

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        """Yield one completion a request as they finish; ``index`` tells which."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Tells how likely given completions are."""

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        """Return the log-likelihood of each completion after its prompt, in the given order."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their cosine similarity."""

    @property
    def model_name(self) -> str:
        """Name and content of the model: vectors of different names must not be mixed."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 vectors of shape (texts, dimension), L2-normalised."""
        ...


def embed_queries(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed questions by an embedder that may or may not tell them from passages.

    Args:
        embedder: Any; ``embed_queries`` is used if it has one.
        texts: The questions.

    Returns:
        Float32 vectors of shape (texts, dimension), L2-normalised.
    """
    compute: Callable[[Sequence[str]], NDArray[np.float32]]
    compute = getattr(embedder, "embed_queries", embedder.embed)
    return compute(texts)


@runtime_checkable
class Reranker(Protocol):
    """Reads queries and passages together and tells how well they fit."""

    @property
    def name(self) -> str:
        """Kind and content of the model behind it."""
        ...

    def rerank(
        self, queries: Sequence[str], passages: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Return one score a passage, higher is better; comparable within one query only.

        Args:
            queries: The questions.
            passages: Texts to score for each of them; the numbers may differ.
        """
        ...
