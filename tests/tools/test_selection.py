"""The selection tool: stages, what lies beside the records, and finding finished work."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from domainsmith.apps.cli.main import main
from domainsmith.errors import InputInvalid, InputNotFound, YieldTooLow
from domainsmith.records import Preference, Record
from domainsmith.storage.atomic import read_lines
from domainsmith.tools.current import note_latest
from domainsmith.tools.data import newest_dataset
from domainsmith.tools.selection import SELECT_DATA
from domainsmith.tools.tool import ToolContext
from domainsmith.training.dataset_folder import read_dataset, read_items, write_dataset
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domainsmith.model_io.embed import LocalEmbedder

NAMES = ("amber pump", "green hose", "left drawer", "steel drum", "rear lamp", "door seal")


def record(instruction: str, output: str) -> Record:
    return Record(
        instruction=instruction, output=output, language="en", method="self_qa", model="code"
    )


RECORDS = [
    *(
        record(f"How heavy is the {name}?", f"The {name} weighs {at} kg.")
        for at, name in enumerate(NAMES)
    ),
    record("how heavy is the AMBER pump", "4 kg."),
    *(record(f"Who made the {name}?", f"A firm near the sea made the {name}.") for name in NAMES),
]


@pytest.fixture
def ctx(tmp_path: Path, embedder: LocalEmbedder) -> Iterator[ToolContext]:
    with Workspace.create(tmp_path / "ws") as workspace:
        raw = write_dataset(workspace, "dataset_00000000000000aa", RECORDS, card={"stage": "raw"})
        note_latest(workspace, "raw", raw.id)

        def no_engine() -> Any:
            raise AssertionError("no stage here asks the model")

        models: Any = SimpleNamespace(embedder=lambda: embedder, engine=no_engine)
        yield ToolContext(workspace=workspace, models=models, folder=tmp_path)


def test_a_selection_says_what_it_did_and_is_found_again(ctx: ToolContext) -> None:
    result = SELECT_DATA.call(ctx, {"count": 5})
    assert result.data["dropped"] == {"exact": 1, "k_center": 2, "novelty": 5}
    assert [stage["stage"] for stage in result.data["stages"]][-1] == "k_center"
    folder = Path(result.data["path"])
    assert {p.name for p in folder.iterdir()} >= {
        "coverage.png",
        "selection.jsonl",
        "selection.png",
    }
    assert "selection.png" in result.summary
    drops = [json.loads(line) for line in read_lines(folder / "selection.jsonl")][6:]
    kept = read_dataset(folder)
    assert len(kept) == 5
    assert {d["id"] for d in drops} | {r.id for r in kept} == {r.id for r in RECORDS}
    assert drops[0]["winner"] == RECORDS[0].id
    assert "| 06 k_center | 7 in, 5 out |" in (folder / "README.md").read_text(encoding="utf-8")
    again = SELECT_DATA.call(ctx, {"count": 5})
    assert again.data["already_done"]
    taken = [{**stage, "seconds": 0, "cached": 0} for stage in again.data["stages"]]
    assert taken == [{**stage, "seconds": 0, "cached": 0} for stage in result.data["stages"]]
    assert newest_dataset(ctx, "selected") is not None


def test_other_stages_are_another_selection(ctx: ToolContext) -> None:
    first = SELECT_DATA.call(ctx, {"stages": ["exact"]})
    assert first.data["records"] == len(RECORDS) - 1
    second = SELECT_DATA.call(ctx, {"stages": [{"stage": "near", "threshold": 0.3}, "exact"]})
    assert second.data["dataset_id"] != first.data["dataset_id"]
    assert second.data["records"] < first.data["records"]
    with pytest.raises(InputInvalid, match="sieve"):
        SELECT_DATA.call(ctx, {"stages": ["sieve"]})
    with pytest.raises(InputNotFound):
        SELECT_DATA.call(ctx, {"dataset": "dataset_ffffffffffffffff"})
    with pytest.raises(YieldTooLow, match="quality"):
        SELECT_DATA.call(ctx, {"stages": [{"stage": "quality", "least": 2.0}]})


def test_preferences_are_selected_but_do_not_become_what_is_trained(ctx: ToolContext) -> None:
    pairs = [
        Preference(
            instruction=item.instruction,
            chosen=item.output,
            rejected="No.",
            margin=1.0,
            language="en",
            method="judged",
            model="code",
        )
        for item in RECORDS
    ]
    made = write_dataset(ctx.workspace, "dataset_00000000000000bb", pairs, card={"stage": "raw"})
    result = SELECT_DATA.call(ctx, {"stages": ["exact"], "dataset": made.id})
    assert read_items(Path(result.data["path"])) == [p for p in pairs if p is not pairs[6]]
    assert newest_dataset(ctx, "selected") is None


def test_the_command_explains(ctx: ToolContext, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(ctx.workspace.root)
    questions = ctx.folder / "test.jsonl"
    question = {
        "key": "q1",
        "question": "Who made the rear lamp?",
        "answer": "Nobody knows.",
        "language": "en",
    }
    questions.write_text(json.dumps(question) + "\n", encoding="utf-8")
    asked = ["select", "--stages", "exact,leakage", "--questions", str(questions), "--explain"]
    assert main(["--workspace", root, *asked]) == 0
    shown = capsys.readouterr()
    assert "11 of 13" in shown.out
    assert "leakage question 1" in shown.out
    assert "same question as" in shown.err
    assert "question: q1" in shown.err
    assert main(["--workspace", root, "select", "--stages", "exact,sieve"]) == 2
    assert "sieve" in capsys.readouterr().err
