"""Language: is an item in the language that it claims, mixed texts understood."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.grading.subject import Subject, verdict
from domainsmith.records import Grade, Language, Passage

__all__ = ["grade_language"]

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]{2,}")
_OTHER = re.compile(r"[^\W\d_A-Za-z\u00c0-\u024f\u0370-\u03ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")  # fmt: skip  # noqa: E501
_ASKS_FOR_OTHER: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"\b(?:Chinese|Mandarin|translat\w*|pinyin|hanzi)\b", re.IGNORECASE),
    "zh": re.compile(
        r"英文|英语|翻译|译成|译为|代码|程序|函数|脚本|SQL|Python|HTML", re.IGNORECASE
    ),
}
_FEW = 4
"""Latin words that a Chinese answer may consist of: names and terms stay as they are."""
_QUOTED = 12
"""Words, or Han characters, of a quote that an answer may consist of."""


def grade_language(subject: Subject, passages: Sequence[Passage]) -> Grade:
    """Check question and answer each for itself.

    Foreign words that stand in the passages, or in the question for the answer, are quotes; a
    short answer of names and numbers is in any language; an answer is in another language where
    the question asks for that.

    Args:
        subject: The item.
        passages: Those that it names.
    """
    item = subject.item
    quoted = " ".join(f"{passage.header} {passage.text}" for passage in passages)
    asked = _problem(item.instruction, item.language, f"{quoted} {item.input}", few=0)
    told = ""
    if not _ASKS_FOR_OTHER[item.language].search(item.instruction):
        told = _problem(subject.answer, item.language, f"{quoted} {item.instruction}", few=_FEW)
    problem = f"the question {asked}" if asked else f"the answer {told}" if told else ""
    return verdict("language", problem)


def _problem(text: str, language: Language, quoted: str, *, few: int) -> str:
    other = len(_OTHER.findall(text))
    if other > 0.3 * max(1, sum(character.isalpha() for character in text)):
        return "is in another script"
    han, latin = len(_HAN.findall(text)), len(_LATIN.findall(text))
    if language == "zh":
        if han * 2 >= latin or (not han and latin <= few):
            return ""
        own = [word for word in _LATIN.findall(text) if word.lower() not in quoted.lower()]
        if han * 2 >= len(own) and (han or (few and latin <= _QUOTED)):
            return ""
        return f"reads as en ({latin} Latin words, {han} Han characters)"
    if han * 2 < latin or not han or (latin >= 3 and han <= latin + 2):
        return ""  # a word or two of Chinese in an English sentence
    own_han = sum(1 for character in _HAN.findall(text) if character not in quoted)
    if own_han * 2 < latin or (few and not own_han and han <= _QUOTED):
        return ""
    return f"reads as zh ({latin} Latin words, {han} Han characters)"
