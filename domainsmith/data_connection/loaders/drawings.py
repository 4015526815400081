"""What the drawings of Office files say: SmartArt as nested lists, charts as tables of figures.

Neither python-pptx reads SmartArt nor python-docx any drawing; both keep what is drawn in parts of
their own (ECMA-376 part 1, 21.2 charts and 21.4 diagrams).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from domainsmith.data_connection.loaders.loaded import cell_text, markdown_table
from domainsmith.data_connection.loaders.number_format import shown_number

__all__ = ["drawing_texts"]

_MAIN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_APART = frozenset(
    {
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
        "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}txbxContent",
    }
)
"""What older programs show instead, and text boxes, whose paragraphs are read by themselves."""
_SAID = frozenset({"node", "asst"})
_MOST_POINTS = 100_000
_DEEPEST = 20


def drawing_texts(element: Any, part: Any) -> Iterator[str]:
    """Read the diagrams and charts that stand in an element.

    Args:
        element: XML of a paragraph or a shape.
        part: Part of python-docx or python-pptx that it lies in.

    Yields:
        Markdown, one text a drawing that says something.
    """
    for tag, attribute, read in (
        (f"{_DIAGRAM}relIds", f"{_RELATION}dm", _diagram),
        (f"{_CHART}chart", f"{_RELATION}id", _chart),
    ):
        for found in element.iter(tag):
            if _stands_apart(found, element):
                continue
            root = _related(part, found.get(attribute))
            text = "" if root is None else read(root)
            if text:
                yield text


def _stands_apart(found: Any, element: Any) -> bool:
    for above in found.iterancestors():
        if above is element:
            return False
        if above.tag in _APART:
            return True
    return False


def _related(part: Any, relation: str | None) -> Any:
    """Parse the part that a relation leads to; None where there is none that can be read."""
    from lxml import etree

    try:
        blob = part.related_parts[relation].blob
    except AttributeError:  # python-pptx
        try:
            blob = part.related_part(relation).blob
        except KeyError:
            return None
    except KeyError:
        return None
    try:
        return etree.fromstring(blob, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None


def _diagram(root: Any) -> str:
    """Write the points of a diagram as a list, those below a point below it."""
    texts: dict[str, str] = {}
    below: dict[str, list[tuple[int, str]]] = defaultdict(list)
    tops: list[str] = []
    for point in root.iter(f"{_DIAGRAM}pt"):
        name, kind = str(point.get("modelId")), point.get("type", "node")
        if kind == "doc":
            tops.append(name)
        elif kind in _SAID:
            body = point.find(f"{_DIAGRAM}t")
            texts[name] = "" if body is None else _words(body)
    for line in root.iter(f"{_DIAGRAM}cxn"):
        if line.get("type", "parOf") == "parOf" and line.get("destId") in texts:
            order = str(line.get("srcOrd") or "0")
            place = int(order) if order.isdigit() else 0
            below[str(line.get("srcId"))].append((place, str(line.get("destId"))))
    lines: list[str] = []
    waiting = [(name, -1) for name in reversed(tops)]
    seen: set[str] = set()
    while waiting and len(seen) < _MOST_POINTS:
        name, depth = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        said = texts.get(name, "")
        if said:
            lines.append(f"{'  ' * min(max(depth, 0), _DEEPEST)}- {said}")
        next_depth = depth + 1 if said or depth < 0 else depth
        waiting += [(child, next_depth) for _, child in sorted(below[name], reverse=True)]
    return "\n".join(lines)


def _words(element: Any) -> str:
    paragraphs = element.iter(f"{_MAIN}p")
    said = ("".join(t.text or "" for t in paragraph.iter(f"{_MAIN}t")) for paragraph in paragraphs)
    return " ".join(" ".join(said).split())


def _chart(root: Any) -> str:
    """Write the figures of a chart as a table: a row a category, a column a series."""
    heads, columns = [""], []
    categories: list[str] = []
    for series in root.iter(f"{_CHART}ser"):
        heads.append(" ".join(_points(series, "tx")))
        columns.append(_points(series, "val") or _points(series, "yVal"))
        named = _points(series, "cat") or _points(series, "xVal")
        categories = named if len(named) > len(categories) else categories
    count = max([len(categories), *(len(column) for column in columns)], default=0)
    rows: list[list[object]] = [list(heads)]
    for row in range(count):
        rows.append([column[row] if row < len(column) else "" for column in (categories, *columns)])
    title = root.find(f".//{_CHART}chart/{_CHART}title")
    heading = "" if title is None else _words(title)
    table = markdown_table(rows) if count else ""
    return "\n\n".join(part for part in (heading, table) if part)


def _points(series: Any, name: str) -> list[str]:
    """Read the values that a series keeps, each at its place; places without one are empty."""
    holder = series.find(f"{_CHART}{name}")
    if holder is None:
        return []
    if name == "tx" and (plain := holder.findtext(f"{_CHART}v")):
        return [plain]
    levels = holder.find(f".//{_CHART}lvl")  # of several levels of names the lowest comes first
    form = holder.findtext(f".//{_CHART}formatCode")
    values: list[str] = []
    for point in (holder if levels is None else levels).iter(f"{_CHART}pt"):
        place = str(point.get("idx") or "0")
        if place.isdigit() and int(place) < _MOST_POINTS:
            values += [""] * (int(place) + 1 - len(values))
            said = (point.findtext(f"{_CHART}v") or "").strip()
            values[int(place)] = _shown(said, point.get("formatCode") or form)
    return values


def _shown(value: str, form: str | None) -> str:
    """Write a stored number as the chart shows it: a date, per cent, money."""
    from openpyxl.styles.numbers import is_date_format
    from openpyxl.utils.datetime import from_excel

    try:
        number = float(value)
        if form and is_date_format(form):
            return str(from_excel(number)).removesuffix(" 00:00:00")
        return cell_text(shown_number(number, form))
    except (ValueError, OverflowError):
        return value
