"""The arms compared: means, paired differences with bootstrap intervals, and what they say."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ARMS", "SETTINGS", "compare", "show"]

ARMS = ("random", "selected")
SETTINGS = {"from memory": "", "over passages": "+retrieval"}
"""Setting to the ending of the evaluation's system."""
_RESAMPLES = 10_000


def compare(scores: dict[tuple[str, int], dict[str, list[float]]], seeds: int) -> dict[str, Any]:
    """Compare the arms, paired over questions and seeds.

    Args:
        scores: (arm, seed) to setting to one score a question.
        seeds: Number of seeds.

    Returns:
        For each setting the means and the differences with their intervals.
    """
    settings: dict[str, Any] = {}
    for setting in SETTINGS:
        base = np.array(scores[("base", 0)][setting])
        rows = {
            arm: np.array([scores[(arm, seed)][setting] for seed in range(seeds)]) for arm in ARMS
        }
        gaps = {
            "selected - random": rows["selected"] - rows["random"],
            "selected - base": rows["selected"] - base,
            "random - base": rows["random"] - base,
        }
        settings[setting] = {
            "base": round(float(base.mean()), 4),
            **{arm: [round(float(row.mean()), 4) for row in rows[arm]] for arm in ARMS},
            **{name: interval(gap) for name, gap in gaps.items()},
        }
    return {"settings": settings}


def interval(gaps: np.ndarray, seed: int = 17) -> list[float]:
    """Bootstrap a mean difference over seeds and questions.

    Args:
        gaps: Shape (seeds, questions), paired differences.
        seed: Of the resampling.

    Returns:
        Mean, and the bounds of the 95 % interval.
    """
    random = np.random.default_rng(seed)
    seeds, questions = gaps.shape
    means = np.empty(_RESAMPLES)
    for number in range(_RESAMPLES):
        rows = random.integers(0, seeds, seeds)
        columns = random.integers(0, questions, questions)
        means[number] = gaps[np.ix_(rows, columns)].mean()
    low, high = np.quantile(means, [0.025, 0.975])
    return [round(float(value), 4) for value in (gaps.mean(), low, high)]


def show(name: str, report: dict[str, Any]) -> None:
    """Print a domain's tables and what they say."""
    print(
        f"\n{name}: pool {report['pool'][0]} records, {report['pool'][1]} tokens; "
        f"{report['questions']} held-out questions; {report['budget']} tokens a dataset, "
        f"{report['epochs']:g} epochs"
    )
    for key, (records, tokens) in report["datasets"].items():
        print(f"  {key:12} {records:4} records {tokens:6} tokens")
    for setting, row in report["settings"].items():
        arms = "; ".join(f"{arm} {', '.join(f'{v:.3f}' for v in row[arm])}" for arm in ARMS)
        print(f"  {setting}: base {row['base']:.3f}; by seed: {arms}")
        for gap in ("selected - random", "selected - base", "random - base"):
            mean, low, high = row[gap]
            print(f"    {gap:18} {mean:+.3f} [{low:+.3f}, {high:+.3f}]  {_verdict(low, high)}")


def _verdict(low: float, high: float) -> str:
    return "better" if low > 0 else "worse" if high < 0 else "no clear difference"
