"""Toxicity: abusive wording, by word lists that a user can extend or cut."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from domainsmith.chains.grading.subject import Subject, verdict
from domainsmith.data_connection.language import detect_language
from domainsmith.errors import InputNotFound, translated_os_errors
from domainsmith.records import Grade, Language

__all__ = ["grade_toxicity", "toxic_words"]

_LANGUAGES: tuple[Language, ...] = ("en", "zh")


def grade_toxicity(subject: Subject, *, words_file: str = "") -> Grade:
    """Check the instruction, the history and the answer to be learned for abuse.

    The worse answers of a preference or ranking are not looked at: they teach what not to say.

    Args:
        subject: The item.
        words_file: See :func:`toxic_words`.
    """
    item = subject.item
    turns = [text for pair in item.history for text in pair]
    found = toxic_words("\n".join([item.instruction, *turns, subject.answer]), words_file)
    problem = f"abusive wording: {', '.join(sorted(set(found))[:3])}" if found else ""
    return verdict("toxicity", problem)


def toxic_words(text: str, words_file: str = "") -> list[str]:
    """Find abusive words of both languages.

    Args:
        text: Any text.
        words_file: Path of a UTF-8 file, one entry a line, added to the built-in lists: English
            is matched as whole words whatever the case (``*`` for any ending), Chinese as it
            stands; an entry after ``-`` is taken out of the lists; ``#`` begins a comment.

    Returns:
        The words as they stand, in order, English ones first.

    Raises:
        InputNotFound: There is no such file.
    """
    return [
        match[0].lower() for pattern in _patterns(words_file) for match in pattern.finditer(text)
    ]


@cache
def _patterns(words_file: str) -> tuple[re.Pattern[str], ...]:
    entries = {language: set(_lines(_built_in(language))) for language in _LANGUAGES}
    for line in _lines(_own(words_file)) if words_file else ():
        word = line.removeprefix("-").strip().lower()
        chosen = entries[detect_language(word)]
        if line.startswith("-"):
            chosen.discard(word)
        else:
            chosen.add(word)
    english = "|".join(
        re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", r"\s+")
        for word in sorted(entries["en"], key=lambda word: (-len(word), word))
    )
    chinese = "|".join(sorted(map(re.escape, entries["zh"]), key=lambda word: (-len(word), word)))
    patterns = []
    if english:
        patterns.append(re.compile(rf"(?<!\w)(?:{english})(?!\w)", re.IGNORECASE | re.ASCII))
    if chinese:
        patterns.append(re.compile(chinese))
    return tuple(patterns)


def _lines(text: str) -> list[str]:
    lines = (line.split("#")[0].strip().lower() for line in text.split("\n"))
    return [line for line in lines if line]


def _built_in(language: Language) -> str:
    source = files("domainsmith.chains.grading") / f"toxic.{language}.txt"
    return source.read_text(encoding="utf-8")


def _own(words_file: str) -> str:
    path = Path(words_file).expanduser()
    with translated_os_errors(path):
        if not path.is_file():
            raise InputNotFound("There is no such list of words", where=path)
        return path.read_text(encoding="utf-8-sig")
