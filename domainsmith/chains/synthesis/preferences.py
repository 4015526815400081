"""The method ``preferences``: pairs of a better and a worse answer to one prompt.

Four kinds from documents or records, one from feedback:

* ``corrupted``: the right answer against itself with one fact changed, proven to be wrong;
* ``drafts``: the best of k drafts, or the right answer, against a draft worse by a margin;
* ``refused``: the right answer against a refusal;
* ``invented``: over passages that hold no answer, the refusal against an answer from nothing;
* ``feedback``: a person's correction against what was answered.
"""

from __future__ import annotations

import time
from collections.abc import Generator as Rounds
from collections.abc import Mapping, Sequence
from typing import Any

from domainsmith.chains.grade import grade_records
from domainsmith.chains.synthesis.asked import Asked
from domainsmith.chains.synthesis.asked_units import asked_units, feedback_asked
from domainsmith.chains.synthesis.drafts import Draft
from domainsmith.chains.synthesis.method import DataBlock, Materials, Unit
from domainsmith.chains.synthesis.pairs import (
    MARGINS,
    AnswerPair,
    balanced,
    corrupted_pair,
    length_counts,
    preference_of,
)
from domainsmith.chains.synthesis.preference_options import (
    PreferenceOptions,
    read_preference_options,
)
from domainsmith.chains.synthesis.workbench import Workbench
from domainsmith.data_connection.overlap import squeeze
from domainsmith.model_io.messages import is_refusal, refusal_text

__all__ = ["Preferences", "build"]

_GOOD = 0.9
"""Score from which a draft is chosen in place of the right answer."""


def build(materials: Materials) -> Preferences:
    """Build the method.

    Args:
        materials: Passages for ``source=documents``; options as in
            :class:`~domainsmith.chains.synthesis.preference_options.PreferenceOptions`.

    Raises:
        InputInvalid: Options are unknown or do not fit.
    """
    return Preferences(materials, read_preference_options(materials.options))


