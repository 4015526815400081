from __future__ import annotations

import pytest

from domainsmith.data_connection.split import count_words, split
from domainsmith.records import Document

MANUAL = """# Tarn Manual

Intro words.

## 1 Care

### 1.1 Filter

Turn the filter to the left. Rinse it.

- first
- second

### 1.2 Codes

| code | cause | remedy |
| --- | --- | --- |
| E1 | The tap is closed. | Open the tap and check the hose. |
| E2 | The pump is blocked. | Clean the filter and start again. |
| E3 | The door is open. | Close the door until it clicks. |

## Empty
"""


def _document(text: str, **values: str) -> Document:
    fields = {
        "path": "m.md",
        "source_sha256": "0",
        "media_type": "text/markdown",
        "title": "Tarn Manual",
        "language": "en",
        **values,
    }
    return Document(text=text, **fields)  # type: ignore[arg-type]


def test_a_section_that_fits_is_one_passage_with_its_path_as_header() -> None:
    found = split(_document(MANUAL))

    assert [p.header for p in found] == [
        "Tarn Manual",
        "Tarn Manual > 1 Care > 1.1 Filter",
        "Tarn Manual > 1 Care > 1.2 Codes",
        "Tarn Manual",
    ]
    assert found[1].text.endswith("- first\n- second")
    assert found[2].content == "table"
    assert found[3].text == "## Empty"


def test_table_rows_keep_the_header_row_and_their_own_offsets() -> None:
    document = _document(MANUAL)

    rows = [p for p in split(document, max_tokens=30) if p.content == "table"]

    assert len(rows) == 3
    for passage, code in zip(rows, ["E1", "E2", "E3"], strict=True):
        assert passage.text.startswith("| code | cause | remedy |\n| --- |")
        assert document.text[passage.start : passage.end].startswith(f"| {code} |")
        assert passage.text.endswith(document.text[passage.start : passage.end])


@pytest.mark.parametrize("limit", [5, 20, 60, 160])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_offsets_are_exact_nothing_is_lost_and_limits_hold(limit: int, language: str) -> None:
    sentence = {"en": "The pump of the Tarn moves water. ", "zh": "排水泵把水排出洗衣机外。"}
    text = f"## A\n\n{sentence[language] * 40}\n\n" * 2 + "x" * 3000
    document = _document(text, language=language)

    found = split(document, max_tokens=limit)

    covered: set[int] = set()
    for passage in found:
        assert document.text[passage.start : passage.end] == passage.text
        assert count_words(passage.text) <= max(limit, 5)
        covered.update(range(passage.start, passage.end))
    lost = "".join(c for i, c in enumerate(text) if i not in covered and not c.isspace())
    assert lost == "##A##A"
    assert [p.ordinal for p in found] == list(range(len(found)))


def test_pages_come_from_form_feeds() -> None:
    document = _document("# A\n\none\n\f\n# B\n\ntwo", media_type="application/pdf")

    assert [(p.text, p.page) for p in split(document)] == [("one", 1), ("two", 2)]


def test_equal_input_gives_equal_ids() -> None:
    assert [p.id for p in split(_document(MANUAL))] == [p.id for p in split(_document(MANUAL))]
