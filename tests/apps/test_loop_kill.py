"""The demo's data path, killed at its renames and database writes, ends as if nothing happened."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from domainsmith.storage.atomic import hash_file, verify_folder
from domainsmith.storage.database import Database
from domainsmith.storage.locks import try_hold
from reliability.faults import arm
from reliability.forked import run_forked
from reliability.place import Place
from reliability.stages import loop
from reliability.verify import content, left_overs

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the harness counts through /proc"
)
_STRIDE = 19
"""Of the other operations (mostly writes of SQLite) each so many-th is a point."""


def _place(root: Path) -> Place:
    root.mkdir()
    loop.prepare(place := Place(root), 0)
    return place


def _run(place: Place, told: Path) -> Callable[[], None]:
    """Run the tools and write their results outside the store."""

    def work() -> None:
        results = loop.run_tools(place, 0)
        told.write_text(json.dumps({name: item.data for name, item in results.items()}))

    return work


def _datasets(place: Place, told: Path) -> dict[str, tuple[str, str]]:
    """Dataset by tool: its id and the hash of its bytes, which must be what was told."""
    found: dict[str, tuple[str, str]] = {}
    results = json.loads(told.read_text())
    for tool in ("generate_data", "select_data"):
        folder = place.store / "datasets" / results[tool]["dataset_id"]
        verify_folder(folder)
        assert results[tool]["sha256"] == hash_file(folder / "data.jsonl")
        found[tool] = (folder.name, results[tool]["sha256"])
    return found


def _points(place: Place, names_file: Path) -> list[int]:
    """Count the operations of a whole run; choose where to kill."""

    def work() -> None:
        point = arm(place.store, None)
        loop.run_tools(place, 0)
        names_file.write_text(json.dumps(point.names))

    assert not run_forked(work).error
    names = json.loads(names_file.read_text())
    chosen = set(range(_STRIDE, len(names), _STRIDE))
    for number, name in enumerate(names, start=1):
        if name in ("replace", "rename"):
            chosen.add(number)  # the kill comes before the operation
        if name == "rename":
            chosen.add(number + 1)  # a whole folder has just appeared
    return sorted(chosen)


@pytest.mark.timeout(300)
def test_a_killed_run_of_the_tools_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    loop.warm()
    told = tmp_path / "told.json"
    reference = _place(tmp_path / "reference")
    assert not (outcome := run_forked(_run(reference, told))).error, outcome.error
    expected, meaning = _datasets(reference, told), content(reference.store)
    points = _points(_place(tmp_path / "counted"), tmp_path / "names.json")
    assert len(points) > 20
    for point in points:
        place = _place(tmp_path / f"killed-{point}")
        work = _run(place, told)
        assert run_forked(work, root=place.store, fault_at=point).killed, point
        told.unlink(missing_ok=True)
        outcome = run_forked(work)
        assert not outcome.error, f"point {point}: {outcome.error}"
        # The folder's path stands nowhere in the store, so equal inputs give equal stores.
        assert _datasets(place, told) == expected, point
        assert content(place.store) == meaning, point
        _assert_nothing_is_left(place.store, point)


def _assert_nothing_is_left(store: Path, point: int) -> None:
    assert not left_overs(store), point
    assert not list(store.glob("datasets/.dataset_*.run")), point
    for path in store.rglob("*.lock"):
        lock = try_hold(path, purpose="looking")
        assert lock is not None, (point, path)
        lock.release()
    with Database.open(store / "state.sqlite") as db:
        db.check()
