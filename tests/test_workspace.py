"""The workspace folder."""

import shutil
from pathlib import Path

import pytest

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.workspace import DEFAULT_FOLDER, Workspace


def test_create_is_idempotent_and_found_from_below(tmp_path: Path) -> None:
    root = tmp_path / "项目 one" / DEFAULT_FOLDER
    Workspace.create(root).close()
    Workspace.create(root).close()
    below = root.parent / "a" / "b"
    below.mkdir(parents=True)
    assert Workspace.find(below) == root
    assert Workspace.find(tmp_path) is None


def test_moved_workspace_opens_and_holds_no_absolute_path(tmp_path: Path) -> None:
    root = tmp_path / "first"
    Workspace.create(root).close()
    moved = tmp_path / "second"
    shutil.move(root, moved)
    with Workspace.open(moved) as workspace:
        assert workspace.index_dir.is_dir()
    for file in moved.rglob("*"):
        if file.is_file():
            assert str(tmp_path).encode() not in file.read_bytes()


def test_errors_are_clear(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound, match="No workspace here"):
        Workspace.open(tmp_path / "none")
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    with pytest.raises(InputInvalid, match="is a file"):
        Workspace.create(file)
