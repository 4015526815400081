from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import docx
import openpyxl
import pypdf
import pytest

from domainsmith.data_connection.loaders import SUFFIXES, load_file
from domainsmith.errors import DomainSmithError, InputEmpty, InputUnreadable

CHINESE = "洗衣机的排水泵堵塞时，请先关闭电源，然后打开滤网盖清理异物，再重新启动程序。\n" * 3


def _write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", CHINESE),
        ("utf-8-sig", CHINESE),
        ("utf-16", CHINESE),
        ("utf-32", CHINESE),
        ("gb18030", CHINESE),
        ("big5", "洗衣機的排水泵堵塞時，請先關閉電源，然後打開濾網蓋清理異物。" * 4),
        ("cp932", "洗濯機の排水ポンプが詰まったら、電源を切ってから掃除してください。" * 4),
        ("cp949", "세탁기의 배수 펌프가 막히면 전원을 끄고 필터를 청소하십시오." * 4),
        ("utf-16-le", "Plain words without a byte-order mark."),
        ("utf-16-be", "Plain words without a byte-order mark."),
    ],
)
def test_encodings_are_told_apart(tmp_path: Path, encoding: str, text: str) -> None:
    loaded = load_file(_write(tmp_path, "a.txt", text.encode(encoding)))

    assert loaded.text == text.strip()


def test_binary_data_is_not_text(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="binary"):
        load_file(_write(tmp_path, "a.txt", bytes(range(32)) * 50))


def test_control_and_bidi_characters_are_dropped(tmp_path: Path) -> None:
    loaded = load_file(_write(tmp_path, "a.txt", "safe\x1b[31m \u202etext\u2028next"))

    assert loaded.text == "safe[31m text\nnext"


def test_csv_becomes_a_table(tmp_path: Path) -> None:
    loaded = load_file(_write(tmp_path, "codes.csv", 'code;cause\nE1;"a | b"\nE2;c\n'))

    assert loaded.text == "| code | cause |\n| --- | --- |\n| E1 | a \\| b |\n| E2 | c |"


def test_html_keeps_structure_and_drops_what_is_hidden(tmp_path: Path) -> None:
    page = (
        "<html><head><title>Terms</title></head><body><nav>menu</nav><h2>Period</h2>"
        "<p>30 <b>months</b>.</p><p style='display:none'>secret</p><script>x</script>"
        "<ul><li>one</li><li>two</li></ul><table><tr><th>a</th></tr><tr><td>1</td></tr></table>"
    )
    loaded = load_file(_write(tmp_path, "t.html", page))

    assert loaded.title == "Terms"
    assert loaded.text == "## Period\n\n30 months.\n\n- one\n- two\n\n| a |\n| --- |\n| 1 |"


