"""Add a folder of files to a workspace: incremental, resumable, one transaction a file."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.limited import LimitedLoader
from domainsmith.data_connection.loaders import SUFFIXES
from domainsmith.data_connection.split import split
from domainsmith.data_connection.vectors import embed_missing
from domainsmith.errors import (
    DomainSmithError,
    InputEmpty,
    InputNotFound,
    InputUnreadable,
    translated_os_errors,
)
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import Document
from domainsmith.storage.atomic import hash_file, write_json
from domainsmith.storage.documents import (
    DocumentState,
    document,
    document_states,
    passage_ids,
    passages,
    put_document,
    remove_document,
    touch_document,
)
from domainsmith.storage.locks import hold
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.data_connection.index import Index

__all__ = ["AddReport", "FailedFile", "add_folder"]

_SPLITTER = 1
"""Raise when :mod:`split` changes, so that stored documents are split anew."""
_LOCK_WAIT_S = 30.0


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be added.

    Attributes:
        path: Relative to the folder.
        reason: One sentence.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class AddReport:
    """What adding a folder did.

    Attributes:
        documents_added: New files.
        changed: Files whose content replaced an older one.
        unchanged: Files that were known already.
        removed: Files that are gone from the folder, and now from the workspace.
        failed: Files that could not be loaded; an older stored version of one stays.
        passages_total: Passages of the whole workspace now.
        passages_new: Passages that got a vector in this run.
        skipped: Files of a kind that no loader reads.
        notes: What loaders could not take along, as (path, sentence).
    """

    documents_added: int
    changed: int
    unchanged: int
    removed: int
    failed: tuple[FailedFile, ...]
    passages_total: int
    passages_new: int
    skipped: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


@dataclass
class _Tally:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[FailedFile] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


def add_folder(
    workspace: Workspace,
    folder: Path,
    *,
    embedder: Embedder,
    chunk_tokens: int = 160,
    progress: ProgressCallback | None = None,
    index: Index | None = None,
) -> AddReport:
    """Load, split, embed and index the files of a folder.

    Running it again continues where it stopped and loads only what changed. Files that are gone
    from the folder are removed. A file that cannot be loaded is reported and the run goes on.

    Args:
        workspace: Where to add.
        folder: A folder, searched with its sub-folders, or a single file.
        embedder: Embeds the passages.
        chunk_tokens: Most tokens of a passage, about.
        progress: Called after each file and each batch of vectors.
        index: An open index of this workspace to refresh; otherwise one is opened.

    Returns:
        What was done.

    Raises:
        InputNotFound: The path does not exist.
        InputEmpty: There is no file in it that could be loaded by its kind.
        InputUnreadable: The path cannot be listed, or not one of its files could be loaded.
        WorkspaceLocked: Another process is adding documents here.
    """
    tell = progress or silent
    folder = Path(os.path.abspath(folder))
    with translated_os_errors(folder):
        single = stat.S_ISREG(folder.stat().st_mode)
    base = folder.parent if single else folder
    tally = _Tally()
    files, skipped = _scan(base, workspace.root, folder if single else None, tally)
    if not files:
        if tally.failed:
            raise _nothing_loaded(folder, tally.failed)
        raise InputEmpty(
            "There is nothing to add: no file of a kind that can be loaded",
            where=folder,
            fix=f"Supported are {', '.join(sorted(SUFFIXES))}.",
        )
    key = _folder_key(base, workspace.root)
    with hold(workspace.root / "add.lock", purpose="adding documents", wait_s=_LOCK_WAIT_S):
        _add_files(workspace, base, key, files, chunk_tokens, tally, tell)
        if not single:
            for gone in sorted(set(document_states(workspace.db, key)) - {n for n, _ in files}):
                if not any(gone == failure.path for failure in tally.failed):
                    tally.removed += remove_document(workspace.db, key, gone)
        new = embed_missing(workspace.db, embedder, progress=tell)
    if not (tally.added or tally.changed or tally.unchanged):
        raise _nothing_loaded(folder, tally.failed)
    _refresh(workspace, embedder, index)
    return AddReport(
        documents_added=tally.added,
        changed=tally.changed,
        unchanged=tally.unchanged,
        removed=tally.removed,
        failed=tuple(tally.failed),
        passages_total=len(passage_ids(workspace.db)),
        passages_new=new,
        skipped=tuple(skipped),
        notes=tuple(tally.notes),
    )


def _refresh(workspace: Workspace, embedder: Embedder, index: Index | None) -> None:
    if index is not None:
        index.refresh()
        return
    # Imported here: the index brings Chroma along, which costs more than most calls.
    from domainsmith.data_connection.index import Index

    Index.open(workspace, embedder).close()


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


def _scan(
    base: Path, root: Path, only: Path | None, tally: _Tally
) -> tuple[list[tuple[str, os.stat_result]], list[str]]:
    """List loadable files as (relative path, stat), sorted, and the names of other files."""
    files: list[tuple[str, os.stat_result]] = []
    skipped: list[str] = []
    for path in [only] if only else _walk(base, root, tally):
        name = path.relative_to(base).as_posix()
        if path.suffix.lower() not in SUFFIXES:
            skipped.append(name)
            continue
        try:
            name.encode("utf-8")
            if not path.resolve().is_relative_to(base.resolve()):
                raise InputUnreadable("It is a link to outside of the folder")
            with translated_os_errors(path):
                info = path.stat()
            if not stat.S_ISREG(info.st_mode):
                raise InputUnreadable("It is not a regular file")
        except DomainSmithError as error:
            tally.failed.append(FailedFile(name, str(error)))
        except UnicodeEncodeError:
            shown = name.encode("utf-8", "backslashreplace").decode("utf-8")
            tally.failed.append(FailedFile(shown, "Its name is not valid text."))
        else:
            files.append((name, info))
    return sorted(files, key=lambda item: item[0]), sorted(skipped)


def _walk(base: Path, root: Path, tally: _Tally) -> Iterator[Path]:
    def unlistable(error: OSError) -> None:
        name = os.path.relpath(error.filename or base, base)
        if name == ".":
            raise error
        tally.failed.append(FailedFile(name, f"Cannot list the folder: {error.strerror}."))

    with translated_os_errors(base):
        for place, folders, names in os.walk(base, onerror=unlistable):
            here = Path(place)
            folders[:] = sorted(
                name for name in folders if not name.startswith(".") and here / name != root
            )
            for name in sorted(names):
                # "~$report.docx" is the lock file of an open Office document
                if not name.startswith((".", "~$")):
                    yield here / name


def _add_files(
    workspace: Workspace,
    base: Path,
    key: str,
    files: list[tuple[str, os.stat_result]],
    chunk_tokens: int,
    tally: _Tally,
    tell: ProgressCallback,
) -> None:
    known = document_states(workspace.db, key)
    before = workspace.db.read().execute("SELECT COUNT(*) FROM sources").fetchone()[0]
    split_again = not _split_as(workspace, chunk_tokens)
    with LimitedLoader() as loader:
        for number, (name, info) in enumerate(files, start=1):
            message = ""
            try:
                _add_file(workspace, base, key, name, info, known, chunk_tokens, tally, loader)
            except InputNotFound:
                message = f"{name}: vanished"
                tally.failed.append(FailedFile(name, "The file vanished while it was read."))
            except (InputUnreadable, InputEmpty) as error:
                message = str(error)
                tally.failed.append(FailedFile(name, message))
            tell(ProgressEvent("loading files", number, len(files), message))
    if split_again:
        if before:
            _split_unchanged(workspace, chunk_tokens)
        write_json(
            workspace.index_dir / "split.json",
            {"chunk_tokens": chunk_tokens, "splitter": _SPLITTER},
        )


def _add_file(
    workspace: Workspace,
    base: Path,
    key: str,
    name: str,
    info: os.stat_result,
    known: dict[str, DocumentState],
    chunk_tokens: int,
    tally: _Tally,
    loader: LimitedLoader,
) -> None:
    before = known.get(name)
    if before and (before.size, before.mtime_ns) == (info.st_size, info.st_mtime_ns):
        tally.unchanged += 1
        return
    path = base / name
    with translated_os_errors(path):
        digest = hash_file(path)
    if before and before.source_sha256 == digest:
        touch_document(workspace.db, key, name, info.st_mtime_ns, info.st_size)
        tally.unchanged += 1
        return
    loaded = loader.load(path)
    with translated_os_errors(path):
        if hash_file(path) != digest:
            raise InputUnreadable(
                "The file changed while it was read", where=name, fix="Add the folder again."
            )
    value = Document(
        path=name,
        source_sha256=digest,
        media_type=loaded.media_type,
        title=loaded.title,
        language=detect_language(loaded.text),
        text=loaded.text,
        size=info.st_size,
        mtime_ns=info.st_mtime_ns,
        notes=loaded.notes,
    )
    put_document(workspace.db, value, split(value, max_tokens=chunk_tokens), folder=key)
    tally.notes.extend((name, note) for note in loaded.notes)
    if before:
        tally.changed += 1
    else:
        tally.added += 1


def _split_as(workspace: Workspace, chunk_tokens: int) -> bool:
    """Tell whether every stored document was split with these parameters."""
    try:
        text = (workspace.index_dir / "split.json").read_text("utf-8")
        return bool(json.loads(text) == {"chunk_tokens": chunk_tokens, "splitter": _SPLITTER})
    except (OSError, ValueError):
        return False


def _split_unchanged(workspace: Workspace, chunk_tokens: int) -> None:
    """Split stored documents with the present parameters; equal passages stay as they are."""
    db = workspace.db
    places = db.read().execute("SELECT folder, path, document_id FROM sources").fetchall()
    for place, _, document_id in sorted(places):
        value = document(db, document_id)
        wanted = split(value, max_tokens=chunk_tokens)
        if [p.id for p in wanted] != [p.id for p in passages(db, document_id=document_id)]:
            put_document(db, value, wanted, folder=place)
