"""The harness must see a loss: a check that cannot fail proves nothing."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from reliability import ledger
from reliability.forked import run_forked
from reliability.place import Place
from reliability.stages import STAGES
from reliability.sweeps import Sweep, chaos, crash_points, finish
from reliability.verify import verify

ADD = STAGES["add"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store after two rounds, and its reference."""
    ADD.warm()
    root = tmp_path_factory.mktemp("harness")
    place, reference = Place(root / "faulted"), Place(root / "reference")
    sweep = Sweep("add", 0)
    for each in (place, reference):
        each.root.mkdir()
        for number in range(2):
            ADD.prepare(each, number)
    sweep.rounds = 2
    finish(ADD, place, sweep)
    assert not run_forked(lambda: ADD.attempt(reference)).error
    return place, reference


@pytest.fixture
def places(finished, tmp_path):
    copies = []
    for place in finished:
        shutil.copytree(place.root, tmp_path / place.root.name)
        copies.append(Place(tmp_path / place.root.name))
    return copies


def judge(places, **options):
    place, reference = places
    return verify(place.store, place.ledger, reference.store, **options)


def change(place, *statements):
    with closing(sqlite3.connect(place.store / "state.sqlite")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_sound_store_passes(places):
    verdict = judge(places)
    assert verdict.passed
    assert verdict.acked > 5
    assert str(verdict) == (
        f"acked={verdict.acked} present={verdict.acked} lost=0 dup=0 extra=0 identical=true"
        " orphans=0"
    )


def test_a_lost_document_is_seen(places):
    change(places[0], "DELETE FROM sources WHERE path = 'note-0000.md'")
    verdict = judge(places)
    assert (verdict.lost, verdict.identical, verdict.passed) == (1, False, False)


def test_a_lost_passage_is_seen(places):
    change(
        places[0],
        "DELETE FROM vectors WHERE passage_id = (SELECT min(id) FROM passages)",
        "DELETE FROM passages WHERE id = (SELECT min(id) FROM passages)",
    )
    verdict = judge(places)
    assert verdict.lost == 1
    assert not verdict.passed


def test_a_changed_vector_is_seen(places):
    change(places[0], "UPDATE vectors SET vector = zeroblob(256) WHERE rowid = 1")
    verdict = judge(places)
    assert (verdict.lost, verdict.identical) == (1, False)


def test_something_that_nobody_promised_is_seen(places):
    change(
        places[0],
        "INSERT INTO artifacts (id, kind, payload, created) VALUES ('x_1', 'x', '{}', 0)",
    )
    verdict = judge(places)
    assert (verdict.extra, verdict.lost, verdict.passed) == (1, 0, False)


def test_left_overs_and_processes_are_seen(places):
    (places[0].store / "datasets" / ".staging-left").mkdir()
    (places[0].store / "index" / "gen-000009").mkdir()
    verdict = judge(places, orphans=1)
    assert (verdict.orphans, verdict.passed) == (3, False)


def test_a_line_that_was_written_twice_is_seen(places):
    place = places[0]
    digest = ledger.content_hash("{}")[:16]
    with place.ledger.open("a") as file:
        for operation in ("begin", "ack"):
            unit = f"line datasets/log.jsonl {digest}"
            file.write(json.dumps({"op": operation, "units": [[unit, "+"]]}) + "\n")
    assert judge(places).lost == 1
    (place.store / "datasets" / "log.jsonl").write_text("{}\n")
    assert judge(places).passed
    (place.store / "datasets" / "log.jsonl").write_text("{}\n{}\n")
    assert judge(places).duplicates == 1


def test_a_kill_between_commit_and_ack_is_no_loss(places):
    place = places[0]
    lines = place.ledger.read_text().splitlines()
    last = max(n for n, line in enumerate(lines) if '"ack"' in line)
    place.ledger.write_text("".join(line + "\n" for line in lines[:last] + lines[last + 1 :]))
    verdict = judge(places)
    assert verdict.passed


@pytest.mark.parametrize("name", ["add", "generate"])
def test_a_few_kills_of_each_kind(tmp_path, name):
    stage = STAGES[name]
    stage.warm()
    place, reference = Place(tmp_path / "faulted"), Place(tmp_path / "reference")
    place.root.mkdir()
    reference.root.mkdir()
    first = crash_points(stage, place, kills=3, every=23)
    second = chaos(stage, place, kills=3, seed=5, first_round=first.rounds)
    finish(stage, place, second)
    assert (first.kills, second.kills) == (3, 3)

    def work():
        for number in range(second.rounds):
            stage.prepare(reference, number)
        stage.attempt(reference)

    assert not run_forked(work).error
    orphans = first.orphans + second.orphans
    verdict = verify(place.store, place.ledger, reference.store, orphans=orphans)
    assert verdict.passed, verdict


def test_a_stage_that_fails_by_itself_is_not_hidden(tmp_path):
    place = Place(tmp_path)

    def fail(_: Place) -> None:
        raise KeyError("broken")

    stage = type(ADD)("broken", lambda place, number: None, fail, lambda: None)
    with pytest.raises(RuntimeError, match="KeyError: 'broken'"):
        chaos(stage, place, kills=1, seed=1)
