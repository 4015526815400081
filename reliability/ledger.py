"""What the product has promised, written down by the harness outside the store.

The storage functions are wrapped in the forked child: a line ``begin`` before the call and a
line ``ack`` after it has returned, when its result must survive anything. Each line is one
``write`` with ``O_APPEND``, so a kill of the writer leaves whole lines.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domainsmith.records import Value, content_hash
from domainsmith.storage import atomic, documents, effects, lineage, vectors
from domainsmith.storage.database import Database

__all__ = ["GONE", "Promise", "document_sha", "read", "record"]

GONE = "-"
"""The digest of a unit that was removed."""


@dataclass
class Promise:
    """The last word about one unit."""

    acked: str | None = None
    acks: int = 0
    """How often the same digest was promised: more than once is repeated work."""
    in_flight: set[str] = field(default_factory=set)
    """Digests whose writing began after the last ack: the kill came before the ack."""

    def allows(self, digest: str) -> bool:
        """Tell whether the unit may have this digest now."""
        return digest == self.acked or digest in self.in_flight


def document_sha(document_id: str, passage_ids: Iterable[str]) -> str:
    """Digest of a document with its passages."""
    return content_hash([document_id, sorted(passage_ids)])[:16]


def read(path: Path) -> dict[str, Promise]:
    """Read a ledger.

    Args:
        path: Its file.

    Returns:
        Promise by unit.
    """
    promises: dict[str, Promise] = {}
    if not path.exists():
        return promises
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        for unit, digest in entry["units"]:
            promise = promises.setdefault(unit, Promise())
            if entry["op"] == "begin":
                promise.in_flight.add(digest)
            else:
                promise.acks = promise.acks + 1 if digest == promise.acked else 1
                promise.acked = digest
                promise.in_flight.clear()
    return promises


def record(path: Path, store: Path) -> None:
    """Wrap the storage functions of this process; call it in the child, before any fault is armed.

    Args:
        path: The ledger's file, outside the store.
        store: The workspace folder.
    """
    book = _Book(path, store)
    _wrap(documents.put_document, book, _put_document)
    _wrap(documents.put_file, book, _put_file)
    _wrap(documents.remove_document, book, _remove_document)
    _wrap(vectors.put_vectors, book, _put_vectors)
    _wrap(lineage.put_artifact, book, _put_artifact)
    _wrap(atomic.append_line, book, _append_line)
    _wrap_effects(book)
    _wrap_folders(book)


class _Book:
    def __init__(self, path: Path, store: Path) -> None:
        self.store = store.resolve()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._write = os.write

    def note(self, operation: str, units: list[tuple[str, str]]) -> None:
        line = json.dumps({"op": operation, "units": units}, ensure_ascii=False) + "\n"
        self._write(self._descriptor, line.encode("utf-8"))

    def name(self, path: Path) -> str | None:
        """Path relative to the store; None if it is elsewhere."""
        try:
            return Path(os.path.abspath(path)).relative_to(self.store).as_posix()
        except ValueError:
            return None


def _wrap(
    function: Callable[..., Any],
    book: _Book,
    units_of: Callable[..., list[tuple[str, str]]],
) -> None:
    @functools.wraps(function)
    def wrapped(*args: Any, **named: Any) -> Any:
        units, args, named = _materialised(book, units_of, args, named)
        book.note("begin", units)
        result = function(*args, **named)
        # Inside an outer transaction nothing is durable yet, so nothing is promised.
        if not (isinstance(args[0], Database) and args[0].read().in_transaction):
            book.note("ack", units)
        return result

    _replace_everywhere(function, wrapped)


def _materialised(
    book: _Book, units_of: Callable[..., list[tuple[str, str]]], args: Any, named: Any
) -> tuple[list[tuple[str, str]], Any, Any]:
    """Generators may be read once only: make lists of them first."""

    def fixed(value: Any) -> Any:
        return list(value) if isinstance(value, Iterator) else value

    args = tuple(fixed(value) for value in args)
    named = {key: fixed(value) for key, value in named.items()}
    return units_of(book, *args, **named), args, named


def _replace_everywhere(function: object, wrapped: object) -> None:
    """Replace a function in every module that has imported it by name."""
    for module in list(sys.modules.values()):
        if not getattr(module, "__name__", "").startswith("domainsmith"):
            continue
        for name, value in list(vars(module).items()):
            if value is function:
                setattr(module, name, wrapped)


def _put_document(
    book: _Book, db: Any, document: Any, passages: Any, *, folder: str
) -> list[tuple[str, str]]:
    digest = document_sha(document.id, [item.id for item in passages])
    return [(f"document {folder} {document.path}", digest)]


def _put_file(
    book: _Book,
    db: Any,
    contents: Any,
    *,
    folder: str,
    file: str,
    stored: Any = (),
    **_: Any,
) -> list[tuple[str, str]]:
    units = [
        (f"document {folder} {value.path}", document_sha(value.id, [p.id for p in passages]))
        for value, passages in contents
    ]
    for path, id in stored:
        held = documents.passages(db, document_id=id)
        units.append((f"document {folder} {path}", document_sha(id, [p.id for p in held])))
    known = db.read().execute(
        "SELECT path FROM sources WHERE folder = ?1 AND (file = ?2 OR path = ?2)", (folder, file)
    )
    named = {unit for unit, _ in units}
    gone = [f"document {folder} {row[0]}" for row in known.fetchall()]
    return units + [(unit, GONE) for unit in gone if unit not in named]


def _remove_document(book: _Book, db: Any, folder: str, path: str) -> list[tuple[str, str]]:
    return [(f"document {folder} {path}", GONE)]


def _put_vectors(book: _Book, db: Any, model: str, rows: Any) -> list[tuple[str, str]]:
    return [
        (f"vector {model} {passage_id}", hashlib.sha256(vector).hexdigest()[:16])
        for passage_id, vector in rows
    ]


def _put_artifact(
    book: _Book, db: Any, value: Value | None = None, *, id: str = "", **_: Any
) -> list[tuple[str, str]]:
    return [(f"artifact {value.id if value is not None else id}", "+")]


def _append_line(book: _Book, path: Path, line: str) -> list[tuple[str, str]]:
    name = book.name(path)
    return [] if name is None else [(f"line {name} {content_hash(line)[:16]}", "+")]


def _wrap_effects(book: _Book) -> None:
    real = effects.once

    @functools.wraps(real)
    def once(db: Any, key: str, **named: Any) -> Any:
        book.note("begin", [(f"effect {key}", "+")])
        result = real(db, key, **named)
        if not result.repeated:
            book.note("ack", [(f"effect {key}", "+")])
        return result

    _replace_everywhere(real, once)


def _wrap_folders(book: _Book) -> None:
    real = atomic.atomic_folder

    @contextmanager
    def atomic_folder(target: Path) -> Iterator[Path]:
        name = book.name(target)
        units = [] if name is None else [(f"folder {name}", "+")]
        book.note("begin", units)
        with real(target) as staging:
            yield staging
        book.note("ack", units)

    _replace_everywhere(real, atomic_folder)
