"""Check the example domain: files, counts, gold quotes, and that both languages agree.

Run ``python examples/check_examples.py``. Prints one line of counts for each language and
ends with code 1 if anything is wrong.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import docx
import openpyxl
from bs4 import BeautifulSoup
from pypdf import PdfReader

HERE = Path(__file__).resolve().parent
SETS = {
    "en": ("washer", "washer-questions.jsonl"),
    "zh": ("washer-zh", "washer-zh-questions.jsonl"),
}
MANUAL, MANUAL_PDF = "service-manual.md", "service-manual.pdf"
QUESTION_KEYS = {"key", "question", "answer", "answerable", "category", "language", "gold"}
ANSWERABLE = {"fact", "procedure", "table", "comparison", "warranty", "price", "error-code"}
MISSING = {"unanswerable", "out-of-domain"}
FREE_SHARE = 0.55
MAX_PDF_BYTES = 600_000

Unit = str
"""Text of one section, row or FAQ entry, without white space."""


def squeeze(text: str) -> str:
    """Remove all white space, since it is not significant in quotes."""
    return re.sub(r"\s+", "", text)


def manual_units(path: Path) -> list[Unit]:
    """Split a Markdown manual at its ``###`` headings."""
    return [squeeze(part) for part in path.read_text(encoding="utf-8").split("\n### ")[1:]]


def csv_units(path: Path) -> list[Unit]:
    """Read the rows of a CSV file, without its header."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [squeeze(" ".join(row)) for row in csv.reader(lines)][1:]


def xlsx_units(path: Path) -> list[Unit]:
    """Read the rows of all sheets, without their headers."""
    book = openpyxl.load_workbook(path, read_only=True)
    return [
        squeeze(" ".join(str(cell) for cell in row if cell is not None))
        for sheet in book.worksheets
        for row in sheet.iter_rows(min_row=2, values_only=True)
    ]


def docx_units(path: Path) -> list[Unit]:
    """Join each question heading of the FAQ with the paragraphs below it."""
    units: list[Unit] = []
    for paragraph in docx.Document(str(path)).paragraphs:
        style = paragraph.style.name if paragraph.style is not None else ""
        if style == "Heading 2":
            units.append("")
        if units and style != "Heading 1":
            units[-1] += squeeze(paragraph.text)
    return units


def html_units(path: Path) -> list[Unit]:
    """Split the warranty terms at their ``h2`` headings."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
    units: list[Unit] = []
    for part in soup.body.find_all(["h2", "p", "table"]) if soup.body else []:
        if part.name == "h2":
            units.append("")
        if units:
            units[-1] += squeeze(part.get_text(" "))
    return units


READERS = {
    MANUAL: manual_units,
    "error-codes.csv": csv_units,
    "warranty.html": html_units,
    "faq.docx": docx_units,
    "price-list.xlsx": xlsx_units,
}
MINIMUM_UNITS = {
    MANUAL: 45, "error-codes.csv": 40, "warranty.html": 8, "faq.docx": 25, "price-list.xlsx": 40,
}  # fmt: skip


def check_quotes(
    questions: list[dict[str, Any]], units: dict[str, list[Unit]], pdf: str
) -> tuple[list[str], dict[str, set[int]]]:
    """Find each gold quote in exactly one unit of its own document and in no other one.

    Args:
        questions: Rows of a question file.
        units: Document name to its units.
        pdf: Text of the PDF manual without white space.

    Returns:
        What is wrong, and for each document the positions of the units that hold gold.
    """
    wrong: list[str] = []
    used: dict[str, set[int]] = {name: set() for name in units}
    for row in questions:
        for gold in row["gold"]:
            name, quote = gold["document"], squeeze(gold["quote"])
            where = f"{row['key']}: quote {gold['quote']!r}"
            found = [i for i, unit in enumerate(units.get(name, [])) if quote in unit]
            if len(found) != 1:
                wrong.append(f"{where} is in {len(found)} places of {name}, not in 1")
            used.get(name, set()).update(found)
            for other, texts in units.items():
                if other != name and any(quote in text for text in texts):
                    wrong.append(f"{where} is also in {other}")
            if name == MANUAL and quote not in pdf:
                wrong.append(f"{where} is not in {MANUAL_PDF}")
    return wrong, used


