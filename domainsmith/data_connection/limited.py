"""Load files in a child process with limits, so that a hostile file costs itself only.

One child serves many files (starting Python costs more than most files). A child that dies,
hangs or outgrows its limits fails the file it was loading; the next file gets a new child.
"""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import domainsmith
from domainsmith import errors
from domainsmith.data_connection.loaders import LoadedFile, LoadedMember
from domainsmith.errors import DomainSmithError, InputUnreadable, InternalError

__all__ = ["LimitedLoader", "LoadLimits"]


@dataclass(frozen=True)
class LoadLimits:
    """What one file may cost.

    Attributes:
        memory_bytes: Address space of the child.
        cpu_seconds: Processor time for one file.
        wall_seconds: Time for one file before the child is killed.
    """

    memory_bytes: int = 2 * 1024**3
    cpu_seconds: int = 60
    wall_seconds: float = 120.0


class LimitedLoader:
    """Loads files in a limited child process. Not for several threads at once.

    Args:
        limits: What one file may cost.
    """

    def __init__(self, limits: LoadLimits | None = None) -> None:
        self._limits = limits or LoadLimits()
        self._child: subprocess.Popen[bytes] | None = None
        self.judged = False
        """Whether the last file was read to its end, so that the same bytes would fare the same:
        not if the child died or took too long, which may be the machine's fault."""

    def __enter__(self) -> LimitedLoader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()

    def load(self, path: Path) -> LoadedFile:
        """Load one file.

        Args:
            path: A file of a known format.

        Returns:
            Its text.

        Raises:
            InputNotFound: There is no such file.
            InputEmpty: The file holds no text.
            InputUnreadable: It cannot be loaded, or not within the limits.
        """
        self.judged = False
        child = self._running()
        assert child.stdin is not None
        request = json.dumps({"path": os.path.abspath(path), "cpu": self._limits.cpu_seconds})
        try:
            child.stdin.write(request.encode("utf-8", "surrogatepass") + b"\n")
            child.stdin.flush()
            reply = self._reply(child, time.monotonic() + self._limits.wall_seconds)
        except (BrokenPipeError, EOFError):
            raise self._death(child, path) from None
        except TimeoutError:
            self.close()
            raise InputUnreadable(
                f"Loading took more than {self._limits.wall_seconds:g} seconds", where=path.name
            ) from None
        self.judged = True
        return _unpacked(reply)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        package = str(Path(domainsmith.__file__).resolve().parent.parent)
        known = [package, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(entry for entry in known if entry),
            "OMP_NUM_THREADS": "1",  # thread pools reserve address space, which is limited
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._child = subprocess.Popen(
            [
                sys.executable,
                "-P",  # the folder that the user stands in may hold a html.py of its own
                "-m",
                "domainsmith.data_connection.load_worker",
                str(os.getpid()),
                str(self._limits.memory_bytes),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        return self._child

    def _reply(self, child: subprocess.Popen[bytes], deadline: float) -> bytes:
        assert child.stdout is not None
        (size,) = struct.unpack(">Q", _read(child.stdout.fileno(), 8, deadline))
        return _read(child.stdout.fileno(), size, deadline)

    def _death(self, child: subprocess.Popen[bytes], path: Path) -> DomainSmithError:
        code = child.wait()
        self.close()
        if -code == 24:  # SIGXCPU
            what = f"Loading took more than {self._limits.cpu_seconds} seconds of processor time"
        else:
            what = f"The loader died on the file (exit status {code})"
        return InputUnreadable(what, where=path.name)


def _read(descriptor: int, size: int, deadline: float) -> bytes:
    # os.read on the raw descriptor: a buffered pipe would hide bytes from select().
    pieces: list[bytes] = []
    while size > 0:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        piece = os.read(descriptor, min(size, 1 << 20))
        if not piece:
            raise EOFError
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _unpacked(reply: bytes) -> LoadedFile:
    value = json.loads(reply)
    if "text" in value:
        members = tuple(LoadedMember(**member) for member in value["members"])
        notes = tuple(value["notes"])
        return LoadedFile(value["title"], value["text"], value["media_type"], notes, members)
    kind = getattr(errors, value["error"], InternalError)
    raise kind(value["what"], where=value["where"], fix=value["fix"])
