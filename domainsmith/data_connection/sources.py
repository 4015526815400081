"""Add a folder of files to a workspace: incremental, resumable, one transaction a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from domainsmith.data_connection.add_report import AddReport, FailedFile
from domainsmith.data_connection.intake import Intake, Search, take_in
from domainsmith.data_connection.limited import LimitedLoader
from domainsmith.data_connection.loaders import MAX_BYTES, SUFFIXES
from domainsmith.data_connection.read_stamp import keep_read_stamp, was_read_otherwise
from domainsmith.data_connection.refused import Refused
from domainsmith.data_connection.scan import Scan, scan
from domainsmith.errors import (
    DomainSmithError,
    InputEmpty,
    InputNotFound,
    InputUnreadable,
    translated_os_errors,
)
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback, ProgressEvent
from domainsmith.storage.atomic import hash_file
from domainsmith.storage.document_states import FileState, file_states, touch_document
from domainsmith.workspace import Workspace

__all__ = ["AddReport", "FailedFile", "add_folder"]

_CHANGED = "The file changed"
_SAMPLED = (".csv", ".tsv")
"""Tables may be of any size: a large one is sampled."""


def add_folder(
    workspace: Workspace,
    folder: Path,
    *,
    embedder: Embedder,
    chunk_tokens: int = 200,
    git: bool = False,
    progress: ProgressCallback | None = None,
    index: Search | None = None,
) -> AddReport:
    """Load, split, embed and index the files of a folder.

    Running it again continues where it stopped and loads only what changed: an unchanged file
    costs a look at its time and size. Files that are gone from the folder are removed; a renamed
    one keeps its passages and their ids. A file that cannot be loaded is reported and the run
    goes on. After an update that reads files better, unchanged ones are read anew, once.

    Args:
        workspace: Where to add.
        folder: A folder, searched with its sub-folders, or a single file.
        embedder: Embeds the passages, and counts their tokens if it can.
        chunk_tokens: Most tokens of a passage, about.
        git: The folder is a Git checkout, of which the tracked documents are read.
        progress: Called after each file and each batch of vectors.
        index: The open index of this workspace, which then finds what was added.

    Returns:
        What was done.

    Raises:
        InputNotFound: The path does not exist.
        InputEmpty: There is no file in it that could be loaded by its kind.
        InputInvalid: ``git`` is set for a folder that is no checkout.
        InputUnreadable: The path cannot be listed, or not one of its files could be loaded.
        WorkspaceLocked: Another process is adding documents here.
    """
    folder = Path(os.path.abspath(folder))
    with translated_os_errors(folder):
        single = stat.S_ISREG(folder.stat().st_mode)
    base = folder.parent if single else folder
    found = scan(base, root=workspace.root, only=folder if single else None, git=git)
    failed = [FailedFile(*item) for item in found.failed]
    if not found.files:
        # A single file was asked for by name: say what is wrong with its kind.
        failed += [FailedFile(*item) for item in found.notes if single]
        if failed:
            raise _nothing_loaded(folder, failed)
        raise InputEmpty(
            "There is nothing to add: no file of a kind that can be loaded",
            where=folder,
            fix=f"Supported are {', '.join(sorted(SUFFIXES))}.",
        )

    def work(intake: Intake) -> None:
        intake.failed.extend(failed)
        intake.skipped.extend(found.skipped)
        intake.notes.extend(found.notes)
        anew = was_read_otherwise(workspace, intake.key)
        if anew:
            intake.notes.append((".", "Unchanged files were read anew: they are read better now."))
        _add_files(intake, base, found, anew=anew)
        if not single:
            _remove_gone(intake, found)
            keep_read_stamp(workspace, intake.key)
        if not (intake.added or intake.changed or intake.unchanged):
            raise _nothing_loaded(folder, intake.failed)

    return take_in(
        workspace,
        _folder_key(base, workspace.root),
        work,
        embedder=embedder,
        chunk_tokens=chunk_tokens,
        progress=progress,
        index=index,
    )


def _nothing_loaded(folder: Path, failed: list[FailedFile]) -> DomainSmithError:
    shown = "; ".join(f"{item.path}: {item.reason}" for item in failed[:3])
    more = f"; and {len(failed) - 3} more" if len(failed) > 3 else ""
    return InputUnreadable(
        f"Not one file could be loaded: {shown}{more}",
        where=folder,
        fix="Correct or replace these files and add the folder again.",
    )


def _folder_key(base: Path, root: Path) -> str:
    """Name an added folder relative to the workspace's place, so that both may be moved."""
    return Path(os.path.relpath(base.resolve(), root.resolve().parent)).as_posix()


def _add_files(intake: Intake, base: Path, found: Scan, *, anew: bool) -> None:
    known = file_states(intake.workspace.db, intake.key)
    refused = Refused.read(intake.workspace.index_dir / "refused.json", intake.key)
    with LimitedLoader() as loader:
        for number, (name, info) in enumerate(found.files, start=1):
            message = refused.reason(name, info.st_size, info.st_mtime_ns)
            try:
                if not message:
                    loader.judged = False
                    before = known.get(name)
                    _add_file(intake, base / name, name, info, before, loader, anew=anew)
            except InputNotFound:
                message = "The file vanished while it was read."
            except (InputUnreadable, InputEmpty) as error:
                message = str(error)
                if loader.judged and not error.what.startswith(_CHANGED):
                    refused.note(name, info.st_size, info.st_mtime_ns, message)
            if message:
                intake.failed.append(FailedFile(name, message))
            intake.tell(ProgressEvent("loading files", number, len(found.files), message))
    refused.write()


def _add_file(
    intake: Intake,
    path: Path,
    name: str,
    info: os.stat_result,
    before: FileState | None,
    loader: LimitedLoader,
    *,
    anew: bool,
) -> None:
    if before and not anew and (before.size, before.mtime_ns) == (info.st_size, info.st_mtime_ns):
        intake.unchanged += len(before.paths)
        return
    if info.st_size > MAX_BYTES and path.suffix.lower() not in _SAMPLED:
        raise InputUnreadable(  # before gigabytes are hashed for nothing
            f"The file has {info.st_size} bytes; {MAX_BYTES} allowed",
            where=name,
            fix="Split it into smaller files.",
        )
    with translated_os_errors(path):
        digest = hash_file(path)
    if before and not anew and before.sha256 == digest:
        touch_document(intake.workspace.db, intake.key, name, info.st_mtime_ns, info.st_size)
        intake.unchanged += len(before.paths)
        return
    loaded = loader.load(path)
    with translated_os_errors(path):
        if hash_file(path) != digest:
            raise InputUnreadable(
                f"{_CHANGED} while it was read", where=name, fix="Add the folder again."
            )
    intake.store(
        name,
        loaded,
        sha256=digest,
        size=info.st_size,
        mtime_ns=info.st_mtime_ns,
        known=before.paths if before else (),
    )


def _remove_gone(intake: Intake, found: Scan) -> None:
    """Forget what stood in files that are no longer there; what only failed today stays."""
    present = {name for name, _ in found.files} | {failure.path for failure in intake.failed}
    # A folder that cannot be listed is among the failures; what it holds is not known to be gone.
    unseen = tuple(f"{failure.path}/" for failure in intake.failed)
    states = file_states(intake.workspace.db, intake.key)
    for name in sorted(set(states) - present):
        for path in () if name.startswith(unseen) else states[name].paths:
            intake.remove(path)
