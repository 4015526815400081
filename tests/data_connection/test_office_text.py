"""What Office files show and their plain runs and numbers do not hold."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from docx import Document
from openpyxl import Workbook

from domainsmith.data_connection.loaders import load_file
from domainsmith.data_connection.loaders.number_format import shown_number

WORD = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
CONTENTS = '<w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj>'


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*runs: str) -> str:
    return f"<w:p>{''.join(runs)}</w:p>"


def row(*cells: str) -> str:
    return f"<w:tr>{''.join(f'<w:tc>{paragraph(cell)}</w:tc>' for cell in cells)}</w:tr>"


def control(inside: str, properties: str = "") -> str:
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{inside}</w:sdtContent></w:sdt>"


def box(text: str) -> str:
    inside = f"<w:txbxContent><w:p>{run(text)}</w:p></w:txbxContent>"
    return (
        f"<w:r><mc:AlternateContent><mc:Choice>{inside}</mc:Choice><mc:Fallback><w:pict>"
        f"<v:textbox>{inside}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )


def word(body: str, notes: str = "") -> bytes:
    made, plain = io.BytesIO(), io.BytesIO()
    Document().save(plain)
    name = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    part = f'<Override PartName="/word/n.xml" ContentType="{name}"/>'
    link = f'<Relationship Id="rId99" Type="{kind}" Target="n.xml"/>'
    replaced = {
        "word/document.xml": (f"<w:document {WORD}><w:body>{body}</w:body></w:document>", ""),
        "[Content_Types].xml": (part, "Types"),
        "word/_rels/document.xml.rels": (link, "Relationships"),
    }
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.namelist():
            text, end = replaced.get(member, ("", ""))
            whole = old.read(member).decode("utf-8", "ignore") if text else ""
            changed = whole.replace(f"</{end}>", f"{text}</{end}>") if end else text
            new.writestr(member, changed or old.read(member))
        new.writestr("word/n.xml", f"<w:footnotes {WORD}>{notes}</w:footnotes>")
    return made.getvalue()


def test_word_text_beside_the_plain_runs_is_read(tmp_path: Path) -> None:
    deleted = '<w:del w:id="2"><w:r><w:delText>400</w:delText></w:r></w:del>'
    asked = control(run("Click."), "<w:showingPlcHdr/>")
    inserted = f"<w:ins w:id='1'>{run('500')}</w:ins>"
    note = "<w:r><w:footnoteReference w:id='2'/></w:r>"
    field = f"<w:fldSimple w:instr='DATE'>{run(' in May')}</w:fldSimple>"
    body = [
        control(paragraph(run("1 Cover .... 3")), CONTENTS),
        control(paragraph(run("Inside a control."))),
        paragraph(run("Name: "), control(run("Ada")), asked),
        paragraph(run("We pay "), inserted, deleted, run(" euros"), note),
        paragraph(box("In a box."), f"<w:smartTag>{run('Beside it')}</w:smartTag>", field),
        f"<w:tbl>{control(row(run('A'), box('B')))}{row(run('1'), run('2'))}</w:tbl>",
    ]
    notes = f"<w:footnote w:id='2'><w:p>{run('Not in Wales.')}</w:p></w:footnote>"
    (tmp_path / "a.docx").write_bytes(word("".join(body), notes))
    assert load_file(tmp_path / "a.docx").text.split("\n\n") == [
        "Inside a control.",
        "Name: Ada",
        "We pay 500 euros (Not in Wales.)",
        "Beside it in May",
        "In a box.",
        "| A | B |\n| --- | --- |\n| 1 | 2 |",
    ]


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0.15, "0%", "15%"),
        (0.0575, "0.0%", "5.75%"),
        (1234.5, '#,##0.00 "€"', "1234.50 €"),
        (99, "[$£-809]#,##0.00", "£99.00"),
        (12, '0 "kg"', "12 kg"),
        (5.25, '_-* #,##0.00\\ "€"_-;-* #,##0', "5.25 €"),
        (1 / 3, '0.00" m"', f"{1 / 3} m"),
        (1234, '0.0,"k"', 1234),
        (7, "[Red]0;0", 7),
        (2.5, "0.00", 2.5),
        (3, "General", 3),
        (3, None, 3),
        (-5, '0 "kg"', "-5 kg"),
        (-5.5, '#,##0.00 "€";-#,##0.00 "€"', "-5.50 €"),
        (-3, '"profit "0;"loss "0', "loss 3"),
        (0, '"x"0;"y"0;"none"', 0),
        (7, '"INV-"0000', "INV-0007"),
        (5, '"￥"#,##0.00', "￥5.00"),
        (5, '0"℃"', "5℃"),
        (5, '0"㎡"', "5㎡"),
        (5, 'General"kg"', "5kg"),
        (123456, '0!.0000"万"', 123456),
        (123456, '0\\.0000"万"', 123456),
        (202405, '0000"年"00"月"', 202405),
        (1234567, '#,##0,.0"K"', 1234567),
        (5, '[>=10]0"dozen";0"pcs"', 5),
        (10**400, '0.00"kg"', 10**400),
        (float("inf"), '0.00"kg"', "infkg"),
        (5, "[$" * 100, 5),
    ],
)
def test_numbers_as_their_cells_show_them(value: float, form: str, shown: object) -> None:
    assert shown_number(value, form) == shown


def test_a_sheet_shows_rates_and_prices(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Item", "Rate", "Price", "Count"])
    sheet.append(["A", 0.15, 9.5, 3.0])
    sheet["B2"].number_format, sheet["C2"].number_format = "0%", '0.00 "€"'
    book.save(tmp_path / "a.xlsx")
    assert load_file(tmp_path / "a.xlsx").text.endswith("| A | 15% | 9.50 € | 3 |")


def test_lines_above_a_table_are_no_heads(tmp_path: Path) -> None:
    rows = 'Report of May, all branches;;\n\nName;Price;Note\n"A; long";3,50;ok\nB;4,00;\n'
    (tmp_path / "a.csv").write_text(rows, encoding="utf-8")
    assert load_file(tmp_path / "a.csv").text == (
        "Report of May, all branches\n\n| Name | Price | Note |\n| --- | --- | --- |\n"
        "| A; long | 3,50 | ok |\n| B | 4,00 |  |"
    )
    (tmp_path / "c.csv").write_text("Region,\nNorth,5\nSouth,6\n", encoding="utf-8")
    assert load_file(tmp_path / "c.csv").text.startswith("| Region |  |")
    (tmp_path / "b.csv").write_text("name\nA\nB\n", encoding="utf-8")
    assert load_file(tmp_path / "b.csv").text == "| name |\n| --- |\n| A |\n| B |"


def test_odd_word_files_lose_nothing_else(tmp_path: Path) -> None:
    cell = "<w:tc><w:tcPr><w:gridSpan w:val='²'/></w:tcPr><w:p><w:r><w:t>A</w:t></w:r></w:p></w:tc>"
    merged = "<w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p><w:r><w:t>B</w:t></w:r></w:p></w:tc>"
    before = "<w:trPr><w:gridBefore w:val='{}'/></w:trPr>"
    body = (
        f"<w:tbl><w:tr>{before.format(1)}{cell}</w:tr><w:tr>{before.format(0)}{merged}{cell}</w:tr>"
        "</w:tbl>"
    )
    (tmp_path / "a.docx").write_bytes(word(body, "<broken"))
    assert load_file(tmp_path / "a.docx").text == "|  | A |\n| --- | --- |\n| B | A |"
