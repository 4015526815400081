"""What the drawings of Office files say: SmartArt as nested lists, charts as tables of figures.

Neither python-pptx reads SmartArt nor python-docx any drawing; both keep what is drawn in parts of
their own (ECMA-376 part 1, 21.2 charts and 21.4 diagrams; charts: :mod:`.charts`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from typing import Any

from domainsmith.data_connection.loaders.charts import chart_text, drawn_words

__all__ = ["drawing_texts", "left_out"]

_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_NEW_CHART = "{http://schemas.microsoft.com/office/drawing/2014/chartex}chart"
"""Waterfalls and funnels, which are not read."""
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_APART = frozenset(
    {
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
        *(f"{_WORD}{name}" for name in ("txbxContent", "del", "moveFrom")),
    }
)
"""What older programs show instead, text boxes, whose paragraphs are read by themselves, and what
was deleted or moved away.
"""
_SAID = frozenset({"node", "asst"})
_DEEPEST = 20


def drawing_texts(element: Any, part: Any) -> tuple[list[str], int]:
    """Read the diagrams and charts that stand in an element.

    Args:
        element: XML of a paragraph or a shape.
        part: Part of python-docx or python-pptx that it lies in.

    Returns:
        Markdown, one text a drawing that says something; and how many could not be read.
    """
    texts, unread = [], 0
    for tag, attribute, read in (
        (f"{_DIAGRAM}relIds", f"{_RELATION}dm", _diagram),
        (f"{_CHART}chart", f"{_RELATION}id", chart_text),
    ):
        for found in element.iter(tag):
            if _stands_apart(found, element):
                continue
            try:
                texts.append(read(_related(part, found.get(attribute))))
            except (KeyError, ValueError, SyntaxError):  # lxml raises kinds of SyntaxError
                unread += 1
    unread += sum(not _stands_apart(found, element) for found in element.iter(_NEW_CHART))
    return [text for text in texts if text], unread


def left_out(pictures: int, unread: int) -> list[str]:
    """Say in sentences how many pictures and drawings are not in the text."""
    said = [f"{pictures} pictures were left out."] if pictures else []
    return [*said, f"{unread} drawings could not be read."] if unread else said


def _stands_apart(found: Any, element: Any) -> bool:
    for above in found.iterancestors():
        if above is element:
            return False
        if above.tag in _APART:
            return True
    return False


def _related(part: Any, relation: str | None) -> Any:
    """Parse the part that a relation leads to.

    Raises:
        KeyError: There is no such relation.
        ValueError: It leads out of the file.
        SyntaxError: The part is no XML.
    """
    from lxml import etree

    if hasattr(part, "related_part"):  # python-pptx
        blob = part.related_part(relation).blob
    else:
        blob = part.related_parts[relation].blob
    return etree.fromstring(blob, etree.XMLParser(resolve_entities=False, no_network=True))


def _diagram(root: Any) -> str:
    """Write the points of a diagram as a list, those below a point below it."""
    texts: dict[str, str] = {}
    tops: list[str] = []
    for point in root.iter(f"{_DIAGRAM}pt"):
        name, kind = str(point.get("modelId")), point.get("type", "node")
        if kind == "doc":
            tops.append(name)
        elif kind in _SAID:
            body = point.find(f"{_DIAGRAM}t")
            texts[name] = "" if body is None else drawn_words(body)
    below = _below(root, texts)
    lines: list[str] = []
    seen: set[str] = set()
    for top in (*tops, *texts):  # what hangs on nothing comes last
        waiting = [(top, -1 if top in tops else 0)]
        while waiting:
            name, depth = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            said = texts.get(name, "")
            if said:
                lines.append(f"{'  ' * min(max(depth, 0), _DEEPEST)}- {said}")
            next_depth = depth + 1 if said or depth < 0 else depth
            waiting += [(child, next_depth) for child in reversed(below[name])]
    return "\n".join(lines)


def _below(root: Any, known: Container[str]) -> dict[str, list[str]]:
    """Tell which points hang on which, in their order."""
    below: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for number, line in enumerate(root.iter(f"{_DIAGRAM}cxn")):
        child = str(line.get("destId"))
        if line.get("type", "parOf") == "parOf" and child in known:
            order = str(line.get("srcOrd") or "0")[:9]
            place = int(order) if order.isascii() and order.isdigit() else 0
            below[str(line.get("srcId"))].append((place, number, child))
    return defaultdict(
        list, {name: [child for _, _, child in sorted(lines)] for name, lines in below.items()}
    )
