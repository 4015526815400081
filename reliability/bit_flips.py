"""One bit flipped in each file of the index, one at a time: seen, and made again by itself."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reliability.embedder import HashingEmbedder
from reliability.forked import run_forked
from reliability.place import Place
from reliability.stages import index

__all__ = ["BitFlips", "flip_bits"]

_LOCKS = ".lock"
_QUERIES = ("the pump of unit 3", "hours at volts", "号机的滚筒")


@dataclass
class BitFlips:
    """What flipping bits did."""

    flips: int = 0
    files: int = 0
    """Different files that were damaged."""
    rebuilt: int = 0
    """Flips after which something was made again; the others hit bytes that say nothing."""

    def __str__(self) -> str:
        return f"bit flips: {self.flips} in {self.files} files, {self.rebuilt} led to a rebuild"


def flip_bits(place: Place, *, flips: int, seed: int) -> BitFlips:
    """Damage the index of a store and open it, again and again.

    Args:
        place: A store that holds documents.
        flips: How many bits, at least one in each file.
        seed: Of the bits.

    Returns:
        What was done.

    Raises:
        RuntimeError: An answer differs from that of the undamaged index, or an opening failed.
    """
    chance = random.Random(f"bit flips {seed}")
    answers = place.root / "answers.json"
    _open(place, lambda: _ask(place, answers))
    result, seen = BitFlips(), set()
    while result.flips < flips:
        names = _files(place)
        result.files = len(seen | set(names))
        for name in names:
            path = place.store / "index" / name
            if not path.exists():  # of a generation that was just replaced
                continue
            seen.add(_kind(name))
            _flip(path, chance)
            found = place.root / "found.json"
            _open(place, lambda found=found: _ask(place, found))  # type: ignore[misc]
            result.flips += 1
            now, before = json.loads(found.read_text()), json.loads(answers.read_text())
            result.rebuilt += bool(now["rebuilds"])
            if now["answers"] != before["answers"]:
                raise RuntimeError(f"A flipped bit in {name} changed the answers")
    result.files = len(seen)
    return result


def _open(place: Place, work: Callable[[], None]) -> None:
    outcome = run_forked(work)
    if outcome.error or outcome.killed:
        raise RuntimeError(f"The index could not be opened:\n{outcome.error}")


def _ask(place: Place, target: Path) -> None:
    """Open both kinds of index; write what they answer and what they rebuilt."""
    from domainsmith.data_connection.index import Backend, Index
    from domainsmith.workspace import Workspace

    embedder = HashingEmbedder()
    answers, rebuilds = [], []
    kinds: tuple[Backend, ...] = ("chroma", "memory")
    for backend in kinds:
        with (
            Workspace.open(place.store) as workspace,
            Index.open(workspace, embedder, backend=backend) as opened,
        ):
            index.ask_for_everything(opened)
            answers.append(opened.bm25(_QUERIES, 5))
            answers.append(
                [[cosine for _, cosine in row] for row in opened.dense(embedder.embed(_QUERIES), 3)]
            )
            rebuilds += opened.state["rebuilds"]
    target.write_text(json.dumps({"answers": answers, "rebuilds": rebuilds}), encoding="utf-8")


def _files(place: Place) -> list[str]:
    folder = place.store / "index"
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size and path.suffix != _LOCKS
    )


def _kind(name: str) -> str:
    """A file's name without what differs from generation to generation."""
    return name.rpartition("/")[2]


def _flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
