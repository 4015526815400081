"""The output gate: what untrusted text may say to a terminal, and nothing else.

Documents, model output and file names can carry sequences that retitle the window, write the
clipboard, erase lines or show text in another order than it is. Every sink of the
applications (stream, table, error, log, approval) writes through here.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

__all__ = ["OutputGate", "clean", "one_line", "reveal", "safe_json"]

_UNSAFE: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 except tab and newline, DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"  # invisible letters and marks
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # zero width and bidirectional controls
    "\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\ud800-\udfff"  # lone surrogates: no terminal encoding can write them
    "\U000e0000-\U000e0fff"  # tags and supplementary variation selectors
)
_SUSPECT: Final = re.compile(f"[{_UNSAFE}]")
_STRING_STARTS: Final = frozenset("]P_^X")  # OSC, DCS, APC, PM, SOS after ESC
_STRING_STARTS_8BIT: Final = frozenset("\x9d\x90\x9f\x9e\x98")
_STRING_ENDS: Final = frozenset("\x07\x9c\x18\x1a")  # BEL, ST, CAN, SUB


class OutputGate:
    """Removes control sequences from text that arrives in pieces.

    The result does not depend on where the pieces are cut. A control string that is never
    closed ends at the next newline, so it cannot swallow what follows.
    """

    def __init__(self) -> None:
        self._state = "ground"

    def feed(self, chunk: str) -> str:
        """Take the next piece.

        Args:
            chunk: Any text, may end in the middle of a sequence.

        Returns:
            The part of it that may be shown.
        """
        if self._state == "ground" and not _SUSPECT.search(chunk):
            return chunk
        return "".join(map(self._step, chunk))

    def finish(self) -> str:
        """End the text: drop an unfinished sequence and start afresh.

        Returns:
            Always the empty text; a sequence without its end shows nothing.
        """
        self._state = "ground"
        return ""

    def _step(self, char: str) -> str:
        if self._state == "ground":
            return self._ground(char)
        if self._state == "string":
            return self._string(char)
        if char == "\x1b":
            self._state = "escape"
            return ""
        if self._state == "escape":
            return self._escape(char)
        return self._control_sequence(char)

    def _ground(self, char: str) -> str:
        if not _SUSPECT.match(char):
            return char
        if char == "\x1b":
            self._state = "escape"
        elif char == "\x9b":
            self._state = "csi"
        elif char in _STRING_STARTS_8BIT:
            self._state = "string"
        elif "\ud800" <= char <= "\udfff":
            return "\ufffd"
        return ""

    def _escape(self, char: str) -> str:
        if char == "[":
            self._state = "csi"
        elif char in _STRING_STARTS:
            self._state = "string"
        elif " " <= char <= "/":
            pass  # an intermediate byte: the sequence goes on
        elif "0" <= char <= "~":
            self._state = "ground"  # the final byte
        else:
            self._state = "ground"
            return self._ground(char)
        return ""

    def _control_sequence(self, char: str) -> str:
        if " " <= char <= "?":
            return ""
        self._state = "ground"
        return "" if "@" <= char <= "~" else self._ground(char)

    def _string(self, char: str) -> str:
        if char in _STRING_ENDS:
            self._state = "ground"
        elif char == "\x1b":
            self._state = "escape"  # ESC \ is the usual end; any other sequence ends it too
        elif char == "\n":
            self._state = "ground"
            return char
        return ""


def clean(text: str) -> str:
    """Remove every control sequence from a whole text.

    Args:
        text: Untrusted text.

    Returns:
        The text with newlines and tabs as its only control characters.
    """
    return OutputGate().feed(text)


def one_line(text: object, limit: int = 0) -> str:
    """Make untrusted text fit for one line: a table cell, a file name, a message.

    Args:
        text: Anything; its ``str`` is used.
        limit: Longest result in characters; 0 does not cut.

    Returns:
        Clean text whose runs of white space are single spaces, cut with an ellipsis.
    """
    line = " ".join(clean(str(text)).split())
    return line if not limit or len(line) <= limit else line[: limit - 1] + "…"


def reveal(text: str) -> str:
    """Make hidden characters visible, for text that a person approves.

    Args:
        text: Untrusted text.

    Returns:
        The same text; control characters as their symbols (``␛``), others as ``<U+202E>``.
    """
    return _SUSPECT.sub(lambda match: _symbol(ord(match.group())), text)


def _symbol(code: int) -> str:
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


def safe_json(value: Any, *, indent: int | None = 2) -> str:
    """Serialise for a terminal or a pipe without losing or showing control characters.

    Args:
        value: Plain data; other objects are written as their ``str``.
        indent: Spaces a level; None for one line.

    Returns:
        JSON in which letters stay readable and unsafe characters are escaped.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return _SUSPECT.sub(lambda match: _json_escape(match.group()), text)


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs)
