import struct

import numpy as np
import pytest

from domainsmith.errors import ArtifactCorrupt, InputInvalid, InputNotFound
from domainsmith.records import Document, Passage, Record
from domainsmith.storage import document_states, documents, lineage, versions
from domainsmith.storage.database import Database


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path / "state.sqlite") as opened:
        yield opened


def make(path="a.md", text="one. two. three.", pieces=3, **fields):
    document = Document(
        path=path,
        source_sha256=f"sha of {text}",
        media_type="text/markdown",
        title="标题",
        language="en",
        text=text,
        **fields,
    )
    passages = [
        Passage(
            document_id=document.id,
            document_path=path,
            ordinal=number,
            text=f"{text} {number}",
            header="标题 > part",
            start=number,
            end=number + 1,
            page=None if number else 1,
            language="en",
            content="table" if number else "prose",
        )
        for number in range(pieces)
    ]
    return document, passages


def vector(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


def test_what_is_stored_comes_back(db):
    document, passages = make(size=10, mtime_ns=20, notes=("page 2 is a picture",))
    other, others = make("Z.md", "other")
    documents.put_document(db, other, others, folder="docs")
    documents.put_document(db, document, passages[::-1], folder="docs")
    assert documents.documents(db) == [other, document]
    assert documents.document(db, document.id) == document
    assert documents.passages(db) == others + passages
    assert documents.passages(db, document_id=document.id) == passages
    assert documents.passage(db, passages[1].id) == passages[1]
    ids = [passages[2].id, others[0].id, passages[2].id]
    assert [item.id for item in documents.passages_by_id(db, ids)] == ids
    assert document_states.document_states(db, "docs")["a.md"] == document_states.DocumentState(
        document.id, document.source_sha256, 20, 10
    )
    assert document_states.document_states(db, "elsewhere") == {}


def test_unknown_ids_are_named(db):
    with pytest.raises(InputNotFound, match="passage_x"):
        documents.passage(db, "passage_x")
    with pytest.raises(InputNotFound, match="document_x"):
        documents.document(db, "document_x")
    with pytest.raises(InputNotFound, match=r"a\.md"):
        document_states.touch_document(db, "docs", "a.md", 1, 1)
    assert documents.remove_document(db, "docs", "a.md") is False


def test_wrong_passages_are_refused(db):
    document, passages = make()
    _, others = make("b.md")
    with pytest.raises(InputInvalid, match="another document"):
        documents.put_document(db, document, others, folder="docs")
    with pytest.raises(InputInvalid, match="the same"):
        documents.put_document(db, document, passages + passages, folder="docs")
    assert documents.documents(db) == []


def test_a_new_version_replaces_the_old_one(db):
    old, old_passages = make()
    new, new_passages = make(text="rewritten")
    documents.put_document(db, old, old_passages, folder="docs")
    documents.put_vectors(db, "m", [(p.id, vector(1, 2)) for p in old_passages])
    documents.put_document(db, new, new_passages, folder="docs")
    assert documents.documents(db) == [new]
    assert documents.passages(db) == new_passages
    assert documents.missing_vectors(db, "m") == [p.id for p in new_passages]
    with pytest.raises(InputNotFound):
        documents.passage(db, old_passages[0].id)
    with pytest.raises(InputNotFound):
        documents.document(db, old.id)
    db.check()


def test_evidence_of_an_old_version_is_kept(db):
    old, old_passages = make()
    new, new_passages = make(text="rewritten")
    documents.put_document(db, old, old_passages, folder="docs")
    documents.put_vectors(db, "m", [(p.id, vector(1, 2)) for p in old_passages])
    record = Record(instruction="q", output="a", language="en", method="m", model="code")
    lineage.put_artifact(db, record, parents=[old_passages[1].id])
    documents.put_document(db, new, new_passages, folder="docs")
    assert documents.passages(db) == new_passages
    assert documents.passage(db, old_passages[1].id) == old_passages[1]
    assert documents.document(db, old.id) == old
    assert documents.documents(db) == [new]
    assert documents.vectors(db, "m")[0] == []
    with pytest.raises(InputNotFound):
        documents.passage(db, old_passages[0].id)
    # The old version returns: it is current again.
    documents.put_document(db, old, old_passages, folder="docs")
    assert documents.passages(db) == old_passages
    db.check()


def test_storing_the_same_again_changes_nothing(db):
    document, passages = make()
    documents.put_document(db, document, passages, folder="docs")
    documents.put_vectors(db, "m", [(p.id, vector(1, 2)) for p in passages])
    documents.put_document(db, document, passages, folder="docs")
    assert documents.missing_vectors(db, "m") == []
    # Another split: what is equal keeps its vector.
    documents.put_document(db, document, passages[:2], folder="docs")
    assert documents.passages(db) == passages[:2]
    documents.put_document(db, document, passages, folder="docs")
    assert documents.missing_vectors(db, "m") == [passages[2].id]


def test_one_content_in_two_folders(db):
    document, passages = make()
    documents.put_document(db, document, passages, folder="one")
    documents.put_document(db, document, passages, folder="two")
    assert documents.documents(db) == [document]
    assert documents.remove_document(db, "one", "a.md") is True
    assert documents.passages(db) == passages
    assert documents.remove_document(db, "two", "a.md") is True
    assert documents.passages(db) == []
    assert db.read().execute("SELECT count(*) FROM documents").fetchone() == (0,)


def test_a_touched_file_keeps_its_content(db):
    document, passages = make()
    documents.put_document(db, document, passages, folder="docs")
    document_states.touch_document(db, "docs", "a.md", 99, 77)
    state = document_states.document_states(db, "docs")["a.md"]
    assert (state.mtime_ns, state.size, state.id) == (99, 77, document.id)


def test_vectors_come_back_in_order(db):
    document, passages = make()
    documents.put_document(db, document, passages, folder="docs")
    rows = [(p.id, vector(p.ordinal, 0.5, -1)) for p in passages[::-1]]
    assert documents.put_vectors(db, "m", iter(rows[:2])) == 2
    assert documents.missing_vectors(db, "m") == [passages[0].id]
    assert documents.put_vectors(db, "m", [*rows, ("passage_gone", vector(1, 2, 3))]) == 3
    ids, matrix = documents.vectors(db, "m")
    assert ids == [p.id for p in passages]
    assert matrix.dtype == np.float32
    assert matrix.flags.writeable
    np.testing.assert_array_equal(matrix, [[0, 0.5, -1], [1, 0.5, -1], [2, 0.5, -1]])
    assert documents.vectors(db, "another")[1].shape == (0, 0)
    assert documents.missing_vectors(db, "another") == ids
    assert documents.put_vectors(db, "m", []) == 0


@pytest.mark.parametrize(
    "bad", [b"", b"12345", vector(1), vector(1, 2, 3), vector(1, float("nan"))]
)
def test_wrong_vectors_are_refused(db, bad):
    document, passages = make()
    documents.put_document(db, document, passages, folder="docs")
    documents.put_vectors(db, "m", [(passages[0].id, vector(1, 2))])
    good = (passages[1].id, vector(3, 4))
    with pytest.raises(InputInvalid):
        documents.put_vectors(db, "m", [good, (passages[2].id, bad)])
    assert len(documents.vectors(db, "m")[0]) == 1


def test_a_damaged_vector_is_told(db):
    document, passages = make()
    documents.put_document(db, document, passages, folder="docs")
    documents.put_vectors(db, "m", [(passages[0].id, vector(1, 2))])
    with db.write() as connection:
        connection.execute("UPDATE vectors SET vector = x'00'")
    with pytest.raises(ArtifactCorrupt, match="wrong length"):
        documents.vectors(db, "m")


def test_the_fingerprint_tells_content_not_order(tmp_path):
    first, second = make(), make("b.md", "other")
    prints = []
    for number, order in enumerate(([first, second], [second, first], [first])):
        with Database.open(tmp_path / f"{number}.sqlite") as db:
            for document, passages in order:
                documents.put_document(db, document, passages, folder="docs")
            prints.append(documents.passages_fingerprint(db))
    assert prints[0] == prints[1] != prints[2]
    assert len(prints[0]) == 64


def test_many_ids_at_once(db):
    document, passages = make(pieces=1200)
    documents.put_document(db, document, passages, folder="docs")
    assert documents.passages_by_id(db, (p.id for p in reversed(passages))) == passages[::-1]


def steps(db, action) -> int:
    """Return how many steps SQLite's virtual machine takes for something, in hundreds."""
    connection, taken = db.read(), []
    connection.set_progress_handler(lambda: taken.append(1) and None, 100)
    action()
    connection.set_progress_handler(None, 0)
    return len(taken)


def test_work_of_a_document_does_not_grow_with_the_collection(db):
    def fill(first, last):
        for number in range(first, last):
            documents.put_document(db, *make(f"{number}.md", f"text {number}", 10), folder="docs")

    def work(name):
        added = steps(db, lambda: documents.put_document(db, *make(name, name, 10), folder="docs"))
        return added + steps(db, lambda: versions.superseded(db))

    fill(0, 5)
    few = work("new.md")
    fill(5, 200)
    assert work("newer.md") < 2 * few
