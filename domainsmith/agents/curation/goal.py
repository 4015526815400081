"""What a curation is for and how much it may use."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from domainsmith.records import Language

__all__ = ["Budget", "Focus", "Goal", "goal_values"]


@dataclass(frozen=True)
class Budget:
    """Limits of a curation, all its runs together. None of them is part of its identity.

    Args:
        rounds: Rounds of choosing and generating.
        minutes: Working time.
        tokens: Tokens that models read and write; 0 for no limit.
        patience: Rounds without a better state before it is called a plateau.
    """

    rounds: int = 8
    minutes: float = 60.0
    tokens: int = 0
    patience: int = 2


@dataclass(frozen=True)
class Focus:
    """A part of the documents that a wish names.

    Args:
        phrase: In the user's words.
        weight: Of what it names against the rest: above 1 more, below 1 less, 0 none.
    """

    phrase: str
    weight: float


@dataclass(frozen=True)
class Goal:
    """What is wanted.

    Args:
        target: Records.
        wish: The user's words; may be empty.
        focus: Parts that shall be stronger, weaker or left out.
        only: Nothing beside the parts that shall be stronger.
        language: Of the wish.
        reader: What read the wish: ``terms`` or the name of a model.
    """

    target: int
    wish: str = ""
    focus: tuple[Focus, ...] = ()
    only: bool = False
    language: Language = "en"
    reader: str = "terms"


def goal_values(goal: Goal) -> dict[str, Any]:
    """Return a goal as plain data, for checkpoints and logs."""
    return {**asdict(goal), "focus": [asdict(item) for item in goal.focus]}
