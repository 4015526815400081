"""The figures of a chart of an Office file, as tables (ECMA-376 part 1, 21.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from domainsmith.data_connection.loaders.loaded import cell_text, markdown_table
from domainsmith.data_connection.loaders.number_format import shown_number

__all__ = ["chart_text", "drawn_words"]

_MAIN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_NUMBERS = frozenset({f"{_CHART}numCache", f"{_CHART}numLit"})
_MOST_CELLS = 200_000
_LONGEST_PLACE = 9


@dataclass(frozen=True)
class _Series:
    name: str
    named: dict[int, str]
    values: dict[int, str]
    sizes: dict[int, str]


def chart_text(root: Any) -> str:
    """Write the figures of a chart: a row a category, a column a series.

    Series that do not share their categories, as those of scattered points, get tables of their
    own. Numbers are written as the chart shows them, names as they are.

    Args:
        root: XML of the chart's part.

    Returns:
        Markdown, headed by the titles of the chart and its axes.

    Raises:
        ValueError: It keeps no figures, or more places than a table can have.
    """
    counted = root.find(f"{_CHART}date1904")
    mac = counted is not None and counted.get("val", "1") in {"1", "true"}
    series = _series(root, mac)
    if not any(one.values for one in series):
        raise ValueError("a chart without its figures")
    parts = [_title(root.find(f"{_CHART}chart/{_CHART}title")), "; ".join(_axes(root))]
    for group in _groups(series):
        places = sorted(set().union(*(one.values.keys() | one.named.keys() for one in group)))
        if len(places) * (len(group) + 1) > _MOST_CELLS:
            raise ValueError("a chart with more cells than can be read")
        columns = [
            *([("", group[0].named)] if any(one.named for one in group) else []),
            *(column for one in group for column in _columns(one)),
        ]
        rows: list[list[object]] = [[head for head, _ in columns]]
        rows += [[column.get(place, "") for _, column in columns] for place in places]
        parts.append(markdown_table(rows) if places else "")
    return "\n\n".join(part for part in parts if part)


def drawn_words(element: Any) -> str:
    """Join the paragraphs of a drawn text; line breaks part words."""
    said = []
    for paragraph in element.iter(f"{_MAIN}p"):
        said.append(" ")
        for piece in paragraph.iter(f"{_MAIN}t", f"{_MAIN}br"):
            said.append((piece.text or "") if piece.tag == f"{_MAIN}t" else " ")
    return " ".join("".join(said).split())


def _axes(root: Any) -> list[str]:
    axes = root.iter(*(f"{_CHART}{name}" for name in ("catAx", "dateAx", "valAx", "serAx")))
    titles = [_title(axis.find(f"{_CHART}title")) for axis in axes]
    return [title for title in titles if title]


def _title(title: Any) -> str:
    if title is None:
        return ""
    linked = title.iterfind(f"{_CHART}tx/{_CHART}strRef//{_CHART}v")
    return drawn_words(title) or " ".join(" ".join(v.text or "" for v in linked).split())


def _series(root: Any, mac: bool) -> list[_Series]:
    found = []
    for number, element in enumerate(root.iter(f"{_CHART}ser"), start=1):
        told = element.find(f"{_CHART}tx")
        words = [] if told is None else [v.text or "" for v in told.iter(f"{_CHART}v")]
        found.append(
            _Series(
                " ".join(" ".join(words).split()) or f"Series {number}",
                _points(element, "cat", mac) or _points(element, "xVal", mac),
                _points(element, "val", mac) or _points(element, "yVal", mac),
                _points(element, "bubbleSize", mac),
            )
        )
    return found


def _groups(series: Sequence[_Series]) -> Iterator[list[_Series]]:
    """Keep series together that share their categories, or name none."""
    group: list[_Series] = []
    for one in series:
        if group and one.named and one.named != group[0].named:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _columns(one: _Series) -> Iterator[tuple[str, dict[int, str]]]:
    yield one.name, one.values
    if one.sizes:
        yield f"{one.name} (size)", one.sizes


def _points(series: Any, name: str, mac: bool) -> dict[int, str]:
    """Read what a series keeps by its places; of several levels of names, all."""
    holder = series.find(f"{_CHART}{name}")
    if holder is None:
        return {}
    levels = [_level(level, mac) for level in holder.iter(f"{_CHART}lvl")]
    if not levels:
        return _level(holder, mac)
    lowest, *above = levels
    last = [""] * len(above)
    named = {}
    for place in sorted(set().union(*levels)):
        last = [level.get(place, before) for level, before in zip(above, last, strict=True)]
        if place in lowest:
            named[place] = " ".join(part for part in (*reversed(last), lowest[place]) if part)
    return named


def _level(holder: Any, mac: bool) -> dict[int, str]:
    form = holder.findtext(f".//{_CHART}formatCode")
    values = {}
    for point in holder.iter(f"{_CHART}pt"):
        place = str(point.get("idx") or "0")
        if place.isascii() and place.isdigit() and len(place) <= _LONGEST_PLACE:
            said = (point.findtext(f"{_CHART}v") or "").strip()
            number = point.getparent().tag in _NUMBERS
            values[int(place)] = (
                _shown(said, point.get("formatCode") or form, mac) if number else said
            )
    return values


def _shown(value: str, form: str | None, mac: bool) -> str:
    """Write a stored number as the chart shows it: a date, per cent, money."""
    from openpyxl.styles.numbers import is_date_format, is_timedelta_format

    try:
        number = float(value)
        if form and is_timedelta_format(form):
            minutes = round(number * 24 * 60)
            return f"{minutes // 60}:{minutes % 60:02}"
        if form and is_date_format(form):
            return _date(number, form.lower(), mac)
        return cell_text(shown_number(number, form))
    except (ValueError, OverflowError):
        return value


def _date(number: float, form: str, mac: bool) -> str:
    """Write a day or a time, or the month or year if the format shows no more."""
    from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

    if "h" in form and not any(sign in form for sign in "dy"):
        number %= 1  # hours alone
    day = str(from_excel(number, CALENDAR_MAC_1904 if mac else CALENDAR_WINDOWS_1900))
    if any(sign in form for sign in "dhs"):
        return day.removesuffix(" 00:00:00")
    return day[:7] if "m" in form else day[:4]
