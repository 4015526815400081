# ruff: noqa: PT012 - blocks that fail in their middle are what is tested
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from domainsmith.errors import (
    ArtifactCorrupt,
    InputUnreadable,
    InternalError,
    ResourceExhausted,
    WorkspaceLocked,
)
from domainsmith.storage.database import Database
from reliability.forked import run_forked

SCRATCH = "CREATE TABLE scratch (id INTEGER PRIMARY KEY, value TEXT UNIQUE)"


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path / "state.sqlite") as opened:
        with opened.write() as connection:
            connection.execute(SCRATCH)
        yield opened


def values(db: Database) -> list[str]:
    return [row[0] for row in db.read().execute("SELECT value FROM scratch ORDER BY id")]


def insert(db: Database, value: str) -> None:
    with db.write() as connection:
        connection.execute("INSERT INTO scratch (value) VALUES (?)", (value,))


def test_settings_of_a_connection(db):
    settings = {
        name: db.read().execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_a_failed_block_changes_nothing(db):
    insert(db, "kept")
    with pytest.raises(KeyError), db.write() as connection:
        connection.execute("INSERT INTO scratch (value) VALUES ('lost')")
        raise KeyError
    assert values(db) == ["kept"]
    insert(db, "after")
    assert values(db) == ["kept", "after"]


def test_an_inner_block_can_fail_alone(db):
    with db.write():
        insert(db, "outer")
        with pytest.raises(KeyError), db.write():
            insert(db, "inner")
            with db.write():
                insert(db, "innermost")
            raise KeyError
        insert(db, "outer again")
    assert values(db) == ["outer", "outer again"]


def test_an_outer_failure_undoes_the_inner_block(db):
    with pytest.raises(KeyError), db.write():
        with db.write():
            insert(db, "inner")
        raise KeyError
    assert values(db) == []


def test_a_snapshot_does_not_move(db):
    insert(db, "one")
    with db.snapshot() as connection:
        first = connection.execute("SELECT count(*) FROM scratch").fetchone()
        thread = threading.Thread(target=insert, args=(db, "two"))
        thread.start()
        thread.join()
        with db.snapshot() as same:
            assert same.execute("SELECT count(*) FROM scratch").fetchone() == first
    assert values(db) == ["one", "two"]


def test_each_thread_has_its_connection_and_gives_it_back(db):
    seen = []
    for _ in range(3):
        thread = threading.Thread(target=lambda: seen.append(db.read()))
        thread.start()
        thread.join()
    assert db.read() is db.read()
    assert len({id(connection) for connection in [*seen, db.read()]}) == 4
    assert len(db._connections) <= 2
    with pytest.raises(sqlite3.ProgrammingError):
        sqlite3.Connection.execute(seen[0], "SELECT 1")


def test_threads_write_at_once(db):
    def work(name: int) -> None:
        for number in range(25):
            insert(db, f"{name} {number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(values(db)) == 100


_WRITER = """
import sys
from pathlib import Path
from domainsmith.storage.database import Database
with Database.open(Path(sys.argv[1])) as db:
    for number in range(50):
        with db.write() as connection:
            count = connection.execute("SELECT count(*) FROM scratch").fetchone()[0]
            row = (count + 1, f"{sys.argv[2]} {number}")
            connection.execute("INSERT INTO scratch (id, value) VALUES (?, ?)", row)
"""


def test_four_processes_read_and_write_at_once(db):
    """Each writes what it has counted: a lost turn would break the primary key."""
    children = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(db.path), str(name)])
        for name in range(4)
    ]
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    assert len(values(db)) == 200
    assert db.read().execute("SELECT max(id) FROM scratch").fetchone() == (200,)
    db.check()


def test_processes_open_a_new_database_at_once(tmp_path):
    code = "import sys; from pathlib import Path; from domainsmith.storage.database import Database"
    code += "; Database.open(Path(sys.argv[1])).close()"
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "new.sqlite")])
        for _ in range(4)
    ]
    assert [child.wait() for child in children] == [0, 0, 0, 0]


def test_a_writer_that_does_not_end_is_told(tmp_path, db):
    with Database.open(db.path, busy_timeout_s=0.1) as impatient:

        def write() -> None:
            with impatient.write():
                pass

        with db.write(), pytest.raises(WorkspaceLocked, match="writing to the database"):
            write()
        write()


