"""The collections that the figures are about, built from ``../shared/data``."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.retrieval.collection import Asked, Collection, one_document
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.errors import InputNotFound
from domainsmith.records import Passage

__all__ = ["SETS", "data_folder", "labelled_set"]

_CHUNK = 800
"""Characters of a passage of en_covidqa."""
_ARTICLE = re.compile(r"^(.*?)(第[一二三四五六七八九十百千零〇\d]+条.*)$")


def data_folder() -> Path:
    """Return the folder of the data (environment ``DOMAINSMITH_DATA``, or beside the project).

    Raises:
        InputNotFound: It is not there.
    """
    given = os.environ.get("DOMAINSMITH_DATA")
    folder = Path(given) if given else Path(__file__).parents[3] / "shared" / "data"
    if not folder.is_dir():
        raise InputNotFound(
            "The benchmark's data is absent",
            where=folder,
            fix="Set DOMAINSMITH_DATA to the folder that holds en_covidqa, zh_legal_stard, ...",
        )
    return folder


def labelled_set(name: str) -> Collection:
    """Build a collection by name.

    Args:
        name: One of :data:`SETS`.

    Raises:
        InputNotFound: The data is absent.
    """
    return SETS[name](data_folder() / name.partition("+")[0])


def _lines(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _copies(passages: Iterable[Passage]) -> dict[str, frozenset[str]]:
    """Group ids by text: retrieval shows one of several copies, and each is the answer."""
    same: dict[str, set[str]] = defaultdict(set)
    for passage in passages:
        same[passage.text.strip()].add(passage.id)
    return {text: frozenset(ids) for text, ids in same.items()}


def _covidqa(folder: Path) -> Collection:
    documents = []
    for row in _lines(folder / "docs.jsonl.gz"):
        text = str(row["text"])
        pieces = [("", text[at : at + _CHUNK]) for at in range(0, len(text), _CHUNK)]
        documents.append(one_document(str(row["id"]), text.split("\n")[0].strip(), pieces))
    of = {document.path: passages for document, passages in documents}
    questions = []
    for row in _lines(folder / "questions.jsonl"):
        starts = {answer["start"] // _CHUNK for answer in row["answers"]}
        gold = {of[str(row["doc_id"])][number].id for number in starts}
        questions.append(Asked(str(row["id"]), str(row["question"]), frozenset(gold)))
    return Collection(
        "en_covidqa",
        tuple(documents),
        tuple(questions),
        "800-character chunks of 98 papers; a hit is the one that holds the answer (its start)",
    )


def _medquad(folder: Path) -> Collection:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _lines(folder / "qa_small_5sources.jsonl.gz"):
        groups[row["doc_id"]].append(row)
    documents = []
    asked = []
    for name, rows in sorted(groups.items()):
        document = one_document(name, rows[0]["focus"], [("", row["answer"]) for row in rows])
        documents.append(document)
        asked += list(zip(rows, document[1], strict=True))
    same = _copies(passage for _, passages in documents for passage in passages)
    questions = [
        Asked(row["id"], row["question"], same[passage.text.strip()]) for row, passage in asked
    ]
    return Collection(
        "en_medquad",
        tuple(documents),
        tuple(questions),
        "small cut, whole answers under the name of their subject; a hit is the question's answer",
    )


def _stard(folder: Path) -> Collection:
    groups: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for row in _lines(folder / "corpus.jsonl.gz"):
        # "中华人民共和国" stands only in names of gold articles: it would be a label.
        match = _ARTICLE.match(str(row["name"]).replace("中华人民共和国", ""))
        law, article = match.groups() if match else (str(row["name"]), "")
        groups[law].append((str(row["id"]), article, str(row["text"])))
    documents, of = [], {}
    for law, rows in sorted(groups.items()):
        document = one_document(law, law, [(article, text) for _, article, text in rows])
        documents.append(document)
        of.update(zip((id for id, _, _ in rows), document[1], strict=True))
    same = _copies(of.values())
    questions = [
        Asked(
            str(row["id"]),
            str(row["question"]),
            frozenset(id for gold in row["gold_ids"] for id in same[of[gold].text.strip()]),
        )
        for row in _lines(folder / "queries.train.jsonl")
    ]
    return Collection(
        "zh_legal_stard",
        tuple(documents),
        tuple(questions),
        "articles of statutes under the name of their law; a hit is a gold article (train split)",
    )


def _parallel(
    passages: str,
    questions: str,
    name: str,
    definition: str,
    *,
    wording: Callable[[str], str] = str,
) -> Callable[[Path], Collection]:
    def build(folder: Path) -> Collection:
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in _lines(folder / passages):
            groups[str(row["title"]).replace("_", " ")].append(row)
        documents, of = [], {}
        for title, rows in sorted(groups.items()):
            document = one_document(title, title, [("", str(row["text"])) for row in rows])
            documents.append(document)
            of.update(zip((row["id"] for row in rows), document[1], strict=True))
        asked = tuple(
            Asked(
                str(row["id"]),
                wording(str(row["question"])),
                frozenset({of[row["passage_id"]].id}),
            )
            for row in _lines(folder / questions)
        )
        return Collection(name, tuple(documents), asked, definition)

    return build


SETS: dict[str, Callable[[Path], Collection]] = {
    "en_covidqa": _covidqa,
    "en_medquad": _medquad,
    "zh_legal_stard": _stard,
    "zhen_xquad": _parallel(
        "en_passages.jsonl",
        "zh_questions.jsonl",
        "zhen_xquad",
        "Chinese questions on 240 English passages; a hit is the gold passage",
    ),
    "zh_cmrc2018": _parallel(
        "trial_passages.jsonl",
        "trial_questions.jsonl",
        "zh_cmrc2018",
        "trial split, whole passages; a hit is the gold passage",
    ),
    "zhtw_drcd": _parallel(
        "dev_passages.jsonl",
        "dev_questions.jsonl",
        "zhtw_drcd",
        "development split, traditional characters; a hit is the gold passage",
    ),
    "zhtw_drcd+simplified": _parallel(
        "dev_passages.jsonl",
        "dev_questions.jsonl",
        "zhtw_drcd+simplified",
        "the same passages, asked in simplified characters",
        wording=simplified,
    ),
}
"""Builders by name; each takes the folder of that name, up to a plus sign."""
