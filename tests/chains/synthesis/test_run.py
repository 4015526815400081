"""The runner: smoke run, floors, budgets, cancel, resuming; with a method that only counts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from domainsmith.chains.synthesis.limits import Limits
from domainsmith.chains.synthesis.method import DataBlock, Round, Unit
from domainsmith.chains.synthesis.run import MethodRun
from domainsmith.chains.synthesis.shards import Shards
from domainsmith.chains.synthesis.tally import losing_stage, time_text
from domainsmith.errors import ArtifactCorrupt, YieldTooLow
from domainsmith.progress import ProgressEvent
from domainsmith.records import Grade, Record


class Numbers:
    """Makes two records a unit; numbers in ``bad`` fail a grade, ``empty`` ones give nothing."""

    name = "numbers"
    floor = 0.5

    def __init__(self, bad: Sequence[int] = (), empty: Sequence[int] = (), units: int = 12) -> None:
        self.bad, self.empty, self.units = set(bad), set(empty), units
        self.done: list[str] = []
        self.seen: list[Any] = []
        self.stop_at = ""

    def rounds(self) -> Generator[Sequence[Unit] | Round, Sequence[DataBlock], None]:
        first = yield [Unit("0", 0)]
        self.seen.append([block.state for block in first])
        rest = yield [Unit(str(n), n) for n in range(1, self.units)]
        self.seen.append([block.state for block in rest])

    def block(self, unit: Unit) -> DataBlock:
        if unit.key == self.stop_at:
            raise KeyboardInterrupt
        self.done.append(unit.key)
        number = unit.payload
        block = DataBlock(unit.key, counts=Counter(z_first=3, a_second=2), tokens=10)
        block.state = {"numbers": (number, number)}
        if number in self.empty:
            block.counts["a_second"] = 0
            block.dropped["a_second: nothing found"] += 2
            return block
        grade = Grade(grader="size", score=1.0, passed=number not in self.bad)
        block.items = [
            Record(
                instruction=f"What is {number} and {at}?",
                output=str(number),
                language="en",
                method="numbers",
                model="code",
                grades=(grade,),
            )
            for at in range(2)
        ]
        return block


def run(method: Numbers, log: Path, **values: Any) -> tuple[list[DataBlock], MethodRun]:
    run = MethodRun(method, log=log, **({"target": 100} | values))
    return list(run.blocks()), run


def items(blocks: Sequence[DataBlock]) -> list[str]:
    return [item.id for block in blocks for item in block.items]


def test_a_run_ends_when_the_method_does(tmp_path: Path) -> None:
    method = Numbers()
    blocks, made = run(method, tmp_path)
    assert (made.stopped, made.whole) == ("exhausted", True)
    assert len(items(blocks)) == 24
    assert made.tally.tokens == 120
    # States come back as JSON data, so a fresh run sees what a resumed one sees.
    assert method.seen[0] == [{"numbers": [0, 0]}]
    assert len(method.seen[1]) == 11


def test_a_run_ends_at_its_target(tmp_path: Path) -> None:
    method = Numbers()
    blocks, made = run(method, tmp_path, target=5)
    assert made.stopped == "target"
    assert method.done == ["0", "1", "2"]
    assert len(items(blocks)) == 6


def test_a_resumed_run_does_only_what_is_missing(tmp_path: Path) -> None:
    whole, _ = run(Numbers(), tmp_path / "whole")
    method = Numbers()
    method.stop_at = "5"
    again = Numbers()
    stopped = MethodRun(method, log=tmp_path / "cut", target=100)
    with pytest.raises(KeyboardInterrupt):
        list(stopped.blocks())
    assert stopped.stopped == "interrupted"
    blocks, _ = run(again, tmp_path / "cut")
    assert items(blocks) == items(whole)
    assert again.done == [str(n) for n in range(5, 12)]
    assert again.seen == [[{"numbers": [0, 0]}], [{"numbers": [n, n]} for n in range(1, 12)]]


def test_a_torn_line_is_done_again_and_a_broken_one_is_told(tmp_path: Path) -> None:
    whole, _ = run(Numbers(), tmp_path)
    path = tmp_path / "0000.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    method = Numbers()
    assert items(run(method, tmp_path)[0]) == items(whole)
    assert method.done == ["11"]
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(ArtifactCorrupt, match="Line 1"):
        run(Numbers(), tmp_path)


def test_shards_roll_over_and_are_all_read(tmp_path: Path) -> None:
    shards = Shards(tmp_path, shard_bytes=400)
    units = [Unit(str(n), {"n": n}) for n in range(5)]
    for unit in units:
        block = Numbers().block(Unit(unit.key, int(unit.key)))
        shards.append(unit, block)
    assert len(list(tmp_path.glob("*.jsonl"))) == 5
    read = Shards(tmp_path).read()
    found = [shards.find(read, unit) for unit in units]
    assert [block.key for block in found if block] == ["0", "1", "2", "3", "4"]
    assert list(found[0].counts) == ["z_first", "a_second"]  # type: ignore[union-attr]
    assert shards.find(read, Unit("0", {"n": 1})) is None, "another payload is another unit"


def test_cancel_and_budgets_end_a_run_that_goes_on_later(tmp_path: Path) -> None:
    whole, _ = run(Numbers(), tmp_path / "whole")
    log = tmp_path / "log"
    cancel = threading.Event()

    def tell(event: ProgressEvent) -> None:
        if event.stage == "generating numbers" and event.done >= 6:
            cancel.set()

    _, made = run(Numbers(), log, cancel=cancel, progress=tell)
    assert (made.stopped, made.whole) == ("cancelled", False)
    _, made = run(Numbers(), log, limits=Limits(tokens=75))
    assert (made.stopped, made.tally.tokens) == ("tokens", 80)
    _, made = run(Numbers(), log, limits=Limits(seconds=1e-9))
    assert made.stopped == "time"
    assert items(run(Numbers(), log)[0]) == items(whole)


def test_the_smoke_run_tells_yields_and_an_estimate(tmp_path: Path) -> None:
    events: list[ProgressEvent] = []
    _, made = run(Numbers(), tmp_path, limits=Limits(smoke_only=True), progress=events.append)
    assert made.stopped == "smoke"
    assert [event.stage for event in events] == ["smoke run"]
    message = events[0].message
    assert "2 of 2 records good (z_first 3, a_second 2)" in message
    assert "100 need about" in message
    assert "and 500 tokens" in message


def test_a_smoke_run_under_the_floor_stops_and_names_the_stage(tmp_path: Path) -> None:
    with pytest.raises(YieldTooLow, match=r"smoke run.* 0 good.*`a_second` \(a_second: nothing"):
        run(Numbers(empty=[0]), tmp_path / "a")
    with pytest.raises(YieldTooLow, match="`grade size`"):
        run(Numbers(bad=[0]), tmp_path / "b")
    assert run(Numbers(bad=[0]), tmp_path / "c", limits=Limits(floor=0))[1].whole


def test_a_model_that_turns_to_nonsense_stops_a_long_run(tmp_path: Path) -> None:
    method = Numbers(bad=range(10, 60), units=60)
    made = MethodRun(method, log=tmp_path, target=500)
    seen: list[DataBlock] = []
    with pytest.raises(YieldTooLow, match=r"last 8 units.*`grade size`"):
        seen.extend(made.blocks())
    assert made.stopped == "yield"
    assert made.past_smoke
    assert len(method.done) < 20


def test_a_round_may_say_what_is_enough(tmp_path: Path) -> None:
    class Enough(Numbers):
        ends_itself = True

        def rounds(self) -> Generator[Sequence[Unit] | Round, Sequence[DataBlock], None]:
            yield [Unit("0", 0)]
            blocks = yield Round([Unit(str(n), n) for n in range(1, 9)], enough=3)
            self.seen.append(len(blocks))
            yield [Unit("last", 9)]

    method = Enough()
    _, made = run(method, tmp_path, target=2)
    assert method.done == ["0", "1", "2", "last"]
    assert (method.seen, made.stopped) == ([2], "exhausted")


def test_progress_tells_counts(tmp_path: Path) -> None:
    events: list[ProgressEvent] = []
    run(Numbers(), tmp_path, target=8, progress=events.append)
    counts = [(e.done, e.total) for e in events if e.stage == "generating numbers"]
    assert counts == [(4, 8), (6, 8), (8, 8)]


def test_stages_and_times_as_text() -> None:
    assert losing_stage([DataBlock("a", counts=Counter(sentences=4))]) == ("sentences", "")
    block = DataBlock("a")
    block.counts["sentences"], block.counts["facts"], block.counts["records"] = 4, 0, 0
    assert losing_stage([block]) == ("facts", "")
    assert losing_stage([]) == ("making items", "")
    assert [time_text(n) for n in (4.4, 300, 12000)] == ["4 s", "5 min", "3 h 20 min"]
