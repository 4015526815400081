"""Keep an index current: add a folder, then again whenever something in it changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from domainsmith.data_connection.add_report import AddReport
from domainsmith.data_connection.intake import Search
from domainsmith.data_connection.sources import add_folder
from domainsmith.errors import DomainSmithError, InputNotFound, WorkspaceTooNew
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback
from domainsmith.workspace import Workspace

__all__ = ["watch_folder"]

_STEP_MS = 50
_RETRY_S = 5.0
"""A folder that is away (a share that is not mounted) is looked for this often."""


def watch_folder(
    workspace: Workspace,
    folder: Path,
    *,
    embedder: Embedder,
    tell: Callable[[AddReport | DomainSmithError], None],
    chunk_tokens: int = 200,
    git: bool = False,
    quiet_seconds: float = 1.0,
    poll: bool = False,
    stop: threading.Event | None = None,
    progress: ProgressCallback | None = None,
    index: Search | None = None,
) -> None:
    """Add a folder now and after each change, until told to stop.

    Changes are gathered until nothing happened for a moment, so that saving many files costs one
    run. What fails is told, and tried again with the next change.

    Args:
        workspace: Where to add; may lie in the folder.
        folder: A folder or a single file.
        embedder: Embeds the passages.
        tell: Called after each run with what it did, or why it failed.
        chunk_tokens: Most tokens of a passage.
        git: See :func:`~domainsmith.data_connection.sources.add_folder`.
        quiet_seconds: How long nothing must have happened.
        poll: Compare listings instead of asking the system, for network drives.
        stop: Set it to end; otherwise KeyboardInterrupt does.
        progress: See :func:`~domainsmith.data_connection.sources.add_folder`.
        index: The open index of this workspace, which then finds what was added.

    Raises:
        InputNotFound: The folder does not exist at the beginning.
    """
    stop = stop or threading.Event()
    folder = Path(os.path.abspath(folder))
    if not folder.exists():
        raise InputNotFound("No such file or folder", where=folder, fix="Check the path.")
    matters = _filter(folder, workspace.root)

    def run() -> None:
        try:
            report = add_folder(
                workspace,
                folder,
                embedder=embedder,
                chunk_tokens=chunk_tokens,
                git=git,
                progress=progress,
                index=index,
            )
        except WorkspaceTooNew:
            raise
        except DomainSmithError as error:
            tell(error)
        else:
            tell(report)

    run()
    while not stop.is_set():
        _until_changed(folder, matters, int(quiet_seconds * 1000), poll, stop)
        if not stop.is_set():
            run()


def _until_changed(
    folder: Path,
    matters: Callable[[object, str], bool],
    quiet_ms: int,
    poll: bool,
    stop: threading.Event,
) -> None:
    import watchfiles

    place = folder if folder.is_dir() else folder.parent
    if not place.is_dir():
        stop.wait(_RETRY_S)
        return
    for _ in watchfiles.watch(
        place,
        watch_filter=matters,
        # How long changes are gathered, and what pause ends the gathering.
        debounce=max(quiet_ms * 10, _STEP_MS),
        step=max(quiet_ms, _STEP_MS),
        stop_event=stop,
        force_polling=poll or None,
        raise_interrupt=True,
        ignore_permission_denied=True,
    ):
        return


def _filter(folder: Path, root: Path) -> Callable[[object, str], bool]:
    """Leave out what adding leaves out: the workspace itself, hidden files, lock files."""
    inside = folder if folder.is_dir() else folder.parent
    only = None if folder.is_dir() else str(folder)
    own = str(root.resolve())

    def matters(change: object, path: str) -> bool:
        del change
        if only is not None:
            return path == only
        if path == own or path.startswith(own + os.sep):
            return False
        parts = Path(os.path.relpath(path, inside)).parts
        return not any(part.startswith((".", "~$")) for part in parts)

    return matters
