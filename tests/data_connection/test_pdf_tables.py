"""Tables of PDF files: drawn with lines or only set in columns, with cells that wrap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pypdf
import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from domainsmith.data_connection.loaders import load_file, pdf_tables
from domainsmith.data_connection.loaders.loaded import clean_text

STYLE = getSampleStyleSheet()["BodyText"]
PROSE = (
    "This section lists what the plan pays. All amounts are per person and journey unless the "
    "table says otherwise, and they are reduced by the excess."
)
ROWS = [
    ["Benefit", "Standard cover", "Premium cover", "Conditions"],
    [
        "Emergency medical treatment abroad",
        "up to 2,000,000",
        "up to 10,000,000",
        "Call the assistance line before any treatment in a hospital; bills under 500 can be "
        "paid by you and claimed later.",
    ],
    ["Baggage", "1,000 (single item 200)", "2,500 (single item 400)", "Carried on the person."],
    ["Dental treatment in an emergency", "250", "500", "Only for the relief of pain"],
    ["Delay of more than twelve hours", "", "50 for each full twelve hours", ""],
]
GRID = ("GRID", (0, 0), (-1, -1), 0.5, colors.black)


def table(rows: list[list[str]], widths: list[float], *style: Any) -> Table:
    made = Table([[Paragraph(cell, STYLE) for cell in row] for row in rows], colWidths=widths)
    made.setStyle(TableStyle([*style]))
    return made


def written(path: Path, *parts: Flowable) -> str:
    SimpleDocTemplate(str(path), pagesize=A4).build(list(parts))
    return load_file(path).text


def markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


@pytest.mark.parametrize("ruled", [True, False])
@pytest.mark.parametrize("side", ["TOP", "MIDDLE", "BOTTOM"])
def test_cells_that_wrap_stay_cells(tmp_path: Path, side: str, ruled: bool) -> None:
    style = [("VALIGN", (0, 0), (-1, -1), side), *([GRID] if ruled else [])]
    text = written(
        tmp_path / "a.pdf",
        Paragraph(PROSE, STYLE),
        table(ROWS, [110, 90, 90, 170], *style),
        Paragraph("Claims must be made within 31 days.", STYLE),
    )
    assert text == f"{PROSE}\n\n{markdown(ROWS)}\n\nClaims must be made within 31 days."


def test_spans_heads_and_titles(tmp_path: Path) -> None:
    rows = [
        ["Cover", "Limit", "", "Excess"],
        ["", "Basic", "Gold", ""],
        ["Baggage", "100", "200", "10"],
        ["", "150 with receipt", "300 with receipt", "20"],
        ["Winter sports (optional)", "", "", ""],
        ["Skis", "400", "800", "50"],
        ["Lift pass", "60", "90", "0"],
    ]
    spans = [
        ("SPAN", (0, 0), (0, 1)),
        ("SPAN", (1, 0), (2, 0)),
        ("SPAN", (3, 0), (3, 1)),
        ("SPAN", (0, 2), (0, 3)),
        ("SPAN", (0, 4), (-1, 4)),
    ]
    text = written(tmp_path / "a.pdf", table(rows, [100.0] * 4, GRID, *spans))
    heads = ["Cover", "Limit Basic", "Limit Gold", "Excess"]
    first = [heads, ["Baggage", *rows[2][1:]], ["Baggage", *rows[3][1:]]]
    second = [heads, *rows[5:]]
    assert text == f"{markdown(first)}\n\nWinter sports (optional)\n\n{markdown(second)}"


def test_a_table_that_goes_on_has_its_heads_on_every_page(tmp_path: Path) -> None:
    rows = [["Code", "Price", "Part"]]
    rows += [[f"P-{n}", f"{n * 3}.50", f"Spare part number {n}, for all models"] for n in range(80)]
    text = written(tmp_path / "a.pdf", table(rows, [60, 60, 200], GRID))
    pages = text.split("\f")
    assert len(pages) > 2
    assert all(page.strip().startswith("| Code | Price | Part |\n| --- |") for page in pages)
    assert all(f"| P-{n} | {n * 3}.50 | Spare part number {n}, for" in text for n in range(80))


@pytest.mark.parametrize("side", ["RIGHT", "CENTER"])
def test_columns_that_are_not_set_to_the_left(tmp_path: Path, side: str) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    rows = [
        ["Item", "Hours", "Cost"],
        ["Parts", "", "99,999"],
        ["Paint", "1.5", "5"],
        ["x", "", "1"],
    ]
    draw = {"RIGHT": canvas.drawRightString, "CENTER": canvas.drawCentredString}[side]
    for number, row in enumerate(rows):
        canvas.drawString(72, 700 - 16 * number, row[0])
        for x, cell in zip((250, 400), row[1:], strict=True):
            draw(x, 700 - 16 * number, cell)
    canvas.save()
    assert load_file(tmp_path / "a.pdf").text == markdown(rows)


def test_a_box_and_columns_of_prose_are_no_tables(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.rect(60, 690, 400, 40)
    canvas.drawString(72, 705, "Important: you must call us before you are admitted.")
    words = ["we", "insure", "your", "home", "against", "fire", "and", "theft", "and", "storm"]
    for x in (72, 320):
        for number in range(14):
            canvas.drawString(x, 640 - 14 * number, " ".join(words[number % 5 : number % 5 + 6]))
    canvas.save()
    text = load_file(tmp_path / "a.pdf").text
    assert "|" not in text
    assert text.startswith("Important: you must call us before you are admitted.\n\n")


@pytest.mark.parametrize("origin", [(300, -200), (0, 100), (-306, -396)])
def test_a_page_whose_origin_is_elsewhere(tmp_path: Path, origin: tuple[int, int]) -> None:
    x, y = origin
    rows = [["Cover", "Limits", ""], ["", "Basic", "Gold"], ["Baggage", "100", "200"]]
    spans = [("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (2, 0)), GRID]
    written(tmp_path / "a.pdf", table(rows, [110, 90, 90], *spans), Paragraph(PROSE, STYLE))
    writer = pypdf.PdfWriter(clone_from=tmp_path / "a.pdf")
    page = writer.pages[0]
    page.add_transformation(pypdf.Transformation().translate(x, y))
    page.mediabox = pypdf.generic.RectangleObject((x, y, x + A4[0], y + A4[1]))
    page.cropbox = page.mediabox
    writer.write(tmp_path / "b.pdf")
    told = [["Cover", "Limits Basic", "Limits Gold"], ["Baggage", "100", "200"]]
    assert load_file(tmp_path / "b.pdf").text == f"{markdown(told)}\n\n{PROSE}"


def test_what_was_not_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    for _ in range(3):
        canvas.grid([60, 200, 400], [600, 650, 700, 750])
        for number, y in enumerate((715, 665, 615)):
            canvas.drawString(72, y, f"Cell {number}")
            canvas.drawString(210, y, f"{number} euros for each day")
        canvas.showPage()
    canvas.save()
    monkeypatch.setattr(pdf_tables, "_SECONDS", -1.0)
    loaded = load_file(tmp_path / "a.pdf")
    assert loaded.notes == ("From page 1 on drawn tables were not looked for.",)
    assert loaded.text.count("1 euros for each day") == 3
    monkeypatch.setattr(pdf_tables, "_SECONDS", 15.0)
    monkeypatch.setattr(pdf_tables, "cut_table", lambda *_: 1 / 0)
    loaded = load_file(tmp_path / "a.pdf")
    assert loaded.notes[0] == "Page 1 was not searched for tables (ZeroDivisionError)."
    assert loaded.text.count("1 euros for each day") == 3


def test_radicals_and_ligatures_become_usual_letters() -> None:
    assert clean_text("被保险⼈⾝故，⻓期⻔诊，⻋辆") == "被保险人身故，长期门诊，车辆"
    assert clean_text("the ofﬁce ﬂoor, aﬀected") == "the office floor, affected"


@pytest.mark.parametrize(
    "title", ["Microsoft Word - draft 3.docx", "policy_final.html", "untitled"]
)
def test_a_file_name_is_no_title(tmp_path: Path, title: str) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.setTitle(title)
    canvas.setFont("Helvetica-Bold", 18)
    canvas.drawString(72, 760, "Household policy")
    canvas.setFont("Helvetica", 10)
    canvas.drawString(72, 720, PROSE[:90])
    canvas.save()
    assert load_file(tmp_path / "a.pdf").title == "Household policy"


def test_graph_paper_costs_nothing(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.grid([50 + 2 * n for n in range(200)], [50 + 2 * n for n in range(300)])
    canvas.drawString(72, 800, "A diagram of how the pressure falls.")
    canvas.save()
    assert load_file(tmp_path / "a.pdf").text == "A diagram of how the pressure falls."
