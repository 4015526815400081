"""Side effects under a key: done once, and their result known ever after."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domainsmith.errors import WorkspaceLocked
from domainsmith.records import canonical_json
from domainsmith.storage import process
from domainsmith.storage.database import Database
from domainsmith.storage.process import ProcessIdentity

__all__ = ["EffectResult", "once"]

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class EffectResult:
    """What a side effect gave."""

    result: dict[str, Any]
    repeated: bool
    """True if it had been done before and this is the stored result."""
    takeovers: int = 0
    """How often a process was killed between the start and the end of this effect."""


def once(
    db: Database,
    key: str,
    *,
    kind: str,
    run: Callable[[], dict[str, Any]],
    recover: Callable[[], dict[str, Any] | None] | None = None,
    in_transaction: bool = False,
    wait_s: float = 0.0,
) -> EffectResult:
    """Do a side effect unless it is done already.

    A row ``started`` is durable before ``run`` and ``done`` with the result after it. If a
    process is killed between the two, nobody can know from the row whether the effect happened.
    The next caller then asks ``recover``, and runs again only if that finds nothing. An effect
    whose writes are all in the database is exactly-once with ``in_transaction``.

    Args:
        db: The database.
        key: Identity of the effect: who asks for what. Equal keys mean the same effect.
        kind: What it is ("train", "serve"), for people.
        run: Does it; returns plain data. An exception leaves the effect undone.
        recover: Finds out whether an interrupted attempt had done it: the result, or None.
        in_transaction: Run inside the transaction that marks it done.
        wait_s: Seconds to wait for another process or thread that is doing it now.

    Returns:
        The result and whether it was stored.

    Raises:
        WorkspaceLocked: Another process or thread is doing it now.
    """
    if in_transaction:
        return _once_in_transaction(db, key, kind, run)
    deadline = time.monotonic() + wait_s
    while (claim := _claim(db, key, kind)) is None:
        if time.monotonic() >= deadline:
            raise WorkspaceLocked(
                f"This is being done right now: {kind}",
                where=key,
                fix="Wait until it has finished and run the same command again.",
            )
        time.sleep(_POLL_S)
    if isinstance(claim, EffectResult):
        return claim
    return _perform(db, key, run, recover, claim)


@dataclass(frozen=True, slots=True)
class _Claim:
    takeovers: int
    was_interrupted: bool


def _claim(db: Database, key: str, kind: str) -> _Claim | EffectResult | None:
    """Mark the effect as started by this process; its result if done, None if another is at it."""
    me = process.current()
    with db.write() as connection:
        row = _row(connection, key)
        if row is not None and row[0] == "done":
            return _stored(row)
        if row is None:
            connection.execute(
                "INSERT INTO effects VALUES (?, ?, 'started', NULL, 1, 0, ?, ?, ?)",
                (key, kind, me.pid, me.start_ticks, me.boot_id),
            )
            return _Claim(0, was_interrupted=False)
        # A failed attempt is marked so; a row still 'started' by a live process is at work.
        was_interrupted = row[0] == "started"
        if was_interrupted and process.is_alive(ProcessIdentity(row[3], row[4], row[5])):
            return None
        takeovers = row[2] + was_interrupted
        connection.execute(
            "UPDATE effects SET state = 'started', attempts = attempts + 1, takeovers = ?,"
            " pid = ?, start_ticks = ?, boot_id = ? WHERE key = ?",
            (takeovers, me.pid, me.start_ticks, me.boot_id, key),
        )
        return _Claim(takeovers, was_interrupted)


def _perform(
    db: Database,
    key: str,
    run: Callable[[], dict[str, Any]],
    recover: Callable[[], dict[str, Any] | None] | None,
    claim: _Claim,
) -> EffectResult:
    try:
        result = recover() if recover is not None and claim.was_interrupted else None
        if result is None:
            result = run()
        text = canonical_json(result)
    except BaseException:
        with db.write() as connection:
            connection.execute("UPDATE effects SET state = 'failed' WHERE key = ?", (key,))
        raise
    with db.write() as connection:
        connection.execute(
            "UPDATE effects SET state = 'done', result = ? WHERE key = ?", (text, key)
        )
    return EffectResult(json.loads(text), repeated=False, takeovers=claim.takeovers)


def _once_in_transaction(
    db: Database, key: str, kind: str, run: Callable[[], dict[str, Any]]
) -> EffectResult:
    me = process.current()
    with db.write() as connection:
        row = _row(connection, key)
        if row is not None and row[0] == "done":
            return _stored(row)
        text = canonical_json(run())
        connection.execute(
            "INSERT INTO effects VALUES (?, ?, 'done', ?, 1, 0, ?, ?, ?) ON CONFLICT (key)"
            " DO UPDATE SET state = 'done', result = excluded.result, attempts = attempts + 1",
            (key, kind, text, me.pid, me.start_ticks, me.boot_id),
        )
    return EffectResult(json.loads(text), repeated=False, takeovers=row[2] if row else 0)


def _row(connection: sqlite3.Connection, key: str) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = connection.execute(
        "SELECT state, result, takeovers, pid, start_ticks, boot_id FROM effects WHERE key = ?",
        (key,),
    ).fetchone()
    return row


def _stored(row: tuple[Any, ...]) -> EffectResult:
    return EffectResult(json.loads(row[1]), repeated=True, takeovers=row[2])
