"""The generation run: held-out passages, blocks, resuming, and one run of the real model."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from domainsmith.chains.generate import (
    DatasetReport,
    GenerationOptions,
    Limits,
    generate_dataset,
    generate_records,
)
from domainsmith.chains.held_out import duplicate_passages, excluded_passages
from domainsmith.errors import InputEmpty, YieldTooLow
from domainsmith.model_io.generation import Completion, GenerationRequest, LogLikelihood
from domainsmith.model_io.messages import is_refusal
from domainsmith.progress import ProgressEvent
from domainsmith.records import Document, Message, Passage, Question, QuestionGold, content_hash
from domainsmith.storage import lineage
from domainsmith.storage.documents import put_document
from domainsmith.training import dataset_folder
from domainsmith.training.select.pipeline import select_records
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder
    from domainsmith.model_io.engine import Engine

PARTS = ("pump", "valve", "hinge", "filter", "sensor", "spring", "cable", "handle", "tray", "fan")
SENTENCES = [
    f"The {colour} {part} weighs {7 * at + 3} kg.\n"
    f"If the {colour} {part} rattles, tighten its {at + 2} screws.\n"
    f"The {colour} {part} sits behind the {PARTS[(at + 3) % 10]} cover.\n"
    f"Clean the {colour} {part} every {at + 2} weeks."
    for at, (part, colour) in enumerate(
        (part, colour) for colour in ("amber", "violet") for part in PARTS
    )
]
TABLE = "| code | title | cause |\n| --- | --- | --- |\n" + "\n".join(
    f"| QX-{100 + at} | {part.title()} stuck | Sand blocks the {part} inlet. |"
    for at, part in enumerate(PARTS[:5])
)


class QuietModel:
    """Writes nothing useful, counts words, and finds every answer surprising."""

    model_name = "quiet"
    context_length = 2048

    def __init__(self) -> None:
        self.scored = 0

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        return "\n".join(str(message) for message in messages)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        for index, _ in enumerate(requests):
            yield Completion(index, "What?", 1, 1, "stop")

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        self.scored += len(pairs)
        return [LogLikelihood(-12.0, 4) for _ in pairs]


class HashEmbedder:
    """Gives each text a direction of its own."""

    model_name = "hash"
    dimension = 16

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [
            np.random.default_rng(int(content_hash(text)[:8], 16)).normal(size=16) for text in texts
        ]
        vectors = np.asarray(rows, dtype=np.float32).reshape(len(texts), 16)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def passages_of(document: Document, texts: Sequence[str]) -> list[Passage]:
    return [
        Passage(
            document_id=document.id,
            document_path=document.path,
            ordinal=at,
            text=text,
            header=f"Manual > Chapter {at}",
            start=0,
            end=len(text),
            language="en",
            content="table" if text.startswith("|") else "prose",
        )
        for at, text in enumerate(texts)
    ]


def document(path: str) -> Document:
    return Document(
        path=path,
        source_sha256=content_hash(path),
        media_type="text/markdown",
        title="Manual",
        language="en",
        text="",
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "space") as space:
        one = document("manual.md")
        put_document(space.db, one, passages_of(one, [*SENTENCES, TABLE]), folder="docs")
        yield space


QUESTION = Question(
    key="held",
    question="What is the weight of the amber pump?",
    answer="3 kg.",
    language="en",
    gold=(QuestionGold(document="manual.md", quote="The  amber pump weighs 3 kg."),),
)


def run(workspace: Workspace, **changes: Any) -> DatasetReport:
    model = QuietModel()
    values: dict[str, Any] = {
        "target": 40,
        "exclude": [QUESTION],
        "generator": model,
        "scorer": model,
        "embedder": HashEmbedder(),
        "select": select_records,
        "store": dataset_folder,
    }
    return generate_dataset(workspace, **(values | changes))


def test_a_dataset_is_made_without_the_held_out_passage(workspace: Workspace) -> None:
    events: list[ProgressEvent] = []
    report = run(workspace, target=20, progress=events.append)
    records = dataset_folder.read_dataset(report.path)
    assert report.records == len(records) == 20
    assert report.passages_excluded == 1
    assert not any("amber pump" in item.input + item.instruction for item in records)
    refused = [item for item in records if is_refusal(item.output, "en")]
    assert 0.1 <= len(refused) / len(records) <= 0.5  # so alike that novelty takes many facts
    assert any(item.input for item in records)
    assert any(not item.input for item in records)
    assert all(grade.passed for item in records for grade in item.grades)
    assert events[0].stage == "smoke run"
    assert "documents: " in events[0].message
    assert "passages 3" in events[0].message
    assert report.dropped["k_center"] > 0
    assert not list(workspace.datasets_dir.glob(".*.run"))


def test_lineage_leads_from_the_dataset_to_the_passages(workspace: Workspace) -> None:
    report = run(workspace)
    kinds = {
        edge.parent.split("_")[0] for edge in lineage.ancestors(workspace.db, report.dataset_id)
    }
    assert kinds >= {"record", "passage", "document"}


def test_a_finished_run_is_recognised(workspace: Workspace) -> None:
    first = run(workspace)
    log = workspace.datasets_dir / f".{first.dataset_id}.run" / "documents" / "0000.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("left over by a kill", encoding="utf-8")
    second = run(workspace)
    assert not first.repeated
    assert second.repeated
    assert not log.exists()
    assert (first.dataset_id, first.sha256) == (second.dataset_id, second.sha256)
    assert dict(first.counts) == dict(second.counts)
    assert run(workspace, seed=18).dataset_id != first.dataset_id


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_a_killed_run_goes_on_to_the_same_hash(workspace: Workspace, blocks: int) -> None:
    whole = run(workspace)
    log_of_whole = workspace.datasets_dir / "whole"
    model = QuietModel()
    passages = passages_of(document("manual.md"), [*SENTENCES, TABLE])
    list(
        generate_records(
            passages,
            generator=model,
            scorer=model,
            log=log_of_whole,
            exclude=[QUESTION],
            options=GenerationOptions(target=40),
        )
    )
    lines = (log_of_whole / "0000.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(lines) > 2
    for path in sorted(whole.path.iterdir(), reverse=True):
        path.unlink()
    whole.path.rmdir()
    # What a kill leaves: some whole lines and a torn one.
    log = workspace.datasets_dir / f".{whole.dataset_id}.run" / "documents" / "0000.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("".join(lines[:blocks]) + lines[blocks][:40], encoding="utf-8")
    scorer = QuietModel()
    again = run(workspace, scorer=scorer)
    assert again.sha256 == whole.sha256
    assert not again.repeated
    assert scorer.scored < model.scored or blocks == 0


def test_too_little_yield_stops_the_run(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "space") as space:
        one = document("notes.md")
        put_document(space.db, one, passages_of(one, ["Yes.", "Hm, so.", "Oh."]), folder="docs")
        with pytest.raises(YieldTooLow, match="`finding facts`"):
            run(space, exclude=[])
        with pytest.raises(YieldTooLow, match="None of 0"):
            run(space, exclude=[], limits=Limits(floor=0))


def test_no_passages(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "space") as space, pytest.raises(InputEmpty):
        run(space)


def test_copies_of_held_out_passages_are_excluded_too() -> None:
    one, two = document("manual.md"), document("manual.pdf")
    wrapped = SENTENCES[0].replace(" weighs", "\nweighs")
    passages = [
        *passages_of(one, SENTENCES[:3]),
        *passages_of(two, ["Page 1\n" + wrapped, SENTENCES[5]]),
    ]
    held = excluded_passages(passages, [QUESTION])
    assert list(held) == [passages[0].id, passages[3].id]
    assert held[passages[0].id] == "holds the answer of held"


def test_a_short_quote_counts_in_its_own_document_only() -> None:
    short = Question(
        key="short",
        question="How much?",
        language="en",
        gold=(QuestionGold(document="prices.csv", quote="3 kg."),),
    )
    passages = passages_of(document("manual.md"), SENTENCES[:1])
    assert excluded_passages(passages, [short]) == {}


def test_copies_are_found_once() -> None:
    passages = [
        *passages_of(document("a.md"), SENTENCES[:2]),
        *passages_of(document("b.md"), SENTENCES[:1]),
    ]
    assert duplicate_passages(passages) == {passages[2].id: passages[0].id}


def test_the_real_model_makes_a_dataset(
    tmp_path: Path, engine: Engine, embedder: LocalEmbedder
) -> None:
    texts = [*SENTENCES[:4], TABLE, "Half of the silver washers near the brush are 17 mm wide."]
    with Workspace.create(tmp_path / "space") as space:
        one = document("manual.md")
        put_document(space.db, one, passages_of(one, texts), folder="docs")
        report = run(
            space,
            target=12,
            exclude=[QUESTION],
            generator=engine,
            scorer=engine,
            embedder=embedder,
        )
        records = dataset_folder.read_dataset(report.path)
        assert len(records) == 12
        assert all(item.passage_ids or is_refusal(item.output) for item in records)
        assert "amber pump" not in "".join(item.instruction + item.input for item in records)
