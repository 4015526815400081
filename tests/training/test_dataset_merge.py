"""Datasets of three kinds: exports, statistics, differences, merging, a person's verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound
from domainsmith.memory.feedback import add_review, reviews
from domainsmith.records import Grade, Preference, Ranking, Record
from domainsmith.storage import lineage
from domainsmith.training.dataset_export import export_dataset
from domainsmith.training.dataset_folder import (
    dataset_info,
    read_dataset,
    read_items,
    write_dataset,
)
from domainsmith.training.dataset_merge import apply_reviews, merge_datasets
from domainsmith.training.dataset_stats import dataset_diff, dataset_stats
from domainsmith.workspace import Workspace


def record(number: int, **values: object) -> Record:
    plain: dict[str, object] = {
        "instruction": f"How much does part {number} weigh?",
        "output": f"{number} kg.",
        "language": "en",
        "method": "self_qa/fact",
        "model": "code",
        "grades": (Grade(grader="format", score=1.0, passed=True),),
    }
    return Record.model_validate(plain | values)


def preference(number: int) -> Preference:
    return Preference(
        instruction=f"零件 {number} 多重？",
        history=(("你好", "你好！"),),
        chosen=f"{number} 公斤。",
        rejected=f"{number + 1} 公斤。",
        margin=1.5,
        reason="changed number",
        language="zh",
        method="preferences/corrupted",
        model="code",
    )


RANKING = Ranking(
    instruction="Which is best?",
    answers=("a", "b", "c"),
    scores=(3.0, 2.0, 1.0),
    language="en",
    method="rankings",
    model="code",
)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "space") as space:
        yield space


def test_preferences_and_rankings_are_written_and_read(workspace: Workspace) -> None:
    pairs = [preference(1), preference(2)]
    info = write_dataset(workspace, "dataset_p", pairs)
    assert (info.kind, dataset_info(info.path).kind) == ("preference", "preference")
    assert read_items(info.path) == pairs
    assert "chosen and a rejected" in (info.path / "README.md").read_text(encoding="utf-8")
    with pytest.raises(InputInvalid, match="holds preferences"):
        read_dataset(info.path)
    ranked = write_dataset(workspace, "dataset_r", [RANKING])
    assert read_items(ranked.path) == [RANKING]
    with pytest.raises(InputInvalid, match="one kind"):
        write_dataset(workspace, "dataset_m", [RANKING, record(1)])


def test_preferences_are_exported_in_both_common_forms(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    assert export_dataset([preference(1)], target, "trl") == 1
    line = json.loads(target.read_text(encoding="utf-8"))
    assert [turn["role"] for turn in line["prompt"]] == ["system", "user", "assistant", "user"]
    assert line["prompt"][-1]["content"] == "零件 1 多重？"
    assert line["chosen"] == [{"role": "assistant", "content": "1 公斤。"}]
    assert line["rejected"] == [{"role": "assistant", "content": "2 公斤。"}]
    export_dataset([preference(1)], target, "sharegpt")
    line = json.loads(target.read_text(encoding="utf-8"))
    assert [turn["from"] for turn in line["conversations"]] == ["system", "human", "gpt", "human"]
    assert line["chosen"] == {"from": "gpt", "value": "1 公斤。"}
    with pytest.raises(InputInvalid, match="no form alpaca"):
        export_dataset([preference(1)], target, "alpaca")
    assert export_dataset([RANKING], target, "trl") == 2
    assert export_dataset([RANKING], target, "jsonl") == 1
    assert json.loads(target.read_text(encoding="utf-8"))["answers"] == ["a", "b", "c"]


def test_statistics_count_what_is_there() -> None:
    items = [record(1), record(2, input="ctx"), record(1, method="self_kv/lookup"), record(1)]
    found = dataset_stats(items, count_tokens=lambda text: len(text.split()))
    assert found.methods == {"self_qa/fact": 3, "self_kv/lookup": 1}
    assert (found.exact_duplicates, found.same_question, found.with_input) == (2, 2, 1)
    assert found.grades["format"].passed == 4
    assert found.questions.total == 4 * len(record(1).instruction)
    assert found.tokens is not None
    assert dataset_stats([preference(1), preference(2)]).tokens is None


def test_a_difference_pairs_changed_answers() -> None:
    found = dataset_diff(
        [record(1), record(2), record(3)], [record(3), record(2, output="9 kg."), record(4)]
    )
    assert found.both == 1
    assert found.removed == (record(1),)
    assert found.added == (record(4),)
    assert found.changed == ((record(2), record(2, output="9 kg.")),)


def test_merging_keeps_duplicates_once_and_the_lineage(workspace: Workspace) -> None:
    one = write_dataset(workspace, "dataset_1", [record(1), record(2)])
    two = write_dataset(workspace, "dataset_2", [record(2, method="self_kv/lookup"), record(3)])
    merged = merge_datasets(workspace, [one, two])
    assert read_items(merged.path) == [record(1), record(2), record(3)]
    assert merged.card["dropped"] == {"exact duplicate": 1}
    parents = {edge.parent for edge in lineage.ancestors(workspace.db, merged.id)}
    assert {one.id, two.id} <= parents
    assert merge_datasets(workspace, [one, two]) == merged
    with pytest.raises(InputInvalid, match="two different"):
        merge_datasets(workspace, [one, one])
    with pytest.raises(InputInvalid, match="different kinds"):
        merge_datasets(workspace, [one, write_dataset(workspace, "dataset_p", [preference(1)])])


def test_verdicts_make_a_new_dataset(workspace: Workspace) -> None:
    info = write_dataset(workspace, "dataset_1", [record(n) for n in range(4)])
    with pytest.raises(InputEmpty, match="verdict"):
        apply_reviews(workspace, info, reviews(workspace))
    add_review(workspace, record(0).id, "reject")
    add_review(workspace, record(0).id, "accept")
    add_review(workspace, record(1).id, "reject")
    add_review(workspace, record(2).id, "edit", changes={"output": "Two kilograms."})
    assert reviews(workspace)[record(0).id].verdict == "accept", "the last one counts"
    made = apply_reviews(workspace, info, reviews(workspace))
    items = read_dataset(made.path)
    assert [item.output for item in items] == ["0 kg.", "Two kilograms.", "3 kg."]
    assert [grade.grader for grade in items[1].grades] == ["person"]
    assert items[2].grades == record(3).grades
    assert made.card["reviews"] == {"accept": 1, "edit": 1, "none": 1, "reject": 1}
    parents = {edge.parent for edge in lineage.ancestors(workspace.db, made.id)}
    assert {info.id, record(2).id} <= parents
    assert any(parent.startswith("review_") for parent in parents)
    assert apply_reviews(workspace, info, reviews(workspace)) == made


def test_verdicts_that_cannot_be_are_refused(workspace: Workspace) -> None:
    info = write_dataset(workspace, "dataset_1", [record(1)])
    with pytest.raises(InputNotFound):
        add_review(workspace, "record_0000", "accept")
    with pytest.raises(InputInvalid, match="edit has changes"):
        add_review(workspace, record(1).id, "edit")
    add_review(workspace, record(1).id, "edit", changes={"model": "me", "output": " "})
    with pytest.raises(InputInvalid, match=r"model: may not be edited; .*empty"):
        apply_reviews(workspace, info, reviews(workspace))