class Preferences:
    """Makes preferences; see the module.

    Args:
        materials: What it may use.
        options: Its settings.
    """

    name = "preferences"
    version = 2

    def __init__(self, materials: Materials, options: PreferenceOptions) -> None:
        self._materials = materials
        self._options = options
        self._bench = Workbench(materials, options)

    def rounds(self) -> Rounds[Sequence[Unit], Sequence[DataBlock], None]:
        """Yield three passages, records or corrections, then the rest."""
        smoke, rest = asked_units(self._materials, self._options)
        yield smoke
        if rest:
            yield rest

    def block(self, unit: Unit) -> DataBlock:
        """Make the pairs of some passages, records or corrected answers.

        Args:
            unit: From :meth:`rounds`.
        """
        started = time.monotonic()
        block = DataBlock(unit.key)
        if "feedback" in unit.payload:
            pairs = self._feedback(unit.payload["feedback"], block)
        else:
            pairs = self._pairs(unit.payload, block)
        block.counts["pairs"] = len(pairs)
        block.counts.update(length_counts(pairs))
        seed = self._materials.seed
        items = grade_records(
            [preference_of(pair, seed=seed) for pair in pairs],
            self._bench.by_id,
            scorer=None,
            options=self._materials.grading,
        )
        block.counts.update(item.method for item in items)
        block.items = list(items)
        block.seconds = time.monotonic() - started
        return block

    def _pairs(self, payload: Mapping[str, Any], block: DataBlock) -> list[AnswerPair]:
        options, drawn = self._options, self._bench.drawn
        answered, without = self._bench.asked(payload, block, unanswerable=options.invented)
        drafting = [
            one
            for one in answered
            if self._bench.writes(one)
            and drawn("drafts", f"{one.instruction}\n{one.input}", options.drafted)
        ]
        found = self._bench.drafts([*drafting, *without], block)
        drafts = found[: len(drafting)]
        pairs = self._draft_pairs(drafting, drafts, block)
        pairs += self._invented(without, found[len(drafting) :], block)
        for one in answered:
            if drawn(
                "refused", f"{one.instruction}\n{one.input}", options.refused if one.input else 0
            ):
                pairs.append(
                    AnswerPair(
                        one,
                        one.reference,
                        refusal_text(one.language),
                        MARGINS["refused"],
                        "refused",
                        "refused although the answer is there",
                    )
                )
        for one in answered:
            if drawn("corrupted", f"{one.instruction}\n{one.input}", options.corrupted):
                balance = sum((pair.longer > 0) - (pair.longer < 0) for pair in pairs)
                changed = self._bench.corrupted(one)
                pair = corrupted_pair(one, changed, seed=self._materials.seed, longer=balance)
                if pair is None:
                    block.dropped["corrupting: nothing to change that is surely wrong"] += 1
                else:
                    pairs.append(pair)
        return balanced(pairs, most=options.longer_share, dropped=block.dropped)

    def _draft_pairs(
        self, asked: Sequence[Asked], drafts: Sequence[Sequence[Draft]], block: DataBlock
    ) -> list[AnswerPair]:
        options = self._options
        right = [[Draft(one.reference, "reference")] for one in asked]
        scored = self._bench.scored(
            asked, [[*some, *own] for some, own in zip(drafts, right, strict=True)]
        )
        pairs: list[AnswerPair] = []
        for one, every in zip(asked, scored, strict=True):
            some, own = every[:-1], every[-1]
            best = max(some, key=lambda draft: draft.score, default=own)
            if best.score < max(_GOOD, own.score * _GOOD):
                best = own
            worse = [
                draft
                for draft in some
                if best.score - draft.score >= max(options.margin, 1e-9)
                and squeeze(draft.text) != squeeze(best.text)
            ]
            if best.score < options.floor:
                block.dropped["judging: no answer over the floor"] += 1
            elif not worse:
                block.dropped["judging: no draft worse by the margin"] += 1
            else:
                pairs.append(self._draft_pair(one, best, worse, pairs))
        agreed = self._bench.agrees(
            [pair.asked for pair in pairs], [(pair.chosen, pair.rejected) for pair in pairs]
        )
        if agreed.count(False):
            block.dropped["judging: orders disagree"] += agreed.count(False)
        return [pair for pair, same in zip(pairs, agreed, strict=True) if same]

    def _draft_pair(
        self, asked: Asked, best: Draft, worse: Sequence[Draft], pairs: Sequence[AnswerPair]
    ) -> AnswerPair:
        """Pair the best answer with a worse one, of the length that evens the others out."""
        balance = sum((pair.longer > 0) - (pair.longer < 0) for pair in pairs)
        judge = self._bench.judge

        def cost(draft: Draft) -> tuple[int, float]:
            longer = len(best.text) - len(draft.text)
            sign = (longer > 0) - (longer < 0)
            return (sign * ((balance > 0) - (balance < 0)), draft.score)

        rejected = min(worse, key=cost)
        judged = f"judge {judge.name}" if judge is not None else "right answer"
        whose = "the right answer" if best.model == "reference" else "a draft"
        return AnswerPair(
            asked,
            best.text,
            rejected.text,
            best.score - rejected.score,
            "drafts",
            f"{whose} {best.score:.2f}, a draft {rejected.score:.2f} by {judged}",
            rejected.model,
        )

    def _invented(
        self, asked: Sequence[Asked], drafts: Sequence[Sequence[Draft]], block: DataBlock
    ) -> list[AnswerPair]:
        """Pair refusals with answers from nothing: a draft, else a changed fact."""
        pairs: list[AnswerPair] = []
        for one, some in zip(asked, drafts, strict=True):
            own = [draft for draft in some if not is_refusal(draft.text)]
            changed = [] if own else self._bench.wrong_facts(one)
            if own:
                wrong = min(own, key=lambda draft: len(draft.text))
            elif changed:
                wrong = Draft(changed[0].text, "code")
            else:
                block.dropped["inventing: no answer from nothing"] += 1
                continue
            pairs.append(
                AnswerPair(
                    one,
                    one.reference,
                    wrong.text,
                    MARGINS["invented"],
                    "invented",
                    "answered although the passages hold nothing",
                    wrong.model,
                )
            )
        return pairs

    def _feedback(self, values: Sequence[Mapping[str, Any]], block: DataBlock) -> list[AnswerPair]:
        pairs: list[AnswerPair] = []
        block.counts["corrected answers"] = len(values)
        for asked, answer, model in feedback_asked(values):
            if not squeeze(asked.reference):
                block.dropped["feedback: no correction"] += 1
            elif squeeze(asked.reference) == squeeze(answer):
                block.dropped["feedback: the correction is the answer"] += 1
            else:
                margin = MARGINS["feedback"]
                reason = "corrected by a person"
                pairs.append(
                    AnswerPair(asked, asked.reference, answer, margin, "feedback", reason, model)
                )
        return pairs
