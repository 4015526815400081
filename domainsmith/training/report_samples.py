"""The questions that a report shows: those with the largest differences, and all of them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from domainsmith.records import EvalReport
from domainsmith.training.report_findings import PAIRS, Row, by_question
from domainsmith.training.report_html import section, system_rank

__all__ = ["samples_section"]

_SAMPLES = 4


def samples_section(report: EvalReport, words: Mapping[str, str]) -> str:
    """Show the questions with the largest differences, and all of them folded.

    Args:
        report: With its answers.
        words: In the page's language.

    Returns:
        HTML.
    """
    rows = list(by_question(report).values())
    ours, theirs = next(
        (pair for pair in reversed(PAIRS) if rows and set(pair) <= set(rows[0])), ("", "")
    )
    if not ours:
        shown = rows[: 2 * _SAMPLES]
    else:
        order = sorted(rows, key=lambda row: row[ours]["score"] - row[theirs]["score"])
        middle = order[_SAMPLES:-_SAMPLES]
        extremes = [*reversed(order[-_SAMPLES:]), *order[:_SAMPLES]]
        picked = [*extremes, *middle[:: max(1, len(middle) // 3)]]
        seen: set[str] = set()
        shown = []
        for row in picked:
            key = str(row[ours]["key"])
            if key not in seen:
                seen.add(key)
                shown.append(row)
    cards = "".join(_card(row, words) for row in shown)
    everything = "".join(_card(row, words) for row in rows)
    summary = escape(words["all"].format(n=len(rows)))
    body = f"{cards}<details><summary>{summary}</summary>{everything}</details>"
    return section(words["samples"], words["samples_note"], body)


def _card(row: Mapping[str, Row], words: Mapping[str, str]) -> str:
    first = next(iter(row.values()))
    reference = str(first["reference"]) if first["answerable"] else words["unanswerable"]
    answers = "".join(
        f"<div class='answer'><div class='who'><span>{escape(name)}</span>"
        f"<span class='score' style='--score:{float(row[name]['score']):.3f}'>"
        f"{float(row[name]['score']):.2f}</span></div>"
        f"<p>{escape(str(row[name]['answer'])) or '∅'}</p>"
        + (f"<em>{escape(words['refused'])}</em>" if row[name]["refused"] else "")
        + "</div>"
        for name in sorted(row, key=system_rank)
    )
    return (
        f"<article><h4>{escape(str(first['question']))}</h4>"
        f"<p class='reference'><span>{escape(words['reference'])}</span> {escape(reference)}</p>"
        f"<div class='answers'>{answers}</div></article>"
    )
