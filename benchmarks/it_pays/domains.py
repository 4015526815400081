"""The two domains: the invented washing machine, and MedQuAD's answers on diseases."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domainsmith.data_connection.sentences import sentences

__all__ = ["DOMAINS", "data_folder", "prepare"]

ROOT = Path(__file__).resolve().parents[2]
_DISEASES, _ANSWERS = 90, 3
"""Files of the real set, and answers in one at most."""
_SHORTEST, _LONGEST = 120, 1500
"""Characters of an answer that is taken."""


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


def _medquad(folder: Path) -> list[dict[str, Any]]:
    """Write answers of MedQuAD as one file a disease, each under its question.

    One answer in two files of three may be held out; its first whole sentence is the reference.
    """
    path = data_folder() / "en_medquad" / "qa_small_5sources.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    diseases: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if _SHORTEST <= len(row["answer"]) <= _LONGEST:
            diseases.setdefault(row["focus"], []).append(row)
    names = sorted(name for name, found in diseases.items() if len(found) > 1)
    chosen = [names[n * len(names) // _DISEASES] for n in range(min(_DISEASES, len(names)))]
    texts = {name: [_lines(row["answer"]) for row in diseases[name][:_ANSWERS]] for name in chosen}
    everything = "\n".join(text for parts in texts.values() for text in parts)
    held = []
    for number, name in enumerate(chosen):
        asked = [row["question"].replace(" ?", "?").replace("??", "?") for row in diseases[name]]
        parts = [f"## {q}\n\n{a}\n" for q, a in zip(asked, texts[name], strict=False)]
        (folder / f"{number:03d}.md").write_text(
            f"# {name}\n\n" + "\n".join(parts), encoding="utf-8"
        )
        at = number % len(texts[name])
        reference = _reference(texts[name][at])
        if number % 3 and reference and everything.count(reference) == 1:
            held.append(
                {
                    "key": diseases[name][at]["id"],
                    "question": asked[at],
                    "answer": reference,
                    "language": "en",
                    "gold": [{"document": f"{number:03d}.md", "quote": reference}],
                }
            )
    return held


def _lines(text: str) -> str:
    """Put what was set apart by runs of blanks on lines of its own."""
    return re.sub(r"\s*\n\s*| {3,}", "\n", text.strip())


def _reference(text: str) -> str:
    """Return the first sentence that states something, or nothing."""
    for start, end in sentences(text, "en"):
        words = text[start:end].split()
        if 6 <= len(words) <= 40 and words[0][0].isupper() and words[-1].endswith("."):
            return text[start:end]
    return ""


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


DOMAINS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "medquad": _medquad,
    "washer": _washer,
}
"""Name to what writes the documents and returns the questions that may be held out."""
