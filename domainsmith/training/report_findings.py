"""What a report's answers say in numbers and words, by category and by question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domainsmith.records import EvalReport, Language
from domainsmith.training.gate import answers_less
from domainsmith.training.report_words import WORDS

__all__ = ["PAIRS", "Row", "by_question", "category_scores", "mean", "what_got_worse"]

PAIRS = (("tuned", "base"), ("tuned+retrieval", "base+retrieval"))
Row = Mapping[str, Any]


def category_scores(report: EvalReport) -> dict[str, dict[str, list[float]]]:
    """Collect scores by category.

    Args:
        report: With its answers.

    Returns:
        category -> system -> scores in the order of the questions.
    """
    table: dict[str, dict[str, list[float]]] = {}
    for row in report.answers:
        systems = table.setdefault(str(row["category"]), {})
        systems.setdefault(str(row["system"]), []).append(float(row["score"]))
    return dict(sorted(table.items()))


def what_got_worse(report: EvalReport, language: Language = "en") -> list[str]:
    """Say in words what a tuned system does worse than the untuned one.

    Args:
        report: With its answers.
        language: Of the words.

    Returns:
        One sentence each; empty if nothing measured got worse.
    """
    words = WORDS[language]
    scores = {score.system: score for score in report.scores}
    found: list[str] = []
    for ours, theirs in PAIRS:
        if ours not in scores or theirs not in scores:
            continue
        names = {"ours": ours, "theirs": theirs}
        after, before = scores[ours], scores[theirs]
        if answers_less(after, before):
            found.append(
                words["worse_answers"].format(
                    after=f"{after.answerable_f1.mean:.3f}",
                    before=f"{before.answerable_f1.mean:.3f}",
                    **names,
                )
            )
        found += _worse_categories(report, names, words)
        if after.false_refusals.mean > before.false_refusals.mean:
            shares = _shares(after.false_refusals.mean, before.false_refusals.mean)
            found.append(words["worse_false"].format(**shares, **names))
        if after.refusal_recall.mean < before.refusal_recall.mean:
            shares = _shares(after.refusal_recall.mean, before.refusal_recall.mean)
            found.append(words["worse_refusal"].format(**shares, **names))
        pairs = [(row[ours], row[theirs]) for row in by_question(report).values()]
        lower = sum(1 for a, b in pairs if a["score"] < b["score"])
        higher = sum(1 for a, b in pairs if a["score"] > b["score"])
        if lower:
            found.append(
                words["worse_questions"].format(n=lower, m=higher, all=len(pairs), **names)
            )
    return found


def _worse_categories(
    report: EvalReport, names: Mapping[str, str], words: Mapping[str, str]
) -> list[str]:
    found = []
    for category, systems in category_scores(report).items():
        ours = systems[names["ours"]]
        after, before = mean(ours), mean(systems[names["theirs"]])
        if after < before:
            figures = {"after": f"{after:.3f}", "before": f"{before:.3f}", "n": len(ours)}
            found.append(words["worse_category"].format(category=category, **figures, **names))
    return found


def _shares(after: float, before: float) -> dict[str, str]:
    return {"after": f"{after:.0%}", "before": f"{before:.0%}"}


def by_question(report: EvalReport) -> dict[str, dict[str, Row]]:
    """Sort a report's answers by question.

    Args:
        report: With its answers.

    Returns:
        question key -> system -> row, in the order of the questions.
    """
    table: dict[str, dict[str, Row]] = {}
    for row in report.answers:
        table.setdefault(str(row["key"]), {})[str(row["system"])] = row
    return table


def mean(values: Sequence[float]) -> float:
    """Return the mean, 0 of nothing."""
    return sum(values) / len(values) if values else 0.0
