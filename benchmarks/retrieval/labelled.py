"""The labelled collections of the shared data as open indexes with gold passages.

Documents are split as the product splits them. A passage is gold for a question if it overlaps
the answer's span, or, where only documents are labelled, if it belongs to a gold document.
"""

from __future__ import annotations

import ast
import gzip
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.data_connection import split as splitter
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import detect_language
from domainsmith.errors import InputNotFound
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Document, Passage, content_hash
from domainsmith.storage.documents import put_document
from domainsmith.storage.passages import passages
from domainsmith.workspace import Workspace

__all__ = [
    "NAMES",
    "Asked",
    "Collection",
    "WordsOnly",
    "collection",
    "data_folder",
    "half",
    "questions_of",
]

NAMES = ("en_covidqa", "en_medquad", "en_xquad", "zh_xquad", "zh_cmrc2018", "zh_legal_stard")


@dataclass(frozen=True)
class Asked:
    """A question of a collection.

    Attributes:
        key: Unique within the collection.
        question: Its words.
        gold: Ids of the passages that answer it, any of which is enough.
        documents: Paths of the documents that these are of.
        fields: Further columns of the data (``focus``, ``qtype``, ``title``).
    """

    key: str
    question: str
    gold: frozenset[str]
    documents: frozenset[str]
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Collection:
    """An open collection."""

    name: str
    workspace: Workspace
    index: Index
    questions: tuple[Asked, ...]


def data_folder() -> Path:
    """Return the folder of the shared data.

    Raises:
        InputNotFound: It is absent; ``DOMAINSMITH_DATA`` names it.
    """
    given = os.environ.get("DOMAINSMITH_DATA")
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(given) if given else beside
    if not folder.is_dir():
        raise InputNotFound(
            "The shared data are absent", where=folder, fix="Set DOMAINSMITH_DATA to their folder."
        )
    return folder


def half(key: str) -> str:
    """Put a question into the half that rules are written against, or the one that is measured."""
    return "dev" if int(content_hash(f"half:{key}")[:8], 16) % 2 else "test"


@contextmanager
def collection(
    name: str, embedder: Embedder, *, data: Path, cache: Path | None = None
) -> Iterator[Collection]:
    """Open a collection, building and embedding it first if need be.

    Args:
        name: One of :data:`NAMES`.
        embedder: Of the index.
        data: Folder of the shared data.
        cache: Folder where the workspace is kept for the next run; None throws it away.
    """
    documents, questions = _READERS[name](data)
    with ExitStack() as stack:
        folder = cache or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Another splitter makes other passages: its source is part of the cache's name.
        version = content_hash(Path(splitter.__file__).read_bytes())[:8]
        workspace = stack.enter_context(Workspace.create(folder / f"{name}-{version}"))
        if not passages(workspace.db):
            _store(workspace, documents)
        index = stack.enter_context(Index.open(workspace, embedder))
        by_path: dict[str, list[Passage]] = defaultdict(list)
        for passage in passages(workspace.db):
            by_path[passage.document_path].append(passage)
        asked = (_asked(row, by_path) for row in questions)
        kept = tuple(item for item in asked if item.gold)
        yield Collection(name, workspace, index, kept)


def questions_of(name: str, data: Path) -> list[Asked]:
    """Read the questions of a collection without building it; their ``gold`` is empty."""
    _, questions = _READERS[name](data)
    return [
        Asked(
            row["id"], row["question"], frozenset(), frozenset(row["gold"]), row.get("fields", {})
        )
        for row in questions
    ]


def _store(workspace: Workspace, rows: Sequence[Mapping[str, str]]) -> None:
    for row in rows:
        document = Document(
            path=row["id"],
            source_sha256=content_hash(row["text"]),
            media_type="text/plain",
            title=row["title"],
            language=detect_language(row["text"]),
            text=row["text"],
        )
        put_document(workspace.db, document, splitter.split(document), folder="corpus")


