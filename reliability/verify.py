"""One definition of "nothing lost": the ledger against the store, the store against a reference."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from domainsmith.records import content_hash
from domainsmith.storage import atomic, documents
from domainsmith.storage.database import Database
from reliability import ledger
from reliability.ledger import GONE, Promise, document_sha

__all__ = ["Verdict", "content", "differences", "left_overs", "verify"]


@dataclass(frozen=True)
class Verdict:
    """What the comparison found."""

    acked: int
    """Units that the store has promised to hold."""
    present: int
    lost: int
    """Promised and missing or different."""
    duplicates: int
    extra: int
    """There, and neither promised nor being written at a kill."""
    identical: bool
    """Equal to the store of a run without faults."""
    orphans: int
    """Unfinished files and folders, and processes that outlived their killed parent."""
    repeated: int
    """Promises made more than once: work that a resume did again."""

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        faults = self.lost + self.duplicates + self.extra + self.orphans
        return faults == 0 and self.identical and self.present == self.acked

    def __str__(self) -> str:
        return (
            f"acked={self.acked} present={self.present} lost={self.lost} dup={self.duplicates}"
            f" extra={self.extra} identical={str(self.identical).lower()} orphans={self.orphans}"
        )


def verify(store: Path, ledger_path: Path, reference: Path, *, orphans: int = 0) -> Verdict:
    """Compare a store with the ledger and with the store of a run without faults.

    Args:
        store: The workspace folder, after its last resume.
        ledger_path: The ledger.
        reference: The other workspace folder.
        orphans: Processes that outlived their killed parent.

    Returns:
        What was found.
    """
    promises = ledger.read(ledger_path)
    with Database.open(store / "state.sqlite") as db:
        db.check()
        units = _units(db, store, promises)
        current = {item.id for item in documents.passages(db)}
    kept = {
        unit: promise
        for unit, promise in promises.items()
        if promise.acked not in (None, GONE) and _still_due(unit, current, store)
    }
    missing = [
        unit for unit, promise in kept.items() if not _allowed(units.get(unit, Counter()), promise)
    ]
    revived = [
        unit
        for unit, promise in promises.items()
        if promise.acked == GONE and unit in units and not _allowed(units[unit], promise)
    ]
    in_place = {unit for unit in kept if unit not in missing}
    return Verdict(
        acked=len(kept),
        present=len(in_place),
        lost=len(missing),
        duplicates=sum(sum(found.values()) - 1 for found in units.values()),
        extra=len([unit for unit in units if unit not in promises]) + len(revived),
        identical=content(store) == content(reference),
        orphans=orphans + len(left_overs(store)),
        repeated=sum(max(0, promise.acks - 1) for promise in promises.values()),
    )


def content(store: Path) -> str:
    """Hash everything that a store means: no times, no sequence numbers, no measurements.

    Args:
        store: The workspace folder.

    Returns:
        SHA-256 as 64 hexadecimal digits.
    """
    return content_hash(_parts(store))


def differences(store: Path, reference: Path) -> list[str]:
    """Name the parts in which two stores differ.

    Args:
        store: One workspace folder.
        reference: The other.

    Returns:
        Names, sorted.
    """
    one, other = _parts(store), _parts(reference)
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _parts(store: Path) -> dict[str, str]:
    queries = {
        "sources": "SELECT folder, path, document_id FROM sources ORDER BY 1, 2",
        "documents": "SELECT id, text FROM documents ORDER BY 1",
        "passages": "SELECT id, text, is_current FROM passages ORDER BY 1",
        "vectors": "SELECT passage_id, model, hex(vector) FROM vectors ORDER BY 1, 2",
        "artifacts": "SELECT id, kind, path FROM artifacts ORDER BY 1",
        "parents": "SELECT child, parent FROM parents ORDER BY 1, 2",
        "effects": "SELECT key, state, result FROM effects ORDER BY 1",
    }
    with Database.open(store / "state.sqlite") as db, db.snapshot() as connection:
        found = {
            name: content_hash([list(row) for row in connection.execute(sql)])
            for name, sql in queries.items()
        }
    for folder in sorted((store / "datasets").iterdir()):
        if folder.is_dir() and (folder / atomic.MANIFEST).exists():
            found[f"datasets/{folder.name}"] = content_hash(atomic.verify_folder(folder)["files"])
    return found


def left_overs(store: Path) -> list[str]:
    """List unfinished things that a finished resume should have removed.

    Args:
        store: The workspace folder.

    Returns:
        Relative paths, sorted.
    """
    marks = (".tmp-", ".staging-", ".trash-")
    ends = (".tmp", ".part", ".partial")
    return sorted(
        path.relative_to(store).as_posix()
        for path in store.rglob("*")
        if path.name.startswith(marks) or path.name.endswith(ends) or _is_old_index(path)
    )


def _is_old_index(path: Path) -> bool:
    """A generation of the index that a rebuild has replaced."""
    if path.parent.name != "index" or not path.name.startswith("gen-"):
        return False
    mark = path.parent / "CURRENT"
    return not mark.exists() or path.name not in mark.read_text(encoding="utf-8")


def _allowed(found: Counter[str], promise: Promise) -> bool:
    if not found:
        # A removal that was in flight may have happened.
        return promise.allows(GONE)
    return all(promise.allows(digest) for digest in found)


def _still_due(unit: str, current: set[str], store: Path) -> bool:
    """Vectors go with their passage; the log of a generation goes when its dataset is whole."""
    kind, _, rest = unit.partition(" ")
    if kind == "vector":
        return rest.rpartition(" ")[2] in current
    if kind == "line":
        log = store / rest.rpartition(" ")[0]
        run = log.parents[1]  # datasets/.dataset_ID.run/METHOD/0000.jsonl
        dataset = run.parent / run.name.removeprefix(".").removesuffix(".run")
        return log.exists() or not (dataset / atomic.MANIFEST).exists()
    return True


def _units(db: Database, store: Path, promises: dict[str, Promise]) -> dict[str, Counter[str]]:
    """Everything that the store holds, by unit, with the digests found."""
    units: dict[str, Counter[str]] = {}

    def add(unit: str, digest: str) -> None:
        units.setdefault(unit, Counter())[digest] += 1

    with db.snapshot() as connection:
        for folder, path, document_id in connection.execute(
            "SELECT folder, path, document_id FROM sources"
        ).fetchall():
            ids = connection.execute(
                "SELECT id FROM passages WHERE document_id = ? AND (is_current = 1"
                " OR id IN (SELECT passage_id FROM copies))",
                (document_id,),
            ).fetchall()
            add(f"document {folder} {path}", document_sha(document_id, [row[0] for row in ids]))
        for model, passage_id, vector in connection.execute(
            "SELECT model, passage_id, vector FROM vectors"
        ):
            add(f"vector {model} {passage_id}", hashlib.sha256(vector).hexdigest()[:16])
        for (id,) in connection.execute("SELECT id FROM artifacts"):
            add(f"artifact {id}", "+")
        for (key,) in connection.execute("SELECT key FROM effects WHERE state = 'done'"):
            add(f"effect {key}", "+")
    for name in sorted({u.split(" ")[1] for u in promises if u.startswith("line ")}):
        for line in atomic.read_lines(store / name):
            add(f"line {name} {content_hash(line)[:16]}", "+")
    for unit in promises:
        if (
            unit.startswith("folder ")
            and (store / unit.split(" ", 1)[1] / "manifest.json").exists()
        ):
            atomic.verify_folder(store / unit.split(" ", 1)[1])
            add(unit, "+")
    return units
