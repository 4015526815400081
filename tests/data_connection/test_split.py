from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from domainsmith.data_connection.split import count_words, passage_context, split
from domainsmith.records import Document

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder

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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_embedder_reads_every_passage_whole(embedder: LocalEmbedder, language: str) -> None:
    sentence = {"en": "The drain pump moves the washing water. ", "zh": "排水泵把水排出洗衣机外。"}
    rows = "\n".join(f"| E{n} | {sentence[language] * (n % 9 + 1)} |" for n in range(30))
    text = (
        f"# A heading of {sentence[language]}\n\n{sentence[language] * 200}\n\n"
        f"## {sentence[language]}\n\n| code | cause |\n| --- | --- |\n{rows}\n\n" + "x" * 3000
    )
    document = _document(text, language=language)

    for limit in (60, 400):
        found = split(
            document, max_tokens=limit, count=embedder.count_tokens, window=embedder.max_tokens
        )
        tokens = [embedder.count_tokens(passage_context(p)) for p in found]
        assert max(tokens) <= embedder.max_tokens
        prose = [embedder.count_tokens(p.text) for p in found if p.content == "prose"]
        assert max(prose) <= min(limit, embedder.max_tokens)
        # Sentences are gathered up to the limit, not left one by one.
        assert sum(prose) / len(prose) > 0.5 * min(limit, 200)


def test_sentences_end_passages_in_both_languages() -> None:
    for language, text in (("en", "The pump moves water out. " * 60), ("zh", "水泵排水！" * 200)):
        found = split(_document(text, language=language), max_tokens=40)
        assert len(found) > 3
        assert all(p.text[-1] in ".！" for p in found)


def test_code_is_cut_between_its_lines_only() -> None:
    lines = [f"    value_{n} = compute(value_{n - 1}, factor={n})" for n in range(1, 60)]
    document = _document("# Code\n\nUse it:\n\n```python\n" + "\n".join(lines) + "\n```\n\nDone.")

    found = split(document, max_tokens=40)

    code = [p for p in found if p.content == "code"]
    assert len(code) > 3
    shown = [line.strip() for p in found for line in p.text.split("\n")]
    assert [line for line in shown if line.startswith("value_")] == [s.strip() for s in lines]
    whole = split(_document("# Code\n\n```\n" + "\n".join(lines[:3]) + "\n```\n"), max_tokens=60)
    assert whole[0].text.count("value_") == 6


def test_a_row_of_a_table_is_never_cut_while_it_can_be_embedded() -> None:
    rows = "\n".join(f"| {n} | {'word ' * 50}|" for n in range(8))
    found = split(_document(f"| a | b |\n| --- | --- |\n{rows}\n"), max_tokens=40, window=100)
    assert len(found) == 8
    assert all(p.text.startswith("| a | b |") and p.text.endswith("|") for p in found)


def test_long_documents_are_split_in_linear_work() -> None:
    calls = []
    for size in (20_000, 80_000):
        text = "\n\n".join(f"Paragraph {n} says a few words." for n in range(size // 30))
        calls.append(_calls_of(lambda text=text: split(_document(text))))
    assert calls[1] < 5 * calls[0]


def _calls_of(work: Callable[[], object]) -> int:
    """Count the function calls of some work, which no other work on the machine changes."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count
