"""What adding a source did: counts, failures, notes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["AddReport", "FailedFile"]


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

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, as the command and the tool give it."""
        return {
            "added": self.documents_added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "removed": self.removed,
            "renamed": self.renamed,
            "superseded": self.superseded,
            "passages": self.passages_total,
            "passages_new": self.passages_new,
            "failed": [asdict(item) for item in self.failed],
            "skipped": list(self.skipped),
            "notes": [list(note) for note in self.notes],
        }
