from __future__ import annotations

import os
from datetime import date

import pytest
from hashed_words import HashedWords

from domainsmith.data_connection.filters import PassageFilter, matching_ids
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.sources import add_folder
from domainsmith.errors import InputInvalid
from domainsmith.storage.documents import passages_by_id
from domainsmith.workspace import Workspace

EMBEDDER = HashedWords()
FILES = {
    "pumps/a.md": "The pump of model A has 24 volts.",
    "pumps/b.txt": "The pump of model B has 30 volts.",
    "doors/a.md": "The door of model A opens.",
    "zh.txt": "A 型水泵的电压是二十四伏。",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("filters")
    for number, (name, text) in enumerate(FILES.items()):
        path = root / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        seconds = 1_700_000_000 + number * 86_400
        os.utime(path, (seconds, seconds))
    with Workspace.create(root / "w") as workspace:
        add_folder(workspace, root / "docs", embedder=EMBEDDER)
        with Index.open(workspace, EMBEDDER) as index:
            yield index


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (PassageFilter(), set(FILES)),
        (PassageFilter(documents=("a.md",)), {"pumps/a.md", "doors/a.md"}),
        (PassageFilter(documents=("pumps/*", "zh.*")), {"pumps/a.md", "pumps/b.txt", "zh.txt"}),
        (PassageFilter(documents=("' OR 1=1 --",)), set()),
        (PassageFilter(language="zh"), {"zh.txt"}),
        (PassageFilter(media_types=("*markdown*",)), {"pumps/a.md", "doors/a.md"}),
        (PassageFilter(folder="docs"), set(FILES)),
        (PassageFilter(folder="other"), set()),
        (PassageFilter(since=date(2023, 11, 16)), {"doors/a.md", "zh.txt"}),
        (PassageFilter(until=date(2023, 11, 14)), {"pumps/a.md"}),
        (
            PassageFilter(since=date(2023, 11, 15), until=date(2023, 11, 16)),
            {"pumps/b.txt", "doors/a.md"},
        ),
        (PassageFilter(first_page=1), set()),
        (PassageFilter(content="table"), set()),
        (PassageFilter(metadata=(("x", 1),)), set()),
    ],
)
def test_only_what_meets_the_conditions_is_found(
    index: Index, where: PassageFilter, expected: set[str]
) -> None:
    db = index.workspace.db
    names = {p.document_path for p in passages_by_id(db, matching_ids(db, where))}
    assert names == expected
    hits = retrieve(index, EMBEDDER, ["model A pump 水泵"], k=9, where=where)[0]
    assert {hit.passage.document_path for hit in hits} == expected


def test_conditions_of_another_form_are_refused() -> None:
    with pytest.raises(InputInvalid, match="several patterns"):
        PassageFilter(documents="*.md")  # type: ignore[arg-type]
    with pytest.raises(InputInvalid, match="from 1"):
        PassageFilter(first_page=0)
    with pytest.raises(InputInvalid, match="compared"):
        PassageFilter(metadata=(("x", [1]),))  # type: ignore[arg-type]
