"""Documents, their passages and what a search finds."""

from __future__ import annotations

from typing import ClassVar, Literal

from domainsmith.records.value import Language, Value, content_hash

__all__ = ["Document", "Hit", "Passage"]


class Document(Value):
    """One loaded source file, as text."""

    kind: ClassVar[str] = "document"
    identity_excludes: ClassVar[frozenset[str]] = frozenset(
        {"mtime_ns", "size", "notes", "origin_path", "version", "superseded_by"}
    )

    path: str
    """POSIX path relative to the folder that was added."""
    source_sha256: str
    """SHA-256 of the file's bytes."""
    media_type: str
    title: str
    language: Language
    text: str
    """Full text; tables as Markdown; pages separated by form feeds where there are pages."""
    size: int = 0
    """Bytes of the source file."""
    mtime_ns: int = 0
    """Modification time of the source file, nanoseconds since the epoch."""
    notes: tuple[str, ...] = ()
    """What the loader could not take along (scanned pages, skipped sheets)."""
    origin_path: str = ""
    """If the file was renamed: the path that it was added under, which stays in the identity."""
    version: str = ""
    """ISO date, or ``v`` and numbers, that tells it from other versions of the same document."""
    superseded_by: str = ""
    """Id of the newest version of the same document, if this is an older one."""

    @property
    def sha256(self) -> str:
        """Hash of the identity fields; a renamed document keeps the one that it had."""
        fields = self.model_dump(mode="json", exclude=set(self.identity_excludes))
        return content_hash({**fields, "path": self.origin_path or self.path})


class Passage(Value):
    """A piece of one document: the unit of retrieval and of lineage."""

    kind: ClassVar[str] = "passage"
    identity_excludes: ClassVar[frozenset[str]] = frozenset({"origin_path"})

    document_id: str
    document_path: str
    ordinal: int
    """Position within the document, from 0."""
    text: str
    header: str = ""
    """Where it stands: document title > section > subsection."""
    start: int
    """Offset of the first character in the document's text, from 0."""
    end: int
    """Offset past the last character."""
    page: int | None = None
    """Page number from 1, for paged sources."""
    language: Language
    content: Literal["prose", "table", "code"] = "prose"
    origin_path: str = ""
    """If the file was renamed: the path that it was added under, which stays in the identity."""

    @property
    def sha256(self) -> str:
        """Hash of the identity fields; a passage of a renamed file keeps the one that it had."""
        fields = self.model_dump(mode="json", exclude=set(self.identity_excludes))
        return content_hash({**fields, "document_path": self.origin_path or self.document_path})


class Hit(Value):
    """A passage found for a query."""

    kind: ClassVar[str] = "hit"

    passage: Passage
    score: float
    """Fused score, higher is better; comparable within one result list only."""
    dense: float | None = None
    """Cosine similarity of query and passage, -1 to 1; absent if dense search did not see it."""
    bm25: float | None = None
    """BM25 score, >= 0; absent if BM25 did not see it."""
    places: tuple[str, ...] = ()
    """Other files that hold the same text under the same header, as ``path`` or ``path, p. N``."""
    weight: float | None = None
    """Weight of BM25 in the fused score, 0 to 1; dense search has the rest."""
    reranked: float | None = None
    """The reranker's own score; absent if none read it."""
    words: float | None = None
    """How well the question's words are found one by one, at most 1 and about 0 for unrelated
    texts; absent without late interaction."""
