"""What every source of documents shares: split, store, embed, find versions, refresh the index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from domainsmith.data_connection.add_report import AddReport, FailedFile
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.loaders import LoadedFile
from domainsmith.data_connection.splitter import Splitter
from domainsmith.data_connection.vectors import embed_missing
from domainsmith.data_connection.versions import find_version, mark_versions
from domainsmith.model_io.generation import Embedder
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import Document, Passage
from domainsmith.storage.document_states import twin
from domainsmith.storage.documents import put_file, remove_document
from domainsmith.storage.locks import hold
from domainsmith.storage.passages import count_passages
from domainsmith.workspace import Workspace

__all__ = ["Intake", "Search", "take_in"]

_LOCK_WAIT_S = 30.0


class Search(Protocol):
    """What adding documents asks of a search index."""

    def take_in(self) -> None:
        """Bring search up to date with the database, and learn what depends on its content."""


class _Part(NamedTuple):
    """A text in a file: the file's own, or a member's."""

    name: str
    sha256: str
    title: str
    text: str
    media_type: str
    notes: tuple[str, ...] = ()

    def document(self, *, size: int, mtime_ns: int) -> Document:
        return Document(
            path=self.name,
            source_sha256=self.sha256,
            media_type=self.media_type,
            title=self.title,
            language=detect_language(self.text),
            text=self.text,
            size=size,
            mtime_ns=mtime_ns,
            notes=self.notes,
            version=find_version(self.name, self.title, self.text),
        )


def _parts(path: str, loaded: LoadedFile, sha256: str) -> Iterator[_Part]:
    if loaded.text.strip():
        yield _Part(path, sha256, loaded.title, loaded.text, loaded.media_type, loaded.notes)
    for one in loaded.members:
        yield _Part(f"{path}/{one.name}", one.sha256, one.title, one.text, one.media_type)


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
        fresh: list[tuple[Document, list[Passage]]] = []
        stored: list[tuple[str, str]] = []
        for part in _parts(path, loaded, sha256):
            name, suffix = part.name, PurePosixPath(part.name).suffix
            same = None if name in known else twin(self.workspace.db, part.sha256, suffix)
            if same is not None:
                stored.append((name, same))
            else:
                value = part.document(size=size, mtime_ns=mtime_ns)
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
    index: Search | None = None,
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
        split_again = not intake.splitter.has_split(workspace)
        any_before = workspace.db.read().execute("SELECT 1 FROM sources LIMIT 1").fetchone()
        work(intake)
        intake.count_renamed()
        if split_again:
            if any_before:
                intake.splitter.split_stored(workspace)
            intake.splitter.keep_stamp(workspace)
        superseded = mark_versions(workspace.db)
        new = embed_missing(workspace.db, embedder, progress=tell)
    tell(ProgressEvent("bringing search up to date", 0))
    _bring_up(workspace, embedder, index)
    return AddReport(
        documents_added=intake.added,
        changed=intake.changed,
        unchanged=intake.unchanged,
        removed=intake.removed,
        failed=tuple(intake.failed),
        passages_total=count_passages(workspace.db),
        passages_new=new,
        skipped=tuple(intake.skipped),
        notes=tuple(intake.notes),
        renamed=intake.renamed,
        superseded=superseded,
    )


def _bring_up(workspace: Workspace, embedder: Embedder, search: Search | None) -> None:
    if search is not None:
        search.take_in()
        return
    # Imported here: the index brings Chroma along, which costs more than most calls.
    from domainsmith.data_connection.index import Index

    with Index.open(workspace, embedder) as opened:
        opened.take_in()
