"""What every source of documents shares: split, store, embed, find versions, refresh the index."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.loaders import LoadedFile
from domainsmith.data_connection.split import count_words, split
from domainsmith.data_connection.vectors import embed_missing
from domainsmith.data_connection.versions import find_version, mark_versions
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback, silent
from domainsmith.records import Document, Passage
from domainsmith.storage.atomic import write_json
from domainsmith.storage.documents import (
    document,
    passages,
    put_file,
    remove_document,
    replace_passages,
    twin,
)
from domainsmith.storage.locks import hold
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.data_connection.index import Index

__all__ = ["AddReport", "FailedFile", "Intake", "Splitter", "take_in"]

_SPLITTER = 2
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
    """What adding a folder, a database or a list of addresses did.

    Attributes:
        documents_added: New documents.
        changed: Documents whose content replaced an older one.
        unchanged: Documents that were known already.
        removed: Documents that are gone from their source, and now from the workspace.
        failed: Files that could not be loaded; an older stored version of one stays.
        passages_total: Searchable passages of the whole workspace now.
        passages_new: Passages that got a vector in this run.
        skipped: Files of a kind that no loader reads.
        notes: What loaders could not take along, as (path, sentence).
        renamed: Documents that stand under another name now and kept their passages.
        superseded: Documents of the workspace that a newer version replaces.
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
    renamed: int = 0
    superseded: int = 0


class Splitter:
    """Splits documents within the token budget of an embedder.

    Args:
        embedder: One that can count tokens counts them; otherwise words are counted.
        chunk_tokens: Most tokens of a passage without its header.
    """

    def __init__(self, embedder: Embedder, chunk_tokens: int) -> None:
        count = getattr(embedder, "count_tokens", None)
        self.count: Callable[[str], int] = count if callable(count) else count_words
        self.window: int | None = getattr(embedder, "max_tokens", None) if count else None
        self._chunk_tokens = chunk_tokens
        self.stamp: dict[str, Any] = {
            "chunk_tokens": chunk_tokens,
            "splitter": _SPLITTER,
            "counter": embedder.model_name if count else "words",
        }
        """Changes whenever documents would be split differently."""

    def __call__(self, value: Document) -> list[Passage]:
        """Split one document."""
        return split(value, max_tokens=self._chunk_tokens, count=self.count, window=self.window)


@dataclass
class Intake:
    """A run that adds documents of one source.

    Attributes:
        workspace: Where to.
        key: Names the source in the database.
        splitter: Makes the passages.
        tell: Progress.
        failed: Files that could not be loaded.
        notes: See :class:`AddReport`.
    """

    workspace: Workspace
    key: str
    splitter: Splitter
    tell: ProgressCallback
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    renamed: int = 0
    failed: list[FailedFile] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    _copied: list[tuple[str, str]] = field(default_factory=list)

    def store(
        self,
        path: str,
        loaded: LoadedFile,
        *,
        sha256: str,
        size: int = 0,
        mtime_ns: int = 0,
        known: tuple[str, ...] = (),
    ) -> None:
        """Store a loaded file and what it holds, in one transaction.

        Args:
            path: Of the file, within its source.
            loaded: Its text and members.
            sha256: Of its bytes.
            size: Its bytes.
            mtime_ns: Its modification time.
            known: Paths of the documents that it held so far.
        """
        members = [
            (f"{path}/{m.name}", m.sha256, m.title, m.text, m.media_type, ())
            for m in loaded.members
        ]
        own = [(path, sha256, loaded.title, loaded.text, loaded.media_type, loaded.notes)]
        fresh: list[tuple[Document, list[Passage]]] = []
        stored: list[tuple[str, str]] = []
        for name, digest, title, text, media_type, notes in [
            *(own if loaded.text.strip() else []),
            *members,
        ]:
            same = None if name in known else twin(self.workspace.db, digest, _suffix(name))
            if same is not None:
                stored.append((name, same))
                continue
            value = Document(
                path=name,
                source_sha256=digest,
                media_type=media_type,
                title=title,
                language=detect_language(text),
                text=text,
                size=size,
                mtime_ns=mtime_ns,
                notes=notes,
                version=find_version(name, title, text),
            )
            fresh.append((value, self.splitter(value)))
        gone = put_file(
            self.workspace.db,
            fresh,
            folder=self.key,
            file=path,
            sha256=sha256,
            mtime_ns=mtime_ns,
            size=size,
            stored=stored,
        )
        new = sum(value.path not in known for value, _ in fresh)
        self.added += new + len(stored)
        self.changed += len(fresh) - new
        self.removed += len(gone)
        self._copied.extend(stored)
        self.notes.extend((path, note) for note in loaded.notes)

    def remove(self, path: str) -> None:
        """Forget a document that is gone from the source."""
        self.removed += remove_document(self.workspace.db, self.key, path)

    def count_renamed(self) -> None:
        """Tell renamed documents from copies, after what is gone was removed."""
        rows = (
            dict(self.workspace.db.read().execute("SELECT id, path FROM documents").fetchall())
            if self._copied
            else {}
        )
        moved = sum(rows.get(id) == path for path, id in self._copied)
        self.renamed += moved
        self.added -= moved
        self.removed -= moved


