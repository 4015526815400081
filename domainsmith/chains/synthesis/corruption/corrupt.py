"""Corruptions of an answer: proposed by kind, then proven wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from domainsmith.chains.synthesis.corruption.edit import Edit
from domainsmith.chains.synthesis.corruption.entities import EntityPool
from domainsmith.chains.synthesis.corruption.numbers import number_edits, unit_edits
from domainsmith.chains.synthesis.corruption.wording import negation_edits, truncation_edits
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import squeeze
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import Language

__all__ = ["Corruption", "Evidence", "corruptions", "wrong_fact"]

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_STATEMENT = 4
"""Content words from which an answer is a statement of its own."""


@dataclass(frozen=True)
class Corruption:
    """A wrong answer and what makes it wrong.

    Args:
        kind: ``number``, ``unit``, ``name``, ``entity``, ``negation``, ``citation`` or
            ``truncation``.
        text: The wrong answer.
        before: The words that were replaced.
        after: The words in their place; for a truncation what is left.
    """

    kind: str
    text: str
    before: str
    after: str


class Evidence:
    """Texts that a corruption must not stand in, prepared once.

    Args:
        texts: The passages that the answer is judged by, the question too.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = list(texts)
        self._squeezed = "\n".join(squeeze(text) for text in self._texts)

    @cached_property
    def _numbers(self) -> frozenset[float]:
        found = (number.replace(",", "") for t in self._texts for number in _NUMBER.findall(t))
        return frozenset(float(number) for number in found if number.count(".") <= 1)

    def holds(self, text: str) -> bool:
        """Tell whether a text stands in one of them, white space, case and punctuation aside."""
        wanted, whole = squeeze(text), self._squeezed
        if not wanted:
            return True
        at = whole.find(wanted)
        while at >= 0:
            # "5 V" must not be found in "15 V": the characters around decide at both ends.
            before, after = (
                whole[at - 1 : at] if at else "",
                whole[at + len(wanted) : at + len(wanted) + 1],
            )
            if not (wanted[0].isdigit() and before.isdigit()) and not (
                wanted[-1].isdigit() and after.isdigit()
            ):
                return True
            at = whole.find(wanted, at + 1)
        return False

    def states(self, number: str) -> bool:
        """Tell whether one of them states a number, however it is written."""
        try:
            return float(number.replace(",", "")) in self._numbers
        except ValueError:
            return False


def corruptions(
    answer: str,
    *,
    language: Language,
    evidence: Evidence,
    pool: EntityPool,
    source: random.Random,
    many: int = 4,
    everywhere: Evidence | None = None,
) -> list[Corruption]:
    """Make an answer wrong in one place.

    Args:
        answer: A right answer; a refusal has no fact to change.
        language: Its language.
        evidence: The passages that the answer is judged by and the question.
        pool: Names to mistake the answer's for.
        source: Of all choices.
        many: Most corruptions.
        everywhere: All documents: a whole statement must stand in none of them. A value alone (a
            price, a code) may, as that of another thing.

    Returns:
        Different ones, kinds in turn; each :func:`wrong_fact`. Empty if nothing can be changed.
    """
    if is_refusal(answer, language):
        return []
    kinds: list[Iterator[Edit]] = [
        number_edits(answer, source),
        pool.edits(answer, language, source),
        negation_edits(answer, language, source),
        unit_edits(answer, source),
        truncation_edits(answer, language),
    ]
    found: dict[str, Corruption] = {}
    for edit in _in_turn(kinds):
        if len(found) >= many:
            break
        text = edit.apply(answer)
        if _said_elsewhere(text, edit, language, everywhere):
            continue
        if wrong_fact(answer, edit, language=language, evidence=evidence):
            found.setdefault(
                squeeze(text), Corruption(edit.kind, text, answer[edit.start : edit.end], edit.text)
            )
    return list(found.values())


def wrong_fact(answer: str, edit: Edit, *, language: Language, evidence: Evidence) -> bool:
    """Prove that an edited answer is wrong by the passages.

    It must differ from the answer in more than white space, case and punctuation, be no refusal,
    and not stand in the passages; what was put in must not be in them either, in any writing of
    the number. A truncation is a part of what may stand there: it must have lost a word of
    content.

    Args:
        answer: The right answer.
        edit: What was changed.
        language: Of the answer.
        evidence: The passages.
    """
    text = edit.apply(answer)
    if not squeeze(text) or squeeze(text) == squeeze(answer) or is_refusal(text, language):
        return False
    if edit.kind == "truncation":
        return bool(set(content_terms(answer, language)) - set(content_terms(text, language)))
    if evidence.holds(text):
        return False
    if edit.value and (evidence.holds(edit.value) or evidence.states(edit.value)):
        return False
    return not (edit.kind in {"number", "unit"} and _same_amount(answer, edit))


def _said_elsewhere(text: str, edit: Edit, language: Language, everywhere: Evidence | None) -> bool:
    if everywhere is None or edit.kind == "truncation":
        return False
    return len(content_terms(text, language)) >= _STATEMENT and everywhere.holds(text)


def _same_amount(answer: str, edit: Edit) -> bool:
    """Tell whether a number was only written anew (``1,000`` for ``1000``)."""
    before = answer[edit.start : edit.end].replace(",", "")
    try:
        return edit.kind == "number" and float(before) == float(edit.text.replace(",", ""))
    except ValueError:
        return False


def _in_turn(kinds: Sequence[Iterator[Edit]]) -> Iterator[Edit]:
    for row in zip_longest(*kinds):
        yield from (edit for edit in row if edit is not None)
