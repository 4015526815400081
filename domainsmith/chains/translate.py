"""A question in the other language of its collection.

With a strong model the question is translated. A 135M model cannot do that, so with it only the
terms are carried over that the collection itself gives in both languages ("潭影（Tarn）"), with
the numbers, codes and Latin names of the question: enough to find passages by name, no more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.batch_step import BatchStep
from domainsmith.chains.vocabulary import Vocabulary, language_shares, vocabulary
from domainsmith.chains.written import Writer, written
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import detect_language, normalise_width
from domainsmith.prompts import render
from domainsmith.records import Language

__all__ = ["needs_translation", "translate", "translation"]

_RARE = 0.05
"""Share of the passages below which a language does not count as held."""
_CARRIED = re.compile(r"[A-Za-z][A-Za-z0-9.+/-]*|\d+(?:[.,:]\d+)*")


def needs_translation(question: str, index: Index, *, always: bool = False) -> bool:
    """Tell whether a collection must be searched in another language than the question's.

    Args:
        question: The question.
        index: Of the collection.
        always: Also if the collection holds both languages.
    """
    shares = language_shares(index)
    own = detect_language(question)
    other = shares.get(_other(own), 0.0)
    return other > _RARE and (always or shares.get(own, 0.0) < _RARE)


def translate(questions: Sequence[str], index: Index, *, writer: Writer | None = None) -> list[str]:
    """Write questions in the other language.

    Args:
        questions: Each in either language.
        index: Its collection gives the terms.
        writer: A strong model that translates; None carries only the known terms over.

    Returns:
        A translation each; empty where nothing could be carried over.
    """
    if writer is not None:
        prompts = [
            render("translate_query", _other(detect_language(text)), question=text)
            for text in questions
        ]
        texts = [text.split("\n")[0].strip() for text in written(writer, prompts)]
        return [
            text if detect_language(text) != detect_language(question) else ""
            for question, text in zip(questions, texts, strict=True)
        ]
    known = vocabulary(index)
    return [_by_terms(question, known) for question in questions]


def translation(index: Index, *, writer: Writer | None = None) -> BatchStep[str, str]:
    """Return :func:`translate` as a LangChain runnable.

    Args:
        index: As for :func:`translate`.
        writer: As for :func:`translate`.
    """
    return BatchStep("translate", lambda questions: translate(questions, index, writer=writer))


def _other(language: Language) -> Language:
    return "en" if language == "zh" else "zh"


def _by_terms(question: str, known: Vocabulary) -> str:
    text = normalise_width(question)
    terms = known.to_english if detect_language(question) == "zh" else known.to_chinese
    lowered = text.lower()
    found = [term for term in sorted(terms, key=lambda t: (-len(t), t)) if term in lowered]
    kept = [t for t in found if not any(t != other and t in other for other in found)]
    if not kept:
        return ""
    words = [terms[term] for term in sorted(kept, key=lowered.index)]
    carried = [word for word in _CARRIED.findall(text) if word.lower() not in kept]
    named = (
        carried if detect_language(question) == "zh" else [w for w in carried if not w.islower()]
    )
    return " ".join(dict.fromkeys([*words, *named]))