def take_in(
    workspace: Workspace,
    key: str,
    work: Callable[[Intake], None],
    *,
    embedder: Embedder,
    chunk_tokens: int,
    progress: ProgressCallback | None = None,
    index: Index | None = None,
) -> AddReport:
    """Run one source under the lock, then embed, find versions and refresh the index.

    Args:
        workspace: Where to add.
        key: Names the source in the database.
        work: Stores its documents.
        embedder: Embeds the passages, and counts their tokens.
        chunk_tokens: Most tokens of a passage.
        progress: Called on the way.
        index: An open index of this workspace to refresh; otherwise one is opened.

    Returns:
        What was done.

    Raises:
        WorkspaceLocked: Another process is adding documents here.
    """
    tell = progress or silent
    intake = Intake(workspace, key, Splitter(embedder, chunk_tokens), tell)
    with hold(workspace.root / "add.lock", purpose="adding documents", wait_s=_LOCK_WAIT_S):
        split_again = not _split_as(workspace, intake.splitter)
        any_before = workspace.db.read().execute("SELECT 1 FROM sources LIMIT 1").fetchone()
        work(intake)
        intake.count_renamed()
        if split_again:
            if any_before:
                _split_unchanged(workspace, intake.splitter)
            write_json(workspace.index_dir / "split.json", intake.splitter.stamp)
        superseded = mark_versions(workspace.db)
        new = embed_missing(workspace.db, embedder, progress=tell)
    _refresh(workspace, embedder, index)
    return AddReport(
        documents_added=intake.added,
        changed=intake.changed,
        unchanged=intake.unchanged,
        removed=intake.removed,
        failed=tuple(intake.failed),
        passages_total=_count(workspace),
        passages_new=new,
        skipped=tuple(intake.skipped),
        notes=tuple(intake.notes),
        renamed=intake.renamed,
        superseded=superseded,
    )


def _count(workspace: Workspace) -> int:
    row = workspace.db.read().execute("SELECT COUNT(*) FROM passages WHERE is_current = 1")
    return int(row.fetchone()[0])


def _refresh(workspace: Workspace, embedder: Embedder, index: Index | None) -> None:
    # Imported here: the index brings Chroma along, which costs more than most calls.
    from domainsmith.data_connection.fusion_learning import learn_fusion
    from domainsmith.data_connection.index import Index

    if index is not None:
        index.refresh()
        if isinstance(index, Index):  # not a stand-in without search
            learn_fusion(index, embedder)
        return
    with Index.open(workspace, embedder) as opened:
        learn_fusion(opened, embedder)


def _split_as(workspace: Workspace, splitter: Splitter) -> bool:
    """Tell whether every stored document was split with these parameters."""
    try:
        text = (workspace.index_dir / "split.json").read_text("utf-8")
        return bool(json.loads(text) == splitter.stamp)
    except (OSError, ValueError):
        return False


def _split_unchanged(workspace: Workspace, splitter: Splitter) -> None:
    """Split stored documents with the present parameters; equal passages stay as they are."""
    db = workspace.db
    ids = db.read().execute("SELECT DISTINCT document_id FROM sources ORDER BY 1").fetchall()
    for (id,) in ids:
        value = document(db, id)
        wanted = splitter(value)
        if [p.id for p in wanted] != [p.id for p in passages(db, document_id=id)]:
            replace_passages(db, value, wanted)


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix
