import pytest

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import Document, Passage, Record
from domainsmith.storage import documents, lineage
from domainsmith.storage.database import Database


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path / "state.sqlite") as opened:
        yield opened


@pytest.fixture
def chain(db):
    """Document <- 2 passages <- 2 records <- dataset <- adapter."""
    document = Document(
        path="a.md", source_sha256="x", media_type="text/plain", title="A", language="en", text="ab"
    )
    passages = [
        Passage(
            document_id=document.id,
            document_path="a.md",
            ordinal=n,
            text="ab"[n],
            start=n,
            end=n + 1,
            language="en",
        )
        for n in range(2)
    ]
    documents.put_document(db, document, passages, folder="docs")
    records = [
        Record(instruction=f"q{n}", output="a", language="en", method="m", model="code")
        for n in range(2)
    ]
    for record, passage in zip(records, passages, strict=True):
        lineage.put_artifact(db, record, parents=[passage.id])
    lineage.put_artifact(
        db,
        kind="dataset",
        id="dataset_1",
        payload={"n": 2},
        parents=(r.id for r in records),
        path=db.path.parent / "datasets" / "dataset_1",
    )
    lineage.put_artifact(db, kind="adapter", id="adapter_1", parents=["dataset_1"])
    return document, passages, records


def test_ids_come_without_the_artifacts(db, chain):
    _, _, records = chain
    assert lineage.artifact_ids(db, "record") == [item.id for item in reversed(records)]
    assert lineage.artifact_ids(db, "dataset") == ["dataset_1"]
    assert lineage.artifact_ids(db, "report") == []


def test_both_ways(db, chain):
    document, passages, records = chain
    up = lineage.ancestors(db, "adapter_1")
    assert up[0] == lineage.Edge("adapter_1", "dataset_1", 1)
    assert {(e.parent, e.depth) for e in up} == {
        ("dataset_1", 1),
        *((r.id, 2) for r in records),
        *((p.id, 3) for p in passages),
        (document.id, 4),
    }
    down = lineage.descendants(db, document.id)
    assert {(e.child, e.depth) for e in down} == {
        *((p.id, 1) for p in passages),
        *((r.id, 2) for r in records),
        ("dataset_1", 3),
        ("adapter_1", 4),
    }
    assert len(down) == len(set(down)) == 7
    assert lineage.ancestors(db, "nobody") == []


def test_a_circle_ends(db):
    lineage.put_artifact(db, kind="k", id="k_1", parents=["k_2", "k_1"])
    lineage.put_artifact(db, kind="k", id="k_2", parents=["k_1"])
    assert len(lineage.ancestors(db, "k_1")) == 2


def test_artifacts_and_their_parts(db, chain):
    document, passages, records = chain
    found = lineage.artifact(db, "dataset_1")
    assert (found.kind, found.payload, found.path) == ("dataset", {"n": 2}, "datasets/dataset_1")
    assert lineage.artifact(db, records[0].id).payload["instruction"] == "q0"
    assert lineage.artifact(db, passages[0].id).payload["text"] == "a"
    assert lineage.artifact(db, document.id).kind == "document"
    for id in ("adapter_2", "passage_2", "document_2"):
        with pytest.raises(InputNotFound, match=id):
            lineage.artifact(db, id)


def test_newest_first_by_sequence_not_clock(db, monkeypatch):
    for number in range(3):
        monkeypatch.setattr("time.time", lambda now=100.0 - number: now)
        lineage.put_artifact(db, kind="report", id=f"report_{number}", parents=[])
    assert [a.id for a in lineage.artifacts(db, "report")] == ["report_2", "report_1", "report_0"]


def test_storing_again_adds_parents_and_a_path_only(db):
    lineage.put_artifact(db, kind="k", id="k_1", payload={"a": 1}, parents=["x"])
    lineage.put_artifact(db, kind="k", id="k_1", payload={"a": 2}, parents=["y"], path="reports/r")
    lineage.put_artifact(db, kind="k", id="k_1", parents=["y"])
    found = lineage.artifact(db, "k_1")
    assert (found.payload, found.path) == ({"a": 1}, "reports/r")
    assert [e.parent for e in lineage.ancestors(db, "k_1")] == ["x", "y"]


def test_paths_stay_inside(db):
    with pytest.raises(InputInvalid, match="outside"):
        lineage.put_artifact(db, kind="k", id="k_1", parents=[], path="/etc/passwd")
    with pytest.raises(InputInvalid, match="outside"):
        lineage.put_artifact(db, kind="k", id="k_1", parents=[], path="../x")
    with pytest.raises(InputInvalid, match="needs"):
        lineage.put_artifact(db, parents=[])


def test_ids_are_completed(db, chain):
    _, passages, records = chain
    assert lineage.find(db, "record_") == sorted(r.id for r in records)
    assert lineage.find(db, passages[0].id[:14]) == [passages[0].id]
    assert lineage.find(db, passages[0].id.partition("_")[2][:8]) == [passages[0].id]
    assert lineage.find(db, "") == []
    assert lineage.find(db, "%") == []
    said: list[str] = []
    connection = db.read()
    connection.set_trace_callback(said.append)
    lineage.find(db, "3f")
    connection.set_trace_callback(None)
    looked = [statement for statement in said if statement.startswith("SELECT id")]
    plans = [row[3] for text in looked for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert plans
    assert all(plan.startswith("SEARCH") for plan in plans), "by index, not through the table"


def test_wide_lineage(db):
    for number in range(1100):
        lineage.put_artifact(db, kind="r", id=f"r_{number:04d}", parents=[f"p_{number:04d}"])
    lineage.put_artifact(db, kind="d", id="d_1", parents=[f"r_{n:04d}" for n in range(1100)])
    assert len(lineage.ancestors(db, "d_1")) == 2200
