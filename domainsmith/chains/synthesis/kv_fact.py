"""A question with an answer that was read or computed from rows, before it is a record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from domainsmith.chains.verbalize import sentence_end
from domainsmith.records import Language

__all__ = ["KvFact", "finished", "same_text"]


@dataclass(frozen=True)
class KvFact:
    """A question and its exact answer.

    Args:
        kind: ``lookup``, ``reverse``, ``two_hop``, ``compare``, ``count``, ``extreme``,
            ``total``, ``average``.
        question: Verbalised by template.
        answer: A sentence or a value with its full stop.
        language: Of both.
        keys: Names and numbers that a paraphrase must keep as they are.
        rows: Numbers of the rows behind it, from 0, the row asked about first.
        columns: Numbers of the columns behind it, from 0.
        plan: What was computed, as plain data: enough to compute the answer again.
    """

    kind: str
    question: str
    answer: str
    language: Language
    keys: tuple[str, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    plan: tuple[Any, ...]


def same_text(left: str, right: str) -> bool:
    """Tell whether two cells say the same to a reader."""
    return left.casefold() == right.casefold()


def finished(answer: str, language: Language) -> str:
    """Write an answer as a sentence: a full stop, and a capital unless it begins with a code.

    Args:
        answer: A value or a clause.
        language: Of the full stop.
    """
    if re.match(r"[a-z]+(?:[ ,.;]|$)", answer):
        answer = answer[:1].upper() + answer[1:]
    return sentence_end(answer, language)
