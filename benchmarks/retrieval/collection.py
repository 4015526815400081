"""A labelled collection: documents cut into passages, and questions with their gold passages."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.split import split
from domainsmith.errors import InputInvalid, translated_os_errors
from domainsmith.records import Document, Passage, content_hash

__all__ = ["Asked", "Collection", "from_files", "json_lines", "one_document", "sampled"]


@dataclass(frozen=True)
class Asked:
    """A question and where its answer stands."""

    id: str
    text: str
    gold: frozenset[str]
    """Ids of the passages that count as found."""


@dataclass(frozen=True)
class Collection:
    """What is indexed and what is asked."""

    name: str
    documents: tuple[tuple[Document, tuple[Passage, ...]], ...]
    questions: tuple[Asked, ...]
    definition: str
    """What a passage is, and what counts as a hit."""

    @property
    def passages(self) -> list[Passage]:
        """All passages, in the order of their documents."""
        return [passage for _, passages in self.documents for passage in passages]


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON Lines; only a line feed ends a line."""
    with translated_os_errors(path):
        text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def from_files(corpus: Path, questions: Path) -> Collection:
    """Read a collection of whole documents, split as the product splits them.

    Args:
        corpus: Lines of ``id``, ``title``, ``text``.
        questions: Lines of ``id``, ``question``, ``gold`` (document ids).

    Returns:
        The collection; every passage of a gold document is gold.

    Raises:
        InputInvalid: There are no questions.
    """
    documents = [_split(row) for row in json_lines(corpus)]
    of: dict[str, list[str]] = defaultdict(list)
    # Equal passages are stored once, and the one hit names the places of all.
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for _, passages in documents:
        for passage in passages:
            same[passage.header, passage.text].append(passage.id)
    for document, passages in documents:
        for passage in passages:
            of[document.path].extend(same[passage.header, passage.text])
    asked = tuple(
        Asked(
            str(row.get("id", number)),
            str(row["question"]),
            frozenset(id for gold in row["gold"] for id in of[str(gold)]),
        )
        for number, row in enumerate(json_lines(questions))
    )
    if not asked:
        raise InputInvalid("There are no questions", where=questions)
    definition = "documents as the product splits them; a hit is a passage of a gold document"
    return Collection(corpus.stem, tuple(documents), asked, definition)


def _split(row: Mapping[str, Any]) -> tuple[Document, tuple[Passage, ...]]:
    text = str(row["text"])
    document = Document(
        path=str(row["id"]),
        source_sha256=content_hash(text),
        media_type="text/plain",
        title=str(row.get("title") or ""),
        language=detect_language(text),
        text=text,
    )
    return document, tuple(split(document))


def one_document(
    path: str, title: str, pieces: Iterable[tuple[str, str]]
) -> tuple[Document, tuple[Passage, ...]]:
    """Make a document of passages that are given.

    Args:
        path: Its name.
        title: Its title.
        pieces: (section or "", text) of each passage.

    Returns:
        The document, and a passage a piece with ``title > section`` as its header.
    """
    rows = list(pieces)
    text = "\n\n".join(piece for _, piece in rows)
    document = Document(
        path=path,
        source_sha256=content_hash(path + "\0" + text),
        media_type="text/plain",
        title=title,
        language=detect_language(text),
        text=text,
    )
    passages, start = [], 0
    for number, (section, piece) in enumerate(rows):
        names = [name for name in (title, section) if name]
        passages.append(
            Passage(
                document_id=document.id,
                document_path=path,
                ordinal=number,
                text=piece,
                header=" > ".join(names),
                start=start,
                end=start + len(piece),
                language=document.language,
            )
        )
        start += len(piece) + 2
    return document, tuple(passages)


def sampled(collection: Collection, limit: int) -> Collection:
    """Keep at most ``limit`` questions, evenly spaced; 0 keeps all."""
    total = len(collection.questions)
    if not limit or limit >= total:
        return collection
    kept = tuple(collection.questions[number * total // limit] for number in range(limit))
    return Collection(collection.name, collection.documents, kept, collection.definition)
