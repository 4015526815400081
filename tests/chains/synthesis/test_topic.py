"""Runs about one thing only: a subject, or a chapter by its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domainsmith.chains.generate import (
    DatasetReport,
    GenerationOptions,
    Limits,
    MethodRequest,
    generate_dataset,
)
from domainsmith.chains.synthesis.plan import check_run
from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import Document, Passage, content_hash
from domainsmith.storage.documents import put_document
from domainsmith.training import dataset_folder
from domainsmith.training.select.pipeline import admissible_records
from domainsmith.workspace import Workspace
from reliability.embedder import HashingEmbedder
from reliability.scripted import ScriptedModel

EN = {
    "Kettle > 1 Safety": "The kettle uses 230 V. If the cord is damaged, call the service.",
    "Kettle > 2 Use > 2.1 Filling": "The tank holds 1.7 litres. If the lid is open, close it.",
    "Kettle > 2 Use > 2.2 Boiling": "Boiling takes 4 minutes. If the lamp blinks, add water.",
    "Kettle > 3 Descaling": "Use 250 ml of citric acid. If scale remains, repeat the descaling.",
}
ZH = {
    "电水壶 > 第一章 安全": "本产品使用 220 伏电源。如果电源线损坏，必须联系售后服务。",
    "电水壶 > 第二章 使用 > 2.1 加水": "水箱容量为 1.7 升。如果盖子打开，应先合上盖子。",
    "电水壶 > 第三章 除垢": "除垢使用 250 毫升柠檬酸溶液。如果仍有水垢，应重复除垢。",
}


def add(workspace: Workspace, texts: dict[str, str], language: str, path: str) -> None:
    document = Document(
        path=path,
        source_sha256=content_hash(list(texts.values())),
        media_type="text/markdown",
        title="Manual",
        language=language,  # type: ignore[arg-type]
        text="",
    )
    passages = [
        Passage(
            document_id=document.id,
            document_path=path,
            ordinal=at,
            text=text,
            header=header,
            start=0,
            end=len(text),
            language=language,  # type: ignore[arg-type]
            content="prose",
        )
        for at, (header, text) in enumerate(texts.items())
    ]
    put_document(workspace.db, document, passages, folder=path)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "space") as space:
        add(space, EN, "en", "kettle.md")
        add(space, ZH, "zh", "水壶.md")
        yield space


def run(
    workspace: Workspace, topic: str, *methods: str, options: dict[str, Any] | None = None
) -> DatasetReport:
    requests = tuple(MethodRequest(name, 1, options or {}) for name in methods)
    return generate_dataset(
        workspace,
        target=12,
        generator=ScriptedModel(),
        scorer=ScriptedModel(),
        embedder=HashingEmbedder(),
        select=admissible_records,
        store=dataset_folder,
        options=GenerationOptions(methods=requests, topic=topic),
        limits=Limits(floor=0),
    )


@pytest.mark.parametrize(
    ("topic", "sections"),
    [
        ("descaling", ["kettle.md: 3 Descaling"]),
        ("除垢", ["水壶.md: 第三章 除垢"]),
        ("chapter 2", ["kettle.md: 2.1 Filling", "kettle.md: 2.2 Boiling", "水壶.md: 2.1 加水"]),
        ("section 2.2", ["kettle.md: 2.2 Boiling"]),
        ("chapter 2 of the kettle", ["kettle.md: 2.1 Filling", "kettle.md: 2.2 Boiling"]),
        ("safety and chapter 3", ["kettle.md: 1 Safety", "kettle.md: 3 Descaling",
                                  "水壶.md: 第三章 除垢"]),
        ("第一、三章", ["kettle.md: 1 Safety", "kettle.md: 3 Descaling", "水壶.md: 第一章 安全",
                     "水壶.md: 第三章 除垢"]),
    ],
)  # fmt: skip
def test_a_run_asks_only_about_its_topic(
    workspace: Workspace, topic: str, sections: list[str]
) -> None:
    report = run(workspace, topic, "reasoned", "dialogues", "documents")
    found = report.topic["sections"].values()
    assert sorted({title for titles in found for title in titles}) == sorted(sections)
    card = dataset_folder.dataset_info(report.path).card
    assert (card["topic"]["words"], card["passages"]["used"]) == (topic, len(sections))
    texts = {**EN, **ZH}
    named = [title.rpartition(": ")[2] for title in sections]
    told = [text for header, text in texts.items() if header.endswith(tuple(named))]
    off = [text for text in texts.values() if text not in told]
    answers = [r for r in dataset_folder.read_dataset(report.path)
               if "refusals" not in r.method]  # fmt: skip
    assert answers
    for record in answers:
        quoted = record.output.rstrip(".。")
        assert not any(quoted in text for text in off), record


def test_a_topic_that_the_documents_lack_is_an_error(workspace: Workspace) -> None:
    for topic in ("quantum gravity", "chapter 9", "第七章", "量子引力"):
        with pytest.raises(InputNotFound, match="do not speak of") as caught:
            run(workspace, topic, "documents")
        assert "1 Safety" in (caught.value.fix or "") or "安全" in (caught.value.fix or "")


def test_another_topic_is_another_run(workspace: Workspace) -> None:
    ids = {run(workspace, topic, "documents").dataset_id for topic in ("", "descaling", "safety")}
    assert len(ids) == 3
    assert run(workspace, "descaling", "documents").repeated


def test_rows_about_the_topic_are_asked_about(workspace: Workspace, tmp_path: Path) -> None:
    table = tmp_path / "fees.csv"
    table.write_text(
        "Service,Fee,Term\nDescaling visit,40,30 days\nNew lid,12,7 days\nNew cord,15,9 days\n",
        encoding="utf-8",
    )
    given = {"table": [str(table)], "paraphrase_share": 0}
    report = run(workspace, "descaling", "self_kv", options=given)
    asked = [item.instruction for item in dataset_folder.read_dataset(report.path)]
    assert asked
    assert all("Descaling visit" in text or "40" in text or "30 days" in text for text in asked)
    whole = run(workspace, "fees", "self_kv", options=given)
    assert whole.records > report.records
    with pytest.raises(InputNotFound, match="No row or subject speaks of: rockets"):
        run(workspace, "rockets", "self_kv", options=given)


def test_what_cannot_be_narrowed_is_refused_before_models_load() -> None:
    options = GenerationOptions(
        methods=(
            MethodRequest("preferences", 1, {"source": "records", "records": "x"}),
            MethodRequest("self_instruct", 1, {"domain": False}),
        ),
        topic="descaling",
    )
    with pytest.raises(InputInvalid) as caught:
        check_run(options)
    assert "preferences cannot be narrowed to a topic with source=records" in caught.value.what
    assert "self_instruct cannot be narrowed to a topic with domain=false" in caught.value.what
    alone = replace(options, methods=(MethodRequest("self_instruct"),))
    check_run(alone)
