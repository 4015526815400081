"""Arrays of an index in one disposable file that proves itself: key, checksum, memory map.

A file is written beside and renamed, carries the SHA-256 of every byte after its first line, and
is read only if that and the key agree. Whatever is wrong with it, it counts as absent: the
database can make it again. There is no pickle in it.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.storage.atomic import write_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["load_arrays", "pack_strings", "save_arrays", "unpack_strings"]

_FORMAT = 1
_ALIGNMENT = 64
_LONGEST_HEAD = 1 << 16


def save_arrays(
    path: Path, key: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]
) -> None:
    """Write arrays as one file, whole or not at all.

    Args:
        path: The file.
        key: What the arrays were made from; plain JSON values.
        arrays: Numbers of any shape and a fixed-size type, little-endian.

    Raises:
        ResourceExhausted: The disk is full; an older file stays.
    """
    import numpy as np

    layout: list[Any] = []
    parts: list[bytes | memoryview] = []
    offset = 0
    for name, value in arrays.items():
        whole = np.ascontiguousarray(value)
        layout.append([name, whole.dtype.str, list(whole.shape), offset])
        gap = -whole.nbytes % _ALIGNMENT
        parts += [whole.reshape(-1).view(np.uint8).data, b"\0" * gap]
        offset += whole.nbytes + gap
    body = b"".join(parts)
    head = {
        "format": _FORMAT,
        "key": dict(key),
        "arrays": layout,
        "size": len(body),
    }
    digest = hashlib.sha256(_canonical(head))
    digest.update(body)
    line = _canonical({**head, "sha256": digest.hexdigest()})
    # the head is padded, so that the arrays of a mapped file are aligned
    write_bytes(path, line.ljust(len(line) + (-(len(line) + 1) % _ALIGNMENT)) + b"\n" + body)


def load_arrays(
    path: Path, key: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]] | None:
    """Map the arrays of a file into memory.

    Args:
        path: The file.
        key: What they must have been made from; None takes any.

    Returns:
        The key and the read-only arrays, or None if there is no such file, it was made from
        something else, or a single bit of it has changed.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEAD)
            head = json.loads(line)
            digest = head.pop("sha256")
            if head["format"] != _FORMAT or (key is not None and head["key"] != dict(key)):
                return None
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        body = memoryview(mapped)[len(line) :]
        found = hashlib.sha256(_canonical(head))
        found.update(body)
        if len(body) != head["size"] or found.hexdigest() != digest:
            return None
        return head["key"], _arrays(head["arrays"], body)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # A damaged head is anything: not text, not JSON, not an object, of other types.
        return None


def _arrays(layout: list[Any], body: memoryview) -> dict[str, NDArray[np.generic]]:
    import numpy as np

    found: dict[str, NDArray[np.generic]] = {}
    for name, kind, shape, offset in layout:
        count = int(np.prod(shape, dtype=np.int64))
        flat = np.frombuffer(body, dtype=np.dtype(kind), count=count, offset=offset)
        found[name] = flat.reshape(shape)
    return found


def _canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def pack_strings(strings: list[str]) -> NDArray[np.uint8]:
    """Write strings without line ends as an array of bytes (UTF-8)."""
    import numpy as np

    return np.frombuffer("\n".join(strings).encode(), dtype=np.uint8)


def unpack_strings(packed: NDArray[np.generic], count: int) -> list[str]:
    """Read what :func:`pack_strings` wrote.

    Args:
        packed: Bytes, shape (n,).
        count: How many strings there are; a single empty one and none look the same.
    """
    return packed.tobytes().decode().split("\n") if count else []
