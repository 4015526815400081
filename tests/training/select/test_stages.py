"""Stages compose in any order, say what they did, and check their parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import Grade, Preference, Question, Ranking, Record
from domainsmith.training.select.near import near_copies, shingles
from domainsmith.training.select.pipeline import run_stages, select_records
from domainsmith.training.select.quotas import even_quotas
from domainsmith.training.select.resources import Resources
from domainsmith.training.select.score_cache import ScoreCache
from domainsmith.training.select.stages.registry import STAGES, parse_stages, read_stages

LONG = "the pump of the north line has to be drained before every winter by two trained people"


def record(instruction: str, output: str = "3 kg.", **changes: Any) -> Record:
    values: dict[str, Any] = {"language": "en", "method": "self_qa/pattern", "model": "code"}
    return Record(instruction=instruction, output=output, **(values | changes))


def topics(count: int) -> list[Record]:
    words = ("hose", "valve", "drum", "belt", "lamp", "door", "fuse", "seal")
    return [
        record(f"Where is the {words[at % 8]} kept in hall {at}?", f"Shelf {at}.")
        for at in range(count)
    ]


def vectors_for(count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    rows = np.random.default_rng(seed).normal(size=(count, 12)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_default_pipeline_is_that_of_select_records() -> None:
    items = [*topics(30), *topics(4), record("Where is the hose, which is kept in hall 0?")]
    given = vectors_for(len(items))
    run = run_stages(items, resources=Resources(vectors=given), count=12)
    assert run.selection == select_records(items, vectors=given, target=12)
    assert [r.stage for r in run.stages] == list(
        run.stages and ("grades", "exact", "leakage", "novelty", "semantic", "k_center")
    )
    assert all(a.left == b.entered for a, b in zip(run.stages, run.stages[1:], strict=False))
    assert len(run.selection.kept) == 12
    assert len(run.selection.kept) + len(run.drops) == len(items)


def test_stages_run_in_the_order_given_and_name_the_winner() -> None:
    items = [record(LONG), record(f"{LONG} again"), record(LONG)]
    near = {"stage": "near", "threshold": 0.6}
    first = run_stages(items, [near, "exact"])
    assert [(d.stage, d.winner) for d in first.drops] == [
        ("near", items[0].id),
        ("near", items[0].id),
    ]
    second = run_stages(items, ["exact", near])
    assert [d.stage for d in second.drops] == ["exact", "near"]
    assert "Jaccard" in second.drops[1].reason
    assert second.counts() == {"exact": 1, "near": 1}


def test_one_instruction_with_other_inputs_is_another_task() -> None:
    made: dict[str, Any] = {"method": "self_instruct/input_first", "passage_ids": ("p",)}
    ask = "Write a heading for the text."
    tasks = [record(ask, f"Hose {at}.", input=f"The hose of hall {at}.", **made) for at in range(3)]
    again = record(ask, "Hose.", input="The hose of hall 2.", **made)
    imported = [record(ask, "Belt.", input=f"The belt of hall {at}.") for at in range(2)]
    over = [
        record("Where is the belt?", "Hall 2.", input=text, passage_ids=("p",))
        for text in ("In hall 2.", "In hall 2, above the door.")
    ]
    run = run_stages([*tasks, again, *imported, *over], ["exact"])
    assert [drop.id for drop in run.drops] == [again.id, over[1].id]


def test_preferences_and_rankings_are_selected_by_their_prompt() -> None:
    shared: dict[str, Any] = {"language": "en", "method": "judged", "model": "code"}
    pair = Preference(instruction=LONG, chosen="yes", rejected="no", margin=0.5, **shared)
    same = Preference(instruction=LONG + "!", chosen="yes", rejected="never", margin=0.5, **shared)
    ranking = Ranking(instruction=LONG, answers=("a", "b"), scores=(1.0, 0.5), **shared)
    run = run_stages([pair, same, ranking], ["exact"])
    assert run.selection.kept == (pair.id,)
    assert {d.winner for d in run.drops} == {pair.id}


def test_all_problems_of_a_list_are_reported_at_once() -> None:
    with pytest.raises(InputInvalid) as caught:
        parse_stages(["exact", "sieve", {"stage": "near", "threshold": 2.0, "depth": 1}])
    text = str(caught.value)
    assert "stage 2: 'sieve'" in text
    assert "stage 3 (near): threshold" in text
    assert "depth" in text


def test_a_number_goes_to_the_last_stage_that_can_keep_one() -> None:
    assert [s.as_dict() for s in parse_stages(["random", "exact"], count=5)] == [
        {"stage": "random", "count": 5, "seed": 17},
        {"stage": "exact"},
    ]
    assert [s.name for s in parse_stages(["exact"], count=5, tokens=100)] == [
        "exact",
        "k_center",
        "tokens",
    ]
    own = parse_stages([{"stage": "random", "count": 9}], count=5)
    assert [s.name for s in own] == ["random", "k_center"]


def test_a_list_of_stages_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "stages.toml"
    file.write_text('[[stage]]\nname = "near"\nthreshold = 0.5\n\n[[stage]]\nname = "exact"\n')
    assert read_stages(str(file)) == [{"stage": "near", "threshold": 0.5}, {"stage": "exact"}]
    assert read_stages("exact, near") == [{"stage": "exact"}, {"stage": "near"}]
    file.write_text("stages = 3\n")
    with pytest.raises(InputInvalid):
        read_stages(str(file))
    with pytest.raises(InputNotFound):
        read_stages(str(tmp_path / "none.toml"))


def test_a_stage_without_what_it_needs_says_so() -> None:
    for stage in ("deita", "ifd", "tokens"):
        with pytest.raises(InputInvalid, match=stage):
            run_stages(topics(3), [stage], tokens=9 if stage == "tokens" else 0)


def test_every_stage_takes_nothing() -> None:
    for name in STAGES:
        assert run_stages([], [name]).selection.kept == ()


def test_near_copies_are_decided_by_exact_similarity() -> None:
    source = np.random.default_rng(5)
    words = [f"w{at}" for at in range(60)]
    texts: list[str] = []
    for _ in range(300):
        if texts and source.random() < 0.5:
            tokens = texts[int(source.integers(len(texts)))].split()
            tokens[int(source.integers(len(tokens)))] = "changed"
        else:
            tokens = source.choice(words, 20).tolist()
        texts.append(" ".join(tokens))
    kept: list[int] = []
    expected = []
    for at, text in enumerate(texts):
        mine = shingles(text, 3)
        near = [
            k
            for k in kept
            if len(mine & shingles(texts[k], 3)) >= 0.6 * len(mine | shingles(texts[k], 3))
        ]
        expected.append(not near)
        if not near:
            kept.append(at)
    found = near_copies(texts, threshold=0.6)
    assert [copy is None for copy in found] == expected
    assert 0 < sum(expected) < len(expected)


def test_unicode_forms_are_one_text() -> None:
    assert near_copies(["Café Ａ１ 水泵 open", "Cafe\u0301 A1 水泵 open"])[1] is not None


def test_topics_share_evenly() -> None:
    items = [record(f"Question {at}?", passage_ids=(f"p{at % 3}",)) for at in range(9)]
    sections = {"p0": ("a.md", "One"), "p1": ("a.md", "Two"), "p2": ("b.md", "")}
    run = run_stages(
        items, [{"stage": "topics", "count": 4}], resources=Resources(sections=sections)
    )
    assert run.selection.kept == tuple(items[at].id for at in (0, 1, 2, 3))
    by_document = run_stages(
        items,
        [{"stage": "topics", "most": 2, "by": "document"}],
        resources=Resources(sections=sections),
    )
    assert len(by_document.selection.kept) == 4
    assert even_quotas({"a": 1, "b": 9, "c": 9}, 10) == {"a": 1, "b": 5, "c": 4}


def test_clusters_are_topics() -> None:
    given = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 2]]
    run = run_stages(
        topics(6),
        [{"stage": "topics", "by": "cluster", "clusters": 3, "most": 1}],
        resources=Resources(vectors=given),
    )
    assert len(run.selection.kept) == 3


def test_quality_and_deita_prefer_good_grades() -> None:
    def graded(at: int, score: float) -> Record:
        return record(f"Part {at}?", grades=(Grade(grader="g", score=score, passed=True),))

    items = [graded(1, 0.2), graded(2, 0.9), graded(3, 0.5)]
    run = run_stages(items, [{"stage": "quality", "count": 2}])
    assert run.selection.kept == (items[1].id, items[2].id)
    assert "place 3 of 3" in run.drops[0].reason
    given = np.ones((3, 1), dtype=np.float32)
    diverse = run_stages(items, ["deita"], resources=Resources(vectors=given))
    assert diverse.selection.kept == (items[1].id,)
    assert {d.winner for d in diverse.drops} == {items[1].id}


def test_chance_is_seeded() -> None:
    items = topics(40)
    kept = [
        run_stages(items, [{"stage": "random", "count": 9, "seed": seed}]).selection.kept
        for seed in (1, 1, 2)
    ]
    assert kept[0] == kept[1] != kept[2]
    assert len(kept[0]) == 9


def test_records_of_held_out_passages_leak() -> None:
    question = Question(key="q", question="How heavy is it?", language="en")
    items = [record("Where is the lamp?", passage_ids=("p1",)), record("Where is the belt?")]
    given = Resources(questions=[question], held_out_passages=frozenset({"p1"}))
    run = run_stages(items, ["leakage"], resources=given)
    assert run.counts() == {"leakage passage": 1}


def test_embeddings_are_computed_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def embed(texts: Any) -> Any:
        asked.extend(texts)
        return np.stack([np.full(4, 0.5, dtype=np.float32) for _ in texts])

    path = tmp_path / "scores.jsonl"
    for _ in range(2):
        given = Resources(embed=embed, embedder_name="toy", cache=ScoreCache(path))
        run = run_stages(topics(20), [{"stage": "k_center", "count": 3}], resources=given)
        assert len(run.selection.kept) == 3
    assert run.stages[0].cached == 20
    assert len(asked) == 20 + 2  # one text a run tells the width