def test_a_forked_child_gets_its_own_connection(db):
    insert(db, "parent")

    def look() -> None:
        assert values(db) == ["parent"]

    def work() -> None:
        insert(db, "child")

    with db.write() as connection:
        connection.execute("INSERT INTO scratch (value) VALUES ('during')")
        # The child may read, and leaves the parent's transaction alone.
        assert not run_forked(look).error
    assert not run_forked(work).error
    assert values(db) == ["parent", "during", "child"]


def test_a_commit_is_all_or_nothing_at_every_crash_point(db):
    db.close()
    with Database.open(db.path) as keeper:  # keeps the WAL from being removed between children
        for point in range(1, 200):
            outcome = run_forked(work_on(db.path), root=db.path.parent, fault_at=point)
            assert not outcome.error
            assert len(values(keeper)) % 3 == 0
            if not outcome.killed:
                break
        keeper.check()
        assert point > 5


def work_on(path: Path):
    def work() -> None:
        with Database.open(path) as db, db.write() as connection:
            for part in range(3):
                value = f"{os.getpid()} {part} {'x' * 3000}"
                connection.execute("INSERT INTO scratch (value) VALUES (?)", (value,))

    return work


@pytest.mark.parametrize("fault", ["full", "full-once"])
def test_a_full_disk_loses_nothing_at_any_point(db, fault):
    failures = 0
    for point in range(1, 12):
        before = values(db)
        outcome = run_forked(work_on(db.path), root=db.path.parent, fault_at=point, fault=fault)
        if outcome.error:
            failures += 1
            assert "ResourceExhausted: The disk is full" in outcome.error
            assert values(db) == before
        else:
            assert len(values(db)) == len(before) + 3
    assert failures >= 1
    db.check()
    insert(db, "afterwards")


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs mount rights")
def test_a_really_full_disk(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], check=False
    )
    if mounted.returncode:
        pytest.skip("mount is not allowed here")
    try:
        with Database.open(small / "state.sqlite") as db:
            with db.write() as connection:
                connection.execute(SCRATCH)
            stored = 0
            with pytest.raises(ResourceExhausted, match="disk is full"):
                for number in range(1000):
                    insert(db, f"{number} {'x' * 20_000}")
                    stored += 1
            assert stored > 5
            assert len(values(db)) == stored
            db.check()
            with pytest.raises(ResourceExhausted):
                insert(db, "y" * 500_000)
        with Database.open(small / "state.sqlite") as db:
            assert len(values(db)) == stored
            db.check()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"this is not a database" * 500)
    with pytest.raises(ArtifactCorrupt, match=r"backup-\*.*add your documents again"):
        Database.open(path)
    assert path.read_bytes().startswith(b"this is not")


def test_a_damaged_page_is_told(db):
    for number in range(300):
        insert(db, f"{number} {'x' * 500}")
    db.close()
    with db.path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xa5" * 4096 * 30)
    with pytest.raises(ArtifactCorrupt, match="malformed"), Database.open(db.path):
        pass


def test_a_damaged_row_is_found_by_the_check(db):
    for number in range(300):
        insert(db, f"{number} {'x' * 500}")
    db.close()
    pages = db.path.stat().st_size // 4096
    with db.path.open("r+b") as file:
        file.seek(4096 * (pages - 2))
        file.write(b"\xa5" * 4096)
    with Database.open(db.path) as damaged, pytest.raises(ArtifactCorrupt, match="damaged"):
        damaged.check()


def test_a_folder_in_its_place(tmp_path):
    (tmp_path / "state.sqlite").mkdir()
    with pytest.raises(InputUnreadable, match="cannot be opened"):
        Database.open(tmp_path / "state.sqlite")


def test_a_defect_is_told_as_ours(db):
    with pytest.raises(InternalError, match="no such table: missing"):
        db.read().execute("SELECT * FROM missing")
    with pytest.raises(InternalError, match="UNIQUE"), db.write() as connection:
        connection.executemany("INSERT INTO scratch (value) VALUES (?)", [("a",), ("a",)])
    assert values(db) == []


def test_a_closed_database_is_told(db):
    db.close()
    db.close()
    with pytest.raises(InternalError, match="closed"):
        db.read()


def test_rows_that_point_nowhere_are_found(db):
    connection = db.read()
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("INSERT INTO parents VALUES ('nobody', 'nothing')")
    with pytest.raises(ArtifactCorrupt, match="1 rows point"):
        db.check()
