"""The child process of :mod:`limited`: ``python -m ... PARENT_PID MEMORY_BYTES``.

Reads one JSON request a line from standard input, writes length-prefixed JSON to standard
output. Ends with its input, with its parent, or with its limits.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import resource
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from domainsmith.data_connection.loaders import load_file
from domainsmith.errors import DomainSmithError, InputUnreadable
from domainsmith.storage.process import die_with_parent

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Serve load requests until standard input ends.

    Args:
        arguments: The parent's process id, and the address space limit in bytes.

    Returns:
        The exit status.
    """
    parent, memory = int(arguments[0]), int(arguments[1])
    die_with_parent()
    if os.getppid() != parent:
        return 0  # the parent died before the death signal was set
    output = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not mix with replies
    _limit(memory)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _allow_processor_time(int(request["cpu"]))
        reply = _reply(Path(request["path"]))
        _write(output, struct.pack(">Q", len(reply)) + reply)
    return 0


def _limit(memory: int) -> None:
    # Some systems refuse to lower a limit (macOS: address space); the others still hold.
    limits = (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, value in limits:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value))

    def refuse(*_: object, **__: object) -> Any:
        raise PermissionError("loaders may not use the network")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse


def _allow_processor_time(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _reply(path: Path) -> bytes:
    try:
        loaded = load_file(path)
        value: dict[str, Any] = {
            "title": loaded.title,
            "text": loaded.text,
            "media_type": loaded.media_type,
            "notes": list(loaded.notes),
            "members": [dataclasses.asdict(member) for member in loaded.members],
        }
        return json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (MemoryError, UnicodeEncodeError) as error:
        failure: DomainSmithError = InputUnreadable(
            f"The text cannot be handed over: {type(error).__name__}", where=path.name
        )
    except DomainSmithError as error:
        failure = error
    value = {
        "error": type(failure).__name__,
        "what": failure.what,
        "where": failure.where,
        "fix": failure.fix,
    }
    return json.dumps(value).encode("ascii")


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
