from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from domainsmith.data_connection.limited import LimitedLoader, LoadLimits
from domainsmith.data_connection.loaders import SUFFIXES
from domainsmith.errors import DomainSmithError, InputNotFound, InputUnreadable

DATA = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))


def test_one_child_loads_many_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one", encoding="utf-8")
    with LimitedLoader() as loader:
        assert loader.load(tmp_path / "a.txt").text == "one"
        child = loader._child
        assert loader.load(tmp_path / "a.txt").text == "one"
        assert loader._child is child
        with pytest.raises(InputNotFound):
            loader.load(tmp_path / "missing.txt")


def test_a_dead_child_fails_only_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one", encoding="utf-8")
    with LimitedLoader() as loader:
        loader.load(tmp_path / "a.txt")
        assert loader._child is not None
        pid = loader._child.pid
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(InputUnreadable, match="died"):
            loader.load(tmp_path / "a.txt")
        assert loader.load(tmp_path / "a.txt").text == "one"


def test_memory_limit_is_an_error_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_bytes(b"word " * 20_000_000)
    (tmp_path / "a.txt").write_text("one", encoding="utf-8")
    with LimitedLoader(LoadLimits(memory_bytes=256 * 1024**2)) as loader:
        with pytest.raises(InputUnreadable):
            loader.load(tmp_path / "big.txt")
        assert loader.load(tmp_path / "a.txt").text == "one"


def test_a_hanging_child_is_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")  # size 0, so it is refused before it is read
    (tmp_path / "b.txt").write_text("one", encoding="utf-8")
    with LimitedLoader(LoadLimits(wall_seconds=20)) as loader:
        loader.load(tmp_path / "b.txt")
        assert loader._child is not None
        os.kill(loader._child.pid, signal.SIGSTOP)
        loader._limits = LoadLimits(wall_seconds=0.2)
        began = time.monotonic()
        with pytest.raises(InputUnreadable, match="more than"):
            loader.load(tmp_path / "b.txt")
        assert time.monotonic() - began < 5


def test_messy_documents_load_or_are_reported() -> None:
    folder = DATA / "messy_docs"
    if not folder.is_dir():
        pytest.skip(f"TEST DATA ABSENT: {folder} (set DOMAINSMITH_DATA); messy files not tested")
    loaded = 0
    failed: dict[str, str] = {}
    with LimitedLoader(LoadLimits(wall_seconds=60)) as loader:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in SUFFIXES or not path.is_file():
                continue
            try:
                assert loader.load(path).text.strip()
                loaded += 1
            except DomainSmithError as error:
                failed[path.name] = str(error)
    assert loaded >= 70
    for name, reason in {
        "password.pdf": "encrypted",
        "password_protected.xlsx": "encrypted",
        "imagemagick-images.pdf": "scan",
        "empty.txt": "empty",
        "empty.xlsx": "no text",
    }.items():
        assert reason in failed[name]
    assert not any("died" in reason or "more than" in reason for reason in failed.values())
