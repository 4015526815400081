"""The two domains: the invented washing machine, and Wikipedia passages with human questions."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domainsmith.data_connection.language import sentences

__all__ = ["DOMAINS", "data_folder", "prepare"]

ROOT = Path(__file__).resolve().parents[2]
_PER_TITLE = 5
"""Passages of one article in the set; one of them in each article is held out."""


def data_folder() -> Path:
    """Return where the real sets lie (``DOMAINSMITH_DATA``)."""
    return Path(os.environ.get("DOMAINSMITH_DATA", ROOT.parent / "shared" / "data"))


def prepare(name: str, work: Path, questions: int) -> Path:
    """Lay out a domain's documents and its held-out questions.

    Args:
        name: A key of :data:`DOMAINS`.
        work: Folder of the domain's work.
        questions: Held-out questions to take, evenly from the set.

    Returns:
        The folder of documents; the questions stand beside it as ``NAME-questions.jsonl``.
    """
    folder = work / "documents"
    if not (work / "documents-questions.jsonl").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        rows = DOMAINS[name](folder)
        chosen = [rows[n * len(rows) // questions] for n in range(min(questions, len(rows)))]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
        (work / "documents-questions.jsonl").write_text(lines, encoding="utf-8")
    return folder


def _washer(folder: Path) -> list[dict[str, Any]]:
    """Copy the example documents; a fifth of the questions has no answer in them."""
    for path in sorted((ROOT / "examples" / "washer").iterdir()):
        shutil.copy(path, folder / path.name)
    return _read(ROOT / "examples" / "washer-questions.jsonl")


def _xquad(folder: Path) -> list[dict[str, Any]]:
    """Write the English passages of XQuAD as files; one passage in five is held out."""
    data = data_folder() / "zhen_xquad"
    held: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(_read(data / "en_passages.jsonl")):
        title = row["title"].replace("_", " ")
        name = f"{row['id']}.md"
        (folder / name).write_text(f"# {title}\n\n{row['text']}\n", encoding="utf-8")
        if number % _PER_TITLE == 0:
            held[row["id"]] = {"name": name, "text": row["text"]}
    by_passage: dict[str, list[dict[str, Any]]] = {}
    for row in _read(data / "en_questions.jsonl"):
        if row["passage_id"] in held:
            by_passage.setdefault(row["passage_id"], []).append(row)
    # First one question of each held-out passage, then the second of each, and so on.
    found = sorted(
        ((rank, key, row) for key, rows in by_passage.items() for rank, row in enumerate(rows)),
        key=lambda item: (item[0], list(held).index(item[1])),
    )[: len(held)]
    return [
        {
            "key": row["id"],
            "question": row["question"],
            "answer": row["answers"][0]["text"],
            "language": "en",
            "gold": [
                {
                    "document": held[key]["name"],
                    "quote": _sentence(held[key]["text"], row["answers"][0]["start"]),
                }
            ],
        }
        for _, key, row in found
    ]


def _sentence(text: str, at: int) -> str:
    return next(text[start:end] for start, end in sentences(text, "en") if start <= at < end)


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


DOMAINS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {"washer": _washer, "xquad": _xquad}
"""Name to what writes the documents and returns the questions that may be held out."""
