"""The method ``dialogues``: conversations whose later turns are understood with the earlier ones.

A record is a follow-up ("And then?", "And for the other one?", "那它多长？") with the turns before
it as ``history``. The answers are those of facts, so they are as grounded as these are; some
conversations end with a question about something that no document has, and the honest sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from domainsmith.chains.facts import Fact, PassagePool, closed_record, grounded_record, seeded
from domainsmith.chains.question_patterns import proper_names
from domainsmith.chains.refusals import foreign_things, known_text
from domainsmith.chains.self_qa import QaOptions, passage_facts, sentence_facts, strong_options
from domainsmith.chains.synthesis.conversations import Turn, conversations
from domainsmith.chains.synthesis.method import DataBlock, Materials
from domainsmith.chains.synthesis.options import read_options
from domainsmith.chains.synthesis.related import RelatedPassages
from domainsmith.chains.synthesis.walk import PassageWalk
from domainsmith.data_connection.overlap import squeeze
from domainsmith.model_io.messages import refusal_text
from domainsmith.records import Passage, Record

__all__ = ["DialogueOptions", "build", "read_dialogue_options"]


@dataclass(frozen=True)
class DialogueOptions:
    """Options of ``dialogues``.

    Args:
        closed_share: Share of the follow-ups that are also asked without passages, 0 to 1.
        refusal_share: Share of the conversations that end with a refused follow-up, 0 to 1.
        per_passage: Most conversations of one passage.
        related: Passages that may continue a conversation begun in one.
        unit_passages: Passages in a unit after the smoke run.
    """

    closed_share: Annotated[float, Field(ge=0, le=1)] = 0.4
    refusal_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    per_passage: Annotated[int, Field(ge=1)] = 3
    related: Annotated[int, Field(ge=0)] = 6
    unit_passages: Annotated[int, Field(ge=1)] = 16


def read_dialogue_options(values: Mapping[str, Any]) -> DialogueOptions:
    """Read the options of ``dialogues``.

    Args:
        values: Plain data.

    Raises:
        InputInvalid: Names every problem.
    """
    return read_options(DialogueOptions, values, method="dialogues")


def build(materials: Materials) -> PassageWalk:
    """Build the method.

    Args:
        materials: Passages and models; ``options`` are those of :class:`DialogueOptions`.

    Returns:
        The method.

    Raises:
        InputInvalid: An option does not fit.
        InputEmpty: There is no passage.
    """
    options = read_dialogue_options(materials.options)
    dialogues = _Dialogues(materials, options)
    return PassageWalk(
        "dialogues",
        materials,
        dialogues.records,
        passages=materials.passages,
        unit_passages=options.unit_passages,
        version=4,
    )


class _Dialogues:
    """What the units share."""

    def __init__(self, materials: Materials, options: DialogueOptions) -> None:
        self._materials = materials
        self._options = options
        self._pool = PassagePool(materials.shown, materials.generator.count_tokens)
        self._names = proper_names(item.text for item in materials.every if item.content == "prose")
        self._related = RelatedPassages(materials.shown, among=materials.passages)
        self._known = known_text(materials.every)

    def records(self, passages: Sequence[Passage], block: DataBlock, number: int) -> list[Record]:
        """Write the conversations of some passages."""
        del number
        prose = [item for item in passages if item.content == "prose"]
        qa = strong_options(
            QaOptions(deep_per_passage=0, reworded_share=0.0, model_per_passage=0),
            self._materials.generator,
        )
        found = passage_facts(
            prose,
            generator=self._materials.generator,
            scorer=self._materials.scorer,
            names=self._names,
            options=qa,
        )
        records: list[Record] = []
        for passage in passages:
            own = [fact for fact in found.facts if fact.passage.id == passage.id]
            for turns in self._conversations(passage, own):
                block.counts["conversations"] += 1
                records += self._written(turns, block)
        return records

    def _conversations(self, passage: Passage, own: Sequence[Fact]) -> Iterator[list[Turn]]:
        near = [
            item
            for item in self._related.near(passage, self._options.related)
            if item.content == "prose"
        ]
        others = [fact for item in near for fact in sentence_facts(item, self._names)]
        made = conversations(
            passage, own, others, is_rare=self._related.is_rare, seed=self._materials.seed
        )
        for at, turns in enumerate(made):
            if at == self._options.per_passage:
                return
            yield turns

    def _written(self, turns: Sequence[Turn], block: DataBlock) -> Iterator[Record]:
        seed = self._materials.seed
        history: list[tuple[str, str]] = [(turns[0].asked, turns[0].fact.answer)]
        for turn in turns[1:]:
            told = partial(_told, turn.asked, tuple(history), f"dialogues/{turn.kind}")
            yield from self._both(turn.fact, told, block)
            history.append((turn.asked, turn.fact.answer))
        draw = seeded(seed, "refused", turns[0].asked, turns[-1].asked)
        if draw.random() < self._options.refusal_share:
            yield from self._refused(turns, tuple(history), draw.random())

    def _both(self, fact: Fact, told: partial[Record], block: DataBlock) -> Iterator[Record]:
        seed = self._materials.seed
        grounded = grounded_record(fact, self._pool, seed=seed)
        if grounded is None:
            block.dropped["writing records: context too long"] += 1
        else:
            yield told(grounded)
        if seeded(seed, "closed", fact.question, fact.answer).random() < self._options.closed_share:
            yield told(closed_record(fact, seed=seed))

    def _refused(
        self, turns: Sequence[Turn], history: tuple[tuple[str, str], ...], draw: float
    ) -> Iterator[Record]:
        """End with a question about a thing that no document names."""
        fact = turns[-1].fact
        things = foreign_things(fact.language)
        thing = things[int(draw * len(things))]
        if squeeze(thing) in self._known:
            return
        if fact.language == "zh":
            asked = f"那有没有{thing}？" if draw * 997 % 1 < 0.5 else f"那{thing}怎么用？"
        else:
            article = "an" if thing[0] in "aeiou" else "a"
            known = f"And is there also {article} {thing}?"
            asked = known if draw * 997 % 1 < 0.5 else f"And how does the {thing} work?"
        grounded = grounded_record(fact, self._pool, seed=self._materials.seed)
        if grounded is not None:
            refused = grounded.model_copy(update={"output": refusal_text(fact.language)})
            yield _told(asked, history, "dialogues/refusal", refused)


def _told(asked: str, history: tuple[tuple[str, str], ...], method: str, record: Record) -> Record:
    return record.model_copy(update={"instruction": asked, "history": history, "method": method})