def check_rows(questions: list[dict[str, Any]], language: str) -> list[str]:
    """Check the counts and the fields of a question file."""
    wrong = []
    repeated = [key for key, n in Counter(row["key"] for row in questions).items() if n > 1]
    if repeated:
        wrong.append(f"keys used twice: {repeated}")
    if len({row["question"] for row in questions}) != len(questions):
        wrong.append("a question is asked twice")
    for row in questions:
        allowed = ANSWERABLE if row["answerable"] else MISSING
        complete = bool(row["gold"]) and bool(row["answer"])
        empty = not row["gold"] and not row["answer"]
        if set(row) != QUESTION_KEYS or row["language"] != language:
            wrong.append(f"{row['key']}: wrong keys or language")
        if row["category"] not in allowed or not (complete if row["answerable"] else empty):
            wrong.append(f"{row['key']}: category, answer or gold do not fit")
    unanswerable = sum(not row["answerable"] for row in questions)
    if len(questions) < 64 or unanswerable < 18:
        wrong.append(f"too few questions: {len(questions)}, {unanswerable} without an answer")
    return wrong


def check_set(language: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Check one language's documents and questions, and print its counts."""
    folder, question_file = SETS[language]
    lines = (HERE / question_file).read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    units = {name: read(HERE / folder / name) for name, read in READERS.items()}
    pdf_path = HERE / folder / MANUAL_PDF
    pages = PdfReader(pdf_path).pages
    pdf = squeeze(" ".join(page.extract_text() for page in pages))
    wrong = check_rows(questions, language)
    quote_errors, used = check_quotes(questions, units, pdf)
    wrong += quote_errors
    for name, minimum in MINIMUM_UNITS.items():
        if len(units[name]) < minimum:
            wrong.append(f"{name}: {len(units[name])} entries, at least {minimum} expected")
        free = 1 - len(used[name]) / max(1, len(units[name]))
        if free < FREE_SHARE:
            wrong.append(f"{name}: only {free:.0%} of the entries are free of gold quotes")
    if len(pages) < 12 or pdf_path.stat().st_size > MAX_PDF_BYTES:
        wrong.append(f"{MANUAL_PDF}: {len(pages)} pages, {pdf_path.stat().st_size} bytes")
    categories = Counter(row["category"] for row in questions)
    held = ", ".join(f"{name} {len(used[name])}/{len(units[name])}" for name in units)
    sys.stdout.write(
        f"{language}: {len(questions)} questions, {len(pages)} PDF pages; "
        f"{', '.join(f'{name} {n}' for name, n in sorted(categories.items()))}\n"
        f"{language}: entries with gold: {held}\n"
    )
    return [f"{language}: {text}" for text in wrong], questions


def main() -> int:
    """Check both sets against themselves and each other."""
    wrong: list[str] = []
    facts: dict[str, list[tuple[Any, ...]]] = {}
    for language in SETS:
        errors, questions = check_set(language)
        wrong += errors
        facts[language] = sorted(
            (
                row["key"],
                row["answerable"],
                row["category"],
                tuple(gold["document"] for gold in row["gold"]),
            )
            for row in questions
        )
    if facts["en"] != facts["zh"]:
        differing = sorted(row[0] for row in set(facts["en"]) ^ set(facts["zh"]))
        wrong.append(f"en and zh differ in {differing}")
    for text in wrong:
        sys.stdout.write(f"WRONG {text}\n")
    sys.stdout.write(f"{len(wrong)} problems\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
