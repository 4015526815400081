"""Prompts with a right answer: what preferences and rankings are made about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from domainsmith.chains.facts import Fact, PassagePool, closed_record, grounded_record, seeded
from domainsmith.chains.markdown_tables import cell_counts
from domainsmith.chains.question_patterns import proper_names
from domainsmith.chains.self_kv import table_facts
from domainsmith.chains.self_qa import passage_facts
from domainsmith.chains.synthesis.method import DataBlock, Materials
from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound
from domainsmith.model_io.messages import is_refusal, qa_messages, refusal_text
from domainsmith.records import Language, Message, Passage, Record
from domainsmith.storage.atomic import read_lines

__all__ = ["Asked", "Facts", "asked_of_record", "read_records"]

_PER_TABLE = 6


@dataclass(frozen=True)
class Asked:
    """A prompt and its right answer.

    Args:
        instruction: The question or request.
        reference: The right answer; the refusal sentence where the context holds none.
        language: Of both.
        input: Formatted passages; empty without context.
        system: System text; empty for the expert's.
        history: Earlier turns.
        passage_ids: Passages that it is about.
        evidence: The sentence or row behind the answer; empty if it is not known.
        wrong: An answer that would be right over other passages; for refusals.
    """

    instruction: str
    reference: str
    language: Language
    input: str = ""
    system: str = ""
    history: tuple[tuple[str, str], ...] = ()
    passage_ids: tuple[str, ...] = ()
    evidence: str = ""
    wrong: str = ""

    @property
    def refuses(self) -> bool:
        """Whether the right answer is a refusal."""
        return is_refusal(self.reference, self.language)

    def messages(self) -> list[Message]:
        """Return the chat messages up to the answer, as the expert is asked."""
        return qa_messages(
            self.instruction,
            context=self.input,
            language=self.language,
            system=self.system or None,
            history=self.history,
        )


def asked_of_record(record: Record, *, evidence: str = "") -> Asked:
    """Return a record's prompt and answer.

    Args:
        record: Any; its output is taken to be right.
        evidence: The sentence or row behind it.
    """
    return Asked(
        record.instruction,
        record.output,
        record.language,
        input=record.input,
        system=record.system,
        history=record.history,
        passage_ids=record.passage_ids,
        evidence=evidence,
    )


class Facts:
    """Finds the facts of passages and writes them as prompts, as the method ``documents`` does.

    Args:
        materials: Of the method.
        closed_share: Share of facts asked without context.
    """

    def __init__(self, materials: Materials, *, closed_share: float) -> None:
        self._materials = materials
        self._closed_share = closed_share

    @cached_property
    def pool(self) -> PassagePool:
        """Passages that may stand in a context."""
        return PassagePool(self._materials.shown, self._materials.generator.count_tokens)

    @cached_property
    def _names(self) -> frozenset[str]:
        return proper_names(item.text for item in self._materials.every if item.content == "prose")

    @cached_property
    def _cells(self) -> Mapping[str, int]:
        return cell_counts(self._materials.every)

    def find(self, passages: Sequence[Passage], block: DataBlock) -> list[Fact]:
        """Find the facts of passages; what is lost is counted in the block."""
        seed = self._materials.seed
        found = passage_facts(
            [item for item in passages if item.content == "prose"],
            generator=self._materials.generator,
            scorer=self._materials.scorer,
            names=self._names,
        )
        block.dropped.update({f"facts: {reason}": many for reason, many in found.dropped.items()})
        facts = list(found.facts)
        for passage in passages:
            rows = list(table_facts(passage, seed=seed, counts=self._cells, names=self._names))
            facts += seeded(seed, "table", passage.id).sample(rows, min(len(rows), _PER_TABLE))
        block.counts["facts"] += len(facts)
        return facts

    def answered(self, fact: Fact) -> Asked | None:
        """Ask a fact over its passages or from memory.

        Returns:
            The prompt; None if its passage alone is too long for a context.
        """
        seed = self._materials.seed
        if seeded(seed, "closed", fact.question).random() < self._closed_share:
            record: Record | None = closed_record(fact, seed=seed)
        else:
            record = grounded_record(fact, self.pool, seed=seed)
        return None if record is None else asked_of_record(record, evidence=fact.evidence)

    def unanswered(self, fact: Fact) -> Asked | None:
        """Ask a fact over passages that do not hold it.

        Returns:
            The prompt with the refusal as its answer; None if no passages are left.
        """
        source = seeded(self._materials.seed, "unanswered", fact.question)
        others = self.pool.distractors(
            fact.question,
            fact.language,
            without=(fact.evidence, fact.answer, fact.passage.text),
            many=4,
        )
        others = source.sample(others, min(len(others), source.choice((2, 2, 3))))
        context, whole = self.pool.context(others, fact.language)
        if not whole:
            return None
        return Asked(
            fact.question,
            refusal_text(fact.language),
            fact.language,
            input=context,
            passage_ids=tuple(item.id for item in others[:whole]),
            wrong=fact.answer,
        )


def read_records(path: str) -> list[Record]:
    """Read the records of a dataset to make preferences about.

    Args:
        path: A dataset's folder, or a JSONL file of records.

    Returns:
        Records whose grades all passed, in order.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: Lines that are no records, all of them named.
        InputEmpty: There is none.
    """
    file = Path(path).expanduser()
    file = file / "data.jsonl" if file.is_dir() else file
    if not file.is_file():
        raise InputNotFound("There is no such dataset", where=file)
    records, problems = list[Record](), list[str]()
    for number, line in enumerate(read_lines(file), start=1):
        try:
            values = json.loads(line)
            record = Record.model_validate({k: v for k, v in values.items() if k != "id"})
        except (ValueError, ValidationError, AttributeError) as error:
            problems.append(f"line {number}: {str(error).splitlines()[0]}")
            continue
        if all(grade.passed for grade in record.grades):
            records.append(record)
    if problems:
        raise InputInvalid("; ".join(problems[:20]), where=file, fix="Give a dataset of records.")
    if not records:
        raise InputEmpty("The dataset holds no records that passed their grades", where=file)
    return records
