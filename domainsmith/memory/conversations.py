"""Conversations on disk: the agent's checkpoints, and what was asked and answered.

Both lie in one file, ``threads.sqlite``. Checkpoints are read strictly: stored bytes can make
plain data only, never import or call anything.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# LangGraph reads this once, when it is imported first: before that it must be set.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

from domainsmith.errors import InternalError, translated_os_errors
from domainsmith.storage.sqlite_border import translated_sqlite_errors

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite import SqliteSaver

__all__ = [
    "ThreadInfo",
    "Turn",
    "assert_strict",
    "delete_thread",
    "history",
    "open_checkpointer",
    "save_turn",
    "thread_ids",
    "threads",
    "turns",
]

_ALLOWED_TYPES: tuple[tuple[str, str], ...] = ()
"""Types beside LangGraph's own safe ones that a checkpoint may hold: none, state is plain data."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS turns (
    thread_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    answer_id TEXT,
    PRIMARY KEY (thread_id, number)
) WITHOUT ROWID
"""
_BUSY_S = 30.0


@dataclass(frozen=True)
class Turn:
    """One question and its answer.

    Args:
        number: Position in the thread, from 1.
        question: What the person wrote.
        answer: What they were answered.
        answer_id: Id of the answer in the lineage, if it is one.
    """

    number: int
    question: str
    answer: str
    answer_id: str | None = None


@dataclass(frozen=True)
class ThreadInfo:
    """A conversation in a list.

    Args:
        id: Its id.
        turns: Number of questions.
        first_question: What it began with.
    """

    id: str
    turns: int
    first_question: str


def assert_strict() -> None:
    """Refuse to go on if checkpoints could run code when they are read.

    Raises:
        InternalError: LangGraph was imported before strict reading was switched on.
    """
    from langgraph.checkpoint.serde import _msgpack

    if not _msgpack.STRICT_MSGPACK_ENABLED:
        raise InternalError(
            "LangGraph was loaded with permissive deserialisation",
            where="LANGGRAPH_STRICT_MSGPACK",
            fix="Import domainsmith.memory before langgraph, or set the variable to true.",
        )


@contextmanager
def open_checkpointer(path: Path) -> Iterator[SqliteSaver]:
    """Open the checkpoints of all conversations.

    Args:
        path: The database file; made if it is missing.

    Yields:
        A checkpointer that reads plain data and LangGraph's own safe types only.

    Raises:
        InternalError: Strict reading is off.
    """
    assert_strict()
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
    from langgraph.checkpoint.sqlite import SqliteSaver

    serializer = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=_ALLOWED_TYPES)
    with translated_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    # Errors of SQLite only: whatever else goes wrong in the block is about other files.
    with (
        translated_sqlite_errors(path),
        closing(_connect(path, check_same_thread=False)) as connection,
    ):
        saver = SqliteSaver(connection, serde=serializer)
        saver.setup()
        # setup() only switches WAL on; acknowledged steps must survive a power cut too.
        connection.execute("PRAGMA synchronous = FULL")
        yield saver


def save_turn(path: Path, thread_id: str, turn: Turn) -> None:
    """Keep a question and its answer; saving a number again replaces it.

    Args:
        path: The database file.
        thread_id: The conversation.
        turn: What to keep.
    """
    with _open(path) as connection, connection:
        connection.execute(
            "INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?)",
            (thread_id, turn.number, turn.question, turn.answer, turn.answer_id),
        )


def turns(path: Path, thread_id: str) -> list[Turn]:
    """Return a conversation's turns, oldest first.

    Args:
        path: The database file.
        thread_id: The conversation; one that does not exist has no turns.
    """
    with _open(path) as connection:
        rows = connection.execute(
            "SELECT number, question, answer, answer_id FROM turns WHERE thread_id = ?"
            " ORDER BY number",
            (thread_id,),
        ).fetchall()
    return [Turn(*row) for row in rows]


def history(path: Path, thread_id: str, last: int = 6) -> list[tuple[str, str]]:
    """Return the last (question, answer) pairs of a conversation, oldest first.

    Args:
        path: The database file.
        thread_id: The conversation.
        last: How many.
    """
    return [(turn.question, turn.answer) for turn in turns(path, thread_id)[-last:]]


def threads(path: Path) -> list[ThreadInfo]:
    """List the conversations, by id.

    Args:
        path: The database file.
    """
    with _open(path) as connection:
        rows = connection.execute(
            "SELECT thread_id, COUNT(*), (SELECT question FROM turns AS first"
            "  WHERE first.thread_id = turns.thread_id ORDER BY number LIMIT 1)"
            " FROM turns GROUP BY thread_id ORDER BY thread_id"
        ).fetchall()
    return [ThreadInfo(*row) for row in rows]


def thread_ids(path: Path) -> list[str]:
    """List the ids of all conversations, those too whose first request was never finished.

    Args:
        path: The database file.
    """
    with _open(path) as connection:
        query = "SELECT thread_id FROM turns"
        known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'checkpoints'"
        if connection.execute(known).fetchone():
            query += " UNION SELECT thread_id FROM checkpoints"
        return sorted({str(row[0]) for row in connection.execute(query)})


def delete_thread(path: Path, thread_id: str) -> bool:
    """Forget a conversation with its checkpoints.

    Args:
        path: The database file.
        thread_id: The conversation.

    Returns:
        True if there was anything of it.
    """
    known = bool(turns(path, thread_id))
    with open_checkpointer(path) as saver:
        known = known or saver.get_tuple({"configurable": {"thread_id": thread_id}}) is not None
        saver.delete_thread(thread_id)
    with _open(path) as connection, connection:
        connection.execute("DELETE FROM turns WHERE thread_id = ?", (thread_id,))
    return known


def _connect(path: Path, *, check_same_thread: bool = True) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=check_same_thread)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    with translated_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with translated_sqlite_errors(path), closing(_connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_SCHEMA)
        yield connection
