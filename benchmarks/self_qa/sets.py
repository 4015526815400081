"""The sets of passages: the example domain, and public ones drawn by seed."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

from domainsmith.chains.held_out import excluded_passages
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.loaders import load_file
from domainsmith.data_connection.split import split
from domainsmith.records import Document, Passage, Question, content_hash

__all__ = ["DATA", "passages_of"]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DATA = Path(os.environ.get("DOMAINSMITH_DATA", ROOT / "../shared/data"))


def documents(name: str) -> Iterator[Document]:
    """Yield the documents of a set."""
    if name.startswith("washer"):
        for path in sorted((EXAMPLES / name).iterdir()):
            if path.suffix in {".md", ".html", ".docx"}:
                loaded = load_file(path)
                yield document(path.name, loaded.text, loaded.title or path.stem)
    elif name == "en_covidqa":
        with gzip.open(DATA / name / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield document(f"{row['id']}.txt", row["text"], row["text"].split("\n")[0])
    else:
        with (DATA / name / "trial_passages.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield document(f"{row['id']}.txt", row["text"], row["title"])


def document(path: str, text: str, title: str) -> Document:
    """Wrap a text."""
    return Document(
        path=path,
        source_sha256=content_hash(text),
        media_type="text/markdown",
        title=title,
        language=detect_language(text),
        text=text,
    )


def passages_of(name: str, many: int, seed: int) -> tuple[list[Passage], list[Passage]]:
    """Return the passages to ask about, and all of the set."""
    every = [item for doc in documents(name) for item in split(doc)]
    pool = [item for item in every if item.content == "prose" and len(item.text) > 80]
    if name.startswith("washer"):
        rows = (EXAMPLES / f"{name}-questions.jsonl").read_text(encoding="utf-8").splitlines()
        questions = [Question.model_validate(json.loads(row)) for row in rows if row.strip()]
        held = excluded_passages(every, questions)
        pool = [item for item in pool if item.id in held]
    draw = random.Random(seed)
    return draw.sample(pool, min(many, len(pool))), every
