"""PowerPoint presentations: one page a slide, its title as heading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domainsmith.data_connection.loaders.archive import check_archive
from domainsmith.data_connection.loaders.charts import drawn_words
from domainsmith.data_connection.loaders.drawings import drawing_texts, left_out
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text
from domainsmith.data_connection.loaders.source import Source
from domainsmith.data_connection.loaders.table_grid import SpanningCell, spanning_table

__all__ = ["load"]

_MAX_DEPTH = 50
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Choice"


def load(source: Source) -> LoadedFile:
    """Load the slides with their tables, diagrams, chart data and speaker notes."""
    import pptx

    check_archive(source)
    with source.open("rb") as file:
        show = pptx.Presentation(file)
        pages: list[str] = []
        notes: list[str] = []
        pictures = unread = 0
        for number, slide in enumerate(show.slides, start=1):
            if slide._element.get("show") == "0":
                notes.append(f"The hidden slide {number} was left out.")
                pages.append("")  # the numbers of the others stay right
                continue
            try:
                text, seen, missed = _slide(slide)
            except Exception as error:  # noqa: BLE001 - one damaged slide must not lose the others
                notes.append(f"Slide {number} is broken ({type(error).__name__}).")
                text, seen, missed = "", 0, 0
            pages.append(clean_text(text).replace("\f", "\n"))
            pictures += seen
            unread += missed
        title = (show.core_properties.title or "").strip()
    notes += left_out(pictures, unread)
    first = next((page for page in pages if page), "").split("\n")[0].lstrip("# ")
    generic = title.lower() in {"powerpoint presentation", "powerpoint 演示文稿", "untitled"}
    return LoadedFile(
        ("" if generic else title) or first[:120] or source.stem,
        "\n\f\n".join(pages) if any(pages) else "",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        tuple(notes),
    )


def _slide(slide: Any) -> tuple[str, int, int]:
    """Return a slide's Markdown, its pictures and how many drawings could not be read."""
    head = slide.shapes.title
    heading = " ".join(head.text_frame.text.split()) if head is not None else ""
    parts = [f"# {heading}"] if heading else []
    pictures = unread = 0
    for shape in _shapes(slide.shapes, 0):
        if head is not None and shape._element is head._element:
            continue
        pictures += shape.shape_type is not None and "PICTURE" in str(shape.shape_type)
        drawings, missed = drawing_texts(shape._element, shape.part)
        parts += [*_shape(shape), *drawings]
        unread += missed
    for choice in _choices(slide):
        drawings, missed = drawing_texts(choice, slide.part)
        parts += [drawn_words(choice), *drawings]
        unread += missed
    if slide.has_notes_slide:
        frame = slide.notes_slide.notes_text_frame
        said = " ".join(frame.text.split()) if frame is not None else ""
        if said:
            parts.append(f"Notes: {said}")
    return "\n\n".join(part for part in parts if part), pictures, unread


def _choices(slide: Any) -> Iterator[Any]:
    """Find shapes that older programs do not know, as text with equations; python-pptx neither."""
    for choice in slide._element.iter(_CHOICE):
        if choice.getparent().getparent().tag.endswith(("}spTree", "}grpSp")):
            yield choice


def _shapes(shapes: Any, depth: int) -> Iterator[Any]:
    """Walk the shapes in reading order (from the top, then from the left), groups opened."""
    places = sorted(
        enumerate(shapes),
        key=lambda item: (item[1].top or 0, item[1].left or 0, item[0]),
    )
    for _, shape in places:
        if hasattr(shape, "shapes") and depth < _MAX_DEPTH:
            yield from _shapes(shape.shapes, depth + 1)
        else:
            yield shape


def _shape(shape: Any) -> Iterator[str]:
    if getattr(shape, "has_table", False):
        yield spanning_table([list(_cells(row)) for row in shape.table.rows])
    elif getattr(shape, "has_text_frame", False):
        paragraphs = [p for p in shape.text_frame.paragraphs if p.text.strip()]
        listed = len(paragraphs) > 1
        lines = [
            f"{'  ' * p.level if listed else ''}{'- ' if listed else ''}{' '.join(p.text.split())}"
            for p in paragraphs
        ]
        yield "\n".join(lines)


def _cells(row: Any) -> Iterator[SpanningCell]:
    for cell in row.cells:
        if not cell.is_spanned:
            text = " ".join(cell.text.split())
            yield SpanningCell(text, cell.span_height, cell.span_width)
