from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy
from hashed_words import HashedWords

from domainsmith.data_connection import sql_access
from domainsmith.data_connection.add_report import AddReport
from domainsmith.data_connection.databases import add_database
from domainsmith.data_connection.sql_address import is_database_url
from domainsmith.errors import (
    DependencyMissing,
    EndpointUnavailable,
    InputInvalid,
    InputNotFound,
    InputUnreadable,
)
from domainsmith.storage.documents import documents
from domainsmith.workspace import Workspace

NO_INDEX = SimpleNamespace(take_in=lambda: None)


@pytest.fixture
def workspace(tmp_path: Path):
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        yield workspace


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "shop data.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE parts (id INTEGER PRIMARY KEY, name TEXT, mass REAL, picture BLOB);
            INSERT INTO parts VALUES (1, 'pump | main', 4.5, x'00ff'), (2, '水泵', NULL, NULL);
            CREATE TABLE log (id INTEGER PRIMARY KEY, event TEXT);
            CREATE TABLE empty (a TEXT);
            CREATE VIEW heavy AS SELECT name FROM parts WHERE mass > 4;
            """
        )
        connection.executemany(
            "INSERT INTO log VALUES (?, ?)", [(n, f"event {n}") for n in range(1, 5001)]
        )
    connection.close()
    return path


def _add(workspace: Workspace, place: Path, **options) -> AddReport:
    return add_database(
        workspace, f"sqlite:///{place}", embedder=HashedWords(), index=NO_INDEX, **options
    )


def _texts(workspace: Workspace) -> dict[str, str]:
    return {d.path: d.text for d in documents(workspace.db)}


def test_tables_become_documents_and_follow_the_database(workspace: Workspace, place: Path) -> None:
    before = place.read_bytes()
    report = _add(workspace, place)

    texts = _texts(workspace)
    assert sorted(texts) == ["log", "parts"]
    assert "| 1 | pump \\| main | 4.5 | (2 bytes) |" in texts["parts"]
    assert ("empty", "The table holds no rows.") in report.notes
    assert place.read_bytes() == before
    assert _add(workspace, place).unchanged == 2

    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE parts SET mass = 5 WHERE id = 1")
        connection.execute("DROP TABLE log")
    connection.close()
    report = _add(workspace, place)
    assert (report.changed, report.removed) == (1, 1)


def test_a_server_that_goes_away_between_tables_is_told_of_the_table(
    workspace: Workspace, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect, asked = sqlalchemy.inspect, []

    def gone(engine: object) -> object:
        asked.append(engine)
        if len(asked) == 2:  # the list of the tables is there; the first of them is read
            raise sqlalchemy.exc.OperationalError("SELECT", {}, Exception("gone away"))
        return inspect(engine)

    monkeypatch.setattr(sqlalchemy, "inspect", gone)
    report = _add(workspace, place)
    assert [(item.path, "gone away" in item.reason) for item in report.failed] == [("empty", True)]
    assert report.documents_added == 2


def test_chosen_tables_views_and_a_query(workspace: Workspace, place: Path) -> None:
    _add(workspace, place, tables=["heavy"])
    assert list(_texts(workspace)) == ["heavy"]
    _add(workspace, place, query="SELECT name AS part FROM parts ORDER BY id", name="names")
    assert _texts(workspace)["names"].startswith("# names\n\n| part |")
    assert sorted(_texts(workspace)) == ["heavy", "names"]
    with pytest.raises(InputNotFound, match="nothing"):
        _add(workspace, place, tables=["nothing"])


def test_a_huge_table_is_sampled_evenly_and_says_so(workspace: Workspace, place: Path) -> None:
    report = _add(workspace, place, tables=["log"], max_rows=100)

    assert dict(report.notes)["log"] == "Sampled: 100 of 5000 rows were taken."
    rows = _texts(workspace)["log"].split("\n")[4:]
    ids = [int(row.split("|")[1]) for row in rows]
    assert (len(ids), ids[0], ids[-1]) == (100, 50, 5000)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM parts",
        "SELECT 1; DROP TABLE parts",
        "PRAGMA writable_schema = 1",
        "ATTACH 'x.db' AS x",
        "VACUUM INTO 'copy.db'",
        "WITH a AS (SELECT 1) DELETE FROM parts",
        "WITH a AS (SELECT 1) INSERT INTO parts (name) SELECT 'x'",
        "SELECT load_extension('x')",
        "/* SELECT */ UPDATE parts SET name = ''",
        "EXPLAIN DELETE FROM parts",
    ],
)
def test_nothing_but_reading_gets_through(
    workspace: Workspace, place: Path, statement: str
) -> None:
    before = place.read_bytes()
    with pytest.raises((InputInvalid, InputUnreadable)):
        _add(workspace, place, query=statement)
    assert place.read_bytes() == before
    assert sorted(p.name for p in place.parent.iterdir()) == [".domainsmith", place.name]


def test_an_endless_query_is_stopped(
    workspace: Workspace, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_access, "_SECONDS", 0.2)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    with pytest.raises(InputUnreadable, match="more than"):
        _add(workspace, place, query=endless)


def test_what_is_no_database_is_said(workspace: Workspace, place: Path, tmp_path: Path) -> None:
    assert is_database_url("sqlite:///a.db")
    assert not is_database_url("https://example.org")
    assert not is_database_url("C:/docs")
    with pytest.raises(InputNotFound):
        _add(workspace, tmp_path / "missing.db")
    (tmp_path / "text.db").write_text("no database at all, only words " * 50)
    with pytest.raises(EndpointUnavailable):
        _add(workspace, tmp_path / "text.db")

    def open_url(url: str) -> None:
        add_database(workspace, url, embedder=HashedWords(), index=NO_INDEX)

    with pytest.raises(InputInvalid, match="read-only"):
        open_url("mssql+pymssql://user:secret@host/db")
    with pytest.raises(DependencyMissing) as caught:
        open_url("postgresql+pg8000://user:secret@127.0.0.1/db")
    assert "secret" not in str(caught.value)