def _asked(row: Mapping[str, Any], by_path: Mapping[str, Sequence[Passage]]) -> Asked:
    gold: set[str] = set()
    for path, spans in row["gold"].items():
        for passage in by_path.get(path, ()):
            if not spans or any(s < passage.end and passage.start < e for s, e in spans):
                gold.add(passage.id)
    return Asked(
        row["id"], row["question"], frozenset(gold), frozenset(row["gold"]), row.get("fields", {})
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return [json.loads(line) for line in raw.decode("utf-8").split("\n") if line.strip()]


def _parsed(value: Any) -> Any:
    return ast.literal_eval(value) if isinstance(value, str) else value


def _spans(answers: Any) -> list[tuple[int, int]]:
    return [(a["start"], a["start"] + len(a["text"])) for a in _parsed(answers)]


_Read = tuple[list[dict[str, str]], list[dict[str, Any]]]


def _covidqa(data: Path) -> _Read:
    folder = data / "en_covidqa"
    documents = [
        {"id": d["id"], "title": d["text"].split("\n", 1)[0][:120], "text": d["text"]}
        for d in _lines(folder / "docs.jsonl.gz")
    ]
    questions = [
        {"id": q["id"], "question": q["question"], "gold": {q["doc_id"]: _spans(q["answers"])}}
        for q in _lines(folder / "questions.jsonl")
    ]
    return documents, questions


def _medquad(data: Path) -> _Read:
    rows = _lines(data / "en_medquad" / "qa_small_5sources.jsonl.gz")
    documents = [{"id": r["id"], "title": r["focus"], "text": r["answer"]} for r in rows]
    same: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        same[content_hash(row["answer"])].append(row["id"])  # the set repeats some answers
    questions = [
        {
            "id": r["id"],
            "question": r["question"],
            "gold": {id: [] for id in same[content_hash(r["answer"])]},
            "fields": {"focus": r["focus"], "qtype": r["qtype"]},
        }
        for r in rows
    ]
    return documents, questions


def _reading(folder: Path, prefix: str, *, title: bool) -> _Read:
    passages_ = _lines(folder / f"{prefix}_passages.jsonl")
    documents = [
        {
            "id": p["id"],
            "title": p["title"].replace("_", " ") if title else "",
            "text": p["text"],
        }
        for p in passages_
    ]
    titles = {p["id"]: p["title"] for p in passages_}
    questions = [
        {
            "id": q["id"],
            "question": q["question"],
            "gold": {q["passage_id"]: _spans(q["answers"])},
            "fields": {"title": titles[q["passage_id"]]},
        }
        for q in _lines(folder / f"{prefix}_questions.jsonl")
    ]
    return documents, questions


def _stard(data: Path) -> _Read:
    folder = data / "zh_legal_stard"
    documents = [
        {"id": d["id"], "title": d["name"], "text": d["text"]}
        for d in _lines(folder / "corpus.jsonl.gz")
    ]
    questions = [
        {
            "id": q["id"],
            "question": q["question"],
            "gold": {id: [] for id in _parsed(q["gold_ids"])},
        }
        for q in _lines(folder / "queries.train.jsonl")
        if q["split"] == "train"
    ]
    return documents, questions


_READERS = {
    "en_covidqa": _covidqa,
    "en_medquad": _medquad,
    "en_xquad": lambda data: _reading(data / "zhen_xquad", "en", title=True),
    "zh_xquad": lambda data: _reading(data / "zhen_xquad", "zh", title=False),
    "zh_cmrc2018": lambda data: _reading(data / "zh_cmrc2018", "trial", title=True),
    "zh_legal_stard": _stard,
}


class WordsOnly:
    """Stands in for an embedder that does not speak the language of a collection.

    The embedded default knows no Chinese, so its vectors weigh 0.001 there: embedding thousands
    of Chinese passages with it takes minutes and changes nothing but ties.
    """

    model_name = "hash-of-nothing"
    dimension = 4
    languages: tuple[str, ...] = ()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the same unit vector for every text, shape (n, 4)."""
        return np.full((len(texts), 4), 0.5, dtype=np.float32)
