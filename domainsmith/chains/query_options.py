"""Which steps a question goes through before its passages are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["QueryOptions", "Switch"]

Switch = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class QueryOptions:
    """Which steps a question takes before its passages are read.

    Attributes:
        decompose: Take compound questions apart. ``on`` also takes lists apart that the
            collection uses as one name.
        step_back: Ask a broader question where the gate doubts; ``on`` asks it always.
        translate: Search in the collection's language where the question's is another; ``on``
            also where the collection holds both.
        spelling: Correct words that the collection does not know; ``on`` without asking
            the model.
    """

    decompose: Switch = "auto"
    step_back: Switch = "auto"
    translate: Switch = "auto"
    spelling: Switch = "auto"
