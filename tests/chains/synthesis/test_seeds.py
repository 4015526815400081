"""Seed tasks: ours are sound and original; a user's file is checked as a whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from domainsmith.chains.synthesis.seeds import built_in_seeds, read_seeds
from domainsmith.data_connection.novel import NoveltyPool
from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound
from domainsmith.records import Language
from domainsmith.training.select.novelty import novelty_filter, rouge_l_f1

DATA = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))


@pytest.mark.parametrize(("language", "many"), [("en", 100), ("zh", 75)])
def test_our_seeds_are_varied(language: Language, many: int) -> None:
    tasks = built_in_seeds(language)
    assert len(tasks) == many
    assert {task.language for task in tasks} == {language}
    assert all(task.topic for task in tasks)
    assert 0.18 <= sum(task.is_classification for task in tasks) / many <= 0.3
    assert 0.4 <= sum(bool(task.input) for task in tasks) / many <= 0.7
    verdicts = novelty_filter([task.instruction for task in tasks])
    assert all(verdict.kept for verdict in verdicts), "no two seeds are alike"


@pytest.mark.parametrize(
    ("language", "place"),
    [("en", "instr_self_instruct/seed_tasks.jsonl"), ("zh", "instr_belle_zh/zh_seed_tasks.jsonl")],
)
def test_our_seeds_are_not_those_of_others(language: Language, place: str) -> None:
    path = DATA / place
    if not path.is_file():
        pytest.skip(f"{path} is not there; set DOMAINSMITH_DATA")
    others = [json.loads(line)["instruction"] for line in path.read_text("utf-8").splitlines()]
    alike = [
        (task.instruction, other)
        for task in built_in_seeds(language)
        for other in others
        if rouge_l_f1(task.instruction, other) > 0.7
    ]
    assert len(alike) <= 2, alike


def test_a_file_in_the_common_form_is_read(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    lines = [
        {"instruction": f"Explain the {at}th law of the sea in other words.", "output": "It holds."}
        for at in range(9)
    ]
    lines[0] = {
        "id": "x", "name": "y", "instruction": "Is it a ship?", "is_classification": True,
        "instances": [{"input": "a raft", "output": "No"}, {"input": "a yacht", "output": "Yes"}],
    }  # fmt: skip
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    tasks = read_seeds(path)
    assert len(tasks) == 10
    assert [(task.input, task.output) for task in tasks[:2]] == [
        ("a raft", "No"),
        ("a yacht", "Yes"),
    ]


def test_all_errors_of_a_file_are_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_text(
        '{"instruction": "Say it.", "output": "It."}\n'
        "no json\n"
        "[1]\n"
        '{"instruction": "", "output": 3, "is_classification": "yes", "topic": 1}\n'
        "\n"
        '{"instruction": "Two.", "instances": [{"output": "a"}, {"input": 5, "output": " "}, 7]}\n'
        '{"instruction": "say  IT.", "output": "again"}\n'
        '{"instruction": "Three.", "instances": []}\n',
        encoding="utf-8",
    )
    with pytest.raises(InputInvalid) as caught:
        read_seeds(path)
    said = caught.value.what
    assert said.startswith("11 problems")
    for part in (
        "line 2: it is not JSON", "line 3: it is no JSON object", "line 4: instruction must",
        "line 4: is_classification", "line 4: topic", "line 4: output", "instance 2: input",
        "instance 2: output", "instance 3: it must be", "line 7: the instruction stands in line 1",
        "line 8: instances",
    ):  # fmt: skip
        assert part in said, part
    assert caught.value.where == "seeds.jsonl"


def test_too_few_seeds_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_text('{"instruction": "Say something new.", "output": "It."}\n')
    with pytest.raises(InputInvalid, match=r"1 tasks in en; at least 8.*no task in en is a class"):
        read_seeds(path)
    path.write_text("\n  \n")
    with pytest.raises(InputEmpty):
        read_seeds(path)
    with pytest.raises(InputNotFound):
        read_seeds(tmp_path / "none.jsonl")


def test_the_pool_decides_as_the_novelty_filter_does() -> None:
    texts = [task.instruction for task in (*built_in_seeds("en"), *built_in_seeds("zh"))]
    changed = [text.replace("the", "a").replace("的", "之") for text in texts]
    shorter = [" ".join(text.split()[:-1]) or text[:-2] for text in texts]
    mixed = [*texts, *changed, *shorter, "", "!!"]
    pool = NoveltyPool()
    kept = [pool.add(text) for text in mixed]
    assert kept == [verdict.kept for verdict in novelty_filter(mixed)]
    assert 0 < sum(kept) < len(mixed)
    assert len(pool) == sum(kept)
