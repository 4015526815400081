from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hashed_words import HashedWords

from domainsmith.data_connection.watch import watch_folder
from domainsmith.errors import DomainSmithError, InputNotFound
from domainsmith.storage.documents import documents
from domainsmith.workspace import Workspace

NO_INDEX = SimpleNamespace(take_in=lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n\nOne.")
    return folder


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("poll", [False, True])
def test_changes_are_followed_in_one_run_each(tmp_path: Path, folder: Path, poll: bool) -> None:
    told: list[object] = []
    stop = threading.Event()

    def run() -> None:
        # The workspace lies in the folder: what it writes must not start another run.
        with Workspace.create(folder / "ws") as workspace:
            watch_folder(
                workspace, folder, embedder=HashedWords(), tell=told.append, quiet_seconds=0.2,
                stop=stop, index=NO_INDEX, poll=poll,
            )  # fmt: skip
            paths.update(d.path for d in documents(workspace.db))

    paths: set[str] = set()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        _until(lambda: len(told) == 1)
        time.sleep(0.8)  # the watcher takes up its post; nothing else happens
        assert len(told) == 1
        for name in ("b", "c", "d"):
            (folder / f"{name}.md").write_text(f"# {name}\n\nText {name}.")
        (folder / "a.md").unlink()
        (folder / ".hidden.md").write_text("x")
        _until(lambda: len(told) >= 2)
        time.sleep(0.6)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert sum(report.documents_added for report in told) == 4
    assert sum(report.removed for report in told) == 1
    assert len(told) <= 3
    assert paths == {"b.md", "c.md", "d.md"}


def test_a_failing_run_is_told_and_watching_goes_on(tmp_path: Path, folder: Path) -> None:
    told: list[object] = []
    stop = threading.Event()
    (folder / "a.md").unlink()

    def run() -> None:
        with Workspace.create(tmp_path / ".domainsmith") as workspace:
            watch_folder(
                workspace, folder, embedder=HashedWords(), tell=told.append, quiet_seconds=0.1,
                stop=stop, index=NO_INDEX,
            )  # fmt: skip

    thread = threading.Thread(target=run)
    thread.start()
    try:
        _until(lambda: len(told) == 1)
        assert isinstance(told[0], DomainSmithError)
        time.sleep(0.5)
        (folder / "a.md").write_text("# A\n\nBack.")
        _until(lambda: len(told) >= 2 and not isinstance(told[-1], DomainSmithError))
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with (
        Workspace.create(tmp_path / ".domainsmith") as workspace,
        pytest.raises(InputNotFound),
    ):
        watch_folder(workspace, tmp_path / "no", embedder=HashedWords(), tell=print)
