"""Renamed, copied and dated files; equal passages; files within files."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hashed_words import HashedWords

from domainsmith.data_connection import fusion_learning, read_stamp, sources
from domainsmith.data_connection.add_report import AddReport
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.data_connection.versions import find_version, hidden_documents, version_order
from domainsmith.errors import InputInvalid
from domainsmith.storage import lineage
from domainsmith.storage.copies import places
from domainsmith.storage.document_states import file_states
from domainsmith.storage.documents import document, documents, passages, passages_by_id, vectors
from domainsmith.workspace import Workspace

EMBEDDER = HashedWords()
NO_INDEX = SimpleNamespace(take_in=lambda: None)


LAWS = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data")) / "zh_legal_stard"


@pytest.fixture(autouse=True)
def _nothing_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored is tested here, not what a search index makes of it."""
    monkeypatch.setattr(fusion_learning, "learn_fusion", lambda index, embedder: None)


@pytest.fixture
def workspace(tmp_path: Path):
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        yield workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("# Pump\n\nThe tap is blue.\n\n## Filter\n\nClean it weekly.")
    (folder / "b.md").write_text("# Drum\n\nThe drum is steel.")
    return folder


def _add(workspace: Workspace, path: Path, **options) -> AddReport:
    return add_folder(workspace, path, embedder=EMBEDDER, index=NO_INDEX, **options)


def test_a_renamed_file_keeps_ids_vectors_and_lineage(workspace: Workspace, folder: Path) -> None:
    _add(workspace, folder)
    before = {p.id: p for p in passages(workspace.db) if p.document_path == "a.md"}
    ids, _ = vectors(workspace.db, EMBEDDER.model_name)
    old = next(d for d in documents(workspace.db) if d.path == "a.md")
    lineage.put_artifact(
        workspace.db, kind="record", id="record_1", payload={}, parents=sorted(before)
    )
    (folder / "sub").mkdir()
    (folder / "a.md").rename(folder / "sub" / "renamed.md")

    report = _add(workspace, folder)

    numbers = (report.renamed, report.documents_added, report.removed, report.passages_new)
    assert numbers == (1, 0, 0, 0)
    now = {p.id: p for p in passages(workspace.db) if p.id in before}
    assert {p.document_path for p in now.values()} == {"sub/renamed.md"}
    assert set(now) == set(before)
    found = next(d for d in documents(workspace.db) if d.path == "sub/renamed.md")
    assert (found.id, found.origin_path) == (old.id, "a.md")
    assert sorted(vectors(workspace.db, EMBEDDER.model_name)[0]) == sorted(ids)
    edges = {edge.parent for edge in lineage.ancestors(workspace.db, "record_1")}
    assert set(before) <= edges
    assert old.id in edges

    assert _add(workspace, folder).unchanged == 2
    (folder / "sub" / "renamed.md").rename(folder / "a.md")
    _add(workspace, folder)
    assert document(workspace.db, old.id).origin_path == ""
    assert {p.document_path for p in passages_by_id(workspace.db, before)} == {"a.md"}


def test_a_renamed_and_changed_file_is_another(workspace: Workspace, folder: Path) -> None:
    _add(workspace, folder)
    (folder / "a.md").rename(folder / "c.md")
    _add(workspace, folder)
    (folder / "c.md").write_text("# Pump\n\nThe tap is green.")

    report = _add(workspace, folder)

    assert (report.changed, report.renamed) == (1, 0)
    assert {d.path: d.origin_path for d in documents(workspace.db)} == {"b.md": "", "c.md": ""}


def test_a_copied_file_is_stored_once_and_its_places_are_named(
    workspace: Workspace, folder: Path
) -> None:
    _add(workspace, folder)
    shutil.copy(folder / "b.md", folder / "copy of b.md")

    report = _add(workspace, folder)

    assert (report.documents_added, report.renamed, report.passages_new) == (1, 0, 0)
    assert len(documents(workspace.db)) == 2
    drum = next(p for p in passages(workspace.db) if "steel" in p.text)
    named = [place.document_path for place in places(workspace.db, [drum.id])[drum.id]]
    assert named == ["b.md", "copy of b.md"]
    (folder / "b.md").unlink()
    _add(workspace, folder)
    assert {p.document_path for p in passages_by_id(workspace.db, [drum.id])} == {"copy of b.md"}


