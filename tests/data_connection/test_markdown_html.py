from __future__ import annotations

from pathlib import Path

import pytest

from domainsmith.data_connection.loaders import load_file

_TABLE = """<table>
  <tr><th rowspan=2>Plan</th><th colspan="2">Price</th></tr>
  <tr><th>Month</th><th>Year</th></tr>
  <tr><td>Basic</td><td>5 €</td><td>50 €</td></tr>
</table>"""


def read(folder: Path, text: str) -> str:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return load_file(path).text


def test_a_table_of_tags_becomes_a_table_of_pipes(tmp_path: Path) -> None:
    assert read(tmp_path, f"# Plans\n\n{_TABLE}\n\nEnd.") == (
        "# Plans\n\n| Plan | Price Month | Price Year |\n| --- | --- | --- |\n"
        "| Basic | 5 € | 50 € |\n\nEnd."
    )
    assert "| 基础版 | 每月5元 |" in read(
        tmp_path, "<table><tr><th>版本<th>价格<tr><td>基础版<td>每月5元</table>"
    )


def test_a_heading_of_tags_is_the_title_and_a_heading(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text('<h1 align="center">\n  <img src="a.png"/> Brisa 5\n</h1>\n\nQuiet.')
    loaded = load_file(path)
    assert (loaded.title, loaded.text) == ("Brisa 5", "# Brisa 5\n\nQuiet.")


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("a<!-- old\nprice: 4 € -->b", "ab"),
        ("H<sub>2</sub>O &amp; <kbd>Ctrl</kbd>", "H2O & Ctrl"),
        ('<p align="center">One.</p>Two.', "One.\n\nTwo."),
        ("first<br/>second", "first\nsecond"),
        ("| a | b |\n|---|---|\n| x<br>y | z |", "| a | b |\n|---|---|\n| x y | z |"),
        ("<ul><li>one</li><li>two</ul>", "- one\n- two"),
        ("Red&#27;[31m", "Red[31m"),
    ],
)
def test_tags_go_and_what_they_enclose_stays(tmp_path: Path, written: str, read_as: str) -> None:
    assert read(tmp_path, written) == read_as


@pytest.mark.parametrize(
    "text",
    [
        f"```html\n{_TABLE} &amp;\n```",
        "Write `<table>` and ``<b>&lt;``.",
        "See <https://example.org> or <ada@example.org>.",
        "cp <source> <target>, a List<String>, 3 < 5 and 7 > 6, R&D;",
        "<!-- never closed",
    ],
)
def test_code_addresses_and_placeholders_stay(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == text


def test_a_table_that_is_never_closed_loses_its_tag_only(tmp_path: Path) -> None:
    assert read(tmp_path, f"<table>\nOne.\n\n{_TABLE}").startswith("One.")


def test_html_in_a_plain_text_stays(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_text("Press <b>Start</b> &amp; wait, and then press it once more.")
    assert "<b>Start</b> &amp;" in load_file(path).text
