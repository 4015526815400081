from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from domainsmith.chains.answer import build_answer_chain
from domainsmith.chains.context import context_passages
from domainsmith.chains.nearest import conflict_lines, nearest_lines, step_lines
from domainsmith.chains.query_options import QueryOptions
from domainsmith.chains.spelling import correct, spelling
from domainsmith.chains.step_back import broader_questions, left_out_nothing_that_counts, step_back
from domainsmith.chains.translate import needs_translation, translate
from domainsmith.data_connection.filters import PassageFilter
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.sources import add_folder
from domainsmith.data_connection.split import split
from domainsmith.model_io.generation import LogLikelihood
from domainsmith.records import Answer, Document
from domainsmith.storage.documents import put_document
from domainsmith.storage.passages import passages
from domainsmith.workspace import Workspace
from tests.chains.test_answer import Scripted

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder

KETTLE = """# Brill Kettle Manual, 2021-03

## Heating

The Brill kettle boils 1.7 litres of water in 4 minutes.

## Descaling

Use 60 ml of vinegar to descale the kettle. Let it stand for 25 minutes.
"""
NEWER = """# Service notice for the Brill kettle, 2023-05

## Hard water

Use 80 ml of vinegar to descale the kettle.
"""
TOASTER = """# Kora Toaster (烤面包机) Manual

## Cleaning

Empty the crumb tray of the Kora toaster every 14 days.
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder):
    root = tmp_path_factory.mktemp("plan")
    (root / "docs").mkdir()
    for name, text in [("kettle", KETTLE), ("notice", NEWER), ("toaster", TOASTER)]:
        (root / "docs" / f"{name}.md").write_text(text, encoding="utf-8")
    with Workspace.create(root / ".domainsmith") as workspace:
        add_folder(workspace, root / "docs", embedder=embedder)
        with Index.open(workspace, embedder) as index:
            yield workspace, index, embedder


def _ask(place: Any, question: Any, chat: Any = None, **options: Any) -> Any:
    workspace, index, embedder = place
    chain = build_answer_chain(workspace, index, embedder, chat or Scripted(""), **options)
    return chain.invoke(question)


def test_only_the_documents_that_are_allowed_are_read(place: Any) -> None:
    question = "How much vinegar does it take to descale the kettle?"
    notice = _ask(place, question, where=PassageFilter(documents=("notice.md",)))
    assert {item.document_path for item in notice.citations} == {"notice.md"}
    assert "80 ml" in notice.text
    toaster = _ask(place, question, where=PassageFilter(documents=("toaster.md",)))
    assert toaster.refused


def test_each_part_of_a_compound_question_is_answered_and_cited(place: Any) -> None:
    question = "How many litres does the kettle boil, and how often is the crumb tray emptied?"

    answer = _ask(place, question)

    first, second = answer.text.split("\n")
    assert first.endswith("boils 1.7 litres of water in 4 minutes. [1]")
    assert second.endswith("every 14 days. [2]")
    assert [c.document_path for c in answer.citations] == ["kettle.md", "toaster.md"]
    assert len(answer.trace["decompose"]["parts"]) == 2
    assert step_lines(answer)[0].startswith("taken apart: How many litres")


def test_a_part_without_an_answer_is_named(place: Any) -> None:
    question = "How many litres does the kettle boil, and who won the world cup in 1998?"

    answer = _ask(place, question)

    assert not answer.refused
    assert answer.text.split("\n")[1] == (
        "Who won the world cup in 1998? The documents do not answer this question."
    )


def test_steps_can_be_switched_off(place: Any) -> None:
    question = "How many litres does the ketle boil, and how often is the crumb tray emptied?"
    off = QueryOptions("off", "off", "off", "off")

    answer = _ask(place, question, query=off)

    assert not {"decompose", "spelling", "step_back", "translate"} & set(answer.trace)
    assert {"decompose", "spelling"} <= set(_ask(place, question).trace)


def test_the_newest_of_two_values_is_answered_and_the_other_shown(place: Any) -> None:
    answer = _ask(place, "How much vinegar is needed to descale the kettle?")

    assert answer.text == "Use 80 ml of vinegar to descale the kettle. [1]"
    (conflict,) = answer.conflicts
    assert (conflict.values, conflict.answer_values) == (("60 ml",), ("80 ml",))
    assert conflict.dated == "2021-03"
    assert "says 60 ml, not 80 ml" in conflict_lines(answer)[0]


def test_a_refusal_shows_the_nearest_passages(place: Any) -> None:
    answer = _ask(place, "Who won the football world cup in 1998?")

    assert answer.refused
    lines = nearest_lines(place[0].db, answer)
    assert len(lines) == 3
    assert all(".md" in line for line in lines)
    assert nearest_lines(place[0].db, _ask(place, "How many litres does the kettle boil?")) == []


def test_a_table_among_the_nearest_passages_is_shown_readable(
    tmp_path: Path, embedder: LocalEmbedder
) -> None:
    (tmp_path / "docs").mkdir()
    rows = [
        "| Part | Price (EUR) | Note |",
        "|---|--:|---|",
        "| Belt | 12 | |",
        "| Filter | 7 | new |",
    ]
    text = "\n".join(["# Spare parts", "", *rows, ""])
    (tmp_path / "docs" / "parts.md").write_text(text, encoding="utf-8")
    with Workspace.create(tmp_path / "space") as space:
        add_folder(space, tmp_path / "docs", embedder=embedder)
        (stored,) = passages(space.db)
        answer = Answer(
            question="Who won?",
            text="",
            language="en",
            method="refused",
            model="code",
            refused=True,
            nearest=(stored.id,),
        )
        (line,) = nearest_lines(space.db, answer)
    assert "Part: Belt, Price (EUR): 12; Part: Filter, Price (EUR): 7, Note: new" in line
    assert "---" not in line


class Liking:
    """Finds texts with some words likely."""

    def __init__(self, words: str) -> None:
        self.words = words

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        return [LogLikelihood(-1.0 if self.words in text else -9.0, 1) for _, text in pairs]


def test_unknown_words_are_corrected_unless_the_model_doubts(place: Any) -> None:
    question = "How much vinegr for the ketle?"

    (plain,) = correct([question], place[1])
    (doubted,) = correct([question], place[1], scorer=Liking("ketle"))

    assert plain.text == "How much vinegar for the kettle?"
    assert plain.changed == {"vinegr": "vinegar", "ketle": "kettle"}
    assert doubted.changed == {}
    assert spelling(place[1]).invoke("怎样除垢？") == "怎样除垢？"
    assert correct(["Does TN905 support bluetooth?"], place[1])[0].changed == {}


def test_the_broader_question_leaves_circumstances_out() -> None:
    questions = [
        "I bought the kettle in Leeds. My brother laughed. How do I descale the kettle?",
        "If I am late for work, how long must the vinegar stand?",
        "How do I descale the kettle with my sister in Leeds?",
        "我昨天在火车上和女儿争论，水壶怎么除垢？",
        "How do I descale the kettle?",
    ]
    held = [{"descal", "kettl", "vinegar", "stand"}] * len(questions)

    broader = broader_questions(questions, held)

    assert broader == [
        "How do I descale the kettle?",
        "How long must the vinegar stand?",
        "How do I descale the kettle?",
        "水壶怎么除垢？",
        "",
    ]
    assert step_back().invoke(questions[4]) == questions[4]
    assert not left_out_nothing_that_counts(questions[0], broader[0])
    assert left_out_nothing_that_counts(questions[1], broader[1])


def test_terms_given_in_both_languages_cross_over(place: Any) -> None:
    assert needs_translation("烤面包机多久清理一次？", place[1])
    assert not needs_translation("How often?", place[1])
    assert translate(["烤面包机 E21 多久清理一次？", "今天天气如何？"], place[1]) == [
        "Kora Toaster E21",
        "",
    ]
    answer = _ask(place, "烤面包机多久清理一次？")
    assert answer.trace["translate"] == {"searched": "Kora Toaster"}
    assert answer.nearest[0] in {p.id for p in passages(place[0].db) if "Kora" in p.header}


def test_neighbours_are_read_in_the_order_of_the_document(place: Any) -> None:
    db = place[0].db
    text = "# A\n\n" + "\n\n".join(f"{n} says word after word. " * 40 for n in range(3))
    document = Document(
        path="long.md",
        source_sha256="0",
        media_type="text/markdown",
        title="A",
        language="en",
        text=text,
    )
    rows = split(document)
    with Workspace.create(place[0].root.parent / "long") as other:
        put_document(other.db, document, rows, folder="f")
        found = [rows[2], rows[0]]
        alone = context_passages(other.db, found)
        around = context_passages(other.db, found, around=1)
        short = context_passages(other.db, found, around=1, fits=lambda text: False)

    assert [p.ordinal for p in alone] == [2, 0]
    assert [p.ordinal for p in around] == [0, 1, 2, 3]
    assert [p.ordinal for p in short] == [0, 2]
    assert len({p.id for p in passages(db)}) == len(passages(db))


def test_sentences_are_cited_one_by_one_and_unsupported_ones_dropped(place: Any) -> None:
    chat = Scripted(
        "Use 80 ml of vinegar to descale the kettle. Sweden exports many kettles and toasters."
    )

    answer = _ask(place, "How much vinegar is needed to descale the kettle?", chat)

    assert answer.text == "Use 80 ml of vinegar to descale the kettle. [1]"


class Weighing(Scripted):
    """A small model that tells how much reading a passage changes what it expects."""

    is_weak = True

    def __init__(self, gain: float, text: str) -> None:
        super().__init__(text)
        self.gain = gain

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        return [LogLikelihood(self.gain if "[1]" in prompt else 0.0, 1) for prompt, _ in pairs]


def test_a_text_that_its_passage_does_not_help_is_replaced(place: Any) -> None:
    question = "How many litres of water does the kettle boil?"
    text = "The kettle boils 1.7 litres of water."

    believed = _ask(place, question, Weighing(2.0, text))
    doubted = _ask(place, question, Weighing(-0.5, text))
    unchecked = _ask(place, question, Weighing(-0.5, text), check_likelihood=False)

    assert (believed.method, believed.citations[0].gain) == ("generated", 2.0)
    assert (doubted.method, unchecked.method) == ("extracted", "generated")
    assert doubted.text == "The Brill kettle boils 1.7 litres of water in 4 minutes. [1]"
