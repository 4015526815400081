"""Dataset folders: whole or absent, verified, and exported in other forms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domainsmith.errors import ArtifactCorrupt, InputEmpty
from domainsmith.model_io.messages import record_messages
from domainsmith.records import Record
from domainsmith.storage import lineage
from domainsmith.training.dataset_folder import (
    dataset_info,
    export_dataset,
    find_dataset,
    read_dataset,
    write_dataset,
)
from domainsmith.workspace import Workspace

RECORDS = [
    Record(
        instruction="How much does the pump weigh?\u2028",
        input="[1] Manual\nThe pump weighs 3 kg.",
        output="3 kg.",
        language="en",
        method="self_qa/pattern",
        model="code",
    ),
    Record(
        instruction="水泵多重？",
        output="3 公斤。",
        language="zh",
        method="self_kv/lookup",
        model="code",
        history=(("你好", "你好！"),),
    ),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "space") as space:
        yield space


def test_written_is_read_again(workspace: Workspace) -> None:
    info = write_dataset(workspace, "dataset_1", RECORDS, card={"dropped": {"exact": 3}})
    assert read_dataset(info.path) == RECORDS
    assert info == dataset_info(info.path) == find_dataset(workspace, "dataset_1")
    assert info.records == 2
    assert info.card["dropped"] == {"exact": 3}
    card = (info.path / "README.md").read_text(encoding="utf-8")
    assert "| exact | 3 |" in card
    assert "Licence" in card


def test_equal_records_give_an_equal_hash(workspace: Workspace) -> None:
    one = write_dataset(workspace, "dataset_1", RECORDS)
    two = write_dataset(workspace, "dataset_2", RECORDS)
    assert one.sha256 == two.sha256
    assert one.id != two.id


def test_the_lineage_holds_the_dataset_and_its_records(workspace: Workspace) -> None:
    info = write_dataset(workspace, "dataset_1", RECORDS)
    parents = {edge.parent for edge in lineage.ancestors(workspace.db, "dataset_1")}
    assert parents == {record.id for record in RECORDS}
    assert lineage.artifact(workspace.db, "dataset_1").payload["sha256"] == info.sha256


def test_writing_again_keeps_the_dataset(workspace: Workspace) -> None:
    one = write_dataset(workspace, "dataset_1", RECORDS)
    assert write_dataset(workspace, "dataset_1", RECORDS) == one


def test_a_kill_between_folder_and_lineage_is_made_good(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, stored = lineage.put_artifact, []

    def killed_at_the_last(*args: Any, **values: Any) -> str:
        if values.get("kind") == "dataset":
            raise KeyboardInterrupt
        stored.append(put(*args, **values))
        return stored[-1]

    with monkeypatch.context() as patch:
        patch.setattr(lineage, "put_artifact", killed_at_the_last)
        with pytest.raises(KeyboardInterrupt):
            write_dataset(workspace, "dataset_1", RECORDS)
    assert (workspace.datasets_dir / "dataset_1" / "manifest.json").is_file()
    assert len(stored) == 2
    assert lineage.artifacts(workspace.db, "record") == [], "registered with all or not at all"
    assert find_dataset(workspace, "dataset_1") is None
    info = write_dataset(workspace, "dataset_1", RECORDS)
    assert find_dataset(workspace, "dataset_1") == info
    assert len(lineage.artifacts(workspace.db, "record")) == 2


def test_an_empty_dataset_is_refused(workspace: Workspace) -> None:
    with pytest.raises(InputEmpty):
        write_dataset(workspace, "dataset_1", [])
    assert find_dataset(workspace, "dataset_1") is None


def test_damage_is_found(workspace: Workspace) -> None:
    info = write_dataset(workspace, "dataset_1", RECORDS)
    data = info.path / "data.jsonl"
    data.write_text(data.read_text(encoding="utf-8").replace("3 kg", "4 kg"), encoding="utf-8")
    with pytest.raises(ArtifactCorrupt):
        read_dataset(info.path)
    assert find_dataset(workspace, "dataset_1") is None


@pytest.mark.parametrize("form", ["alpaca", "sharegpt", "chatml"])
def test_exports_are_lines_of_json(tmp_path: Path, form: str) -> None:
    target = tmp_path / "out.jsonl"
    assert export_dataset(RECORDS, target, form) == 2  # type: ignore[arg-type]
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").split("\n")[:-1]]
    assert len(rows) == 2
    if form == "alpaca":
        assert set(rows[1]) == {"instruction", "input", "output", "system", "history"}
    else:
        key, content = ("messages", "content") if form == "chatml" else ("conversations", "value")
        texts = [turn[content] for turn in rows[1][key]]
        assert texts == [message.content for message in record_messages(RECORDS[1])]
