"""Splits documents within an embedder's token budget, and again when that budget changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from domainsmith.data_connection.split import count_words, split
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Document, Passage
from domainsmith.storage.atomic import write_json
from domainsmith.storage.documents import document, passages, replace_passages
from domainsmith.workspace import Workspace

__all__ = ["Splitter"]

_SPLITTER = 2
"""Raise when :mod:`split` changes, so that stored documents are split anew."""


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

    def has_split(self, workspace: Workspace) -> bool:
        """Tell whether every stored document was split as this one does.

        Args:
            workspace: Whose ``split.json`` says it.
        """
        try:
            text = (workspace.index_dir / "split.json").read_text("utf-8")
            return bool(json.loads(text) == self.stamp)
        except (OSError, ValueError):
            return False

    def split_stored(self, workspace: Workspace) -> None:
        """Split stored documents with these parameters; equal passages stay as they are.

        Args:
            workspace: Whose documents.
        """
        db = workspace.db
        ids = db.read().execute("SELECT DISTINCT document_id FROM sources ORDER BY 1").fetchall()
        for (id,) in ids:
            value = document(db, id)
            wanted = self(value)
            if [p.id for p in wanted] != [p.id for p in passages(db, document_id=id)]:
                replace_passages(db, value, wanted)

    def keep_stamp(self, workspace: Workspace) -> None:
        """Write down that every stored document is split as this one does.

        Args:
            workspace: Where.
        """
        write_json(workspace.index_dir / "split.json", self.stamp)
