"""Render a Markdown manual of the example domain as a paged PDF with embedded fonts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)
from reportlab.platypus.tableofcontents import TableOfContents

MARGIN = 16 * mm
TEXT_WIDTH = A5[0] - 2 * MARGIN - 12
"""Points between the margins, less the padding of reportlab's frame."""

Styles = dict[str, ParagraphStyle]

__all__ = ["Block", "Layout", "read_blocks", "render_manual"]


@dataclass(frozen=True)
class Layout:
    """Fonts and words that a manual's language needs."""

    font: str
    """Name of a font registered with reportlab."""
    bold: str
    language: str
    author: str
    contents: str
    """Heading of the table of contents."""
    leading: float = 14
    """Distance of text lines in points."""


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph or a table of a Markdown source."""

    level: int
    """1 to 3 for headings, 0 for a paragraph, -1 for a table."""
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def read_blocks(path: Path) -> Iterator[Block]:
    """Read the small Markdown subset of the examples: headings, paragraphs, pipe tables."""
    for piece in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip()):
        heading = re.match(r"(#{1,3}) (.+)", piece)
        if heading:
            yield Block(len(heading[1]), heading[2].strip())
        elif piece.startswith("|"):
            lines = piece.splitlines()
            rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
            yield Block(-1, rows=(rows[0], *rows[2:]))
        else:
            yield Block(0, " ".join(piece.split("\n")))


class Manual(BaseDocTemplate):  # type: ignore[misc]  # reportlab has no types
    """A paged manual whose chapters are collected in a table of contents."""

    def __init__(self, path: Path, title: str, layout: Layout) -> None:
        """Set up A5 pages with a footer that names the manual and the page."""
        super().__init__(
            str(path), pagesize=A5, title=title, author=layout.author, invariant=1,
            leftMargin=MARGIN, rightMargin=MARGIN, topMargin=15 * mm, bottomMargin=18 * mm,
            lang=layout.language,
        )  # fmt: skip
        self.footer, self.font = title, layout.font
        frame = Frame(self.leftMargin, self.bottomMargin, self.width, self.height, id="text")
        self.addPageTemplates(PageTemplate("page", [frame], onPage=self.draw_footer))

    def draw_footer(self, canvas: Any, document: Any) -> None:
        """Write title and page number below the text."""
        canvas.setFont(self.font, 7.5)
        canvas.setFillColor(colors.HexColor("#555555"))
        canvas.drawString(MARGIN, 10 * mm, self.footer)
        canvas.drawRightString(A5[0] - MARGIN, 10 * mm, str(document.page))

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab's name
        """Report each chapter heading to the table of contents and the outline."""
        if isinstance(flowable, Paragraph) and flowable.style.name == "chapter":
            text = flowable.getPlainText()
            key = f"chapter-{text.split()[0]}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(text, key, 0)
            self.notify("TOCEntry", (0, text, self.page, key))


def page_styles(layout: Layout) -> Styles:
    """Make the paragraph styles."""
    body = ParagraphStyle(
        "body", fontName=layout.font, fontSize=9.5, leading=layout.leading, spaceAfter=6
    )
    sizes = {"title": (19, 27), "chapter": (15, 21), "section": (11.5, 16), "cell": (8.5, 11.5)}
    styles = {"body": body}
    for name, (size, leading) in sizes.items():
        face = layout.font if name == "cell" else layout.bold
        styles[name] = ParagraphStyle(
            name, parent=body, fontName=face, fontSize=size, leading=leading,
            spaceBefore=0 if name == "cell" else 6, spaceAfter=0 if name == "cell" else 5,
        )  # fmt: skip
    styles["head"] = ParagraphStyle("head", parent=styles["cell"], fontName=layout.bold)
    return styles


def markup(text: str, style: ParagraphStyle, width: float) -> str:
    """Escape text for reportlab; set the line ends of Chinese text.

    A Chinese line may end after any character, but no line starts with a closing mark or
    ends with an opening one, and numbers and Latin words stay whole.

    Args:
        text: One paragraph.
        style: Its font and size.
        width: Line width in points.
    """
    if not re.search(r"[\u4e00-\u9fff]", text):
        return escape(text)
    lines = [""]
    for piece in re.findall(r"[“（]*(?:[\w.@:+-]+|.)[，。、；：！？”）]*", text, re.ASCII):
        if pdfmetrics.stringWidth(lines[-1] + piece, style.fontName, style.fontSize) > width:
            lines.append("")
        lines[-1] += piece
    return "<br/>".join(escape(line.strip()) for line in lines)


def pdf_table(block: Block, styles: Styles, width: float) -> Table:
    """Lay out a table over the full text width, columns sized by their longest cell."""
    face, size, padding = styles["head"].fontName, styles["head"].fontSize, 14
    longest = [
        max(pdfmetrics.stringWidth(cell, face, size) for cell in column) + padding
        for column in zip(*block.rows, strict=True)
    ]
    widths = [width * part / sum(longest) for part in longest]
    cells = [
        [Paragraph(escape(cell), styles["cell" if number else "head"]) for cell in row]
        for number, row in enumerate(block.rows)
    ]
    grey = colors.HexColor("#9aa5b1")
    rules = [
        ("GRID", (0, 0), (-1, -1), 0.4, grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e4eaf0")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    return Table(cells, colWidths=widths, repeatRows=1, style=TableStyle(rules))


def cover(title: str, words: Sequence[Block], layout: Layout, styles: Styles) -> list[Flowable]:
    """Make the first page: title, the words below it and the table of contents."""
    story: list[Flowable] = [Spacer(1, 20 * mm), Paragraph(escape(title), styles["title"])]
    for block in words:
        story.append(Paragraph(markup(block.text, styles["body"], TEXT_WIDTH), styles["body"]))
    story += [Spacer(1, 8 * mm), Paragraph(layout.contents, styles["section"])]
    story.append(TableOfContents(levelStyles=[styles["body"]], dotsMinLevel=0))
    return story


def render_manual(blocks: Sequence[Block], target: Path, layout: Layout) -> None:
    """Write a manual: a cover, then each chapter on a new page with its sections whole.

    Args:
        blocks: Title first, then an introduction, then chapters (level 2).
        target: PDF file to write.
        layout: Fonts and words; the fonts are registered already.
    """
    styles = page_styles(layout)
    first = next(number for number, block in enumerate(blocks) if block.level == 2)
    story = cover(blocks[0].text, blocks[1:first], layout, styles)
    section: list[Flowable] = []
    for block in blocks[first:]:
        if block.level > 0 and section:
            story.append(KeepTogether(section))
            section = []
        if block.level == 2:
            story += [PageBreak(), Paragraph(escape(block.text), styles["chapter"])]
        elif block.level == 3:
            section.append(Paragraph(escape(block.text), styles["section"]))
        elif block.level == 0:
            words = markup(block.text, styles["body"], TEXT_WIDTH)
            section.append(Paragraph(words, styles["body"]))
        else:
            section += [pdf_table(block, styles, TEXT_WIDTH), Spacer(1, 4 * mm)]
    story.append(KeepTogether(section))
    Manual(target, blocks[0].text, layout).multiBuild(story)
