"""The passages of a run: what may be trained on, in a fair order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.held_out import duplicate_passages, excluded_passages
from domainsmith.errors import InputEmpty
from domainsmith.records import Passage, Question, content_hash

__all__ = ["PassageSource", "sort_passages"]


@dataclass(frozen=True)
class PassageSource:
    """The passages of a run, sorted by what may be done with them.

    Args:
        every: All of them.
        usable: Those to generate from, in the order of the run.
        excluded: Those that hold, or copy what holds, answers of test questions.
        copies: Number of usable ones that only repeat another.
    """

    every: tuple[Passage, ...]
    usable: tuple[Passage, ...]
    excluded: tuple[Passage, ...]
    copies: int

    def counts(self) -> dict[str, int]:
        """Return the numbers for reports."""
        return {
            "all": len(self.every),
            "copies": self.copies,
            "excluded": len(self.excluded),
            "used": len(self.usable),
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
