"""Pictures of a selection: what the records cover, before and after, and how scores moved."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.records import Language
from domainsmith.training.select.plot_words import plot_words
from domainsmith.training.select.pool import Item, SelectionRun, as_record
from domainsmith.training.select.scores import quality

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["flat_map", "selection_plots"]

_CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Serif CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
)
_GREY, _BLUE, _ORANGE = "#b8bec8", "#1f5fa8", "#d9822b"
_POINTS = 20_000
"""Points of a map; of more, evenly spaced ones are drawn."""


def flat_map(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Lay vectors flat along the two directions in which they differ most (PCA).

    Args:
        vectors: Shape (n, d).

    Returns:
        Shape (n, 2). The same vectors give the same map: of each direction, the side of its
        largest part is positive.
    """
    if len(vectors) < 2 or vectors.shape[1] < 2:
        return np.zeros((len(vectors), 2))
    middle = vectors - vectors.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(middle.T @ middle)
    first = directions[:, ::-1][:, :2]
    largest = np.abs(first).argmax(axis=0)
    flat: NDArray[np.float64] = middle @ (first * np.sign(first[largest, [0, 1]]))
    return flat


def selection_plots(
    items: Sequence[Item], run: SelectionRun, language: Language = "en"
) -> dict[str, bytes]:
    """Draw a selection.

    Args:
        items: What was selected from, in the order of ``run``.
        run: The outcome.
        language: Of the words; English if no font here has Chinese characters.

    Returns:
        PNG files by name: ``selection.png`` (records after each stage, scores before and after)
        and, with embeddings, ``coverage.png``.
    """
    from matplotlib import rc_context

    font = _chinese_font() if language == "zh" else None
    words = plot_words("zh" if font else "en")
    kept = _kept(items, run)
    families = [*([font] if font else []), "DejaVu Sans"]
    settings: Any = {"font.family": families, "axes.unicode_minus": False}
    with rc_context(settings):
        files = {"selection.png": _png(_numbers(items, run, kept, words))}
        if run.vectors is not None and len(items) > 1:
            files["coverage.png"] = _png(_coverage(run.vectors, kept, words))
    return files


def _kept(items: Sequence[Item], run: SelectionRun) -> NDArray[np.bool_]:
    """Tell which items are kept; a dropped copy has the id of a kept one, which counts once."""
    waiting = Counter(run.selection.kept)
    result = np.zeros(len(items), dtype=np.bool_)
    for at, item in enumerate(items):
        name = item.id
        result[at] = waiting[name] > 0
        waiting[name] -= 1
    return result


def _numbers(
    items: Sequence[Item], run: SelectionRun, kept: NDArray[np.bool_], words: dict[str, str]
) -> Figure:
    from matplotlib.figure import Figure

    scores = _scores(items, run)
    figure = Figure(figsize=(5.2 + 3.6 * len(scores), 3.8), layout="constrained")
    left, *others = np.atleast_1d(figure.subplots(1, 1 + len(scores)))
    _stage_bars(left, run, words)
    for axes, (name, values) in zip(others, scores.items(), strict=True):
        known = np.isfinite(values)
        low, high = np.percentile(values[known], [0, 99]) if known.any() else (0.0, 1.0)
        bins = np.linspace(low, high if high > low else low + 1.0, 25)
        clipped = np.clip(values, low, bins[-1])
        axes.hist(clipped[known], bins=bins, color=_GREY, label=words["before"])
        axes.hist(clipped[known & kept], bins=bins, color=_BLUE, label=words["after"])
        axes.set_title(words.get(name, name), fontsize=10)
        axes.set_ylabel(words["number"])
        _plain(axes)
    if others:
        others[0].legend(frameon=False, fontsize=9)
    return figure


def _stage_bars(axes: Axes, run: SelectionRun, words: dict[str, str]) -> None:
    names = [words["start"], *(report.stage for report in run.stages)]
    first = run.stages[0].entered if run.stages else 0
    left = [first, *(report.left for report in run.stages)]
    places = np.arange(len(names))
    axes.barh(places, left, color=[_GREY, *[_BLUE] * len(run.stages)])
    for place, number in zip(places, left, strict=True):
        axes.annotate(
            f"{number:,}", (number, place), (4, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, max(left) * 1.22 or 1)
    axes.set_title(words["stages"], fontsize=10)
    _plain(axes)


def _coverage(
    vectors: NDArray[np.float32], kept: NDArray[np.bool_], words: dict[str, str]
) -> Figure:
    from matplotlib.figure import Figure

    flat = flat_map(vectors)
    shown = np.arange(0, len(flat), max(1, len(flat) // _POINTS))
    before, after = shown, np.flatnonzero(kept)
    figure = Figure(figsize=(10.4, 4.6), layout="constrained")
    first, second = figure.subplots(1, 2, sharex=True, sharey=True)
    size = 14 if len(shown) < 2000 else 4
    first.scatter(*flat[before].T, s=size, color=_ORANGE, alpha=0.6, linewidths=0)
    first.set_title(f"{words['before']}: {len(flat):,} {words['records']}", fontsize=10)
    second.scatter(*flat[before].T, s=size, color=_GREY, alpha=0.5, linewidths=0)
    second.scatter(*flat[after].T, s=size, color=_BLUE, alpha=0.85, linewidths=0)
    second.set_title(f"{words['after']}: {len(after):,} {words['records']}", fontsize=10)
    for axes in (first, second):
        axes.set_xticks([])
        axes.set_yticks([])
        _plain(axes)
    figure.supxlabel(words["map"], fontsize=9)
    return figure


def _scores(items: Sequence[Item], run: SelectionRun) -> dict[str, NDArray[np.float64]]:
    records = [as_record(item) for item in items]
    found = {"answer": np.asarray([float(len(record.output)) for record in records])}
    if any(record.grades for record in records):
        found["quality"] = np.asarray([quality(record) for record in records])
    for name, values in sorted(run.scores.items()):
        if name not in ("quality", "length"):
            found[name] = np.asarray([values.get(item.id, np.nan) for item in items])
    return found


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130, metadata={"Software": None})
    return file.getvalue()


def _chinese_font() -> str | None:
    from matplotlib import font_manager

    known = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((name for name in _CHINESE_FONTS if name in known), None)
