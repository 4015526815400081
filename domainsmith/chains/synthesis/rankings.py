"""The method ``rankings``: answers to one prompt in order, for reward models.

Without a judge the order is known by construction: the right answer, then it within its whole
sentence, drafts by their scores, the answer cut short, a long answer with one fact changed, a
refusal, a short answer that is the changed fact, and two facts changed. Over passages that hold
no answer the refusal is first, then a refusal that goes on to guess, then an answer from nothing.
With a judge, all of them are judged and ordered by its points.
"""

from __future__ import annotations

import time
from collections.abc import Generator as Rounds
from collections.abc import Sequence

from domainsmith.chains.grade import grade_records
from domainsmith.chains.synthesis.asked import Asked
from domainsmith.chains.synthesis.asked_units import asked_units
from domainsmith.chains.synthesis.drafts import Draft
from domainsmith.chains.synthesis.method import DataBlock, Materials, Unit
from domainsmith.chains.synthesis.preference_options import RankingOptions, read_ranking_options
from domainsmith.chains.synthesis.workbench import Workbench
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import squeeze
from domainsmith.model_io.messages import is_refusal, refusal_text
from domainsmith.records import Ranking

__all__ = ["Rankings", "build"]

_RIGHT, _SENTENCE, _CUT, _PARTLY, _REFUSED, _CHANGED, _TWICE = 1.0, 0.85, 0.5, 0.35, 0.2, 0.1, 0.0
_PARTS = 5
"""Content words from which an answer with one wrong fact is partly right; a shorter one is the
wrong fact, and worth less than a refusal."""
_HEDGED, _INVENTED = 0.4, 0.0
_HEDGE = {
    "en": "{refusal} But probably it is this: {answer}",
    "zh": "{refusal}不过大概是：{answer}",
}


def build(materials: Materials) -> Rankings:
    """Build the method.

    Args:
        materials: Passages for ``source=documents``; options as in
            :class:`~domainsmith.chains.synthesis.preference_options.RankingOptions`.

    Raises:
        InputInvalid: Options are unknown or do not fit.
    """
    return Rankings(materials, read_ranking_options(materials.options))


class Rankings:
    """Makes rankings; see the module.

    Args:
        materials: What it may use.
        options: Its settings.
    """

    name = "rankings"
    version = 2

    def __init__(self, materials: Materials, options: RankingOptions) -> None:
        self._materials = materials
        self._options = options
        self._bench = Workbench(materials, options)

    def rounds(self) -> Rounds[Sequence[Unit], Sequence[DataBlock], None]:
        """Yield three passages or records, then the rest."""
        smoke, rest = asked_units(self._materials, self._options)
        yield smoke
        if rest:
            yield rest

    def block(self, unit: Unit) -> DataBlock:
        """Rank answers to the prompts of some passages or records.

        Args:
            unit: From :meth:`rounds`.
        """
        started = time.monotonic()
        block = DataBlock(unit.key)
        chance = self._options.unanswerable
        answered, without = self._bench.asked(unit.payload, block, unanswerable=chance)
        asked = [*answered, *without]
        drafts = self._bench.drafts(asked, block)
        drafts = self._bench.scored(asked, drafts) if self._bench.judge is None else drafts
        answers = [self._known(one, some) for one, some in zip(asked, drafts, strict=True)]
        if self._bench.judge is not None:
            answers = self._bench.scored(asked, answers)
        rankings = []
        for one, some in zip(asked, answers, strict=True):
            ranking = self._ranking(one, some)
            if ranking is None:
                block.dropped["ranking: too few answers of different worth"] += 1
            else:
                rankings.append(ranking)
        items = grade_records(
            rankings, self._bench.by_id, scorer=None, options=self._materials.grading
        )
        block.items = list(items)
        block.counts["rankings"] = len(items)
        block.counts["ranked answers"] = sum(len(item.answers) for item in items)
        block.seconds = time.monotonic() - started
        return block

    def _known(self, asked: Asked, drafts: Sequence[Draft]) -> list[Draft]:
        """Return a prompt's answers with the scores that follow from how they were made."""
        if asked.refuses:
            return self._without(asked, drafts)
        own = [Draft(asked.reference, "reference", _RIGHT)]
        if asked.evidence and self._is_sentence_of(asked):
            own.append(Draft(asked.evidence, "code", _SENTENCE))
        changed = self._bench.corrupted(asked)
        cut = [item for item in changed if item.kind == "truncation"][:1]
        wrong = [item for item in changed if item.kind != "truncation"][:1]
        parts = len(content_terms(asked.reference, asked.language))
        changed_score = _PARTLY if parts >= _PARTS else _CHANGED
        own += [Draft(item.text, "code", _CUT) for item in cut]
        own += [Draft(item.text, "code", changed_score) for item in wrong]
        own.append(Draft(refusal_text(asked.language), "code", _REFUSED))
        for item in wrong:
            twice = [again for again in self._bench.corrupted(asked, answer=item.text)
                     if again.kind not in {"truncation", item.kind}]  # fmt: skip
            own += [Draft(again.text, "code", _TWICE) for again in twice[:1]]
        # A draft that repeats the right answer is no answer of its own; a refusal is known.
        return [*own, *(draft for draft in drafts if not is_refusal(draft.text))]

    def _without(self, asked: Asked, drafts: Sequence[Draft]) -> list[Draft]:
        own = [Draft(asked.reference, "reference", _RIGHT)]
        invented = [draft.text for draft in drafts if not is_refusal(draft.text)]
        invented += [item.text for item in self._bench.wrong_facts(asked)]
        if invented:
            first = min(invented, key=len)
            hedge = _HEDGE[asked.language].format(refusal=asked.reference, answer=first)
            own += [Draft(hedge, "code", _HEDGED), Draft(first, "code", _INVENTED)]
        return own

    def _is_sentence_of(self, asked: Asked) -> bool:
        """Tell whether the evidence is a sentence that holds the answer and says more."""
        whole, part = squeeze(asked.evidence), squeeze(asked.reference)
        return part in whole and len(whole) > len(part) and "|" not in asked.evidence

    def _ranking(self, asked: Asked, answers: Sequence[Draft]) -> Ranking | None:
        """Order answers, drop ties and equal texts, keep the most different scores."""
        options = self._options
        ordered = sorted(answers, key=lambda draft: -draft.score)  # stable: the given order rules
        chosen: list[Draft] = []
        texts: set[str] = set()
        for draft in ordered:
            key = squeeze(draft.text)
            if key in texts or (chosen and chosen[-1].score - draft.score < max(options.gap, 1e-9)):
                continue
            texts.add(key)
            chosen.append(draft)
        if len(chosen) < options.least or chosen[0].score < 0.5:
            return None
        chosen = _spread(chosen, options.answers)
        return Ranking(
            instruction=asked.instruction,
            input=asked.input,
            system=asked.system,
            history=asked.history,
            answers=tuple(draft.text for draft in chosen),
            scores=tuple(round(draft.score, 4) for draft in chosen),
            language=asked.language,
            method="rankings/unanswerable" if asked.refuses else "rankings/answers",
            passage_ids=asked.passage_ids,
            model=self._bench.judge.name if self._bench.judge is not None else "code",
            seed=self._materials.seed,
        )


def _spread(chosen: Sequence[Draft], most: int) -> list[Draft]:
    """Keep the first and the last and, between them, answers evenly by their places."""
    if len(chosen) <= most:
        return list(chosen)
    step = (len(chosen) - 1) / (most - 1)
    return [chosen[round(step * place)] for place in range(most)]
