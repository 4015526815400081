"""Add the pages of a list of web addresses. Off unless the user allows it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urldefrag

from domainsmith.data_connection.add_report import AddReport, FailedFile
from domainsmith.data_connection.fetch import fetch
from domainsmith.data_connection.intake import Intake, Search, take_in
from domainsmith.data_connection.limited import LimitedLoader
from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.errors import (
    ApprovalDenied,
    InputEmpty,
    InputUnreadable,
    UserError,
    translated_os_errors,
)
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback, ProgressEvent
from domainsmith.storage.document_states import FileState, file_states
from domainsmith.workspace import Workspace

__all__ = ["Allowed", "add_urls", "read_urls"]

Allowed = Literal["off", "public", "any"]
"""Which addresses may be fetched: none, those of the public Internet, or all."""
_MAX_URLS = 10_000


def read_urls(path: Path) -> list[str]:
    """Read a list of addresses.

    Args:
        path: One address a line; empty lines and lines with ``#`` in front are left out.

    Returns:
        Addresses without fragments, each once, in order.

    Raises:
        InputNotFound: There is no such file.
        InputEmpty: It names no address.
        InputUnreadable: It is no text, or names too many.
    """
    with translated_os_errors(path):
        text = decode(path.read_bytes())
    lines = (line.strip() for line in text.split("\n"))
    found = [urldefrag(line)[0] for line in lines if line and not line.startswith("#")]
    if not found:
        raise InputEmpty("The list names no address", where=path)
    if len(found) > _MAX_URLS:
        raise InputUnreadable(f"The list names more than {_MAX_URLS} addresses", where=path)
    return list(dict.fromkeys(found))


def add_urls(
    workspace: Workspace,
    urls: Sequence[str],
    *,
    allowed: Allowed,
    name: str = "urls",
    embedder: Embedder,
    chunk_tokens: int = 200,
    progress: ProgressCallback | None = None,
    index: Search | None = None,
) -> AddReport:
    """Fetch pages and add them; pages that the list no longer names are removed.

    Args:
        workspace: Where to add.
        urls: Addresses.
        allowed: Which may be fetched; ``off`` refuses all.
        name: Names the list, so that several lists do not remove each other's pages.
        embedder: Embeds the passages.
        chunk_tokens: Most tokens of a passage.
        progress: Called after each page.
        index: The open index of this workspace, which then finds what was added.

    Returns:
        What was done; a page that cannot be fetched is among the failures, and an older stored
        version of it stays.

    Raises:
        ApprovalDenied: Fetching is off.
        InputUnreadable: Not one page could be fetched.
    """
    if allowed == "off":
        raise ApprovalDenied(
            "Fetching web pages is off",
            fix='Set url_sources = "public" (or "any" for private networks too).',
        )

    def work(intake: Intake) -> None:
        known = file_states(workspace.db, intake.key)
        with LimitedLoader() as loader, tempfile.TemporaryDirectory() as place:
            for number, url in enumerate(urls, start=1):
                try:
                    _add(intake, url, known.get(url), loader, Path(place), allowed == "any")
                except UserError as error:
                    intake.failed.append(FailedFile(url, str(error)))
                intake.tell(ProgressEvent("fetching pages", number, len(urls), ""))
        for url in sorted(set(known) - set(urls)):
            for path in known[url].paths:
                intake.remove(path)
        if not (intake.added or intake.changed or intake.unchanged):
            raise InputUnreadable(f"Not one page could be added: {intake.failed[0].reason}")

    return take_in(
        workspace,
        f"urls {name}",
        work,
        embedder=embedder,
        chunk_tokens=chunk_tokens,
        progress=progress,
        index=index,
    )


def _add(
    intake: Intake,
    url: str,
    before: FileState | None,
    loader: LimitedLoader,
    place: Path,
    private: bool,
) -> None:
    page = fetch(url, private=private)
    digest = hashlib.sha256(page.data).hexdigest()
    if before is not None and before.sha256 == digest:
        intake.unchanged += len(before.paths)
        return
    path = place / page.name
    try:
        with translated_os_errors(path):
            path.write_bytes(page.data)
        loaded = loader.load(path)
    finally:
        path.unlink(missing_ok=True)
    paths = before.paths if before is not None else ()
    intake.store(url, loaded, sha256=digest, size=len(page.data), known=paths)
