from __future__ import annotations

from pathlib import Path

import pytest

from domainsmith.data_connection.loaders import load_file
from domainsmith.data_connection.loaders.markdown_html import without_html

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
        ("A.\n\n<!-- old\n```\n旧价 4 元\n```\n\n旧保修：一年。\n-->\n\nB.", "A.\n\nB."),
        ("H<sub>2</sub>O &amp; <kbd>Ctrl</kbd>", "H2O & Ctrl"),
        ("10<sup>6</sup>, 24<sup>1</sup> months, 1<sup>st</sup>", "10⁶, 24¹ months, 1st"),
        ('<p align="center">One.</p>Two.', "One.\n\nTwo."),
        ("first<br/>second<br>\nthird", "first\nsecond\nthird"),
        ("One.<blockquote>Two!</blockquote>Three.", "One.\n\nTwo!\n\nThree."),
        ("<figure>A</figure><figcaption>B</figcaption>C", "A\n\nB\n\nC"),
        ("<ul><li>one</li><li>two</ul>", "- one\n- two"),
        ('<ol start="3"><li>三</li><li>四</li></ol>', "3. 三\n4. 四"),
        ('<ol start="0"><li>a</li><li>b</li></ol>', "0. a\n1. b"),
        ("Proven<sup>[1]</sup>.", "Proven[1]."),
        ("<div>A<tr><td>x</td></tr>B</div>", "A\n\n| x |\n| --- |\n\nB"),
        ("<pre>\ndef f():\n    return 1</pre>", "```\ndef f():\n    return 1\n```"),
        ('<a title="x > y" href="u">text</a> <img alt="a < b">end', "text end"),
        ('<picture>\n<source srcset="a">\n<img src="b">\n</picture>\n\nText.', "Text."),
        ("<details>\n<summary>More</summary>\n\n**bold**\n\n</details>", "More\n\n**bold**"),
        ("<p>Run cp <file> x</p>", "Run cp <file> x"),
        ("Red&#27;[31m", "Red[31m"),
    ],
)
def test_tags_go_and_what_they_enclose_stays(tmp_path: Path, written: str, read_as: str) -> None:
    assert read(tmp_path, written) == read_as


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("| a | b |\n|---|---|\n| x<br>y | z |", "| a | b |\n|---|---|\n| x y | z |"),
        ("a | b<br>c\n---|---\nx | y", "a | b c\n---|---\nx | y"),
        ("> | a<br>b | c |\n> |---|---|\n> | d | e |", "> | a b | c |\n> |---|---|\n> | d | e |"),
        ("| S&#124;M | <pre>x</pre> |\n|---|---|", "| S\\|M | x |\n|---|---|"),
        ("# A<br>B", "# A B"),
        ("Title<br>\n====", "# Title"),
        ("&#35; no heading", "&#35; no heading"),
    ],
)
def test_rows_and_headings_stay_whole(tmp_path: Path, written: str, read_as: str) -> None:
    assert read(tmp_path, written) == read_as


