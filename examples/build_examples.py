"""Rebuild the PDF, DOCX and XLSX files of the example domain from their text sources.

Run ``python examples/build_examples.py``. Needs reportlab, python-docx, openpyxl and
matplotlib (for its DejaVu font); the Chinese PDF needs a TrueType font with Chinese
outlines (``apt-get install fonts-wqy-zenhei``), given by ``--chinese-font`` if it lies
elsewhere. Equal sources, libraries and fonts give equal bytes.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import docx
import matplotlib
import openpyxl
from docx.oxml.ns import qn
from manual_pdf import Layout, read_blocks, render_manual
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

HERE = Path(__file__).resolve().parent
WRITTEN = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
CHINESE_FONT = Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc")


@dataclass(frozen=True)
class Edition:
    """One language's document folder and the words that the builder adds."""

    folder: str
    language: str
    author: str
    contents: str
    sheets: tuple[str, str]
    chinese: bool = False


EDITIONS = (
    Edition("washer", "en", "Oskavel Home Works", "Contents", ("Spare parts", "Services")),
    Edition("washer-zh", "zh-CN", "奥斯卡维家电", "目录", ("备件", "服务"), chinese=True),
)


def build_pdf(edition: Edition, chinese_font: Path) -> Path:
    """Render ``service-manual.md`` to ``service-manual.pdf`` with embedded font subsets."""
    if edition.chinese:
        regular = bold = TTFont("manual-zh", str(chinese_font), subfontIndex=0)
    else:
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        regular = TTFont("manual-en", str(fonts / "DejaVuSans.ttf"))
        bold = TTFont("manual-en-bold", str(fonts / "DejaVuSans-Bold.ttf"))
    for font in (regular, bold):
        pdfmetrics.registerFont(font)
    layout = Layout(
        font=regular.fontName, bold=bold.fontName, language=edition.language,
        author=edition.author, contents=edition.contents, leading=15 if edition.chinese else 14,
    )  # fmt: skip
    folder = HERE / edition.folder
    target = folder / "service-manual.pdf"
    render_manual(list(read_blocks(folder / "service-manual.md")), target, layout)
    return target


def fix_archive(data: bytes) -> bytes:
    """Rewrite an Office file with fixed entry dates and a fixed modification time."""
    stamp = WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
    ):
        for name in source.namelist():
            body = source.read(name)
            if name == "docProps/core.xml":
                pattern = rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*"
                body = re.sub(pattern, rb"\g<1>" + stamp, body)
            info = zipfile.ZipInfo(name, date_time=WRITTEN.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, body)
    return result.getvalue()


def build_docx(edition: Edition) -> Path:
    """Write ``faq.docx`` from ``sources/<folder>/faq.md``."""
    document = docx.Document()
    if edition.chinese:
        fonts = document.styles["Normal"].element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), "SimSun")
    for block in read_blocks(HERE / "sources" / edition.folder / "faq.md"):
        if block.level > 0:
            document.add_heading(block.text, level=block.level - 1)
        else:
            document.add_paragraph(block.text)
        if block.level == 1:
            document.core_properties.title = block.text
    document.core_properties.author = edition.author
    document.core_properties.language = edition.language
    buffer = io.BytesIO()
    document.save(buffer)
    target = HERE / edition.folder / "faq.docx"
    target.write_bytes(fix_archive(buffer.getvalue()))
    return target


def build_xlsx(edition: Edition) -> Path:
    """Write ``price-list.xlsx`` with a sheet for each CSV file of the sources."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.properties.creator = edition.author
    for title, name in zip(edition.sheets, ("spare-parts.csv", "services.csv"), strict=True):
        sheet = workbook.create_sheet(title)
        source = HERE / "sources" / edition.folder / name
        with source.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.reader(lines))
        for row in rows:
            sheet.append([cell or None for cell in row])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for number, column in enumerate(zip(*rows, strict=True), start=1):
            factor = 2 if edition.chinese else 1
            widest = max(len(cell) for cell in column)
            sheet.column_dimensions[get_column_letter(number)].width = factor * widest + 2
        sheet.freeze_panes = "A2"
    buffer = io.BytesIO()
    workbook.save(buffer)
    target = HERE / edition.folder / "price-list.xlsx"
    target.write_bytes(fix_archive(buffer.getvalue()))
    return target


def main() -> int:
    """Build the files of both editions and print their sizes in bytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chinese-font", type=Path, default=CHINESE_FONT)
    parser.add_argument("--folder", choices=[edition.folder for edition in EDITIONS])
    options = parser.parse_args()
    for edition in EDITIONS:
        if options.folder not in (None, edition.folder):
            continue
        if edition.chinese and not options.chinese_font.is_file():
            sys.stderr.write(
                f"No Chinese font at {options.chinese_font}: install fonts-wqy-zenhei "
                "or name a TrueType font with --chinese-font.\n"
            )
            return 1
        built = (
            build_pdf(edition, options.chinese_font),
            build_docx(edition),
            build_xlsx(edition),
        )
        for path in built:
            sys.stdout.write(f"{path.relative_to(HERE)}: {path.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
