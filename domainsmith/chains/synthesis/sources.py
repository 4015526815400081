"""The passages of a run: what may be trained on, in a fair order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domainsmith.chains.held_out import duplicate_passages, excluded_passages
from domainsmith.chains.synthesis.topic import TopicPassages, passages_about
from domainsmith.errors import InputEmpty
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Passage, Question, content_hash

__all__ = ["PassageSource", "narrowed", "sort_passages"]


@dataclass(frozen=True)
class PassageSource:
    """The passages of a run, sorted by what may be done with them.

    Args:
        every: All of them.
        usable: Those to generate from, in the order of the run.
        excluded: Those that hold, or copy what holds, answers of test questions.
        copies: Number of usable ones that only repeat another.
        topic: What the run is about only; None for everything.
    """

    every: tuple[Passage, ...]
    usable: tuple[Passage, ...]
    excluded: tuple[Passage, ...]
    copies: int
    topic: TopicPassages | None = None

    @property
    def drawn(self) -> tuple[Passage, ...]:
        """Those to generate from: the usable ones, of a topic only if there is one."""
        return self.usable if self.topic is None else self.topic.passages

    @property
    def beside(self) -> tuple[Passage, ...]:
        """Those that may stand beside the passages of a topic; empty without one."""
        return () if self.topic is None else self.usable

    def counts(self) -> dict[str, int]:
        """Return the numbers for reports."""
        return {
            "all": len(self.every),
            "copies": self.copies,
            "excluded": len(self.excluded),
            "used": len(self.drawn),
        }


def sort_passages(
    passages: Sequence[Passage], exclude: Sequence[Question], *, needed: bool = True
) -> PassageSource:
    """Take out held-out passages and copies, and put the rest in a fair order.

    Args:
        passages: All passages, by document and position.
        exclude: Test questions.
        needed: Raise if nothing is left.

    Returns:
        The sorted passages.

    Raises:
        InputEmpty: Nothing is left to generate from.
    """
    held = excluded_passages(passages, exclude)
    free = [item for item in passages if item.id not in held and item.text.strip()]
    copies = duplicate_passages(free)
    usable = sorted(
        (item for item in free if item.id not in copies),
        key=lambda item: content_hash(["order", item.text]),
    )
    if needed and not usable:
        raise InputEmpty(
            "There is no passage to generate from",
            where=f"{len(passages)} passages, {len(held)} held out for the test questions",
            fix="Add documents, or hold out fewer questions.",
        )
    return PassageSource(
        every=tuple(passages),
        usable=tuple(usable),
        excluded=tuple(item for item in passages if item.id in held),
        copies=len(copies),
    )


def narrowed(source: PassageSource, topic: str, embedder: Embedder | None) -> PassageSource:
    """Keep to what the documents say about a topic.

    Args:
        source: The passages of a run.
        topic: In the user's words; empty leaves the source as it is.
        embedder: For topics that the documents name in other words.

    Returns:
        The source with its topic.

    Raises:
        InputNotFound: The documents do not speak of it.
    """
    if not topic.strip():
        return source
    return replace(source, topic=passages_about(topic.strip(), source.usable, embedder))
