"""What preferences and rankings share: prompts, corruptions, drafts and their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from domainsmith.chains.facts import seeded
from domainsmith.chains.grading.judge import Judge, load_judge
from domainsmith.chains.synthesis.asked import Asked, Facts, asked_of_record
from domainsmith.chains.synthesis.asked_units import unit_records
from domainsmith.chains.synthesis.corruption.corrupt import Corruption, Evidence, corruptions
from domainsmith.chains.synthesis.corruption.entities import EntityPool
from domainsmith.chains.synthesis.drafts import (
    Draft,
    Writers,
    judge_agrees,
    judge_points,
    reference_score,
)
from domainsmith.chains.synthesis.method import DataBlock, Materials
from domainsmith.chains.synthesis.preference_options import DraftOptions
from domainsmith.records import Language, Passage

__all__ = ["Workbench"]


class Workbench:
    """Makes and judges answers to prompts.

    Args:
        materials: Of the method.
        options: What both methods have.
    """

    def __init__(self, materials: Materials, options: DraftOptions) -> None:
        self._materials = materials
        self._options = options
        self._facts = Facts(materials, closed_share=options.closed_share)
        self.by_id: Mapping[str, Passage] = {item.id: item for item in materials.every}

    @cached_property
    def _pool(self) -> EntityPool:
        return EntityPool(self._materials.passages)

    @cached_property
    def _everywhere(self) -> Evidence:
        return Evidence(item.text for item in self._materials.every)

    @cached_property
    def _writers(self) -> Writers:
        options = self._options
        return Writers(
            self._materials.generator,
            adapters=options.adapters,
            models=options.models,
            temperature=options.temperature,
            max_new_tokens=options.max_new_tokens,
        )

    @cached_property
    def _draft_languages(self) -> tuple[Language, ...]:
        if self._options.draft_languages:
            return self._options.draft_languages
        weak = getattr(self._materials.generator, "is_weak", False) and not self._options.models
        return ("en",) if weak else ("en", "zh")

    @cached_property
    def judge(self) -> Judge | None:
        """The judge, if one is named."""
        return load_judge(self._options.judge_model) if self._options.judge_model else None

    def drawn(self, use: str, text: str, chance: float) -> bool:
        """Draw by chance, the same for the same use and text.

        Args:
            use: What is decided, so that decisions about one text differ.
            text: What it is decided about.
            chance: Of True, 0 to 1.
        """
        return seeded(self._materials.seed, use, text).random() < chance

    def asked(
        self, payload: Mapping[str, Any], block: DataBlock, *, unanswerable: float
    ) -> tuple[list[Asked], list[Asked]]:
        """Return a unit's prompts.

        Args:
            payload: Of the unit: ``passages`` or ``records``.
            block: Counts are added to it.
            unanswerable: Chance of a fact to be asked over passages without its answer too.

        Returns:
            Prompts with an answer, and prompts whose right answer is a refusal.
        """
        if "records" in payload:
            found = [asked_of_record(record) for record in unit_records(payload)]
        else:
            found = []
            passages = [self.by_id[key] for key in payload["passages"]]
            for fact in self._facts.find(passages, block):
                answered = self._facts.answered(fact)
                if answered is None:
                    block.dropped["prompts: context too long"] += 1
                else:
                    found.append(answered)
                if self.drawn("unanswerable", fact.question, unanswerable):
                    without = self._facts.unanswered(fact)
                    if without is None:
                        block.dropped["prompts: no other passages"] += 1
                    else:
                        found.append(without)
        block.counts["prompts"] = len(found)
        return [one for one in found if not one.refuses], [one for one in found if one.refuses]

    def corrupted(self, asked: Asked, *, answer: str = "", many: int = 5) -> list[Corruption]:
        """Make wrong answers to a prompt.

        Args:
            asked: The prompt; its passages, context and question are what proves them wrong.
            answer: What to change; the right answer if empty.
            many: Most of them.
        """
        texts = [self.by_id[key].text for key in asked.passage_ids if key in self.by_id]
        turns = [text for turn in asked.history for text in turn]
        return corruptions(
            answer or asked.reference,
            language=asked.language,
            evidence=Evidence([asked.instruction, asked.input, *turns, *texts]),
            pool=self._pool,
            source=seeded(self._materials.seed, "corrupt", asked.instruction, asked.input, answer),
            many=many,
            everywhere=self._everywhere,
        )

    def wrong_facts(self, asked: Asked) -> list[Corruption]:
        """Make wrong answers to a prompt whose passages hold none; a cut answer is not wrong."""
        if not asked.wrong:
            return []
        found = self.corrupted(asked, answer=asked.wrong)
        return [item for item in found if item.kind != "truncation"]

    def writes(self, asked: Asked) -> bool:
        """Tell whether drafts are written in the language of a prompt."""
        return bool(self._options.drafts) and asked.language in self._draft_languages

    def drafts(self, asked: Sequence[Asked], block: DataBlock) -> list[list[Draft]]:
        """Draft answers to prompts, without scores; as one batch for each writer."""
        many, seed = self._options.drafts, self._materials.seed
        chosen = [one for one in asked if self.writes(one)]
        if not chosen:
            return [[] for _ in asked]
        found = iter(self._writers.write(chosen, many, seed=seed, block=block))
        return [next(found) if self.writes(one) else [] for one in asked]

    def scored(
        self, asked: Sequence[Asked], drafts: Sequence[Sequence[Draft]]
    ) -> list[list[Draft]]:
        """Score answers to prompts.

        Args:
            asked: The prompts.
            drafts: Of each prompt its answers.

        Returns:
            The same with scores from 0 to 1: by the judge, else by the right answer.
        """
        flat = [(one, draft) for one, some in zip(asked, drafts, strict=True) for draft in some]
        if self.judge is not None:
            scores = judge_points(
                self.judge, [one for one, _ in flat], [draft.text for _, draft in flat]
            )
        else:
            scores = [reference_score(one, draft.text, self.by_id) for one, draft in flat]
        told = iter(scores)
        return [[replace(draft, score=next(told)) for draft in some] for some in drafts]

    def agrees(self, asked: Sequence[Asked], pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """Tell which pairs a judge, if there is one, sees in the same order both ways round."""
        if self.judge is None:
            return [True] * len(pairs)
        return judge_agrees(self.judge, asked, pairs)
