"""Pieces of HTML that a report's page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from domainsmith.records import Interval
from domainsmith.training.evaluate import ANSWER_CHAIN

__all__ = ["interval_cell", "number_cell", "section", "system_rank", "table", "wide"]

_SYSTEMS = ("base", "base+retrieval", "tuned", "tuned+retrieval", ANSWER_CHAIN)


def section(title: str, note: str, body: str) -> str:
    """Wrap a section's body.

    Args:
        title: Plain text.
        note: Plain text; an empty one is left out.
        body: HTML.
    """
    written = f"<p class='note'>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{written}{body}</section>"


def table(heads: Sequence[str], body: Sequence[Sequence[str]], kind: str = "") -> str:
    """Write a table.

    Args:
        heads: HTML of each column's head; no head is shown if all are empty.
        body: HTML of the cells, row by row.
        kind: Class name of the table.
    """
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    rows = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in body)
    top = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
    return wide(f"<table class='{kind}'>{top}<tbody>{rows}</tbody></table>")


def wide(body: str) -> str:
    """Let what is wider than a phone scroll by itself, so that its text stays large enough."""
    return f"<div class='wide'>{body}</div>"


def interval_cell(interval: Interval) -> str:
    """Write a mean with its interval; a dash for nothing."""
    if not interval.n:
        return "–"
    return f"{interval.mean:.3f} <span class='range'>{interval.low:.2f}–{interval.high:.2f}</span>"


def number_cell(value: object) -> str:
    """Write a number with separators; a dash for none."""
    return f"{value:,.0f}" if isinstance(value, int | float) else "–"


def system_rank(system: str) -> tuple[int, str]:
    """Sort systems from the base model to the answer chain."""
    return (_SYSTEMS.index(system) if system in _SYSTEMS else len(_SYSTEMS), system)
