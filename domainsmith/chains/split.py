"""What the rules that take compound questions apart give back."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Split"]


@dataclass(frozen=True)
class Split:
    """One way to take a question apart.

    Attributes:
        parts: Questions or search phrases that can be searched alone, in order; at least two.
        rule: ``questions``, ``comparison``, ``list`` or ``model``: what proposed it.
        sure: The structure leaves little doubt; otherwise the parts should be checked.
        joint: The words that were parted ("brain and spinal cord"): a collection that uses them
            as a name shows that they are one thing.
    """

    parts: tuple[str, ...]
    rule: str
    sure: bool
    joint: str = ""
