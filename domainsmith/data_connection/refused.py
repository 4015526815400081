"""Remember files that could not be loaded, so that an unchanged one is not tried each time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from domainsmith import __version__
from domainsmith.data_connection.loaders import IMAGE_SUFFIXES, can_load
from domainsmith.storage.atomic import write_json

__all__ = ["Refused"]


@dataclass
class Refused:
    """Reasons of one added folder, by path; disposable.

    Attributes:
        place: The file that keeps them, for all folders.
        key: Names the folder.
        known: (size, modification time, reason) by path, from the last run.
        now: The same of this run.
    """

    place: Path
    key: str
    known: dict[str, list[object]] = field(default_factory=dict)
    now: dict[str, list[object]] = field(default_factory=dict)

    @classmethod
    def read(cls, place: Path, key: str) -> Refused:
        """Read what is remembered; nothing if another version of this program wrote it."""
        stored = _read(place)
        known = stored.get(key) if stored.get("by") == _stamp() else None
        return cls(place, key, dict(known) if isinstance(known, dict) else {})

    def reason(self, path: str, size: int, mtime_ns: int) -> str:
        """Return why this very file was refused, or an empty text.

        Args:
            path: Relative to the folder.
            size: Bytes.
            mtime_ns: Modification time, nanoseconds.
        """
        found = self.known.get(path)
        if not isinstance(found, list) or found[:2] != [size, mtime_ns]:
            return ""
        self.now[path] = found
        return str(found[2])

    def note(self, path: str, size: int, mtime_ns: int, reason: str) -> None:
        """Remember a file."""
        self.now[path] = [size, mtime_ns, reason]

    def write(self) -> None:
        """Keep what this run saw; files that are gone are forgotten."""
        if self.now == self.known:
            return
        stored = _read(self.place)
        if stored.get("by") != _stamp():
            stored = {"by": _stamp()}
        self.place.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.place, {**stored, self.key: self.now})


def _read(place: Path) -> dict[str, object]:
    try:
        value = json.loads(place.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _stamp() -> str:
    """Another version, or a text recogniser that was installed, may read what was refused."""
    pictures = can_load(f"a{min(IMAGE_SUFFIXES)}")
    return f"{__version__} {'with' if pictures else 'without'} recogniser"
