from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from domainsmith.data_connection.limited import LimitedLoader, LoadLimits
from domainsmith.errors import InputNotFound, InputUnreadable


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


def test_the_child_runs_no_code_of_the_folder_it_is_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "html.py").write_text("open('ran', 'w').close()\nraise SystemExit\n", "utf-8")
    (tmp_path / "a.html").write_text("<p>one</p>", "utf-8")
    monkeypatch.chdir(tmp_path)
    with LimitedLoader() as loader:
        assert loader.load(tmp_path / "a.html").text.strip() == "one"
    assert not (tmp_path / "ran").exists()