@pytest.mark.parametrize(
    "text",
    [
        f"```html\n{_TABLE} &amp;\n```",
        "````\n```html\n<b>x</b>\n```\n<b>y</b>\n````",
        "- ```html\n  <b>x</b>\n  ```\n- end",
        "Code:\n\n    <p>Hi <b>x</b></p>\n    &lt;a&gt;",
        "Write `<table>` and ``<b>&lt;`` or `a\n<b>` or `` a ` <table> ``.",
        "See <https://example.org/?a=1&amp;b=2> or <ada@example.org>.",
        "cp <source> <target>, a List<String>, 3 < 5 and 7 > 6, R&D;",
        "SELECT * FROM <table> WHERE; npm run <script>; enter <code>; List<S>; Promise\\<A>",
        "Component<P> takes <Table rows={x} /> and\n\n<Tabs>\n\n<your-name>",
        "Stop if pressure <p in the tank falls.\n\nThe price is 499 EUR.\n\n> Note: switch it off.",
        "温度t <a 时停机。\n\n保修期24个月。\n\n> 注意：若 x<a 则 y>b。",
        "<!-- never closed",
    ],
)
def test_code_addresses_and_placeholders_stay(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == text


@pytest.mark.parametrize("before", ["<table>\nOne.", "One <table> more."])
def test_a_table_that_is_never_closed_takes_nothing_with_it(tmp_path: Path, before: str) -> None:
    text = read(tmp_path, f"{before}\n\n{_TABLE}\n\nEnd.")
    assert text.startswith("One")
    assert text.endswith(
        "\n\n| Plan | Price Month | Price Year |\n| --- | --- | --- |\n"
        "| Basic | 5 € | 50 € |\n\nEnd."
    )


def test_a_table_reaches_over_blank_lines_and_code(tmp_path: Path) -> None:
    code = '```json\n{"p": 80}\n```'
    rows = f"<tr><td>Option<td>Example</tr>\n<tr><td>port</td><td>\n\n{code}\n\n</td></tr>"
    assert read(tmp_path, f"<div>\n<table>\n{rows}\n\n</table>\n</div>\n\n<b>End</b>.") == (
        '| Option | Example |\n| --- | --- |\n| port | {"p": 80} |\n\nEnd.'
    )


def test_a_table_stays_in_its_quotation_or_list_item(tmp_path: Path) -> None:
    table = "<table><tr><td>A</td><td>B</td></tr>\n<tr><td>C</td><td>D</td></tr></table>"
    quoted = table.replace("\n", "\n> ")
    assert (
        read(tmp_path, f"> {quoted}\n> end")
        == "> | A | B |\n> | --- | --- |\n> | C | D |\n>\n> end"
    )
    listed = table.replace("\n", "\n  ")
    assert (
        read(tmp_path, f"- {listed}\n- end") == "- | A | B |\n  | --- | --- |\n  | C | D |\n- end"
    )


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (
            "<table>\n<tr><td>a</td></tr>\n\nThe price is 40 EUR.\n\nSay `</table>`.\n\nEnd.",
            "40 EUR",
        ),
        ("<table>\n\nWarranty: 24 months\n\n</table>", "Warranty: 24 months"),
        (
            "<table>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n</table>",
            "| a | b |\n|---|---|\n| 1 | 2 |",
        ),
        ("<p>Intro</p>\n<table>\n<tr><td>a</td><td>b</td></tr>\n\nEnd.", "Intro"),
        ("<div>Price is 40 EUR.\n<tr><td>x</td></tr>\n</div>", "Price is 40 EUR."),
        ("<!WARNING: the price is 4\n\nText.", "<!WARNING: the price is 4\n\nText."),
        ("İ" * 60 + " <!-- c -->\n\n<!-- unclosed\n\nThe price is 40 EUR.", "The price is 40 EUR."),
        ("<p>Intro</p>\n</body>\nTail words\n\nEnd", "Tail words"),
        ("<p style='font-size:0.9em'>Price 40 EUR</p>", "Price 40 EUR"),
        ("<p>x<sup>a<sup>2</sup></sup></p>", "xa²"),
        ("<td>\n```npm install x```\n</td>", "npm install x"),
        ("<table>\n<tr><td>\n\n```c\n#include <stdio.h>\n```\n\n</td></tr>\n</table>", "<stdio.h>"),
        ("<table>\n<tr><td>\n\nTag `<b>` here\n\n</td></tr>\n</table>", "Tag `<b>` here"),
        ("text <ul><li>`<b>` c</li></ul> more", "- `<b>` c"),
        (
            "| Ctrl+` | <b>x</b> |\n|---|---|\n| `<b>y</b>` | z |",
            "| Ctrl+` | x |\n|---|---|\n| `<b>y</b>` |",
        ),
        ("| <b>x</b> | <b>x</b> |\n|---|---|", "| x | x |"),
        (
            "<p>pressure <p_max and temperature <t_max: stop it.</p>",
            "<p_max and temperature <t_max:",
        ),
        (
            "<p>Mail <ada@example.org> or <https://x.org/a> now</p>",
            "<ada@example.org> or <https://x.org/a>",
        ),
        ("<div>\nRun cp <source> <target>", "cp <source> <target>"),
        ("<pre>line1<br>line2</pre>", "line1\nline2"),
        ("<table><tr><td>CO<sub>2</sub></td><td>价<b>格</b></td></tr></table>", "| CO2 | 价格 |"),
        ("<h2>x<sup>2</sup></h2>", "## x²"),
        ("<table><td>A</td><td>B</td></table>", "| A | B |"),
        ("<div>\nOpen with <!-- here\n</div>", "Open with"),
        ("| a&#10;b | c |\n|---|---|", "| a b | c |"),
        (
            "<table><tr><td><img></td></tr><tr><td></td></tr><tr><td></td></tr></table>\n\nEnd",
            "End",
        ),
    ],
)
def test_nothing_that_is_shown_is_lost(tmp_path: Path, written: str, kept: str) -> None:
    assert kept in read(tmp_path, written)


@pytest.mark.parametrize(
    "piece", ["<p>", "<table>", "<!--", "&amp;", "<b>", "<td>", "`<b>", "<ul>"]
)
def test_many_tags_are_read_in_their_number(piece: str) -> None:
    """Quadratic reading would take hours for these."""
    assert len(without_html("一 " + piece * 100_000)) < 1_000_000


def test_html_in_a_plain_text_stays(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_text("Press <b>Start</b> &amp; wait, and then press it once more.")
    assert "<b>Start</b> &amp;" in load_file(path).text


def test_comments_in_a_table_of_a_page_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<table><!-- old: 4 --><tr><td>A<!-- b --></td></tr></table>", encoding="utf-8")
    assert load_file(path).text == "| A |\n| --- |"
