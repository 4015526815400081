"""Real servers: what they let through, what they refuse, and what is said of it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

import pytest
from hashed_words import HashedWords
from sql_servers import SqlServer, mariadb, postgresql, program

from domainsmith.data_connection import sql_access
from domainsmith.data_connection.add_report import AddReport
from domainsmith.data_connection.databases import add_database, database_rows
from domainsmith.data_connection.sql_address import without_secrets
from domainsmith.data_connection.sql_reading import SqlRows
from domainsmith.data_connection.tables import database_tables
from domainsmith.errors import (
    DependencyMissing,
    DomainSmithError,
    EndpointUnavailable,
    InputInvalid,
    InputNotFound,
    InputUnreadable,
)
from domainsmith.storage.document_states import document_states
from domainsmith.storage.documents import documents
from domainsmith.workspace import Workspace

NO_INDEX = SimpleNamespace(take_in=lambda: None)
TABLES = {
    "postgresql": [
        "CREATE TABLE parts (id INT PRIMARY KEY, name TEXT, price NUMERIC(10,2), made TIMESTAMPTZ,"
        " until_ TIMESTAMPTZ, tags JSONB, picture BYTEA, sizes INT[])",
        "INSERT INTO parts VALUES (1, '水泵 | 100 % :a', 3.50, '2026-01-02 03:04:05+00',"
        """ 'infinity', '{"色": ["蓝", null]}', '\\x00ff', '{1,2}')""",
        "INSERT INTO parts (id) VALUES (2)",
        "CREATE TABLE log (id INT PRIMARY KEY, event TEXT)",
        "INSERT INTO log SELECT n, 'event ' || n FROM generate_series(1, 5000) n",
        "CREATE VIEW dear AS SELECT name FROM parts WHERE price > 3",
        "CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS parts FROM parts",
        "CREATE TABLE sold (day DATE, pieces INT) PARTITION BY RANGE (day)",
        "CREATE TABLE sold_2026 PARTITION OF sold FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "INSERT INTO sold VALUES ('2026-05-01', 7)",
        "CREATE TABLE columnless ()",
        "CREATE SCHEMA hr",
        "CREATE TABLE hr.people (id INT PRIMARY KEY, name TEXT)",
        "INSERT INTO hr.people VALUES (1, 'Ada')",
        "GRANT USAGE ON SCHEMA hr TO writer",
        "GRANT ALL ON ALL TABLES IN SCHEMA public, hr TO writer",
        "CREATE SEQUENCE numbers",
        "GRANT ALL ON SEQUENCE numbers TO writer",
        "CREATE FUNCTION spoil() RETURNS INT LANGUAGE SQL VOLATILE SECURITY DEFINER AS"
        " $$ UPDATE parts SET name = 'spoilt'; SELECT 1 $$",
    ],
    "mysql": [
        "CREATE TABLE parts (id INT PRIMARY KEY, name VARCHAR(50), price DECIMAL(10,2),"
        " made DATETIME, tags JSON, picture BLOB)",
        "INSERT INTO parts VALUES (1, '水泵 | 100 % :a', 3.50, '2026-01-02 03:04:05',"
        """ '{"色": ["蓝", null]}', x'00ff'), (2, NULL, NULL, NULL, NULL, NULL)""",
        "CREATE TABLE log (id INT PRIMARY KEY, event TEXT) ENGINE=MyISAM",
        "INSERT INTO log SELECT seq, CONCAT('event ', seq) FROM seq_1_to_5000",
        "CREATE VIEW dear AS SELECT name FROM parts WHERE price > 3",
        "CREATE SEQUENCE numbers",
        "CREATE FUNCTION spoil() RETURNS INT MODIFIES SQL DATA"
        " BEGIN UPDATE parts SET name = 'spoilt'; RETURN 1; END",
        "CREATE DATABASE hr",
        "CREATE TABLE hr.people (id INT PRIMARY KEY, name TEXT)",
        "INSERT INTO hr.people VALUES (1, 'Ada')",
        "GRANT ALL ON hr.* TO writer@'127.0.0.1'",
    ],
}
SLEEP = {"postgresql": "SELECT pg_sleep(20)", "mysql": "SELECT SLEEP(20) FROM parts"}
ENDLESS = {
    "postgresql": "SELECT count(*) FROM generate_series(1, 1000000000)",
    "mysql": "SELECT SUM(LENGTH(MD5(seq))) FROM seq_1_to_1000000000",
}


def _started(
    name: str, needed: str, server: Callable[[], AbstractContextManager[SqlServer]]
) -> Iterator[SqlServer]:
    if program(needed) is None:
        pytest.skip(f"{name} IS NOT TESTED: {needed} is not installed on this machine")
    with server() as running:
        running.execute(*TABLES[running.kind])
        yield running


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[SqlServer]:
    yield from _started("PostgreSQL", "initdb", postgresql)


@pytest.fixture(scope="module")
def mariadb_server() -> Iterator[SqlServer]:
    yield from _started("MariaDB", "mariadb-install-db", mariadb)


@pytest.fixture(params=["postgres_server", "mariadb_server"])
def server(request: pytest.FixtureRequest) -> SqlServer:
    return request.getfixturevalue(request.param)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        yield workspace


def _add(workspace: Workspace, url: str, **options) -> AddReport:
    return add_database(workspace, url, embedder=HashedWords(), index=NO_INDEX, **options)


def _query(server: SqlServer, query: str, **options) -> SqlRows:
    ((_, rows),) = database_rows(server.url(), query=query, **options)
    return rows


def _texts(workspace: Workspace) -> dict[str, str]:
    return {d.path: d.text for d in documents(workspace.db)}


def test_tables_become_documents_with_their_unicode_and_gaps(
    workspace: Workspace, server: SqlServer
) -> None:
    report = _add(workspace, server.url(), max_rows=100)

    texts = _texts(workspace)
    assert sorted(texts) == (
        ["log", "parts", "sold"] if server.kind == "postgresql" else ["log", "parts"]
    )
    assert "| 1 | 水泵 \\| 100 % :a | 3.50 | 2026-01-02 03:04:05" in texts["parts"]
    assert '{"色": ["蓝", null]}' in texts["parts"]
    assert "(2 bytes)" in texts["parts"]
    assert "\n| 2 |  |  |" in texts["parts"]
    assert dict(report.notes)["log"] == "Sampled: 100 of 5000 rows were taken."
    ids = [int(row.split("|")[1]) for row in texts["log"].split("\n")[4:]]
    assert (len(ids), ids[0], ids[-1]) == (100, 50, 5000)
    if server.kind == "postgresql":
        assert dict(report.notes)["columnless"] == "The table holds no rows."
    assert _add(workspace, server.url(), max_rows=100).unchanged == len(texts)
    assert not report.failed


def test_postgresql_has_infinite_dates_arrays_and_partitions(
    workspace: Workspace, postgres_server: SqlServer
) -> None:
    _add(workspace, postgres_server.url())
    texts = _texts(workspace)
    assert "| infinity |" in texts["parts"]
    assert "| [1, 2] |" in texts["parts"]
    assert "| 2026-05-01 | 7 |" in texts["sold"]  # once: a partition is no table of its own


def test_views_and_other_schemas_are_read_if_they_are_named(
    workspace: Workspace, server: SqlServer
) -> None:
    views = ["dear", "counted"] if server.kind == "postgresql" else ["dear"]
    _add(workspace, server.url(), tables=[*views, "hr.people"])
    assert "| 1 | Ada |" in _texts(workspace)["hr.people"]
    assert "水泵" in _texts(workspace)["dear"]
    report = _add(workspace, server.url(), tables=["parts"])
    assert (report.documents_added, report.removed) == (1, 0)  # what was named before is there
    with pytest.raises(InputNotFound, match=r"hr\.nothing"):
        _add(workspace, server.url(), tables=["hr.nothing"])


def test_a_huge_table_without_a_key_gives_its_beginning(server: SqlServer) -> None:
    writer = "GRANT ALL ON loose TO writer" if server.kind == "postgresql" else "SELECT 1"
    server.execute("CREATE TABLE loose (n INT)", writer)
    try:
        server.execute("INSERT INTO loose SELECT id FROM log")
        ((_, found),) = database_rows(server.url(), tables=["loose"], max_rows=7)
        assert len(found.rows) == 7
        assert found.notes == ["Sampled: only the first 7 of 5000 rows."]
    finally:
        server.execute("DROP TABLE loose")


def test_tables_for_questions_come_from_servers_too(server: SqlServer) -> None:
    (table,) = database_tables(server.url(), tables=["parts"])
    assert table.heads[:3] == ("id", "name", "price")
    assert [row[:3] for row in table.rows] == [("1", "水泵 | 100 % :a", "3.50"), ("2", "", "")]
    assert table.whole
    (query,) = database_tables(server.url(), query="SELECT id, event FROM log", max_rows=5)
    assert (len(query.rows), query.whole) == (5, False)


def test_a_query_is_taken_as_it_stands(workspace: Workspace, server: SqlServer) -> None:
    said = "SELECT id, name, '100%' AS a, ' :x' AS b, '%s' AS c FROM parts ORDER BY id;"
    assert _query(server, said).rows[0] == [1, "水泵 | 100 % :a", "100%", " :x", "%s"]
    _add(workspace, server.url(), query=said, name="names")
    assert _texts(workspace)["names"].startswith("# names\n\n| id | name | a | b | c |")


@pytest.mark.parametrize("limit", ["", " LIMIT 4000"])
def test_rows_beyond_the_limit_are_told(server: SqlServer, limit: str) -> None:
    found = _query(server, f"SELECT id FROM log ORDER BY id{limit}", max_rows=10)
    assert found.rows == [[n] for n in range(1, 11)]
    assert found.notes == ["Only the first 10 rows were taken."]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO parts (id) VALUES (3)",
        "SELECT 1; UPDATE parts SET name = 'spoilt'",
        "WITH a AS (SELECT 1) INSERT INTO parts (id) SELECT 3",
        "WITH a AS (SELECT 1) UPDATE parts SET name = 'spoilt'",
        "WITH a AS (UPDATE parts SET name = 'spoilt' RETURNING id) SELECT * FROM a",
        "WITH a AS (SELECT 1) DELETE FROM log",
        "SELECT spoil()",
        "SELECT * FROM (SELECT spoil()) AS a",
        "SELECT * INTO copy FROM parts",
        "SELECT nextval('numbers')",
        "SELECT NEXTVAL(numbers)",
        "SELECT setval('numbers', 99)",
        "SELECT SETVAL(numbers, 99)",
        "SELECT * FROM parts FOR UPDATE",
        "SELECT lo_creat(-1)",
        "SELECT lo_export(1, '/tmp/spoilt')",
        "SELECT set_config('transaction_read_only', 'off', true), spoil()",
        "SELECT query_to_xml('UPDATE parts SET name = ''spoilt''', true, true, '')",
        "SELECT dblink_exec('dbname=shop', 'DELETE FROM parts')",
        "SELECT 'x' INTO OUTFILE '/tmp/spoilt'",
        "SELECT 'x' INTO/**/DUMPFILE '/tmp/spoilt'",
    ],
)
def test_nothing_is_changed_by_a_query(server: SqlServer, statement: str) -> None:
    state = (
        "SELECT count(*), min(name), max(name) FROM parts",
        "SELECT count(*) FROM log",
        "SELECT last_value FROM numbers"
        if server.kind == "postgresql"
        else "SELECT next_not_cached_value FROM numbers",
        "SELECT count(*) FROM information_schema.tables",
    )
    before = [server.execute(one) for one in state]
    with pytest.raises((InputInvalid, InputUnreadable)):
        _query(server, statement)
    assert [server.execute(one) for one in state] == before


@pytest.mark.parametrize("option", ["autocommit=true", "options=-c%20transaction_read_only%3Doff"])
def test_options_of_the_address_do_not_make_it_writable(server: SqlServer, option: str) -> None:
    before = server.execute("SELECT count(*), max(name) FROM parts")
    with pytest.raises(DomainSmithError):
        list(database_rows(f"{server.url()}?{option}", query="SELECT spoil()"))
    assert server.execute("SELECT count(*), max(name) FROM parts") == before


@pytest.mark.parametrize("endless", [True, False])
def test_a_statement_that_takes_too_long_is_stopped_and_told(
    server: SqlServer, monkeypatch: pytest.MonkeyPatch, endless: bool
) -> None:
    monkeypatch.setattr(sql_access, "_SECONDS", 0.3)
    with pytest.raises(InputUnreadable, match=r"took more than 0\.3 seconds"):
        _query(server, (ENDLESS if endless else SLEEP)[server.kind])
    assert _query(server, "SELECT 1 AS one").rows == [[1]]


def test_what_cannot_be_reached_is_said_without_the_password(server: SqlServer) -> None:
    cases = {
        server.url(password="wrong%2Fsecret"): ("writer", "password"),
        server.url(user="stranger"): ("stranger", "password"),
        server.url(database="nowhere"): ("nowhere", "Check"),
        server.url().replace("127.0.0.1", "no-such-host.invalid"): ("no-such-host", "Check host"),
        server.url().replace(f":{server.port}", ":1"): ("refused", "Check host and port"),
        f"{server.url()}?sslpassword=secret&nonsense=1": ("option", ""),
    }
    for url, words in cases.items():
        with pytest.raises((EndpointUnavailable, InputInvalid)) as caught:
            list(database_rows(url))
        said = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert all(word in str(caught.value) for word in words), str(caught.value)
        assert "secret" not in said


def test_the_password_is_stored_nowhere(workspace: Workspace, server: SqlServer) -> None:
    url = f"{server.url()}?connect_timeout=5"
    _add(workspace, url, tables=["parts"])
    (key,) = {source for (source,) in workspace.db.read().execute("SELECT folder FROM sources")}
    assert document_states(workspace.db, key)
    assert "connect_timeout=5" in key
    workspace.db.close()
    for path in workspace.root.rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes(), path


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:top@secret@127.0.0.1/db",
        "postgresql://user:secret@127.0.0.1:port/db",
        "postgresql://user:secret@[::1/db",
        "postgresql:/secret",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        list(database_rows(url))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("postgres://user:secret@127.0.0.1/db", "psycopg", "domainsmith[postgres]"),
        ("mariadb://user:secret@127.0.0.1/db", "pymysql", "domainsmith[mysql]"),
    ],
)
def test_a_missing_driver_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DependencyMissing) as caught:
        list(database_rows(url))
    assert extra in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_asynchronous_driver_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", SimpleNamespace())
    with pytest.raises((InputInvalid, DependencyMissing)):
        list(database_rows("postgresql+asyncpg://user:secret@127.0.0.1/db"))


def test_an_address_is_stored_without_its_secrets() -> None:
    address = "postgresql://me:secret@host/db?password=secret&sslmode=require"
    assert without_secrets(address) == "postgresql://me:***@host/db?sslmode=require"
    assert without_secrets("mysql://me:a@secret@host/db") == "mysql:..."
    assert without_secrets("sqlite:///shop.db") == "sqlite:///shop.db"
    assert without_secrets("a text, and no address") == "a text, and no address"