def test_docx_keeps_order_of_headings_lists_and_tables(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("Care", level=1)
    document.add_paragraph("Clean it.")
    document.add_paragraph("first", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table.rows[0].cells + table.rows[1].cells, "abcd", strict=True):
        cell.text = text
    document.add_paragraph("End.")
    document.save(str(tmp_path / "d.docx"))

    loaded = load_file(tmp_path / "d.docx")

    assert loaded.text == (
        "# Care\n\nClean it.\n\n- first\n\n| a | b |\n| --- | --- |\n| c | d |\n\nEnd."
    )


def test_docx_numbered_lists_keep_their_numbers(tmp_path: Path) -> None:
    document = docx.Document()
    for lead in ("Steps:", "Then:"):
        document.add_paragraph(lead)
        document.add_paragraph("open", style="List Number")
        document.add_paragraph("close", style="List Number")
    document.add_paragraph("a point", style="List Bullet")
    document.save(str(tmp_path / "d.docx"))

    assert load_file(tmp_path / "d.docx").text == (
        "Steps:\n\n1. open\n2. close\n\nThen:\n\n1. open\n2. close\n- a point"
    )


def test_html_ordered_lists_keep_their_numbers(tmp_path: Path) -> None:
    page = "<p>Steps:</p><ol start=3><li>open</li><li>close</li></ol><ul><li>point</li></ul>"
    path = _write(tmp_path, "p.html", page.encode())

    assert load_file(path).text == "Steps:\n\n3. open\n4. close\n\n- point"


def test_xlsx_sheets_become_tables_and_hidden_ones_are_noted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Prices"
    book.active.append(["part", "price"])
    book.active.append(["screen", 4.0])
    book.create_sheet("Secret").sheet_state = "hidden"
    book.save(tmp_path / "p.xlsx")

    loaded = load_file(tmp_path / "p.xlsx")

    assert loaded.text == "## Prices\n\n| part | price |\n| --- | --- |\n| screen | 4 |"
    assert "Secret" in loaded.notes[0]


def test_jsonl_is_split_at_line_feeds_only_and_counts_broken_lines(tmp_path: Path) -> None:
    loaded = load_file(_write(tmp_path, "a.jsonl", '{"a": "x\u2028y"}\nbroken\n{"a": "z"}\n'))

    assert loaded.text.endswith("| x y |\n| z |")
    assert loaded.notes == ("Left out: 1 line that cannot be read as JSON.",)


def test_pdf_headings_tables_pages_and_running_lines(tmp_path: Path) -> None:
    _make_pdf(tmp_path / "m.pdf")

    loaded = load_file(tmp_path / "m.pdf")

    pages = loaded.text.split("\f")
    assert len(pages) == 3
    assert "# 1 Safety" in pages[0]
    assert "| E21 | Pump blocked |" in pages[0]
    assert "Never open the door while the drum turns, because it is heavy." in pages[0]
    assert "Manual page" not in loaded.text


def test_zip_bomb_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * (64 * 1024 * 1024))

    with pytest.raises(InputUnreadable, match="bomb"):
        load_file(_write(tmp_path, "b.docx", buffer.getvalue()))


def test_encrypted_pdf_is_refused(tmp_path: Path) -> None:
    _make_pdf(tmp_path / "m.pdf")
    writer = pypdf.PdfWriter(clone_from=tmp_path / "m.pdf")
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "e.pdf")

    with pytest.raises(InputUnreadable, match="encrypted"):
        load_file(tmp_path / "e.pdf")


def test_a_pdf_that_only_its_owner_locked_is_read(tmp_path: Path) -> None:
    _make_pdf(tmp_path / "m.pdf")
    writer = pypdf.PdfWriter(clone_from=tmp_path / "m.pdf")
    writer.encrypt("", owner_password="secret", algorithm="AES-256")
    writer.write(tmp_path / "e.pdf")

    assert load_file(tmp_path / "e.pdf").text == load_file(tmp_path / "m.pdf").text


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_empty_and_broken_files_give_a_typed_error(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputEmpty):
        load_file(_write(tmp_path, f"empty{suffix}", b""))
    with pytest.raises(DomainSmithError):
        load_file(_write(tmp_path, f"broken{suffix}", os.urandom(64) + b"\x00\x01" * 50))


def _make_pdf(path: Path) -> None:
    canvas_module = pytest.importorskip("reportlab.pdfgen.canvas")
    canvas = canvas_module.Canvas(str(path), invariant=1)
    for page in range(1, 4):
        canvas.setFont("Helvetica", 8)
        canvas.drawString(72, 800, f"Manual page {page}")
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(72, 760, f"{page} Safety")
        canvas.setFont("Helvetica", 10)
        if page == 1:
            canvas.drawString(72, 735, "Never open the door while the drum turns, because")
            canvas.drawString(72, 723, "it is heavy.")
        table = [("Code", "Meaning"), ("E21", "Pump blocked")] if page == 1 else []
        for row, cells in enumerate(table):
            for column, text in enumerate(cells):
                canvas.drawString(72 + 150 * column, 690 - 20 * row, text)
        canvas.showPage()
    canvas.save()
