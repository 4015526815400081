"""Hostile and broken input: reported, the index consistent, the rest done."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hashed_words import HashedWords

from domainsmith.data_connection import scan as scanning
from domainsmith.data_connection import sources
from domainsmith.data_connection.add_report import AddReport
from domainsmith.data_connection.limited import LimitedLoader
from domainsmith.data_connection.sources import add_folder
from domainsmith.errors import InputUnreadable, ResourceExhausted
from domainsmith.storage.documents import documents, missing_vectors, passages
from domainsmith.workspace import Workspace

EMBEDDER = HashedWords()
NO_INDEX = SimpleNamespace(take_in=lambda: None)


@pytest.fixture
def workspace(tmp_path: Path):
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        yield workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a good file, whose name comes first and last in any order."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("0-first.md", "z-last.md"):
        (folder / name).write_text(f"# {name}\n\nWords of the good file {name}.")
    return folder


def _add(workspace: Workspace, folder: Path) -> AddReport:
    report = add_folder(workspace, folder, embedder=EMBEDDER, index=NO_INDEX)
    _is_consistent(workspace)
    return report


def _is_consistent(workspace: Workspace) -> None:
    workspace.db.check()
    assert not missing_vectors(workspace.db, EMBEDDER.model_name)
    held = {p.document_id for p in passages(workspace.db)}
    assert held <= {d.id for d in documents(workspace.db)}


def _reason(report: AddReport, name: str) -> str:
    return next(item.reason for item in report.failed if item.path == name)


def _good(workspace: Workspace) -> set[str]:
    return {d.path for d in documents(workspace.db)} & {"0-first.md", "z-last.md"}


def test_files_that_are_too_large_are_refused_unread(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "b.pdf", "c.zip"):
        with (folder / name).open("wb") as file:
            file.truncate(2 * 1024**3)
    hashed: list[str] = []
    hash_file = sources.hash_file
    monkeypatch.setattr(
        sources, "hash_file", lambda path: hashed.append(path.name) or hash_file(path)
    )

    report = _add(workspace, folder)

    assert len(report.failed) == 3
    assert all("bytes" in item.reason for item in report.failed)
    assert set(hashed) == _good(workspace) == {"0-first.md", "z-last.md"}


def test_bombs_cost_themselves_only(workspace: Workspace, folder: Path) -> None:
    flat = b"0" * 80_000_000
    with zipfile.ZipFile(folder / "flat.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", flat)
    with zipfile.ZipFile(folder / "office.pptx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ppt/presentation.xml", flat)
    inner = (folder / "flat.zip").read_bytes()
    with zipfile.ZipFile(folder / "nested.zip", "w") as archive:
        archive.writestr("inner.zip", inner)
        archive.writestr("good.md", "# Good\n\nWords.")
    # The folder of this archive says that the member has 10 bytes.
    data = bytearray(inner)
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = data.index(mark) + offset
        data[place : place + 4] = (10).to_bytes(4, "little")
    (folder / "liar.zip").write_bytes(bytes(data))

    report = _add(workspace, folder)

    assert "bomb" in _reason(report, "flat.zip")
    assert "bomb" in _reason(report, "office.pptx")
    assert "a.txt" in _reason(report, "liar.zip")
    assert any("bomb" in note for path, note in report.notes if path == "nested.zip")
    assert "nested.zip/good.md" in {d.path for d in documents(workspace.db)}
    assert len(_good(workspace)) == 2


def _pdf_with_objects(path: Path, count: int) -> None:
    body = bytearray(b"%PDF-1.4\n")
    places = []
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
        b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        b"<</Length 53>>stream\nBT /F 12 Tf 10 100 Td (Words of a very full file) Tj ET\nendstream",
    ]
    for number in range(1, count + 1):
        places.append(len(body))
        content = objects[number - 1] if number <= len(objects) else b"null"
        body += b"%d 0 obj%s endobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (count + 1)
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (count + 1, start)
    path.write_bytes(body)


def test_a_pdf_with_very_many_objects_is_read(tmp_path: Path) -> None:
    # A million takes 15 seconds and is read too; a tenth of it keeps this test fast.
    _pdf_with_objects(tmp_path / "a.pdf", 100_000)
    with LimitedLoader() as loader:
        assert "very full file" in loader.load(tmp_path / "a.pdf").text


def test_tables_out_of_all_proportion(workspace: Workspace, folder: Path) -> None:
    header = ",".join(f"c{n}" for n in range(100_000))
    (folder / "wide.csv").write_text(f"{header}\n{','.join('1' * 100_000)}\n")
    block = "".join(f"{n},name {n % 97}\n" for n in range(100_000)).encode()
    with (folder / "long.csv").open("wb") as file:
        file.write(b"id,name\n")
        for _ in range(100):
            file.write(block)
    (folder / "line.csv").write_bytes(b"a,b\n" + b"x" * 30_000_000)

    with LimitedLoader() as loader:
        long = loader.load(folder / "long.csv")
        with pytest.raises(InputUnreadable, match="columns"):
            loader.load(folder / "wide.csv")
        with pytest.raises(InputUnreadable, match="too long"):
            loader.load(folder / "line.csv")

    assert len(long.text.split("\n")) == 20_002
    about = int(long.notes[0].split("about ")[1].split()[0])
    assert abs(about - 10_000_000) < 500_000


def test_links_in_circles_are_told(workspace: Workspace, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "a.md").symlink_to(folder / "b.md")
    (folder / "b.md").symlink_to(folder / "a.md")
    (folder / "self.txt").symlink_to(folder / "self.txt")

    report = _add(workspace, folder)

    assert {item.path for item in report.failed} == {"a.md", "b.md", "self.txt"}
    assert ("sub/up", "It is a link to a folder, which is not followed.") in report.notes
    assert len(_good(workspace)) == 2


def test_a_file_that_changes_while_it_is_read(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = folder / "growing.md"
    growing.write_text("# Log\n\nOne.")
    load = LimitedLoader.load

    def load_and_grow(self: LimitedLoader, path: Path):
        loaded = load(self, path)
        if path == growing:
            growing.write_text(growing.read_text() + " More.")
        return loaded

    with monkeypatch.context() as patched:
        patched.setattr(LimitedLoader, "load", load_and_grow)
        assert "changed while" in _reason(_add(workspace, folder), "growing.md")
    assert len(_good(workspace)) == 2

    def load_and_remove(self: LimitedLoader, path: Path):
        loaded = load(self, path)
        if path == growing:
            growing.unlink()
        return loaded

    with monkeypatch.context() as patched:
        patched.setattr(LimitedLoader, "load", load_and_remove)
        assert "vanished" in _reason(_add(workspace, folder), "growing.md")
    growing.write_text("# Log\n\nTwo.")
    assert _add(workspace, folder).documents_added == 1


def test_what_may_not_be_read_is_named(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Tests may run as root, whom no permission bit stops, so the system's refusals are played.
    (folder / "secret.md").write_text("# Secret")
    (folder / "closed").mkdir()
    (folder / "closed" / "c.md").write_text("# C")
    hash_file, scandir = sources.hash_file, os.scandir

    def refuse_file(path: Path) -> str:
        if path.name == "secret.md":
            raise PermissionError(13, "Permission denied", str(path))
        return hash_file(path)

    def refuse_folder(path="."):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(sources, "hash_file", refuse_file)
    monkeypatch.setattr(scanning.os, "scandir", refuse_folder)

    report = _add(workspace, folder)

    assert {item.path for item in report.failed} == {"closed", "secret.md"}
    assert all("ermission" in item.reason for item in report.failed)
    assert len(_good(workspace)) == 2


def test_a_known_file_in_a_folder_that_cannot_be_listed_stays(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "closed").mkdir()
    (folder / "closed" / "c.md").write_text("# C\n\nWords.")
    _add(workspace, folder)
    scandir = os.scandir

    def refuse(path="."):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(scanning.os, "scandir", refuse)
    assert _add(workspace, folder).removed == 0
    assert "closed/c.md" in {d.path for d in documents(workspace.db)}


def test_a_full_disk_loses_nothing_and_the_rest_follows(workspace: Workspace, folder: Path) -> None:
    for number in range(12):
        text = "\n\n".join(f"Sentence {n} of file {number} is here." for n in range(400))
        (folder / f"m{number:02}.md").write_text(f"# File {number}\n\n{text}")
    connection = workspace.db.read()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 60}")

    with pytest.raises(ResourceExhausted):
        _add(workspace, folder)

    workspace.db.check()
    stored = {d.path for d in documents(workspace.db)}
    assert "0-first.md" in stored
    assert len(stored) < 14
    connection.execute("PRAGMA max_page_count = 1000000")
    report = _add(workspace, folder)
    assert (report.documents_added, report.unchanged) == (14 - len(stored), len(stored))
