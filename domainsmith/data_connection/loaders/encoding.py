"""Bytes to text: which encoding a file is in.

"UTF-8, else GB18030" is wrong: Big5, CP949 and CP932 bytes mostly decode as GB18030 without
an error, and UTF-16 without a mark decodes as UTF-8 (with NULs) or as GB18030 (Chinese without
any NUL). So byte-order marks come first, then NUL patterns, then strict UTF-8, then the reading
that gives the most of the characters that its language uses most, then a statistical guess.
"""

from __future__ import annotations

import codecs
import re

from domainsmith.errors import InputUnreadable

__all__ = ["decode", "detect"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SINGLE_BYTE = [
    "cp1252", "cp1250", "cp1251", "koi8_r", "mac_cyrillic", "cp1253", "cp1255", "cp1256",
]  # fmt: skip
_SUPERSETS = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030",
    "big5": "cp950", "big5-hkscs": "big5hkscs", "shift_jis": "cp932", "shift-jis": "cp932",
    "x-sjis": "cp932", "sjis": "cp932", "euc-kr": "cp949", "ks_c_5601-1987": "cp949",
    "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252",
    "ascii": "cp1252",
}  # fmt: skip
"""What files call an encoding, and the larger one that they are written in."""

# The most frequent characters of running text: a right reading is full of them, a wrong one
# of rare ones. Marks of punctuation count too.
_SIMPLIFIED = frozenset(
    "的一是不了在人有我他这中大来上个国和们到说时为要就出会可也你对生能而子那得于下自年过发后作里"
    "用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因"
    "只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物"
    "手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先"
    "海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报"
    "，。、；：？！“”（）《》"
)
_TRADITIONAL = frozenset(
    "的一是不了在人有我他這中大來上個國和們到說時為要就出會可也你對生能而子那得於下自年過發後作裡"
    "用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因"
    "只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物"
    "手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先"
    "海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報"
    "，。、；：？！「」（）《》"
)
_KOREAN = frozenset(
    "이다는의에을고하가지은로한를기사도서나어있자대리시인정그과해일아부스수제라상전보게만장유주으"
    "공성화조구원소여신모생우동국면들와세계방선개등발연년진미물까안경무오것회거실말음내비관당된된"
    "행식분위간마요운적입치금현명교중했러불심반단업용문및학각생습니"
)
_LANGUAGE_OF = {
    "gb18030": _SIMPLIFIED,
    "big5hkscs": _TRADITIONAL,
    "cp950": _TRADITIONAL,
    "cp949": _KOREAN,
}
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30f6\u30fc]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SAMPLE = 60_000
"""Bytes that a guess looks at."""
_ENOUGH = 0.08
"""Least share of frequent characters for a reading to be believed."""


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
    name = detect(data, declared=declared)
    text = _try(data, name)
    if text is None:
        raise InputUnreadable(f"The file starts as {name} and then breaks it")
    return _checked(text)


def detect(data: bytes, *, declared: str | None = None) -> str:
    """Find the encoding of a text.

    Args:
        data: Its bytes.
        declared: See :func:`decode`.

    Returns:
        Name of a codec.

    Raises:
        InputUnreadable: The bytes are not text in any encoding that is tried.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    wanted = _SUPERSETS.get(declared.lower(), declared) if declared else None
    for guess in (_wide_encoding(data), wanted, "utf-8"):
        if guess and _try(data, guess) is not None:
            return guess
    return _guess(data)


def _try(data: bytes, name: str) -> str | None:
    try:
        text = data.decode(name)
    except (UnicodeError, LookupError):
        return None
    return text if isinstance(text, str) else None


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
    if max(even, odd) < 0.1 * len(sample):
        return None  # not of Latin letters: the NUL is half of a character such as U+4E00
    if odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 4 * odd else None


def _guess(data: bytes) -> str:
    by_language = _by_frequent_characters(data)
    if by_language is not None:
        return by_language
    from charset_normalizer import from_bytes

    best = from_bytes(
        data[:_SAMPLE],
        cp_isolation=[*_SINGLE_BYTE, "gb18030", "cp950", "cp932", "cp949", "euc_jp"],
        enable_fallback=False,
    ).best()
    # The sample may end inside a character, so the whole file is decoded again, strictly.
    for name in [best.encoding] if best is not None else []:
        if _try(data, name) is not None:
            return name
    if b"\x00" not in data[:_SAMPLE] and _try(data, "cp1252") is not None:
        return "cp1252"
    raise InputUnreadable(
        "The text is in no encoding that is recognised", fix="Save the file as UTF-8."
    )


def _by_frequent_characters(data: bytes) -> str | None:
    """Take the East Asian reading with the most frequent characters of its language, if any."""
    readings = ["gb18030", "cp950", "big5hkscs", "cp949", "cp932", "euc_jp"]
    if len(data) % 2 == 0:
        readings += ["utf-16-le", "utf-16-be"]
    scored: list[tuple[float, int, str]] = []
    for order, name in enumerate(readings):
        text = _try(data, name)
        if text is None:
            continue
        beyond = [ch for ch in text[:_SAMPLE] if ch > "\x7f"]
        if not beyond:
            continue
        scored.append((round(_share(name, beyond), 3), -order, name))
    if not scored:
        return None
    share, _, name = max(scored)
    return name if share >= _ENOUGH else None


def _share(name: str, characters: list[str]) -> float:
    """Share of characters that are frequent in the language(s) written in an encoding."""
    if name in {"cp932", "euc_jp"}:
        kana = sum(1 for ch in characters if _KANA.match(ch))
        # half-width kana are what Chinese bytes look like when they are read as Japanese
        return kana / len(characters)
    if name.startswith("utf-16"):
        return max(
            sum(1 for ch in characters if ch in frequent or _KANA.match(ch)) / len(characters)
            for frequent in (_SIMPLIFIED, _TRADITIONAL, _KOREAN)
        )
    frequent = _LANGUAGE_OF[name]
    return sum(1 for ch in characters if ch in frequent) / len(characters)


def _checked(text: str) -> str:
    if len(_CONTROL.findall(text[:100_000])) > 0.01 * min(len(text), 100_000):
        raise InputUnreadable("The file is binary data, not text")
    return text
