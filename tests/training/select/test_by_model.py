"""Golden scores, difficulty and token budgets: the race against trying everything, real scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from domainsmith.model_io.messages import record_messages
from domainsmith.records import Record
from domainsmith.training.select.anchor_tasks import RecordAnchors
from domainsmith.training.select.difficulty import difficulties
from domainsmith.training.select.nuggets import golden_scores
from domainsmith.training.select.pipeline import run_stages
from domainsmith.training.select.resources import Resources
from domainsmith.training.select.score_cache import ScoreCache

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine

TASKS = 40


class Known:
    """Tasks whose outcomes are known: each record helps with a share of them."""

    def __init__(self, records: int, seed: int, task_count: int = TASKS) -> None:
        source = np.random.default_rng(seed)
        skill = source.beta(5, 5, size=(records, 1))
        ease = source.beta(2, 2, size=(1, task_count))
        self.outcomes = source.random((records, task_count)) < (skill + ease) / 2
        self.asked = 0
        self.name = f"known {seed}"

    def __len__(self) -> int:
        return self.outcomes.shape[1]

    def lengths(self) -> Any:
        return np.arange(len(self)) % 7 + 20

    def alone(self) -> Any:
        return np.zeros(len(self))

    def after(self, pairs: Sequence[tuple[int, int]]) -> list[float]:
        self.asked += len(pairs)
        return [1.0 if self.outcomes[row, task] else -1.0 for row, task in pairs]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [1, 3, 20])
def test_the_best_are_those_of_trying_everything(seed: int, count: int) -> None:
    known = Known(200, seed)
    found = golden_scores([str(at) for at in range(200)], known, count=count)
    wins = known.outcomes.sum(axis=1)
    expected = sorted(range(200), key=lambda at: (-wins[at], at))[:count]
    complete = [at for at, score in enumerate(found) if score.complete]
    assert sorted(complete, key=lambda at: (-found[at].wins, at))[:count] == expected
    assert all(found[at].wins == wins[at] for at in complete)
    assert known.asked < (0.7 if count < 20 else 0.85) * 200 * TASKS


def test_a_threshold_gives_up_what_cannot_be_above_it() -> None:
    known = Known(100, 3)
    found = golden_scores([str(at) for at in range(100)], known, threshold=0.6)
    above = set(np.flatnonzero(known.outcomes.mean(axis=1) > 0.6).tolist())
    assert {at for at, s in enumerate(found) if s.complete and s.highest > 0.6} == above
    assert known.asked < 100 * TASKS


def test_a_race_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    keys = [str(at) for at in range(60)]
    whole = golden_scores(keys, Known(60, 1), count=2)

    class Cut(Known):
        def after(self, pairs: Sequence[tuple[int, int]]) -> list[float]:
            if self.asked > 300:
                raise KeyboardInterrupt
            return super().after(pairs)

    path = tmp_path / "scores.jsonl"
    with pytest.raises(KeyboardInterrupt):
        golden_scores(keys, Cut(60, 1), count=2, cache=ScoreCache(path))
    path.write_bytes(path.read_bytes() + b'{"torn')  # killed while writing
    again, fresh = Known(60, 1), Known(60, 1)
    found = golden_scores(keys, again, count=2, cache=ScoreCache(path))
    golden_scores(keys, fresh, count=2)
    assert again.asked < fresh.asked
    best = [at for at, score in enumerate(whole) if score.complete]
    top = sorted(best, key=lambda at: (-whole[at].wins, at))[:2]
    assert all(found[at] == whole[at] for at in top)


def test_nothing_to_score() -> None:
    assert golden_scores([], Known(1, 0), count=3) == []
    assert not golden_scores(["a"], Known(1, 0, task_count=0), count=1)[0].highest


def record(instruction: str, output: str, **changes: Any) -> Record:
    values: dict[str, Any] = {"language": "en", "method": "self_qa", "model": "code"}
    return Record(instruction=instruction, output=output, **(values | changes))


RECORDS = (
    record("What is the capital of France?", "The capital of France is Paris."),
    record("What is the capital of Italy?", "The capital of Italy is Rome."),
    record("Name a colour.", "Zxq vrrp 77 glorb unfathomable."),
    record("水泵多重？", "三公斤。", language="zh"),
)


def test_difficulty_is_the_engines_own_likelihood(engine: Engine, tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path / "scores.jsonl")
    found = difficulties(RECORDS, engine, alone=True, cache=cache)
    first = found[0]
    assert first is not None
    asked = engine.render(record_messages(RECORDS[0])[:-1])
    expected = engine.score([(asked, RECORDS[0].output)])[0].mean
    assert first.with_question == pytest.approx(expected, abs=0.05)  # other rows in the batch
    assert first.perplexity == pytest.approx(math.exp(-first.with_question))
    assert first.ifd == pytest.approx(math.exp(first.alone - first.with_question))
    nonsense = found[2]
    assert nonsense is not None
    assert nonsense.perplexity > 5 * first.perplexity
    assert first.ifd < 1.0

    class Silent:
        model_name = engine.model_name
        render = staticmethod(engine.render)

    again = difficulties(RECORDS, Silent(), alone=True, cache=ScoreCache(tmp_path / "scores.jsonl"))
    assert again == found


def test_model_stages_select(engine: Engine) -> None:
    given = Resources(model=engine)
    run = run_stages(RECORDS, [{"stage": "perplexity", "most": 50.0}], resources=given)
    assert RECORDS[2].id in {drop.id for drop in run.drops}
    assert "perplexity" in run.drops[0].reason
    hard = run_stages(RECORDS, [{"stage": "ifd", "count": 1}], resources=given)
    assert len(hard.selection.kept) == 1
    assert set(hard.scores["ifd"]) == {item.id for item in RECORDS}


def test_an_example_of_the_same_kind_helps(engine: Engine) -> None:
    tasks = [
        record("What is the capital of Spain?", "The capital of Spain is Madrid."),
        record("What is the capital of Greece?", "The capital of Greece is Athens."),
    ]
    anchors = RecordAnchors(engine, RECORDS, [*tasks, RECORDS[0]])
    alone = anchors.alone()
    after = anchors.after([(0, 0), (0, 1), (2, 0), (0, 2)])
    assert after[0] > alone[0]
    assert after[1] > alone[1]
    assert after[0] > after[2]
    assert after[3] == -math.inf  # a record does not help with itself
    run = run_stages(
        RECORDS,
        [{"stage": "nuggets", "count": 2}],
        resources=Resources(model=engine, anchors=tasks),
    )
    assert len(run.selection.kept) == 2
    assert RECORDS[2].id not in run.selection.kept


def test_the_token_budget_counts_what_is_trained(engine: Engine) -> None:
    size = [
        engine.count_tokens(engine.render(record_messages(item), add_generation_prompt=False))
        for item in RECORDS
    ]
    budget = size[0] + size[1]
    run = run_stages(RECORDS, ["exact"], resources=Resources(model=engine), tokens=budget)
    assert sum(run.scores["tokens"][name] for name in run.selection.kept) <= budget
    assert run.selection.kept[:2] == (RECORDS[0].id, RECORDS[1].id)


def test_what_does_not_fit_the_model_is_said(engine: Engine) -> None:
    long = record("word " * 9000, "Yes.")
    run = run_stages([RECORDS[0], long], ["ifd"], resources=Resources(model=engine))
    assert run.selection.kept == (RECORDS[0].id,)
    assert "too long" in run.drops[0].reason
