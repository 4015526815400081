from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hashed_words import HashedWords

from domainsmith.data_connection.cloze import cloze_lists, cloze_questions
from domainsmith.data_connection.fusion import read_fusion
from domainsmith.data_connection.fusion_learning import learn_fusion
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.data_connection.split import split
from domainsmith.records import Document
from domainsmith.storage.documents import passages, put_document
from domainsmith.workspace import Workspace

EMBEDDER = HashedWords()
PARTS = ("valve", "pump", "filter", "hinge", "fuse", "drum", "belt", "lamp", "motor", "sensor")
PLACES = ("cellar", "attic", "garage", "kitchen", "workshop", "garden")


class Useless(HashedWords):
    """Every text looks the same to it."""

    model_name = "useless@1"

    def embed(self, texts):
        vectors = super().embed(["same"] * len(texts))
        return vectors


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        for part in PARTS:
            text = "\n\n".join(
                f"# {place}\n\nThe {part} of the {place} was fitted by the first owner. "
                f"Clean the {part} in the {place} twice a year with warm soapy water. "
                f"A spare {part} for the {place} costs about forty euros in the shop."
                for place in PLACES
            )
            document = Document(
                path=f"{part}.md",
                source_sha256=part,
                media_type="text/markdown",
                title=part,
                language="en",
                text=text,
            )
            put_document(workspace.db, document, split(document), folder="docs")
        yield workspace


def test_a_question_is_no_longer_in_its_passage(workspace: Workspace) -> None:
    rows = passages(workspace.db)
    made = cloze_questions(rows, 50)

    assert len(made) == 50
    assert all(q.text in q.passage.text and q.text not in q.rest for q in made)
    assert made == cloze_questions(list(reversed(rows)), 50)


def test_candidates_hold_the_passage_without_its_sentence(workspace: Workspace) -> None:
    questions = cloze_questions(passages(workspace.db), 20)
    with Index.open(workspace, EMBEDDER) as index:
        learn_fusion(index, EMBEDDER)
        lists = cloze_lists(index, EMBEDDER, questions, k=8)

    assert lists
    found = 0
    for row in lists:
        assert len(row.ids) == len(row.texts) == len(set(row.ids)) == 8
        texts = dict(zip(row.ids, row.texts, strict=True))
        own = [text for id, text in texts.items() if id == row.question.passage.id]
        assert own in ([], [row.question.rest])
        assert all(row.question.text not in text for text in row.texts)
        found += bool(own)
    assert found > len(lists) / 2


def test_weights_are_learned_kept_and_used(workspace: Workspace) -> None:
    with Index.open(workspace, EMBEDDER) as index:
        learned = learn_fusion(index, EMBEDDER, anew=True)
        weight = learned.weights["en"]
        hit = retrieve(index, EMBEDDER, ["Who cleans the pump?"], k=1)[0][0]

        assert weight.questions >= 40
        assert weight.fused >= max(weight.bm25_alone, weight.dense_alone) - 0.01
        assert read_fusion(workspace.index_dir, EMBEDDER.model_name) == learned
        assert hit.weight == weight.bm25
        assert index.state["fusion"]["en"]["bm25"] == weight.bm25
        assert learn_fusion(index, EMBEDDER, anew=True) == learned


def test_a_useless_embedder_gets_no_say(workspace: Workspace) -> None:
    embedder = Useless()
    with Index.open(workspace, embedder) as index:
        learned = learn_fusion(index, embedder).weights["en"]

    assert learned.dense_alone < 0.2 < learned.bm25_alone
    assert learned.fused == learned.bm25_alone


def test_a_small_collection_learns_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("The pump is red. The valve is green.", encoding="utf-8")
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        add_folder(workspace, folder, embedder=EMBEDDER)
        with Index.open(workspace, EMBEDDER) as index:
            assert learn_fusion(index, EMBEDDER).weights == {}
            assert index.state["fusion"] == {}
