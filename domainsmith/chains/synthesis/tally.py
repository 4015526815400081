"""What a run has made so far, what it lost and at which stage, and what the rest will cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from domainsmith.chains.synthesis.method import DataBlock, passed

__all__ = ["Tally", "losing_stage", "time_text"]


@dataclass
class Tally:
    """The sums over some blocks.

    Args:
        blocks: Number of blocks.
        items: Items made, failed ones too.
        passed: Items that no grader failed.
        counts: Yields by stage, stages in the order of their first appearance.
        dropped: Losses by ``stage: reason``; failed grades as ``grade NAME``.
        tokens: Read and written by models.
        seconds: Of work, all processes together.
    """

    blocks: int = 0
    items: int = 0
    passed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    seconds: float = 0.0

    def add(self, block: DataBlock) -> int:
        """Add a block.

        Args:
            block: A finished one.

        Returns:
            Its good items.
        """
        good = passed(block.items)
        self.blocks += 1
        self.items += len(block.items)
        self.passed += good
        self.counts.update(block.counts)
        self.dropped.update(block.dropped)
        for item in block.items:
            failed = next((grade for grade in item.grades if not grade.passed), None)
            if failed is not None:
                self.dropped[f"grade {failed.grader}"] += 1
        self.tokens += block.tokens
        self.seconds += block.seconds
        return good

    def stages(self) -> str:
        """Return the yields as text: ``sentences 12, questions 5``."""
        return ", ".join(f"{name} {many}" for name, many in self.counts.items()) or "none counted"

    def estimate(self, wanted: int) -> tuple[float, int] | None:
        """Extrapolate to a number of good items.

        Args:
            wanted: Good items in all.

        Returns:
            Seconds of work and tokens for all of them; None without a good item.
        """
        if not self.passed:
            return None
        times = wanted / self.passed
        return self.seconds * times, round(self.tokens * times)


def losing_stage(blocks: Sequence[DataBlock]) -> tuple[str, str]:
    """Say where the most was lost.

    Args:
        blocks: Those that gave too little.

    Returns:
        The stage, and the largest losses as text (empty if nothing was counted as lost). With
        no losses counted it is the first stage that yielded nothing, else the last one.
    """
    tally = Tally()
    for block in blocks:
        tally.add(block)
    by_stage: Counter[str] = Counter()
    for name, many in tally.dropped.items():
        by_stage[name.split(":")[0].strip()] += many
    if by_stage:
        stage = max(by_stage, key=lambda name: (by_stage[name], name))
        return stage, ", ".join(f"{name} {many}" for name, many in tally.dropped.most_common(3))
    empty = next((name for name, many in tally.counts.items() if not many), None)
    return empty or next(reversed(tally.counts), "making items"), ""


def time_text(seconds: float) -> str:
    """Write a time for people: ``40 s``, ``12 min``, ``3 h 20 min``.

    Args:
        seconds: Wall-clock seconds.
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
