"""Cells that span rows and columns, in every format that has them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from domainsmith.data_connection.loaders import load_file
from domainsmith.data_connection.loaders.table_grid import SpanningCell, spanning_table

Span = tuple[str, int, int]
ROWS: list[list[Span]] = [
    [("Cover", 2, 1), ("Limit", 1, 2), ("Excess", 2, 1)],
    [("Basic", 1, 1), ("Gold", 1, 1)],
    [("Baggage", 2, 1), ("100", 1, 1), ("200", 1, 1), ("10", 1, 1)],
    [("150 with receipt", 1, 1), ("300", 1, 1), ("20", 1, 1)],
    [("Winter sports", 1, 4)],
    [("Skis", 1, 1), ("400", 1, 1), ("800", 1, 1), ("50", 1, 1)],
]
WRITTEN = """\
| Cover | Limit Basic | Limit Gold | Excess |
| --- | --- | --- | --- |
| Baggage | 100 | 200 | 10 |
| Baggage | 150 with receipt | 300 | 20 |

Winter sports

| Cover | Limit Basic | Limit Gold | Excess |
| --- | --- | --- | --- |
| Skis | 400 | 800 | 50 |"""


def places() -> list[tuple[int, int, Span]]:
    """Say at which row and column each cell begins."""
    columns = [[0, 1, 3], [1, 2], [0, 1, 2, 3], [1, 2, 3], [0], [0, 1, 2, 3]]
    return [
        (row, column, cell)
        for row, (cells, begins) in enumerate(zip(ROWS, columns, strict=True))
        for column, cell in zip(begins, cells, strict=True)
    ]


def html() -> bytes:
    cells = [
        "".join(
            f'<td rowspan="{down}" colspan="{across}">{text}</td>' for text, down, across in row
        )
        for row in ROWS
    ]
    return ("<html><body><table><tr>" + "</tr><tr>".join(cells) + "</tr></table>").encode()


def docx() -> bytes:
    from docx import Document

    document = Document()
    table = document.add_table(rows=6, cols=4)
    for row, column, (text, down, across) in places():
        last = table.cell(row + down - 1, column + across - 1)
        table.cell(row, column).merge(last).text = text
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def xlsx() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row, column, (text, down, across) in places():
        value = float(text) if text.isdigit() else text
        sheet.cell(row + 3, column + 2, value)
        if down * across > 1:
            sheet.merge_cells(None, row + 3, column + 2, row + 2 + down, column + 1 + across)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def pptx() -> bytes:
    from pptx import Presentation
    from pptx.util import Cm

    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[6])
    table = slide.shapes.add_table(6, 4, Cm(1), Cm(1), Cm(20), Cm(10)).table
    for row, column, (text, down, across) in places():
        first = table.cell(row, column)
        first.text = text
        if down * across > 1:
            first.merge(table.cell(row + down - 1, column + across - 1))
    file = io.BytesIO()
    show.save(file)
    return file.getvalue()


def odt() -> bytes:
    covered = [[""] * 4 for _ in range(6)]
    for row, column, (text, down, across) in places():
        for r in range(row, row + down):
            for c in range(column, column + across):
                covered[r][c] = "<table:covered-table-cell/>"
        covered[row][column] = (
            f'<table:table-cell table:number-rows-spanned="{down}" '
            f'table:number-columns-spanned="{across}"><text:p>{text}</text:p></table:table-cell>'
        )
    rows = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in covered)
    name = "urn:oasis:names:tc:opendocument:xmlns:"
    content = (
        f'<office:document-content xmlns:office="{name}office:1.0" xmlns:table="{name}table:1.0" '
        f'xmlns:text="{name}text:1.0"><office:body><office:text><table:table>{rows}</table:table>'
        "</office:text></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", content)
    return file.getvalue()


@pytest.mark.parametrize("make", [html, docx, xlsx, pptx, odt])
def test_cells_that_span_keep_their_columns(tmp_path: Path, make: Callable[[], bytes]) -> None:
    path = tmp_path / f"a.{make.__name__}"
    path.write_bytes(make())
    assert load_file(path).text.endswith(WRITTEN)


def test_a_form_is_not_taken_for_a_table_with_heads() -> None:
    def row(*texts: str) -> list[SpanningCell]:
        return [SpanningCell(text) for text in texts]

    title = SpanningCell("Pilot", columns=4), SpanningCell("Flight", columns=4)
    text = spanning_table(
        [[title[0]], row("Age:", "48", "Seat:", "left"), [title[1]], row("From:", "A", "To:", "B")]
    )
    assert text.count("Age:") == 1
    zh = [
        [SpanningCell("项目名称"), SpanningCell("智慧园区建设", columns=3)],
        row("负责人", "王伟", "电话", "13800000000"),
        row("预算", "50万", "工期", "6个月"),
    ]
    assert "| 负责人 | 王伟 | 电话 | 13800000000 |" in spanning_table(zh)
    parts = [
        row("姓名", "李明", "性别", "男"),
        [SpanningCell("教育经历", rows=2, columns=4)],
        [],
        row("时间", "学校", "专业", "学位"),
        row("2010", "北大", "法学", "学士"),
    ]
    text = spanning_table(parts)
    assert text.count("姓名") == text.count("教育经历") == 1


def test_long_cells_stand_once() -> None:
    long = SpanningCell("word " * 100, rows=3)
    rows = [[long, SpanningCell("a")], [SpanningCell("b")], [SpanningCell("c")]]
    assert spanning_table(rows).count("word") == 100


def test_spans_that_reach_too_far_cost_nothing() -> None:
    far = [SpanningCell("a", 10**7, 10**7), SpanningCell("b", 10**7, 1)]
    assert spanning_table([far, *[[SpanningCell(str(n))] for n in range(3)]]) == (
        "| a | b |  |\n| --- | --- | --- |\n| a | b | 0 |\n| a | b | 1 |\n| a | b | 2 |"
    )
