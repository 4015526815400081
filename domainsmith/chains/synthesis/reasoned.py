"""The method ``reasoned``: cases under the rules of documents, decided by citing the rule.

A sentence with a time limit, a bound or a condition is a rule. Code invents facts on both sides
of it, so that the conclusion is exact by construction; the answer quotes the rule word for word
and names where it stands, in the form of argument that the domain uses.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from domainsmith.chains.facts import Fact, PassagePool, closed_record, grounded_record, seeded
from domainsmith.chains.question_patterns import passage_sentences, proper_names
from domainsmith.chains.synthesis.argument_forms import ArgumentForm, read_form
from domainsmith.chains.synthesis.method import DataBlock, Materials
from domainsmith.chains.synthesis.options import read_options
from domainsmith.chains.synthesis.procedures import heading
from domainsmith.chains.synthesis.rule_case import RuleCase
from domainsmith.chains.synthesis.rules_en import english_cases
from domainsmith.chains.synthesis.rules_zh import chinese_cases
from domainsmith.chains.synthesis.walk import PassageWalk
from domainsmith.data_connection.overlap import squeeze
from domainsmith.records import Grade, Passage, Record

__all__ = [
    "ReasonedOptions",
    "build",
    "read_reasoned_options",
    "reasoned_facts",
    "rule_source",
]

_ARTICLE = re.compile(
    r"第[一二三四五六七八九十百千零〇\d]+条(?:之[一二三四五六七八九十]+)?(?=[\s\u3000])"
)
_OPENING = re.compile(
    r"^(?:It|They|This|These|That|Then|But|Otherwise|In that case)\b|^(?:它|这|那|但|否则)"
)
_SHORTEST = 8
"""Characters of a quote that still proves something."""
_LONGEST = {"en": 260, "zh": 150}
"""Characters of a rule that can still be quoted whole."""


@dataclass(frozen=True)
class ReasonedOptions:
    """Options of ``reasoned``.

    Args:
        form: ``syllogism`` (rule, facts, conclusion), ``verdict_first``, or the path of a TOML
            file with a form of one's own.
        closed_share: Share of the cases that are also asked without passages, 0 to 1.
        per_passage: Most rules of one passage.
        unit_passages: Passages in a unit after the smoke run.
    """

    form: str = "syllogism"
    closed_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    per_passage: Annotated[int, Field(ge=1)] = 4
    unit_passages: Annotated[int, Field(ge=1)] = 16


def read_reasoned_options(values: Mapping[str, Any]) -> ReasonedOptions:
    """Read the options of ``reasoned``.

    Args:
        values: Plain data.

    Raises:
        InputInvalid: Names every problem.
    """
    return read_options(ReasonedOptions, values, method="reasoned")


def build(materials: Materials) -> PassageWalk:
    """Build the method.

    Args:
        materials: Passages and models; ``options`` are those of :class:`ReasonedOptions`.

    Returns:
        The method.

    Raises:
        InputInvalid: An option or the form is not usable.
        InputNotFound: There is no such form.
        InputEmpty: No passage holds a rule.
    """
    options = read_reasoned_options(materials.options)
    form = read_form(options.form)
    pool = PassagePool(materials.shown, materials.generator.count_tokens)
    seed = materials.seed
    names = proper_names(item.text for item in materials.every if item.content == "prose")
    usable = [item for item in materials.passages if next(_rules(item), None) is not None]

    def make(passages: Sequence[Passage], block: DataBlock, number: int) -> list[Record]:
        del number
        records: list[Record] = []
        for passage in passages:
            facts = reasoned_facts(
                passage, form, seed=seed, most=options.per_passage, names=names, block=block
            )
            for fact in facts:
                grounded = grounded_record(fact, pool, seed=seed)
                if grounded is None:
                    block.dropped["writing records: context too long"] += 1
                else:
                    records.append(grounded)
                if seeded(seed, "closed", fact.question).random() < options.closed_share:
                    records.append(closed_record(fact, seed=seed))
        return records

    return PassageWalk(
        "reasoned",
        materials,
        make,
        passages=usable,
        unit_passages=options.unit_passages,
        version=2,
        regrade=_quotes_its_rule,
        missing="No sentence of the documents reads as a rule with a limit or a condition",
    )


def _quotes_its_rule(record: Record, passages: Mapping[str, Passage]) -> Record:
    """Ground a case by its rule: the facts are invented, so most words may stand nowhere."""
    quoted = any(
        len(sentence) >= _SHORTEST and sentence in record.output
        for item in record.passage_ids
        for sentence in passage_sentences(passages[item])
    )
    grade = Grade(
        grader="grounding",
        score=1.0 if quoted else 0.0,
        passed=quoted,
        reason="" if quoted else "the answer quotes no rule word for word",
    )
    rest = [item for item in record.grades if item.grader != "grounding"]
    return record.model_copy(update={"grades": (*rest, grade)})


def _rules(passage: Passage) -> Iterator[str]:
    if passage.content != "prose":
        return
    for sentence in passage_sentences(passage):
        if len(sentence) > _LONGEST[passage.language] or _OPENING.search(sentence):
            continue
        if next(_cases(sentence, passage, seeded(0, sentence)), None) is not None:
            yield sentence


def _cases(
    sentence: str, passage: Passage, draw: random.Random, names: frozenset[str] = frozenset()
) -> Iterator[RuleCase]:
    if passage.language == "zh":
        return chinese_cases(sentence, draw)
    return english_cases(sentence, draw, names)


def reasoned_facts(
    passage: Passage,
    form: ArgumentForm,
    *,
    seed: int,
    most: int,
    names: frozenset[str] = frozenset(),
    block: DataBlock | None = None,
) -> list[Fact]:
    """Make the cases of a passage's rules.

    Args:
        passage: Prose.
        form: Lays out question and answer; a language that it lacks gives nothing.
        seed: Of the numbers.
        most: Rules used.
        names: Words that keep their capital within a sentence.
        block: Told the counts and losses.

    Returns:
        Facts: ``reasoned/KIND/met`` and ``reasoned/KIND/unmet``.
    """
    language = passage.language
    if language not in form.answer:
        return []
    held = squeeze(passage.text)
    facts: list[Fact] = []
    rules = list(_rules(passage))
    for sentence in rules[:most]:
        if squeeze(sentence) not in held:
            if block is not None:
                block.dropped["rules: not word for word in the passage"] += 1
            continue
        source = rule_source(passage, sentence)
        for case in _cases(sentence, passage, seeded(seed, "case", sentence), names):
            values = {
                "case": case.case,
                "ask": case.ask,
                "rule": sentence,
                "source": source,
                "finding": case.finding,
                "conclusion": case.conclusion,
            }
            question, answer = form.filled(language, values)
            method = f"reasoned/{case.kind}/{'met' if case.met else 'unmet'}"
            facts.append(Fact(question, answer, passage, method, evidence=sentence))
    if block is not None:
        block.counts["rules"] += len(rules)
        block.counts["cases"] += len(facts)
    return facts


def rule_source(passage: Passage, sentence: str) -> str:
    """Name where a rule stands: its document, and the article or the section.

    Args:
        passage: That holds it.
        sentence: Of the passage, without its article number.
    """
    title = passage.header.split(">")[0].strip() or passage.document_path
    before = passage.text.find(sentence[:12])
    numbers = [
        match[0]
        for match in _ARTICLE.finditer(f"{passage.text} ")
        if match.start() <= max(before, 0)
    ]
    section = heading(passage)
    if passage.language == "zh":
        if numbers:
            return f"《{title}》{numbers[-1]}"
        return f"《{title}》“{section}”一节" if section else f"《{title}》"
    return f"{title}, section “{section}”" if section else title
