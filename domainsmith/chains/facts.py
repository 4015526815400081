"""A fact: one question with its answer and the passages behind it, before it is a record.

Every fact can be trained in two forms: from memory (no input) and over numbered passages of
which one or two are distractors, in exactly the form that the answer chain asks in.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import squeeze
from domainsmith.model_io.messages import format_context
from domainsmith.records import Language, Passage, Record, content_hash

__all__ = ["CONTEXT_TOKENS", "Fact", "PassagePool", "closed_record", "grounded_record", "seeded"]

CONTEXT_TOKENS: dict[Language, int] = {"en": 350, "zh": 540}
"""Most tokens of a record's context: longer ones cost training time and teach no more. The
embedded model spends two to three tokens on a Chinese character."""


@dataclass(frozen=True)
class Fact:
    """One question with its answer.

    Args:
        question: Can be understood without the passage.
        answer: Words of the passage, or computed from its rows.
        passage: Where it stands.
        method: Chain and level (``self_qa/why``).
        model: Name of the generating model, or ``code``.
        prompt_sha256: Hash of the prompt that the model saw; empty without one.
        evidence: The sentence or row behind it; several are parted by line breaks.
        more: Further passages without which the answer is not whole, in the order of use.
    """

    question: str
    answer: str
    passage: Passage
    method: str
    model: str = "code"
    prompt_sha256: str = ""
    evidence: str = ""
    more: tuple[Passage, ...] = ()

    @property
    def gold(self) -> tuple[Passage, ...]:
        """All passages that the answer rests on."""
        return (self.passage, *self.more)

    @property
    def language(self) -> Language:
        """Language of the question."""
        return self.passage.language


class PassagePool:
    """Passages that may stand beside a gold passage.

    Args:
        passages: Only passages that may be trained on.
        count_tokens: Of the model that is trained, for the bound on a context.
    """

    def __init__(self, passages: Sequence[Passage], count_tokens: Callable[[str], int]) -> None:
        self._passages = list(passages)
        self._terms = [
            frozenset(content_terms(f"{item.header} {item.text}", item.language))
            for item in passages
        ]
        self._squeezed = [squeeze(item.text) for item in passages]
        self._count = count_tokens

    def distractors(
        self, question: str, language: Language, *, without: Sequence[str], many: int
    ) -> list[Passage]:
        """Find the passages that look most like they answer a question, and do not.

        Args:
            question: The question.
            language: Passages of this language only.
            without: Texts (answer, evidence); a passage that holds one of them is left out.
            many: Number of passages.

        Returns:
            At most ``many`` passages, most shared terms first, then in the given order.
        """
        terms = set(content_terms(question, language))
        banned = [text for text in map(squeeze, without) if len(text) > 2]
        ranked = sorted(
            (
                (-len(terms & self._terms[at]), at)
                for at, passage in enumerate(self._passages)
                if passage.language == language
            ),
        )
        chosen: list[Passage] = []
        for _, at in ranked:
            if len(chosen) == many:
                break
            if not any(text in self._squeezed[at] for text in banned):
                chosen.append(self._passages[at])
        return chosen

    def context(self, passages: Sequence[Passage], language: Language) -> tuple[str, int]:
        """Format passages as the answer chain does.

        Args:
            passages: In the order of their numbers.
            language: Of the prompt.

        Returns:
            The text, and how many of the passages it holds whole.
        """
        whole = 0
        for many in range(1, len(passages) + 1):
            if self._count(format_context(passages[:many], language)) > CONTEXT_TOKENS[language]:
                break
            whole = many
        return format_context(passages[:whole], language), whole


def seeded(seed: int, *parts: str) -> random.Random:
    """Return a random source that depends on its arguments alone, not on what ran before.

    Args:
        seed: Of the run.
        *parts: What it is used for.
    """
    return random.Random(content_hash([seed, *parts]))


def closed_record(fact: Fact, *, seed: int) -> Record:
    """Write a fact as a record without context.

    Args:
        fact: The fact.
        seed: Of the run.
    """
    return _record(fact, "", tuple(item.id for item in fact.gold), seed)


def grounded_record(fact: Fact, pool: PassagePool, *, seed: int) -> Record | None:
    """Write a fact as a record over its passages and one or two distractors.

    Args:
        fact: The fact.
        pool: Where distractors come from.
        seed: Decides their number and the places of the gold passages.

    Returns:
        The record; None if the gold passages alone are over the bound.
    """
    source = seeded(seed, "context", fact.question)
    others = pool.distractors(
        fact.question,
        fact.language,
        without=(fact.answer, *fact.evidence.split("\n"), *(item.text for item in fact.gold)),
        many=4,
    )
    many = source.choice((1, 2, 2)) if not fact.more else 1
    others = source.sample(others, min(len(others), many))
    while True:
        order = [*others]
        for item in fact.gold:
            order.insert(source.randrange(len(order) + 1), item)
        context, whole = pool.context(order, fact.language)
        if whole == len(order):
            return _record(fact, context, tuple(item.id for item in order), seed)
        if not others:
            return None
        others.pop()


def _record(fact: Fact, context: str, passage_ids: tuple[str, ...], seed: int) -> Record:
    return Record(
        instruction=fact.question,
        input=context,
        output=fact.answer,
        language=fact.language,
        method=fact.method,
        passage_ids=passage_ids,
        model=fact.model,
        prompt_sha256=fact.prompt_sha256,
        seed=seed,
    )