def test_equal_passages_have_one_vector_and_one_hit_that_names_all_places(
    workspace: Workspace, folder: Path
) -> None:
    text = "# Warranty\n\nThe warranty lasts two years."
    (folder / "en-1.md").write_text(text + "\n\n# Weight\n\nIt weighs 66 kg.")
    (folder / "en-2.md").write_text(text + "\n\n# Weight\n\nIt weighs 73 kg.")
    report = add_folder(workspace, folder, embedder=EMBEDDER)

    every = [p for d in documents(workspace.db) for p in passages(workspace.db, document_id=d.id)]
    same = sorted(p.id for p in every if "two years" in p.text)
    assert len(same) == 2
    searched, _ = vectors(workspace.db, EMBEDDER.model_name)
    assert len(set(same) & set(searched)) == 1
    assert report.passages_total == len(searched) == len(every) - 1
    with Index.open(workspace, EMBEDDER) as index:
        hits = retrieve(index, EMBEDDER, ["How long does the warranty last?"], k=5)[0]
    first = next(hit for hit in hits if "two years" in hit.passage.text)
    assert (first.passage.document_path, first.places) == ("en-1.md", ("en-2.md",))

    (folder / "en-1.md").unlink()
    report = _add(workspace, folder)
    left = next(p for p in passages(workspace.db) if "two years" in p.text)
    assert left.document_path == "en-2.md"
    assert report.passages_new == 0  # the copy took over the vector
    assert left.id in vectors(workspace.db, EMBEDDER.model_name)[0]


def test_an_order_of_adding_makes_no_difference(
    workspace: Workspace, tmp_path: Path, folder: Path
) -> None:
    text = "# Warranty\n\nThe warranty lasts two years."
    for name in ("1.md", "2.md", "3.md"):
        (folder / name).write_text(f"{text}\n\n# Number\n\nIt is {name}.")
    _add(workspace, folder)
    with Workspace.create(tmp_path / "other" / ".domainsmith") as other:
        twin = tmp_path / "other" / "docs"
        twin.mkdir()
        for name in ("3.md", "1.md", "b.md", "2.md", "a.md"):
            shutil.copy(folder / name, twin / name)
            _add(other, twin)
        shutil.copy(folder / "1.md", twin / "0.md")
        _add(other, twin)
        (twin / "0.md").unlink()
        _add(other, twin)
        assert [p.id for p in passages(other.db)] == [p.id for p in passages(workspace.db)]
        found = [vectors(w.db, EMBEDDER.model_name)[0] for w in (other, workspace)]
        assert found[0] == found[1]


def test_files_within_files_follow_their_archive(workspace: Workspace, folder: Path) -> None:
    def pack(**members: str) -> None:
        with zipfile.ZipFile(folder / "z.zip", "w") as archive:
            for name, text in members.items():
                archive.writestr(f"in/{name}.md", text)

    pack(one="# One\n\nFirst.", two="# Two\n\nSecond.")
    assert _add(workspace, folder).documents_added == 4
    again = _add(workspace, folder)
    assert (again.unchanged, again.documents_added) == (4, 0)
    assert file_states(workspace.db, "docs")["z.zip"].paths == (
        "z.zip/in/one.md",
        "z.zip/in/two.md",
    )
    ids = {p.id for p in passages(workspace.db)}

    (folder / "z.zip").rename(folder / "y.zip")
    report = _add(workspace, folder)
    assert (report.renamed, report.documents_added, report.removed) == (2, 0, 0)
    assert {p.id for p in passages(workspace.db)} == ids
    (folder / "y.zip").rename(folder / "z.zip")
    _add(workspace, folder)

    pack(two="# Two\n\nSecond, changed.", three="# Three\n\nThird.")
    report = _add(workspace, folder)
    assert (report.documents_added, report.changed, report.removed) == (1, 1, 1)
    (folder / "z.zip").unlink()
    assert _add(workspace, folder).removed == 2
    assert {d.path for d in documents(workspace.db)} == {"a.md", "b.md"}


