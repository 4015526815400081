"""A follow-up question and its history to one question that stands alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.ellipsis import filled_zh, left_out_zh, named_zh
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.scripts_zh import in_script_of, simplified
from domainsmith.model_io.generation import GenerationRequest, Generator
from domainsmith.prompts import render
from domainsmith.records import Message

__all__ = ["asked_now", "needs_history", "standalone_question"]

_POINTS_BACK_EN = re.compile(
    r"\b(?:it|its|they|them|their|that one|this one|those|these|he|she|there|then|the same|"
    r"the other|the first|the second|the last)\b"
    r"|^(?:and|but|so|also|or|what about|how about|why|why not|really)\b",
    re.IGNORECASE,
)
_POINTS_BACK_ZH = re.compile(
    r"它|他们|她|这个|那个|这些|那些|这种|那种|其中|前者|后者|上面|刚才|^(?:那|那么|还有|另外|为什么|然后|所以)|呢[？?]?$"
)


def needs_history(question: str) -> bool:
    """Tell whether a question points back at earlier turns, or is too short to search with."""
    language = detect_language(question)
    pattern = _POINTS_BACK_ZH if language == "zh" else _POINTS_BACK_EN
    return (
        bool(pattern.search(simplified(question.strip())))
        or len(set(content_terms(question, language))) < 2
    )


def standalone_question(
    question: str,
    history: Sequence[tuple[str, str]],
    *,
    generator: Generator | None = None,
) -> str:
    """Write a question so that it can be searched for without its history.

    A rewriting by the model is taken only if every content word of it stands in the question
    or in the history, and every content word of the question is kept: small models invent.

    Args:
        question: The last question.
        history: Earlier (user, assistant) turns, oldest first.
        generator: Rewrites; None joins the last question that stands alone and this one, or puts
            that one's subject in place of a Chinese pronoun.

    Returns:
        The question itself if it needs no history.
    """
    if not history or not needs_history(question):
        return question
    anchor = _anchor(history)
    if generator is not None:
        rewritten = _rewritten(question, history, generator)
        if _is_faithful(rewritten, question, history):
            return rewritten
    named, asked = _completed(question, anchor)
    return asked if named else f"{anchor.strip()} {asked}"


def asked_now(question: str, history: Sequence[tuple[str, str]]) -> str:
    """Return what the last question asks, with what it leaves out filled in from the one before.

    Args:
        question: The last question.
        history: Earlier (user, assistant) turns, oldest first.

    Returns:
        "QX-20的重量呢？" for "它的重量呢？" and "儿童的剂量是多少" for "那儿童呢？"; the
        question itself if nothing is seen to be left out.
    """
    if not history or not needs_history(question):
        return question
    return _completed(question, _anchor(history))[1]


def _anchor(history: Sequence[tuple[str, str]]) -> str:
    """Return the last question that stands alone."""
    earlier = [user for user, _ in history]
    return next((user for user in reversed(earlier) if not needs_history(user)), earlier[-1])


def _completed(question: str, anchor: str) -> tuple[bool, str]:
    """Fill in a Chinese follow-up; whether it names its subject now, and the text."""
    asked = question.strip()
    if detect_language(asked) != "zh" or detect_language(anchor) != "zh":
        return False, asked
    named = named_zh(simplified(anchor), simplified(asked))
    if named:
        return True, in_script_of(named, asked)
    about = left_out_zh(simplified(asked))
    return False, in_script_of(filled_zh(simplified(anchor), about), asked) if about else asked


def _rewritten(question: str, history: Sequence[tuple[str, str]], generator: Generator) -> str:
    language = detect_language(question)
    lines = [f"- {user}\n  {assistant}" for user, assistant in history[-3:]]
    prompt = render("standalone_question", language, history="\n".join(lines), question=question)
    messages = [Message(role="user", content=prompt)]
    request = GenerationRequest(generator.render(messages), max_new_tokens=64, stop=("\n",))
    return next(iter(generator.generate([request]))).text.strip()


def _is_faithful(rewritten: str, question: str, history: Sequence[tuple[str, str]]) -> bool:
    language = detect_language(question)
    known = set(content_terms(question, language))
    for user, assistant in history:
        known.update(content_terms(f"{user} {assistant}", language))
    words = set(content_terms(rewritten, language))
    return bool(words) and words <= known and set(content_terms(question, language)) <= words
