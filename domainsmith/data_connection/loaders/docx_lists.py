"""Which list of a Word document a paragraph is an item of, and its number there."""

from __future__ import annotations

from typing import Any

__all__ = ["ListNumbers"]

_NS = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_UNNUMBERED = frozenset({"bullet", "none", ""})


class ListNumbers:
    """Counts the items of numbered lists; one for each document.

    Args:
        document: An open ``docx.Document``.
    """

    def __init__(self, document: Any) -> None:
        self._formats = _formats(document)
        self._counts: dict[tuple[str, int], int] = {}

    def restart(self) -> None:
        """Begin all lists anew: a heading, or a line that announces a list, was read."""
        self._counts.clear()

    def mark(self, paragraph: Any, style: str) -> str:
        """Return what stands before an item: "- " or "3. "; nothing for other paragraphs.

        Args:
            paragraph: A ``docx`` paragraph.
            style: Its style's name.
        """
        name, level = _numbering(paragraph)
        listed = style.lower().startswith("list")
        if not name and not listed:
            return ""
        number_style = "number" in style.lower()
        form = self._formats.get((name, level), "decimal" if number_style else "bullet")
        if form in _UNNUMBERED:
            return "- "
        key = (name or style, level)
        self._counts[key] = self._counts.get(key, 0) + 1
        for deeper in [other for other in self._counts if other[0] == key[0] and other[1] > level]:
            del self._counts[deeper]
        return f"{'  ' * level}{self._counts[key]}. "


def _numbering(paragraph: Any) -> tuple[str, int]:
    """Return the list's id and the level of an item, its own or its style's; "" for none."""
    elements = [paragraph._p.pPr]
    style = getattr(paragraph, "style", None)
    while style is not None and len(elements) < 5:
        elements.append(style.element.find(f"{_NS}pPr"))
        style = style.base_style
    for properties in elements:
        numbering = None if properties is None else properties.find(f"{_NS}numPr")
        if numbering is not None:
            name, level = numbering.find(f"{_NS}numId"), numbering.find(f"{_NS}ilvl")
            value = "" if name is None else str(name.get(f"{_NS}val"))
            # numId 0 takes a paragraph out of its style's list
            return ("" if value == "0" else value), _whole(level)
    return "", 0


def _formats(document: Any) -> dict[tuple[str, int], str]:
    """Return how each level of each list is numbered ("decimal", "bullet")."""
    try:
        root = document.part.numbering_part.element
    except (AttributeError, KeyError, NotImplementedError):
        return {}
    abstract = {
        item.get(f"{_NS}abstractNumId"): {
            _whole(level, "ilvl"): str(form.get(f"{_NS}val"))
            for level in item.findall(f"{_NS}lvl")
            if (form := level.find(f"{_NS}numFmt")) is not None
        }
        for item in root.findall(f"{_NS}abstractNum")
    }
    found: dict[tuple[str, int], str] = {}
    for item in root.findall(f"{_NS}num"):
        reference = item.find(f"{_NS}abstractNumId")
        levels = {} if reference is None else abstract.get(reference.get(f"{_NS}val"), {})
        for level, form in levels.items():
            found[str(item.get(f"{_NS}numId")), level] = form
    return found


def _whole(element: Any, attribute: str = "val") -> int:
    text = "" if element is None else str(element.get(f"{_NS}{attribute}") or "")
    return int(text) if text.isdigit() else 0
