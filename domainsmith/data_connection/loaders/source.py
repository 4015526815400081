"""What a loader reads: a file on disk, or a member of an archive or mail held in memory.

Loaders may not write, so members of archives are never unpacked to disk. A budget is shared by
everything that one file on disk holds, however deeply it is nested.
"""

from __future__ import annotations

import io
import posixpath
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Literal, Protocol

from domainsmith.errors import InputUnreadable

__all__ = ["Budget", "MemoryFile", "Source", "budget_of", "safe_member_name"]

_MAX_DEPTH = 3


class Source(Protocol):
    """A named sequence of bytes; :class:`pathlib.Path` is one."""

    @property
    def name(self) -> str:
        """File name with its ending."""
        ...

    @property
    def stem(self) -> str:
        """File name without its ending."""
        ...

    @property
    def suffix(self) -> str:
        """Ending with its dot, as it is written."""
        ...

    def read_bytes(self) -> bytes:
        """Return all bytes."""
        ...

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Open for reading."""
        ...


@dataclass
class Budget:
    """What the members of one file may still cost.

    Attributes:
        members: How many more may be unpacked.
        unpacked: Bytes that may still be unpacked.
        depth: How deeply the container at hand is nested; 0 is the file on disk.
    """

    members: int = 5_000
    unpacked: int = 512 * 1024 * 1024
    depth: int = 0

    def take(self, size: int) -> None:
        """Pay for one member.

        Args:
            size: Its bytes.

        Raises:
            InputUnreadable: The file holds too much.
        """
        self.members -= 1
        self.unpacked -= size
        if self.members < 0:
            raise InputUnreadable("The file holds too many members, counted through all its layers")
        if self.unpacked < 0:
            raise InputUnreadable("The file unpacks to more than is allowed (a bomb?)")


@dataclass(frozen=True)
class MemoryFile:
    """A member, held in memory.

    Args:
        name: File name; a path's last part.
        data: Its bytes.
        budget: Shared with the file that it came from.
        depth: How deeply it is nested, from 1.
    """

    name: str
    data: bytes = field(repr=False)
    budget: Budget = field(default_factory=Budget, compare=False)
    depth: int = 1

    @property
    def stem(self) -> str:
        """File name without its ending."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Ending with its dot."""
        return PurePosixPath(self.name).suffix

    def read_bytes(self) -> bytes:
        """Return all bytes."""
        return self.data

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Open for reading."""
        del mode
        return io.BytesIO(self.data)


def budget_of(source: Source) -> tuple[Budget, int]:
    """Return the budget that a container's members share, and the depth that they have.

    Args:
        source: The container.

    Returns:
        (budget, depth of its members).

    Raises:
        InputUnreadable: It is nested too deeply.
    """
    budget = source.budget if isinstance(source, MemoryFile) else Budget()
    depth = source.depth + 1 if isinstance(source, MemoryFile) else 1
    if depth > _MAX_DEPTH:
        raise InputUnreadable(f"It is nested more than {_MAX_DEPTH} archives deep")
    return budget, depth


def safe_member_name(name: str) -> str | None:
    """Normalise the name of an archive's member.

    Args:
        name: As the archive has it.

    Returns:
        A relative POSIX path, or None for one that points outside or cannot be a name.
    """
    path = name.replace("\\", "/")
    if not path or "\0" in path or path.startswith("/") or ":" in path.split("/")[0]:
        return None
    path = posixpath.normpath(path)
    if path in {".", ".."} or path.startswith("../"):
        return None
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return path
