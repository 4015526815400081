from __future__ import annotations

import os
from pathlib import Path

import pytest
from hashed_words import HashedWords

from domainsmith.data_connection.sources import AddReport, add_folder
from domainsmith.errors import InputEmpty, InputNotFound, InputUnreadable
from domainsmith.storage.documents import documents, missing_vectors, passages
from domainsmith.storage.locks import try_hold
from domainsmith.workspace import Workspace

EMBEDDER = HashedWords()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.md").write_text("# A\n\nThe tap is blue.", encoding="utf-8")
    (folder / "sub" / "b.txt").write_text("水泵堵塞时请清理滤网。", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nonsense")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


@pytest.fixture
def workspace(tmp_path: Path):
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        yield workspace


def _add(workspace: Workspace, path: Path, **options: int) -> AddReport:
    return add_folder(workspace, path, embedder=EMBEDDER, **options)


def test_good_files_are_added_and_a_broken_one_is_reported(
    workspace: Workspace, folder: Path
) -> None:
    report = _add(workspace, folder)

    assert (report.documents_added, report.passages_total, report.passages_new) == (2, 2, 2)
    assert [item.path for item in report.failed] == ["broken.pdf"]
    assert report.skipped == ("picture.png",)
    assert {d.path: d.language for d in documents(workspace.db)} == {
        "a.md": "en",
        "sub/b.txt": "zh",
    }
    assert not missing_vectors(workspace.db, EMBEDDER.model_name)


def test_again_changes_nothing_then_follows_every_change(
    workspace: Workspace, folder: Path
) -> None:
    _add(workspace, folder)
    before = [p.id for p in passages(workspace.db)]
    again = _add(workspace, folder)
    assert (again.unchanged, again.passages_new) == (2, 0)
    assert [p.id for p in passages(workspace.db)] == before

    os.utime(folder / "a.md", ns=(1, 1))  # touched, equal content
    (folder / "sub" / "b.txt").write_text("水泵已经换新，请重新启动。", encoding="utf-8")
    (folder / "c.csv").write_text("code,cause\nE1,tap\n", encoding="utf-8")
    report = _add(workspace, folder)
    assert (report.unchanged, report.changed, report.documents_added) == (1, 1, 1)

    (folder / "a.md").unlink()
    assert _add(workspace, folder).removed == 1
    assert {d.path for d in documents(workspace.db)} == {"sub/b.txt", "c.csv"}


def test_chunk_size_is_no_dead_setting_for_stored_documents(
    workspace: Workspace, folder: Path
) -> None:
    text = "".join(f"The tap number {n} is blue today. " for n in range(40))
    (folder / "a.md").write_text(text, encoding="utf-8")
    wide = _add(workspace, folder)

    narrow = _add(workspace, folder, chunk_tokens=20)

    assert narrow.unchanged == 2
    assert narrow.passages_total > wide.passages_total


def test_a_single_file_removes_no_other(workspace: Workspace, folder: Path) -> None:
    _add(workspace, folder)

    report = _add(workspace, folder / "a.md")

    assert (report.unchanged, report.removed) == (1, 0)
    assert len(documents(workspace.db)) == 2


def test_an_emptied_folder_loses_nothing(workspace: Workspace, folder: Path) -> None:
    _add(workspace, folder)
    for name in ("a.md", "sub/b.txt", "broken.pdf"):
        (folder / name).unlink()

    with pytest.raises(InputEmpty):
        _add(workspace, folder)
    assert len(documents(workspace.db)) == 2


def test_a_known_file_that_breaks_keeps_its_old_version(workspace: Workspace, folder: Path) -> None:
    _add(workspace, folder)
    (folder / "a.md").write_bytes(bytes(range(32)) * 20)

    report = _add(workspace, folder)

    assert "a.md" in [item.path for item in report.failed]
    assert {d.path for d in documents(workspace.db)} == {"a.md", "sub/b.txt"}


def test_bad_input_names_what_is_wrong(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InputNotFound):
        _add(workspace, tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputEmpty, match="Supported"):
        _add(workspace, tmp_path / "empty")
    (tmp_path / "empty" / "x.pdf").write_bytes(b"%PDF-")
    with pytest.raises(InputUnreadable, match=r"Not one file.*x\.pdf"):
        _add(workspace, tmp_path / "empty")


def test_a_link_to_outside_is_not_followed(
    workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")

    report = _add(workspace, folder)

    assert "link.txt" in [item.path for item in report.failed]


def test_an_interrupted_run_continues(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dies(HashedWords):
        def embed(self, texts):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_folder(workspace, folder, embedder=Dies())
    assert len(passages(workspace.db)) == 2
    free = try_hold(workspace.root / "add.lock", purpose="test")
    assert free is not None
    free.release()

    report = _add(workspace, folder)

    assert (report.unchanged, report.passages_new) == (2, 2)
