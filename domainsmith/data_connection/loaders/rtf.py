"""Rich text (RTF): the words, without their formatting."""

from __future__ import annotations

import re

from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text
from domainsmith.data_connection.loaders.source import Source
from domainsmith.errors import InputUnreadable

__all__ = ["load"]

_TOKEN = re.compile(
    r"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(\r?\n|[^a-z])|([{}])"
    r"|[\r\n]+|([^\\{}\r\n]+)",
    re.IGNORECASE,
)
_SKIPPED = {
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "headerl",
    "headerr", "footerl", "footerr", "listtable", "listoverridetable", "themedata", "datastore",
    "generator", "xmlnstbl", "rsidtbl", "latentstyles", "fldinst", "bkmkstart", "bkmkend",
}  # fmt: skip
_CHARACTERS = {
    "par": "\n\n", "sect": "\n\n", "page": "\n\n", "line": "\n", "row": "\n", "cell": " | ",
    "tab": "\t", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘",
    "rquote": "’", "ldblquote": "“", "rdblquote": "”", "~": " ", "_": "-",
}  # fmt: skip


def load(source: Source) -> LoadedFile:
    """Load a rich text file."""
    raw = source.read_bytes().decode("latin-1")
    if not raw.lstrip().startswith("{\\rtf"):
        raise InputUnreadable("The file is no rich text")
    match = re.search(r"\\ansicpg(\d+)", raw[:2000])
    return LoadedFile(
        source.stem, clean_text(_words(raw, f"cp{match.group(1) if match else 1252}")), "text/rtf"
    )


def _words(raw: str, codepage: str) -> str:
    reader = _Reader(codepage)
    for token in _TOKEN.finditer(raw):
        reader.take(*token.groups())
    reader.flush()
    # pairs of surrogates were written as two characters
    text = "".join(reader.pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _with_tables(text)


class _Reader:
    """Collects the words of the groups that are text."""

    def __init__(self, codepage: str) -> None:
        self.pieces: list[str] = []
        self._codepage = codepage
        self._bytes = bytearray()  # of one character that is written as several \'hh
        self._skipped = False
        self._after_unicode = 1  # plain characters that stand in for a Unicode one before them
        self._stack: list[tuple[bool, int]] = []
        self._stand_ins = 0

    def take(
        self,
        word: str | None,
        number: str | None,
        byte: str | None,
        symbol: str | None,
        brace: str | None,
        text: str | None,
    ) -> None:
        """Read one token; one of the arguments but ``number`` is given."""
        if byte is not None:
            if self._stand_ins:
                self._stand_ins -= 1
            elif not self._skipped:
                self._bytes.append(int(byte, 16))
            return
        self.flush()
        if brace == "{":
            self._stack.append((self._skipped, self._after_unicode))
        elif brace == "}":
            self._skipped, self._after_unicode = self._stack.pop() if self._stack else (False, 1)
        elif symbol == "*" or word in _SKIPPED:
            self._skipped = True
        elif word == "uc":
            self._after_unicode = int(number or 1)
        elif not self._skipped:
            self._write(word, number, symbol, text or "")

    def flush(self) -> None:
        """Decode the bytes of a character that has ended."""
        if self._bytes:
            try:
                self.pieces.append(self._bytes.decode(self._codepage, "replace"))
            except LookupError:
                self.pieces.append(self._bytes.decode("cp1252", "replace"))
            self._bytes.clear()

    def _write(self, word: str | None, number: str | None, symbol: str | None, text: str) -> None:
        if word == "u" and number:
            self.pieces.append(chr(int(number) % 65536))
            self._stand_ins = self._after_unicode
        elif word or symbol:
            name = word or symbol or ""
            self.pieces.append(_CHARACTERS.get(name, name if name in {"\\", "{", "}"} else ""))
        else:
            self.pieces.append(text[self._stand_ins :])
            self._stand_ins = max(0, self._stand_ins - len(text))


def _with_tables(text: str) -> str:
    """Close the rows of tables on both sides and put the rule under the first of each."""
    lines: list[str] = []
    for line in text.split("\n"):
        row = line.strip()
        if not row.endswith("|"):
            lines.append(line)
            continue
        first = not (lines and lines[-1].endswith("|"))
        lines.append(f"| {row}")
        if first:
            lines.append("|" + " --- |" * row.count("|"))
    return "\n".join(lines)
