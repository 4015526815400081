"""Real PostgreSQL and MariaDB servers in a folder of their own, where their programs are found."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "top%2Fsecret"
"""As it stands in an address: ``top/secret``."""
_START_SECONDS = 60


@dataclass(frozen=True)
class SqlServer:
    """A server that runs.

    Attributes:
        kind: ``postgresql`` or ``mysql``, as addresses begin.
        port: On 127.0.0.1.
        execute: Runs statements as the owner of everything and returns rows.
    """

    kind: str
    port: int
    execute: Callable[..., list[tuple]]

    def url(self, *, user: str = "writer", database: str = "shop", password: str = PASSWORD) -> str:
        return f"{self.kind}://{user}:{password}@127.0.0.1:{self.port}/{database}"


def program(name: str) -> str | None:
    """Find a program of a server; Debian keeps PostgreSQL's off the path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *map(str, places)])
    return shutil.which(name, path=path)


@contextmanager
def postgresql() -> Iterator[SqlServer]:
    """Run PostgreSQL; the account ``writer`` may write, ``owner`` is the superuser."""
    import psycopg

    with _folder("postgres") as (folder, user), _free_port() as port:
        data = folder / "data"
        make = [program("initdb"), "-D", data, "-U", "owner", "-A", "trust"]
        _run([*make, "-E", "UTF8", "--no-locale"], user)
        with (data / "pg_hba.conf").open("w") as file:
            file.write(
                "host all owner 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
            )
        command = [
            program("postgres"), "-D", data, "-p", str(port), "-k", "",
            "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
        ]  # fmt: skip

        def execute(*statements: str, database: str = "shop") -> list[tuple]:
            place = f"host=127.0.0.1 port={port} user=owner dbname={database}"
            with psycopg.connect(place, autocommit=True) as connection:
                for statement in statements:
                    cursor = connection.execute(statement)
                return cursor.fetchall() if cursor.description else []

        with _running(command, user, lambda: execute("SELECT 1", database="postgres")):
            execute("CREATE DATABASE shop", database="postgres")
            execute(
                "CREATE ROLE writer LOGIN PASSWORD 'top/secret'",
                "GRANT CREATE, USAGE ON SCHEMA public TO writer",
            )
            yield SqlServer("postgresql", port, execute)


@contextmanager
def mariadb() -> Iterator[SqlServer]:
    """Run MariaDB; the account ``writer`` may do everything in the database ``shop``."""
    import pymysql

    with _folder("mysql") as (folder, user), _free_port() as port:
        data, place = folder / "data", folder / "s.sock"
        install = [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}"]
        _run([*install, "--auth-root-authentication-method=normal", "--skip-test-db"], user)
        command = [
            program("mariadbd"), "--no-defaults", f"--datadir={data}", f"--socket={place}",
            f"--port={port}", "--bind-address=127.0.0.1", f"--pid-file={folder / 'pid'}",
            "--secure-file-priv=", "--innodb-buffer-pool-size=16M",
        ]  # fmt: skip

        def execute(*statements: str, database: str = "shop") -> list[tuple]:
            with (
                pymysql.connect(
                    unix_socket=str(place), user="root", database=database, autocommit=True
                ) as connection,
                connection.cursor() as cursor,
            ):
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())

        def answers() -> None:
            with socket.socket(socket.AF_UNIX) as probe:  # PyMySQL leaves its own one open
                probe.connect(str(place))
            execute("SELECT 1", database="mysql")

        with _running(command, user, answers):
            execute(
                "CREATE DATABASE shop CHARACTER SET utf8mb4",
                "CREATE USER writer@'127.0.0.1' IDENTIFIED BY 'top/secret'",
                "GRANT ALL ON shop.* TO writer@'127.0.0.1'",
                "GRANT FILE ON *.* TO writer@'127.0.0.1'",
                database="mysql",
            )
            yield SqlServer("mysql", port, execute)


@contextmanager
def _folder(account: str) -> Iterator[tuple[Path, str | None]]:
    """Make a folder; for root, one of the server's account, as servers refuse to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="sql-server-"))
    user = None
    if os.getuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = account if account in names else "nobody"
        shutil.chown(folder, user)
    try:
        yield folder, user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    yield port


def _run(command: list, user: str | None) -> None:
    done = subprocess.run(
        [str(part) for part in command], user=user, cwd="/", capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout[-500:]} {done.stderr[-1500:]}")


@contextmanager
def _running(command: list, user: str | None, answers: Callable[[], object]) -> Iterator[None]:
    import psycopg
    import pymysql

    process = subprocess.Popen(
        [str(part) for part in command],
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                answers()
                break
            except (OSError, psycopg.Error, pymysql.Error):
                if process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
