from __future__ import annotations

import os
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from domainsmith.data_connection.limited import LimitedLoader
from domainsmith.data_connection.loaders import can_load, image, load_file
from domainsmith.data_connection.loaders.encoding import decode, detect
from domainsmith.data_connection.loaders.source import safe_member_name
from domainsmith.errors import InputEmpty, InputUnreadable

CHINESE = "水泵堵塞时请先断开电源，然后打开滤网盖，清理其中的杂物，再重新启动机器。"
TRADITIONAL = "幫浦堵塞時請先關閉電源，然後打開濾網蓋，清理其中的雜物，再重新啟動機器。"
KOREAN = "펌프가 막히면 먼저 전원을 끄고 필터 덮개를 열어 이물질을 제거한 다음 다시 시작하십시오."
JAPANESE = (
    "ポンプが詰まったときは、まず電源を切り、フィルターのふたを開けて異物を取り除いてください。"
)


def _zip(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16-le"),
        (CHINESE, "utf-16-be"),
        (TRADITIONAL, "big5"),
        (KOREAN, "cp949"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
    ],
)
def test_east_asian_text_is_never_taken_for_another(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_declared_encoding_means_its_superset() -> None:
    assert detect("镕基".encode("gb18030"), declared="gb2312") == "gb18030"


def test_slides_are_pages_with_title_table_chart_and_notes(tmp_path: Path) -> None:
    import pptx
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    show = pptx.Presentation()
    first = show.slides.add_slide(show.slide_layouts[1])
    first.shapes.title.text = "Pump"
    first.placeholders[1].text_frame.text = "Clean the filter."
    first.placeholders[1].text_frame.add_paragraph().text = "Open the tap."
    second = show.slides.add_slide(show.slide_layouts[5])
    second.shapes.title.text = "Codes"
    table = second.shapes.add_table(2, 2, 0, Inches(2), Inches(4), Inches(1)).table
    for row, cells in enumerate((("code", "cause"), ("E18", "pump"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    data = CategoryChartData()
    data.categories = ["2023", "2024"]
    data.add_series("repairs", (4, 7))
    second.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, 0, Inches(4), Inches(4), Inches(2), data
    )
    second.notes_slide.notes_text_frame.text = "Say it slowly."
    hidden = show.slides.add_slide(show.slide_layouts[5])
    hidden.shapes.title.text = "Secret"
    hidden._element.set("show", "0")
    show.save(str(tmp_path / "a.pptx"))

    loaded = load_file(tmp_path / "a.pptx")

    one, two = loaded.text.split("\f")[:2]
    assert one.strip() == "# Pump\n\n- Clean the filter.\n- Open the tap."
    assert "| code | cause |\n| --- | --- |\n| E18 | pump |" in two
    assert "| 2024 | 7 |" in two
    assert "Notes: Say it slowly." in two
    assert "Secret" not in loaded.text
    assert loaded.notes == ("The hidden slide 3 was left out.",)


def test_a_mail_has_its_text_and_its_attachments_as_members(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = "水泵 E18"
    mail["From"] = "a@example.org"
    mail.set_content("See the list.")
    mail.add_attachment(b"code,cause\nE18,pump\n", "text", "csv", filename="../codes.csv")
    mail.add_attachment(b"\x00\x01", "application", "octet-stream", filename="x.bin")
    inner = EmailMessage()
    inner["Subject"] = "Inner"
    inner.set_content("The older mail.")
    mail.add_attachment(inner)
    (tmp_path / "a.eml").write_bytes(mail.as_bytes())

    loaded = load_file(tmp_path / "a.eml")

    assert loaded.title == "水泵 E18"
    assert "See the list." in loaded.text
    texts = {member.name: member.text for member in loaded.members}
    assert sorted(texts) == ["attachment-3.eml", "codes.csv"]
    assert "| E18 | pump |" in texts["codes.csv"]
    assert "The older mail." in texts["attachment-3.eml"]
    assert any("x.bin" in note for note in loaded.notes)


def test_a_book_is_read_in_its_order(tmp_path: Path) -> None:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata>'
        '<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">The Pump</dc:title></metadata>'
        '<manifest><item id="b" href="b.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="a" href="a%20one.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        '</manifest><spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine>'
        "</package>"
    )
    path = _zip(
        tmp_path / "a.epub",
        {
            "META-INF/container.xml": container,
            "OEBPS/book.opf": package,
            "OEBPS/a one.xhtml": "<html><body><h1>One</h1><p>First words.</p></body></html>",
            "OEBPS/b.xhtml": "<html><body><h1>Two</h1><p>后面的话。</p></body></html>",
            "OEBPS/nav.xhtml": "<html><body><p>Contents</p></body></html>",
        },
    )

    loaded = load_file(path)

    assert (loaded.title, loaded.text) == (
        "The Pump",
        "# One\n\nFirst words.\n\n# Two\n\n后面的话。",
    )
    locks = '<encryption><CipherReference URI="OEBPS/b.xhtml"/></encryption>'
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("META-INF/encryption.xml", locks)
    with pytest.raises(InputUnreadable, match="copy-protected"):
        load_file(path)


def test_an_archive_gives_its_members_and_names_what_it_left_out(tmp_path: Path) -> None:
    inner = _zip(tmp_path / "inner.zip", {"deep.md": "# Deep\n\nwords"}).read_bytes()
    path = _zip(
        tmp_path / "a.zip",
        {
            "docs/b.txt": CHINESE.encode("gb18030"),
            "docs/inner.zip": inner,
            "../evil.txt": "outside",
            "tool.exe": b"MZ",
            "broken.pdf": b"%PDF-",
            "__MACOSX/docs/._b.txt": "fork",
        },
    )

    with LimitedLoader() as loader:
        loaded = loader.load(path)

    assert {m.name: m.text for m in loaded.members} == {
        "docs/b.txt": CHINESE,
        "docs/inner.zip/deep.md": "# Deep\n\nwords",
    }
    told = " ".join(loaded.notes)
    assert all(name in told for name in ("evil.txt", "tool.exe", "broken.pdf"))


def test_archives_are_bounded(tmp_path: Path) -> None:
    data = b"word"
    for layer in range(6):
        data = _zip(
            tmp_path / f"{layer}.zip", {"a.txt" if not layer else "a.zip": data}
        ).read_bytes()
    with pytest.raises(InputUnreadable, match="nested more than"):
        load_file(tmp_path / "5.zip")
    bomb = _zip(tmp_path / "bomb.zip", {"a.txt": b"0" * 60_000_000})
    with pytest.raises(InputUnreadable, match="bomb"):
        load_file(bomb)
    many = _zip(tmp_path / "many.zip", {f"{n}.txt": b"x" for n in range(5_001)})
    with pytest.raises(InputUnreadable, match="too many members"):
        load_file(many)
    # Members that pack well, each below the size from which the ratio counts.
    wide = _zip(tmp_path / "wide.zip", {f"{n}.zip": b"" for n in range(2)})
    with pytest.raises(InputUnreadable, match="Nothing in the archive"):
        load_file(wide)


@pytest.mark.parametrize("name", ["/etc/passwd", "../a", "a/../../b", "C:\\a", "", "a\0b", "..\\x"])
def test_names_that_point_outside_are_refused(name: str) -> None:
    assert safe_member_name(name) is None


def test_open_document_and_rich_text_keep_structure(tmp_path: Path) -> None:
    content = (
        '<o:document-content xmlns:o="o" xmlns:t="t" xmlns:b="b"><o:body><o:text>'
        '<t:h t:outline-level="2">Pump</t:h><t:p>Clean <t:span>it</t:span>.</t:p>'
        "<t:list><t:list-item><t:p>one</t:p></t:list-item></t:list>"
        "<b:table><b:table-row><b:table-cell><t:p>code</t:p></b:table-cell>"
        "<b:table-cell><t:p>cause</t:p></b:table-cell></b:table-row>"
        "<b:table-row><b:table-cell><t:p>E18</t:p></b:table-cell>"
        "<b:table-cell><t:p>pump</t:p></b:table-cell></b:table-row></b:table>"
        "</o:text></o:body></o:document-content>"
    )
    odt = load_file(_zip(tmp_path / "a.odt", {"content.xml": content}))
    assert odt.text == (
        "## Pump\n\nClean it.\n\n- one\n\n| code | cause |\n| --- | --- |\n| E18 | pump |"
    )
    rtf = r"{\rtf1\ansi\ansicpg936{\fonttbl{\f0 Arial;}}\f0 Pump \b stops\b0.\par \'cb\'ae\u27893?}"
    (tmp_path / "a.rtf").write_bytes(rtf.encode("ascii"))
    assert load_file(tmp_path / "a.rtf").text == "Pump stops.\n\n水泵"


def test_xml_feeds_and_fields(tmp_path: Path) -> None:
    feed = (
        '<?xml version="1.0" encoding="gb2312"?><rss><channel><title>消息</title>'
        "<item><title>水泵</title><description>&lt;p&gt;清理滤网。&lt;/p&gt;</description></item>"
        "</channel></rss>"
    )
    (tmp_path / "a.xml").write_bytes(feed.encode("gb18030"))
    assert load_file(tmp_path / "a.xml").text == "# 消息\n\n## 水泵\n\n清理滤网。"
    (tmp_path / "b.xml").write_text("<part id='7'><name>pump</name><mass unit='kg'>4</mass></part>")
    text = load_file(tmp_path / "b.xml").text
    assert "name: pump" in text
    assert "mass: 4, unit: kg" in text
    (tmp_path / "c.xml").write_text(
        "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><x>&b;</x>"
    )
    with pytest.raises(InputUnreadable, match="entities"):
        load_file(tmp_path / "c.xml")


def test_underlined_headings_become_marked_ones(tmp_path: Path) -> None:
    (tmp_path / "a.rst").write_text("====\nPump\n====\n\nText.\n\nClean it\n--------\n\nMore.\n")
    assert load_file(tmp_path / "a.rst").text == "# Pump\n\nText.\n\n## Clean it\n\nMore."
    (tmp_path / "a.md").write_text("Pump\n====\n\n- a\n---\n\n```\nx\n===\n```\n")
    assert load_file(tmp_path / "a.md").text == "# Pump\n\n- a\n---\n\n```\nx\n===\n```"


def test_a_page_that_repeats_itself_is_not_all_running_lines(tmp_path: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "a.pdf"))
    for _ in range(4):
        canvas.drawString(100, 400, "The same words on every page")
        canvas.showPage()
    canvas.save()
    assert load_file(tmp_path / "a.pdf").text.count("The same words") == 4


def test_a_long_pdf_falls_back_to_plain_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reportlab.pdfgen.canvas import Canvas

    from domainsmith.data_connection.loaders import pdf

    canvas = Canvas(str(tmp_path / "a.pdf"))
    for number in range(3):
        canvas.drawString(100, 400, f"Words of the page with number {number}")
        canvas.showPage()
    canvas.save()
    monkeypatch.setattr(pdf, "_LAYOUT_SECONDS", -1.0)

    loaded = load_file(tmp_path / "a.pdf")

    assert [page.strip()[-1] for page in loaded.text.split("\f")] == ["0", "1", "2"]
    assert "layout was not analysed" in loaded.notes[0]


def test_pictures_are_read_only_by_an_installed_recogniser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG words")
    monkeypatch.setattr(image.shutil, "which", lambda name: None)
    image.recogniser.cache_clear()
    assert not can_load("a.PNG")
    with pytest.raises(InputUnreadable, match="no text recogniser"):
        load_file(tmp_path / "a.png")

    program = tmp_path / "tesseract"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --list-langs ] && { echo eng; exit 0; }\ncat >/dev/null\n'
        'echo "recognised $4"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(image.shutil, "which", lambda name: str(program))
    image.recogniser.cache_clear()
    try:
        loaded = load_file(tmp_path / "a.png")
    finally:
        image.recogniser.cache_clear()
    assert loaded.text == "recognised eng"
    assert "may be wrong" in loaded.notes[0]


def test_old_formats_say_what_to_do(tmp_path: Path) -> None:
    for name, word in (("a.doc", "docx"), ("a.xls", "xlsx"), ("a.msg", "eml"), ("a.db", "sqlite")):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(InputUnreadable, match=word):
            load_file(tmp_path / name)
    (tmp_path / "a.eml").write_bytes(b"\n\n")
    with pytest.raises(InputEmpty):
        load_file(tmp_path / "a.eml")


def test_a_large_table_is_sampled_evenly_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from domainsmith.data_connection.loaders import delimited

    path = tmp_path / "a.csv"
    path.write_text("id,name\n" + "".join(f"{n},name {n}\n" for n in range(300_000)))
    assert os.path.getsize(path) < delimited._MAX_BYTES
    whole = load_file(path)
    assert "Sampled: 20000 of the table's 300000 rows" in whole.notes[0]
    monkeypatch.setattr(delimited, "_MAX_BYTES", 1_000_000)

    sampled = load_file(path)

    ids = [int(line.split("|")[1]) for line in sampled.text.split("\n")[2:]]
    assert ids == sorted(ids)
    assert min(ids) < 10
    assert max(ids) > 290_000
    assert "Sampled" in sampled.notes[0]
    about = int(sampled.notes[0].split("about ")[1].split()[0])
    assert 270_000 < about < 330_000
