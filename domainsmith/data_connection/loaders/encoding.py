"""Bytes to text: which encoding a file is in.

"UTF-8, else GB18030" is wrong: Big5, CP949 and CP932 bytes mostly decode as GB18030 without
an error, and UTF-16 without a mark decodes as UTF-8 (with NULs). So byte-order marks come
first, then NUL patterns, then strict UTF-8, then a statistical guess among a short list.
"""

from __future__ import annotations

import codecs
import re

from domainsmith.errors import InputUnreadable

__all__ = ["decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = [
    "gb18030", "big5", "cp932", "cp949", "euc_jp", "cp1252", "cp1250", "cp1251", "mac_cyrillic",
    "cp1253", "cp1255", "cp1256",
]  # fmt: skip
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def decode(data: bytes, *, declared: str | None = None) -> str:
    """Decode a text file.

    Args:
        data: The file's bytes.
        declared: Encoding that the file itself names (HTML ``meta``), tried after the marks.

    Returns:
        The text, without a byte-order mark.

    Raises:
        InputUnreadable: The bytes are not text in any encoding that is tried.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strict(data, name)
    for guess in (_wide_encoding(data), declared, "utf-8"):
        text = _try(data, guess) if guess else None
        if text is not None:
            return _checked(text)
    return _checked(_guess(data))


def _try(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeDecodeError, LookupError):
        return None


def _strict(data: bytes, name: str) -> str:
    text = _try(data, name)
    if text is None:
        raise InputUnreadable(f"The file starts as {name} and then breaks it")
    return _checked(text)


def _wide_encoding(data: bytes) -> str | None:
    """Recognise UTF-16 and UTF-32 without a mark by where their NUL bytes stand."""
    sample = data[:4096]
    if b"\x00" not in sample or len(sample) < 4:
        return None
    quarter = [sample[i::4].count(0) for i in range(4)]
    if min(quarter[2], quarter[3]) > len(sample) / 4 * 0.9 and quarter[0] == 0:
        return "utf-32-le"
    if min(quarter[0], quarter[1]) > len(sample) / 4 * 0.9 and quarter[3] == 0:
        return "utf-32-be"
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 4 * odd else None


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = data[:200_000]
    best = from_bytes(sample, cp_isolation=_CANDIDATES, enable_fallback=False).best()
    # The sample may end inside a character, so the whole file is decoded again, strictly.
    for name in ([best.encoding] if best is not None else []) + _CANDIDATES[:5] + ["cp1252"]:
        text = _try(data, name)
        if text is not None:
            return text
    raise InputUnreadable(
        "The text is in no encoding that is recognised", fix="Save the file as UTF-8."
    )


def _checked(text: str) -> str:
    if len(_CONTROL.findall(text[:100_000])) > 0.01 * min(len(text), 100_000):
        raise InputUnreadable("The file is binary data, not text")
    return text
