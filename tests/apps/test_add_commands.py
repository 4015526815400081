"""``add`` of other sources, ``watch`` and ``passages`` on the command line."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from domainsmith.apps.cli.main import main
from domainsmith.data_connection import watch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("# Pump\n\nThe tap is blue.\n\n## Filter\n\nClean it weekly.")
    (folder / "b.doc").write_bytes(b"old")
    return folder


def _run(tmp_path: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    code = main(["--workspace", str(tmp_path / "ws"), "--json", *arguments])
    reply = json.loads(capsys.readouterr().out)
    assert reply["ok"] == (code == 0)
    return reply


def test_passages_are_shown_and_nothing_is_stored(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _run(tmp_path, capsys, "passages", str(folder))["data"]

    assert (data["passages"], data["failed"]) == (2, 1)
    shown = next(d for d in data["documents"] if d["path"] == "a.md")["passages"]
    assert [p["header"] for p in shown] == ["Pump", "Pump > Filter"]
    assert shown[0]["tokens"] > 3
    assert not (tmp_path / "ws").exists()
    assert main(["passages", str(folder / "a.md"), "--limit", "1"]) == 0
    out, err = capsys.readouterr()
    assert "a.md: 2 passages" in out
    assert "The tap is blue." in out
    assert "1 more passage;" in err
    assert main(["passages", str(folder / "b.doc")]) == 1
    assert "docx" in capsys.readouterr().err


def test_a_database_and_a_checkout_are_added(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("CREATE TABLE parts (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("INSERT INTO parts VALUES (1, 'pump')")
    connection.close()
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    assert _run(tmp_path, capsys, "add", url, "--table", "parts")["data"]["added"] == 1
    reply = _run(tmp_path, capsys, "add", url, "--query", "DELETE FROM parts")
    assert reply["error"]["exit_code"] == 2
    assert not _run(tmp_path, capsys, "add", str(folder), "--table", "x")["ok"]
    subprocess.run(["git", "-C", str(folder), "init", "-q"], check=True)
    subprocess.run(["git", "-C", str(folder), "add", "a.md"], check=True)
    data = _run(tmp_path, capsys, "add", "--git", str(folder))["data"]
    assert (data["added"], data["failed"]) == (1, [])
    data = _run(tmp_path, capsys, "add", str(folder))["data"]
    assert ["b.doc", "It is in an old binary Office format; save it as .docx."] in data["notes"]


def test_web_pages_are_off_by_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.txt").write_text("https://example.org/\n")
    reply = _run(tmp_path, capsys, "add", "--urls", str(tmp_path / "list.txt"))
    assert reply["error"]["type"] == "ApprovalDenied"
    assert "url_sources" in reply["error"]["fix"]


def test_watch_prints_what_each_run_did_and_ends_on_interrupt(
    tmp_path: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "_until_changed", interrupted)
    assert main(["--workspace", str(tmp_path / "ws"), "watch", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert "1 added" in out
    assert "stopped watching" in err
    (folder / "broken.pdf").write_bytes(b"%PDF-")
    (folder / "a.md").unlink()
    data = _run(tmp_path, capsys, "watch", str(folder), "--runs", "1")["data"]
    assert "Not one file could be loaded" in data["runs"][0]["error"]


def test_documents_that_the_embedder_does_not_know_are_pointed_out(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path, capsys, "add", str(folder))["data"]["hint"] == ""
    (folder / "c.md").write_text("# 水泵\n\n家中线路要装 13 安的慢断保险丝。", encoding="utf-8")
    assert "multilingual" in _run(tmp_path, capsys, "add", str(folder))["data"]["hint"]
    assert main(["--workspace", str(tmp_path / "ws"), "add", str(folder)]) == 0
    assert "note: Many passages are Chinese" in capsys.readouterr().err
