"""Pairs of a better and a worse answer, and the balance of their lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.facts import seeded
from domainsmith.chains.synthesis.asked import Asked
from domainsmith.chains.synthesis.corruption.corrupt import Corruption
from domainsmith.records import Preference

__all__ = ["MARGINS", "AnswerPair", "balanced", "length_counts", "preference_of"]

MARGINS = {
    "number": 1.0,
    "unit": 1.0,
    "name": 1.0,
    "entity": 1.0,
    "negation": 1.0,
    "citation": 0.8,
    "truncation": 0.5,
    "refused": 0.9,
    "invented": 1.0,
    "feedback": 1.0,
}
"""How much a right answer is better than one with such a fault, 0 to 1."""


@dataclass(frozen=True)
class AnswerPair:
    """A better and a worse answer.

    Args:
        asked: The prompt.
        chosen: The better answer.
        rejected: The worse one.
        margin: How much better, 0 to 1.
        kind: ``corrupted``, ``drafts``, ``refused``, ``invented`` or ``feedback``.
        reason: What made the difference.
        model: Who wrote the worse one.
    """

    asked: Asked
    chosen: str
    rejected: str
    margin: float
    kind: str
    reason: str
    model: str = "code"

    @property
    def longer(self) -> int:
        """Characters by which the chosen answer is longer."""
        return len(self.chosen.strip()) - len(self.rejected.strip())


def preference_of(pair: AnswerPair, *, seed: int) -> Preference:
    """Write a pair as a preference."""
    asked = pair.asked
    return Preference(
        instruction=asked.instruction,
        input=asked.input,
        system=asked.system,
        history=asked.history,
        chosen=pair.chosen,
        rejected=pair.rejected,
        margin=round(pair.margin, 4),
        reason=pair.reason,
        language=asked.language,
        method=f"preferences/{pair.kind}",
        passage_ids=asked.passage_ids,
        model=pair.model,
        seed=seed,
    )


def corrupted_pair(
    asked: Asked, found: Sequence[Corruption], *, seed: int, longer: int
) -> AnswerPair | None:
    """Choose one corruption of a right answer.

    Args:
        asked: The prompt.
        found: Corruptions.
        seed: Of the choice.
        longer: Pairs so far whose chosen answer is the longer one, less those where it is the
            shorter; a corruption that evens this out is preferred.

    Returns:
        The pair; None without a corruption.
    """
    if not found:
        return None
    source = seeded(seed, "corruption", asked.instruction, asked.input)
    draws = {item.text: source.random() for item in found}
    size = len(asked.reference)

    def cost(item: Corruption) -> tuple[int, float]:
        difference = size - len(item.text)
        sign = (difference > 0) - (difference < 0)
        return (sign * (1 if longer > 0 else -1 if longer < 0 else 0), draws[item.text])

    best = min(found, key=cost)
    reason = f"{best.kind}: {_shown(best.before)} -> {_shown(best.after)}"
    return AnswerPair(asked, asked.reference, best.text, MARGINS[best.kind], "corrupted", reason)


def _shown(words: str) -> str:
    return words if len(words) <= 40 else f"{words[:37]}..."


def balanced(
    pairs: Sequence[AnswerPair], *, most: float, dropped: Counter[str]
) -> list[AnswerPair]:
    """Drop pairs until neither longer nor shorter answers are chosen too often.

    A model trained on pairs in which the better answer is mostly the longer one learns to write
    long answers.

    Args:
        pairs: In order.
        most: Greatest share of either, 0.5 to 1, among pairs of unequal length.
        dropped: Counts what is dropped, by kind.

    Returns:
        The rest in order. Of the kind that is too frequent, pairs of the smallest margin go first,
        then the later ones.
    """
    longer = [at for at, pair in enumerate(pairs) if pair.longer > 0]
    shorter = [at for at, pair in enumerate(pairs) if pair.longer < 0]
    many, few = (longer, shorter) if len(longer) >= len(shorter) else (shorter, longer)
    # Two pairs more than the share allows stay: a block of few pairs has no balance.
    allowed = max(len(few) + 2, int(len(few) * most / (1 - most))) if most < 1 else len(many)
    by_margin = sorted(many, key=lambda at: (pairs[at].margin, -at))
    gone = set(by_margin[: max(0, len(many) - allowed)])
    for at in sorted(gone):
        dropped[f"length balance: {pairs[at].kind}"] += 1
    return [pair for at, pair in enumerate(pairs) if at not in gone]


def length_counts(pairs: Sequence[AnswerPair]) -> Counter[str]:
    """Count pairs by which answer is the longer one, for the share that is reported."""
    counts: Counter[str] = Counter()
    for pair in pairs:
        name = "longer" if pair.longer > 0 else "shorter" if pair.longer < 0 else "as long"
        counts[f"chosen {name}"] += 1
    return counts
