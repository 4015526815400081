"""One file over HTTP: what is here of it is kept, and it is used only if its checksum is right."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domainsmith.errors import WeightsMissing
from domainsmith.storage.atomic import hash_file

__all__ = ["Checksum", "checksum_of", "fetch_file"]

_TRIES = 4
_TIMEOUT_S = 30.0
_REPORT_S = 10.0


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the hub states about a file.

    Attributes:
        size: In bytes; None if it is not stated.
        sha256: Of large files.
        blob: Git's checksum, of small ones.
    """

    size: int | None = None
    sha256: str = ""
    blob: str = ""


def checksum_of(item: Any) -> Checksum:
    """Read what the hub states about a file of a model."""
    sha256 = item.lfs.sha256 if item.lfs is not None else ""
    return Checksum(item.size, sha256, "" if sha256 else item.blob_id or "")


def fetch_file(url: str, target: Path, checksum: Checksum, say: Callable[[str], None]) -> None:
    """Download a file; what an earlier run left of it is gone on with.

    Args:
        url: Of the file, at a fixed revision.
        target: Appears when the file is whole and right; until then there is ``NAME.part``.
        checksum: What it must be.
        say: Receives a sentence every ten seconds.

    Raises:
        WeightsMissing: The file is not the one that the hub states.
        HTTPError: The hub refuses, or the connection broke several times (of the HTTP library that
            huggingface_hub uses).
    """
    if target.is_file():
        return  # it was compared before it got its name
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    _complete(url, part, checksum.size, say)
    if not _is_right(part, checksum):
        part.unlink()
        raise WeightsMissing(
            f"{target.name} arrived damaged: its checksum is not the one that the hub states",
            where=url,
            fix="Run the same command again.",
        )
    part.rename(target)


def _complete(url: str, part: Path, size: int | None, say: Callable[[str], None]) -> None:
    """Fetch what is missing of a file; go on where the connection broke."""
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        HfHubHTTPError,
        HTTPError,
    )

    for number in range(_TRIES):
        have = part.stat().st_size if part.is_file() else 0
        if have and (size is None or have > size):
            part.unlink()
            have = 0
        if size is not None and have == size and size > 0:
            return
        try:
            for done in _stream(url, part, have):
                say(f"{part.stem}: {done / 1e6:,.0f} of {(size or done) / 1e6:,.0f} MB")
        except HTTPError as error:
            if isinstance(error, HfHubHTTPError) or number == _TRIES - 1:
                raise
            time.sleep(0.5 * number)
            continue
        if size is None or part.stat().st_size >= size:
            return
    raise WeightsMissing(
        f"The hub ends {part.stem} too early", where=url, fix="Run the same command again."
    )


def _stream(url: str, part: Path, have: int) -> Iterator[int]:
    """Append the rest of a file; yield its size now and then."""
    from huggingface_hub import get_session
    from huggingface_hub.utils._headers import build_hf_headers
    from huggingface_hub.utils._http import hf_raise_for_status

    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    reported = time.monotonic()
    with get_session().stream(
        "GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT_S
    ) as response:
        if response.status_code >= 400:
            response.read()
            hf_raise_for_status(response)
        # A server without ranges sends the whole file again.
        with part.open("ab" if response.status_code == 206 else "wb") as file:
            for block in response.iter_bytes():
                file.write(block)
                if time.monotonic() - reported > _REPORT_S:
                    reported = time.monotonic()
                    yield file.tell()


def _is_right(part: Path, checksum: Checksum) -> bool:
    if checksum.size is not None and part.stat().st_size != checksum.size:
        return False
    if checksum.sha256:
        return hash_file(part) == checksum.sha256
    if checksum.blob:
        data = part.read_bytes()
        head = f"blob {len(data)}\0".encode()
        return hashlib.sha1(head + data, usedforsecurity=False).hexdigest() == checksum.blob
    return True
