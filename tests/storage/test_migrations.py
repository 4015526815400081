import sqlite3
from contextlib import closing

import pytest

from domainsmith.errors import InputInvalid, WorkspaceTooNew
from domainsmith.storage import migrations
from domainsmith.storage.database import Database
from reliability.forked import run_forked

NEXT = (*migrations.MIGRATIONS, ("CREATE TABLE added (id TEXT)", "INSERT INTO added VALUES ('x')"))
BROKEN = (*migrations.MIGRATIONS, ("CREATE TABLE added (id TEXT)", "CREATE TABLE added (id TEXT)"))


@pytest.fixture
def path(tmp_path):
    """A database of the present version with one row."""
    path = tmp_path / "state.sqlite"
    with Database.open(path) as db, db.write() as connection:
        connection.execute("INSERT INTO embedders VALUES ('model', 3)")
    return path


def version(path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def migrate(path, steps) -> int:
    with Database(path) as db:
        return migrations.migrate(db.read(), path, steps=steps)


def test_a_new_database_has_the_present_version_and_no_backup(path):
    assert version(path) == migrations.SCHEMA_VERSION
    assert [p.name for p in path.parent.iterdir()] == ["state.sqlite"]


def test_an_older_database_is_copied_and_brought_up(path):
    old = migrations.SCHEMA_VERSION
    assert migrate(path, NEXT) == old
    assert version(path) == old + 1
    backup = path.with_name(f"state.sqlite.backup-v{old}")
    assert version(backup) == old
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT * FROM embedders").fetchall() == [("model", 3)]
    assert migrate(path, NEXT) == old + 1
    with pytest.raises(WorkspaceTooNew, match=f"version {old + 1}.*Install a newer"):
        Database.open(path)
    backup.replace(path)
    with Database.open(path) as db:
        db.check()


def test_a_newer_database_is_left_alone(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(WorkspaceTooNew, match="99"):
        Database.open(path)
    assert path.read_bytes() == before
    assert version(path) == 99


def test_a_failed_migration_changes_nothing(path):
    with pytest.raises(Exception, match="already exists"):
        migrate(path, BROKEN)
    assert version(path) == migrations.SCHEMA_VERSION
    assert migrate(path, NEXT) == migrations.SCHEMA_VERSION


def test_a_killed_migration_changes_nothing_at_every_crash_point(path):
    old = migrations.SCHEMA_VERSION
    for point in range(1, 300):
        outcome = run_forked(lambda: migrate(path, NEXT), root=path.parent, fault_at=point)
        assert not outcome.error
        assert version(path) in (old, old + 1)
        if version(path) == old + 1:
            break
    assert point > 5
    backup = path.with_name(f"state.sqlite.backup-v{old}")
    assert version(backup) == old
    migrate(path, NEXT)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM added").fetchall() == [("x",)]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_database_of_another_program_is_refused(tmp_path):
    path = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(InputInvalid, match="another program"):
        Database.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
