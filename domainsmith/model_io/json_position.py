"""Where a JSON document that is being written stands: in a text, in a number, or between."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["JsonPosition"]

_NUMBER = frozenset(b"+-.0123456789eE")


@dataclass(slots=True)
class JsonPosition:
    """State after the bytes read so far.

    Attributes:
        in_text: Whether a string has begun and not ended.
        length: Characters of the string or number that is being written.
    """

    in_text: bool = False
    length: int = 0
    _escaped: bool = False

    def copy(self) -> JsonPosition:
        """Return an independent state."""
        return replace(self)

    def read(self, data: bytes) -> None:
        """Go on by some bytes, which may begin or end within a character."""
        for byte in data:
            if not self.in_text:
                self.in_text = byte == 0x22
                self.length = self.length + 1 if byte in _NUMBER else 0
            elif self._escaped:
                self._escaped = False
            elif byte == 0x22:
                self.in_text = False
                self.length = 0
            else:
                self._escaped = byte == 0x5C
                # Bytes that continue a UTF-8 character do not count.
                self.length += byte & 0xC0 != 0x80
