"""Plots as SVG text that follows the page's colours, so that light and dark both read well."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from domainsmith.records import Interval

__all__ = ["curve_svg", "intervals_svg"]

_WIDTH = 720


def intervals_svg(
    rows: Sequence[tuple[str, Interval]], *, low: float, high: float, label: str, zero: bool = False
) -> str:
    """Draw means with their intervals, one row each.

    Args:
        rows: (name, interval), from the top.
        low: Left end of the axis.
        high: Right end of the axis.
        label: What is measured.
        zero: Draw a line at 0, for differences.

    Returns:
        One ``svg`` element.
    """
    left, right, row_height, top = 258, 76, 38, 8
    height = top + row_height * len(rows) + 44
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return left + (min(max(value, low), high) - low) / span * (_WIDTH - left - right)

    bottom = height - 36
    parts = [_open(height, label)]
    ticks = 4 if zero else 5  # an even number puts 0 on a tick
    for step in range(ticks + 1):
        value = low + span * step / ticks
        parts.append(
            f'<line class="grid" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{top}" y2="{bottom}"/>'
            f'<text class="tick" x="{x(value):.1f}" y="{bottom + 16}" text-anchor="middle">'
            f"{_short(value)}</text>"
        )
    if zero:
        parts.append(
            f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="{top}" y2="{bottom}"/>'
        )
    for number, (name, interval) in enumerate(rows):
        y = top + row_height * number + row_height / 2
        tone = _tone(interval) if zero else ("tuned" if name.startswith("tuned") else "plain")
        parts.append(
            f'<text class="name" x="{left - 14}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(name)}</text>"
            f'<line class="bar {tone}" x1="{x(interval.low):.1f}" x2="{x(interval.high):.1f}" '
            f'y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<circle class="dot {tone}" cx="{x(interval.mean):.1f}" cy="{y:.1f}" r="6"/>'
            f'<text class="value" x="{_WIDTH - right + 16}" y="{y + 4:.1f}">'
            f"{interval.mean:{'+' if zero else ''}.3f}</text>"
        )
    parts.append(
        f'<text class="tick" x="{(left + _WIDTH - right) / 2}" y="{height - 2}" '
        f'text-anchor="middle">{escape(label)}</text></svg>'
    )
    return "".join(parts)


def curve_svg(
    values: Sequence[float], *, label: str, across: str, note: float | None = None
) -> str:
    """Draw a value per step, with its running mean over five.

    Args:
        values: One a step, from step 1; at least two.
        label: What is measured.
        across: What the steps are.
        note: A value to mark at the right end (the validation loss).

    Returns:
        One ``svg`` element.
    """
    left, right, top, height = 56, 20, 12, 260
    bottom = height - 44
    top_value = max(*values, note or 0.0) * 1.05 or 1.0

    def point(step: float, value: float) -> str:
        x = left + (step - 1) / max(1, len(values) - 1) * (_WIDTH - left - right)
        return f"{x:.1f},{bottom - value / top_value * (bottom - top):.1f}"

    smooth = [
        sum(values[max(0, i - 4) : i + 1]) / len(values[max(0, i - 4) : i + 1])
        for i in range(len(values))
    ]
    parts = [_open(height, label)]
    for step in range(5):
        value = top_value * step / 4
        y = bottom - (bottom - top) * step / 4
        parts.append(
            f'<line class="grid" x1="{left}" x2="{_WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_short(value)}</text>"
        )
    for name, series in (("faint", values), ("line", smooth)):
        points = " ".join(point(i + 1, value) for i, value in enumerate(series))
        parts.append(f'<polyline class="{name}" points="{points}"/>')
    if note is not None:
        at, _, height_at = point(len(values), note).partition(",")
        parts.append(f'<circle class="dot plain" cx="{at}" cy="{height_at}" r="5"/>')
    for step in sorted({1, (len(values) + 1) // 2, len(values)}):
        at = point(step, 0).partition(",")[0]
        parts.append(
            f'<text class="tick" x="{at}" y="{bottom + 18}" text-anchor="middle">{step}</text>'
        )
    parts.append(
        f'<text class="tick" x="{(left + _WIDTH - right) / 2}" y="{height - 6}" '
        f'text-anchor="middle">{escape(across)}</text></svg>'
    )
    return "".join(parts)


def _open(height: int, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg">'
    )


def _tone(interval: Interval) -> str:
    if interval.low > 0:
        return "good"
    return "bad" if interval.high < 0 else "plain"


def _short(value: float) -> str:
    return (f"{value:.2f}".rstrip("0").rstrip(".") or "0").replace("-", "−")
