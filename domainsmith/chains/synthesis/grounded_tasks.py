"""Tasks about the documents whose right output is known: what a weak model cannot make itself.

Self-Instruct lets the model write the instruction, the input and the output. A model of a hundred
million parameters can do none of them well. Here the instructions are of our own writing, in
several wordings; the instance comes from the documents, so that its output is right by how it was
made: a heading stands above its text, a statement in which one fact was changed is wrong, a
sentence answers the question that was cut from it. For classification the label is chosen first
and the input made to fit it, as in the paper.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domainsmith.chains.facts import seeded
from domainsmith.chains.question_patterns import passage_sentences
from domainsmith.chains.synthesis.corruption.corrupt import Evidence, corruptions
from domainsmith.chains.synthesis.ground import Ground
from domainsmith.chains.synthesis.procedures import (
    heading,
    is_step,
    procedure_facts,
    task_of_heading,
)
from domainsmith.data_connection.language import content_terms
from domainsmith.prompts import prompt_text
from domainsmith.records import Language, Passage

__all__ = ["CLASSIFIED", "Instance", "grounded_instructions", "instances"]

CLASSIFIED = frozenset({"section", "agrees", "answerable"})
"""Kinds whose answer is one of few labels."""
_SAYS: dict[Language, dict[str, str]] = {
    "en": {"text": "Text: ", "question": "Question: ", "statement": "Statement: ",
           "headings": "Headings: ", "sentence": "Sentence: "},
    "zh": {"text": "文字：", "question": "问题：", "statement": "说法：",
           "headings": "标题：", "sentence": "句子："},
}  # fmt: skip
_AGREES: dict[Language, tuple[str, str]] = {"en": ("Yes", "No"), "zh": ("是", "否")}
_ANSWERABLE: dict[Language, tuple[str, str]] = {"en": ("Yes", "No"), "zh": ("能", "不能")}
_CHANGES = frozenset({"number", "unit", "name", "entity"})
"""Changes that make a statement wrong whatever else is true."""
_LONGEST_GAP: dict[Language, int] = {"en": 40, "zh": 12}
"""Characters of the words that are left out of a sentence."""


@dataclass(frozen=True)
class Instance:
    """The input and the right output of a grounded task.

    Args:
        given: The input.
        output: Right by how it was made.
        passage: Where it comes from.
    """

    given: str
    output: str
    passage: Passage


def grounded_instructions(language: Language) -> list[tuple[str, str, int, int]]:
    """Return the instructions, the first wording of each kind first.

    Args:
        language: Of the instructions.

    Returns:
        (kind, wording, its turn among the wordings of its kind, how many these are) each.
    """
    wordings: dict[str, list[str]] = {}
    for line in prompt_text("self_instruct_grounded", language).split("\n"):
        kind, bar, text = line.partition("|")
        if bar:
            wordings.setdefault(kind.strip(), []).append(text.strip())
    most = max(len(texts) for texts in wordings.values())
    return [
        (kind, texts[turn], turn, len(texts))
        for turn in range(most)
        for kind, texts in wordings.items()
        if turn < len(texts)
    ]


def instances(ground: Ground, kind: str, *, turn: int, turns: int, seed: int) -> Iterator[Instance]:
    """Make instances of one instruction.

    Args:
        ground: The documents.
        kind: Of the task.
        turn: Which wording of its kind the instruction is, from 0.
        turns: Wordings of the kind; each takes passages of its own.
        seed: Of all choices.

    Yields:
        At most one a passage, in an order that depends on the seed and the kind.
    """
    order = list(ground.prose)
    seeded(seed, "grounded", kind).shuffle(order)
    for passage in order[turn::turns]:
        found = _MAKERS[kind](ground, passage, seeded(seed, kind, passage.id))
        if found is not None:
            yield found


def _say(ground: Ground, **parts: str) -> str:
    says = _SAYS[ground.language]
    return "\n".join(f"{says[name]}{text}" for name, text in parts.items())


def _heading(ground: Ground, passage: Passage, source: random.Random) -> Instance | None:
    words, text = ground.heading(passage), ground.excerpt(passage)
    named = set(content_terms(words, ground.language))
    told = set(content_terms(text, ground.language))
    inferred = named and 2 * len(named & told) >= len(named)
    return Instance(text, words, passage) if text and inferred else None


def _section(ground: Ground, passage: Passage, source: random.Random) -> Instance | None:
    words = ground.heading(passage)
    others = [item for item in ground.sections(passage) if item != words]
    if not words or len(others) < 2:
        return None
    labels = [words, *source.sample(others, 2)]
    own, *rest = (set(content_terms(label, ground.language)) for label in labels)
    strange = set().union(*rest)
    for sentence in passage_sentences(passage):
        terms = set(content_terms(sentence, ground.language))
        if len(terms) >= 5 and terms & (own - strange) and not terms & strange:
            source.shuffle(labels)
            listed = ("；" if ground.language == "zh" else "; ").join(labels)
            given = _say(ground, headings=listed, sentence=sentence)
            return Instance(given, words, passage)
    return None


def _agrees(ground: Ground, passage: Passage, source: random.Random) -> Instance | None:
    right, wrong = _AGREES[ground.language]
    label = source.choice((right, wrong))
    found = ground.chosen_fact(passage, source)
    if found is None:
        return None
    fact, text = found
    said = fact.evidence
    if label == wrong:
        changed = corruptions(
            said,
            language=ground.language,
            evidence=Evidence([f"{passage.header}\n{passage.text}"]),
            pool=ground.entities,
            source=source,
            everywhere=ground.everywhere,
        )
        said = next((item.text for item in changed if item.kind in _CHANGES), "")
    return Instance(_say(ground, text=text, statement=said), label, passage) if said else None


def _gap(ground: Ground, passage: Passage, source: random.Random) -> Instance | None:
    found = ground.chosen_fact(passage, source)
    if found is None:
        return None
    fact, text = found
    word = fact.answer.rstrip(".。")
    start = fact.evidence.casefold().find(word.casefold())
    if start < 0 or fact.evidence[start - 1 : start].isdigit():
        return None
    if len(word) > _LONGEST_GAP[ground.language] or 2 * len(word) > len(fact.evidence):
        return None
    said, after = fact.evidence[start : start + len(word)], fact.evidence[start + len(word) :]
    holed = f"{fact.evidence[:start]}____{after}"
    return Instance(_say(ground, text=text, sentence=holed), said, passage)


def _question(ground: Ground, passage: Passage, source: random.Random) -> Instance | None:
    facts = [
        fact
        for fact in ground.facts_of(passage)
        if not re.match(r"Yes|No\b|不?可以", fact.answer)
        and not re.match(r"Regarding |In the |关于|根据", fact.question)
    ]
    if not facts:
        return None
    fact = source.choice(facts)
    return Instance(fact.evidence, fact.question, passage)


def _find(ground: Ground, passage: Passage, source: random.Random) -> Instance | None:
    found = ground.chosen_fact(passage, source)
    if found is None:
        return None
    fact, text = found
    return Instance(_say(ground, question=fact.question, text=text), fact.evidence, passage)


def _order(ground: Ground, passage: Passage, source: random.Random) -> Instance | None:
    if not task_of_heading(heading(passage), ground.language):
        return None
    for fact in procedure_facts(passage):
        steps = fact.evidence.split("\n")
        mixed = source.sample(steps, len(steps))
        if not 3 <= len(steps) <= 6 or mixed == steps:
            continue
        if all(is_step(step, ground.language) for step in steps):
            given = "\n".join(f"- {step}" for step in mixed)
            output = "\n".join(f"{at}. {step}" for at, step in enumerate(steps, 1))
            return Instance(given, output, passage)
    return None


def _answerable(ground: Ground, passage: Passage, source: random.Random) -> Instance | None:
    yes, no = _ANSWERABLE[ground.language]
    label = source.choice((yes, no))
    found = ground.chosen_fact(passage, source)
    if found is None:
        return None
    fact, text = found
    text = text if label == yes else ground.other_text(fact, source)
    return (
        Instance(_say(ground, question=fact.question, text=text), label, passage) if text else None
    )


_MAKERS: dict[str, Callable[[Ground, Passage, random.Random], Instance | None]] = {
    "heading": _heading,
    "section": _section,
    "agrees": _agrees,
    "gap": _gap,
    "question": _question,
    "find": _find,
    "order": _order,
    "answerable": _answerable,
}