def test_unchanged_files_are_not_read(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(workspace, folder)
    hashed: list[str] = []
    monkeypatch.setattr(
        sources, "hash_file", lambda path: hashed.append(path.name) or sources_hash(path)
    )
    monkeypatch.setattr(sources.LimitedLoader, "load", lambda *_: pytest.fail("was loaded"))
    assert _add(workspace, folder).unchanged == 2
    assert hashed == []
    os.utime(folder / "a.md", ns=(5, 5))
    assert _add(workspace, folder).unchanged == 2
    assert hashed == ["a.md"]


sources_hash = sources.hash_file


def test_a_refused_file_is_not_tried_again_until_it_changes(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nonsense")
    first = _add(workspace, folder)
    with monkeypatch.context() as patched:
        patched.setattr(sources.LimitedLoader, "load", lambda *_: pytest.fail("was loaded"))
        assert _add(workspace, folder).failed == first.failed
    shutil.copy(folder / "a.md", folder / "broken.pdf")
    (folder / "broken.pdf").write_text("# Not a PDF")
    assert _add(workspace, folder).failed != ()
    (folder / "broken.pdf").unlink()
    assert _add(workspace, folder).failed == ()


@pytest.mark.parametrize(
    ("path", "title", "text", "version"),
    [
        ("民事诉讼法(2023-09-01).md", "", "", "2023-09-01"),
        ("manual_20240301.pdf", "", "", "2024-03-01"),
        ("Policy (March 3, 2024).docx", "", "", "2024-03-03"),
        ("报销制度（2023年9月）.docx", "", "", "2023-09"),
        ("refund-policy-v2.1.md", "", "", "v2.1"),
        ("report-2023.pdf", "", "", "2023"),
        ("a.md", "Handbook, 2nd revision 3", "", "v3"),
        (
            "a.md",
            "Handbook",
            "Effective: 1 July 2024\n\nOn 2019-05-05 it rained.",
            "2024-07-01",
        ),
        ("a.md", "条例", "2001年1月1日通过\n\n2011年2月8日修订", "2011-02-08"),
        ("E18-pump.md", "Pump WM-640", "It was 2019-05-05 when it broke.", ""),
    ],
)
def test_where_versions_show(path: str, title: str, text: str, version: str) -> None:
    assert find_version(path, title, text) == version


def test_versions_are_ordered_by_their_numbers() -> None:
    assert version_order("v2.10") > version_order("v2.9")
    assert version_order("2024-03") > version_order("2023-12-31")


def _policy(days: int) -> str:
    rest = "\n\n".join(f"Rule {n} about returns of article {n} stays as it was." for n in range(9))
    return f"# Refund policy\n\nA refund is paid within {days} days.\n\n{rest}"


def test_the_newer_version_is_preferred_unless_the_older_is_asked_for(
    workspace: Workspace, folder: Path
) -> None:
    (folder / "refund policy 2023-01-01.md").write_text(_policy(30))
    (folder / "refund policy 2024-06-01.md").write_text(_policy(14))
    (folder / "report 2023.md").write_text("# Report\n\nSales of drums rose in the north.")
    (folder / "report 2024.md").write_text("# Report\n\nNobody bought filters this time.")
    report = add_folder(workspace, folder, embedder=EMBEDDER)

    assert report.superseded == 1
    by_path = {d.path: d for d in documents(workspace.db)}
    old = by_path["refund policy 2023-01-01.md"]
    assert old.version == "2023-01-01"
    assert old.superseded_by == by_path["refund policy 2024-06-01.md"].id
    with Index.open(workspace, EMBEDDER) as index:

        def asked(question: str) -> str:
            return " ".join(h.passage.text for h in retrieve(index, EMBEDDER, [question], k=9)[0])

        assert "14 days" in asked("Within how many days is a refund paid?")
        assert "30 days" not in asked("Within how many days is a refund paid?")
        assert "30 days" in asked("Within how many days was a refund paid in 2023?")
        assert "30 days" in asked("What did the previous version say about a refund?")
        assert "drums rose" in asked("Which sales rose in the report?")
    assert hidden_documents(workspace.db, "以前的版本怎么规定退款？") == frozenset()

    (folder / "refund policy 2024-06-01.md").unlink()
    assert _add(workspace, folder).superseded == 0
    assert document(workspace.db, old.id).superseded_by == ""


def test_the_two_versions_of_a_statute_are_told_apart(workspace: Workspace, tmp_path: Path) -> None:
    if not (LAWS / "laws_md.tar.gz").is_file():
        pytest.skip(f"TEST DATA ABSENT: {LAWS} (set DOMAINSMITH_DATA); statutes not tested")
    import tarfile

    folder = tmp_path / "laws"
    wanted = ("未成年人保护法(", "反电信网络诈骗法(", "民法典/附则", "民法典/继承编")
    with tarfile.open(LAWS / "laws_md.tar.gz") as archive:
        chosen = [m for m in archive.getmembers() if any(word in m.name for word in wanted)]
        archive.extractall(folder, members=chosen, filter="data")

    _add(workspace, folder)

    older = [d for d in documents(workspace.db) if d.superseded_by]
    assert [d.path.rpartition("/")[2] for d in older] == ["未成年人保护法(2020-10-17).md"]
    newer = document(workspace.db, older[0].superseded_by)
    assert (newer.title, newer.version) == (older[0].title, "2024-04-26")


def test_a_git_checkout_gives_its_tracked_documents(
    workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            check=True,
            capture_output=True,
        )

    with pytest.raises(InputInvalid, match="no Git checkout"):
        _add(workspace, tmp_path, git=True)
    git("init", "-q")
    (folder / "data.csv").write_text("a,b\n1,2\n")
    (folder / "guide.rst").write_text("Guide\n=====\n\nRead this.\n")
    git("add", "a.md", "data.csv", "guide.rst")
    mark = folder / "ran"
    git("config", "core.fsmonitor", f"touch {mark}")

    _add(workspace, folder, git=True)

    assert {d.path for d in documents(workspace.db)} == {"a.md", "guide.rst"}
    assert not mark.exists()


def test_better_readers_read_unchanged_files_anew_once(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(workspace, folder)
    before = {p.id for p in passages(workspace.db)}
    monkeypatch.setattr(read_stamp, "READERS", 999)
    again = _add(workspace, folder)
    assert (again.unchanged, again.changed, again.passages_new) == (0, 2, 0)
    assert any("read anew" in note for _, note in again.notes)
    assert {p.id for p in passages(workspace.db)} == before
    assert _add(workspace, folder).unchanged == 2
    (workspace.index_dir / "read.json").unlink()
    assert _add(workspace, folder).unchanged == 2
