"""One change to an answer."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Edit"]


@dataclass(frozen=True)
class Edit:
    """A change to one place of a text.

    Args:
        kind: ``number``, ``unit``, ``name``, ``entity``, ``negation``, ``citation`` or
            ``truncation``.
        start: Offset of the first character that is replaced.
        end: Offset past the last one.
        text: What stands there instead.
        value: What must not stand in the passages; empty where the whole text is compared.
    """

    kind: str
    start: int
    end: int
    text: str
    value: str = ""

    def apply(self, answer: str) -> str:
        """Return the answer with this change."""
        return answer[: self.start] + self.text + answer[self.end :]
