"""The curator: target, coverage, wish, limits, resume, Ctrl-C, and one run of the real models."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import quiet_curator as quiet
from quiet_curator import HELD, SECTIONS, context, fill, run

from domainsmith.agents.analyst import build_analyst, run_request
from domainsmith.agents.curation.coverage import own_passage
from domainsmith.agents.curation.log import curations, read_log
from domainsmith.agents.curation.result import curation_result, run_curation
from domainsmith.agents.curation.words import log_lines, round_rows
from domainsmith.agents.curator import CurationInterrupted, CurationRequest, curate
from domainsmith.agents.planner import Planner
from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.main import main
from domainsmith.chains.synthesis.shards import Shards
from domainsmith.errors import InputNotFound, YieldTooLow
from domainsmith.memory.conversations import open_checkpointer
from domainsmith.storage import lineage
from domainsmith.storage.passages import passages
from domainsmith.tools.data import newest_dataset
from domainsmith.tools.toolset import TOOLS, tool_named
from domainsmith.training.dataset_folder import dataset_info, read_dataset
from domainsmith.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    with Workspace.create(tmp_path / "w") as opened:
        fill(opened)
        yield opened


def sections_of(workspace, records):
    by_id = {item.id: item for item in passages(workspace.db)}
    own = [own_passage(record, by_id) for record in records]
    return [by_id[id].header for id in own if id is not None]


def test_it_covers_every_section_and_stops_at_the_target(workspace):
    curation = run(workspace)
    records = read_dataset(curation.dataset.path)
    headers = sections_of(workspace, records)
    assert curation.stop == "target"
    assert len(records) == 30
    assert set(headers) == {*(f"Manual > {name}" for name in list(SECTIONS)[1:]), "error-codes"}
    assert newest_dataset(context(workspace), "selected").id == curation.dataset.id
    assert lineage.artifact(workspace.db, curation.id).kind == "curation"


def test_the_passage_behind_a_test_question_is_not_used(workspace):
    records = read_dataset(run(workspace).dataset.path)
    assert "Manual > 1 Pump" not in sections_of(workspace, records)
    assert not any("3 kg" in record.output for record in records)
    assert not any("pump weighs" in record.input.lower() for record in records)
    assert all(record.instruction != HELD.question for record in records)


def test_what_the_wish_names_gets_more_and_what_it_rules_out_nothing(workspace):
    even = sections_of(workspace, read_dataset(run(workspace, "33 pairs").dataset.path))
    words = "33 pairs, stronger on error codes, nothing about the hinge"
    curation = run(workspace, words)
    wished = sections_of(workspace, read_dataset(curation.dataset.path))
    assert wished.count("error-codes") > even.count("error-codes")
    assert "Manual > 3 Hinge" in even
    assert "Manual > 3 Hinge" not in wished
    assert curation.log[0]["named"] == {
        "error codes": ["error-codes.csv: error-codes"],
        "hinge": ["manual.md: 3 Hinge"],
    }


def test_a_wish_that_the_documents_do_not_speak_of_is_said(workspace):
    curation = run(workspace, "20 pairs, stronger on parliamentary elections")
    assert curation.log[0]["named"] == {"parliamentary elections": []}
    assert "not found in the documents" in "\n".join(log_lines(curation.log, "en"))
    said = curation_result(context(workspace), curation).summary
    assert "do not speak of: parliamentary elections" in said


def test_records_about_one_thing_are_of_its_sections_only(workspace):
    curation = run(workspace, "4 pairs about error codes")
    assert set(sections_of(workspace, read_dataset(curation.dataset.path))) == {"error-codes"}
    with pytest.raises(InputNotFound, match="do not speak of: parliamentary elections"):
        run(workspace, "20 pairs about parliamentary elections")


def test_decisions_are_in_the_log_and_in_words(workspace):
    curation = run(workspace, rounds=1)
    events = [(row["round"], row["event"]) for row in curation.log]
    assert events == [
        (0, "started"),
        (1, "examined"),
        (1, "chosen"),
        (1, "generated"),
        (1, "reviewed"),
        (1, "stopped"),
    ]
    chosen = curation.log[2]["sections"]
    assert {"uncovered"} <= {name for item in chosen for name, _ in item["why"]}
    reviewed = curation.log[4]
    assert reviewed["after"]["sections"][0] > 0
    assert reviewed["tokens"] > 0
    for language in ("en", "zh"):
        assert len(log_lines(curation.log, language)) >= 6
        assert len(round_rows(curation.log, language)) == 1
    assert curations(workspace) == [curation.folder]


def test_the_same_goal_is_recognised_and_goes_on_with_more_rounds(workspace):
    first = run(workspace, "60 pairs", rounds=1)
    again = run(workspace, "60 pairs", rounds=1)
    more = run(workspace, "60 pairs", rounds=4)
    assert (first.stop, again.repeated, again.dataset.id) == ("rounds", True, first.dataset.id)
    assert more.rounds > 1
    assert more.dataset.records > first.dataset.records
    assert [row["event"] for row in more.log].count("started") == 1


def test_limits_and_a_plateau_end_it(workspace):
    quick = run(workspace, "40 pairs", minutes=1e-4)
    few = run(workspace, "41 pairs", tokens=50)
    endless = run(workspace, "5000 pairs", rounds=50)
    assert quick.stop == "minutes"
    assert few.stop == "tokens"
    assert endless.stop in ("plateau", "exhausted")
    assert 0 < endless.dataset.records < 5000


@pytest.mark.parametrize("lines", [2, 6, 9])
def test_killed_anywhere_it_goes_on_to_the_same_dataset(tmp_path, workspace, lines):
    with Workspace.create(tmp_path / "other") as other:
        fill(other)
        whole = run(other)
    script = Path(quiet.__file__)
    killed = subprocess.run(
        [sys.executable, str(script), str(workspace.root), str(lines)], check=False
    )
    assert killed.returncode == -9
    resumed = run(workspace)
    assert resumed.dataset.sha256 == whole.dataset.sha256
    key = [(row["round"], row["event"], row["run"]) for row in resumed.log]
    assert len(key) == len(set(key)), "nothing is said twice"


def test_an_interrupt_leaves_a_valid_dataset_and_the_same_call_goes_on(workspace, monkeypatch):
    append, left = Shards.append, [2]

    def interrupting(self, *arguments):
        append(self, *arguments)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    monkeypatch.setattr(Shards, "append", interrupting)
    with pytest.raises(CurationInterrupted) as stopped:
        run(workspace)
    partial = stopped.value.curation
    assert dataset_info(partial.dataset.path).records > 0
    assert read_log(partial.folder)[-1]["stop"] == "interrupted"
    monkeypatch.undo()
    whole = run(workspace)
    assert whole.stop == "target"
    assert whole.dataset.records == 30


def test_documents_that_give_nothing_end_at_the_smoke_run(tmp_path):
    with Workspace.create(tmp_path / "w") as opened:
        quiet.put(opened, "list.md", {f"Part {n}": "Yes and no and so." for n in range(5)})
        with pytest.raises(YieldTooLow, match="stage"):
            curate(context(opened), CurationRequest(target=10), [])


def test_three_lines_are_enough_to_begin(tmp_path):
    with Workspace.create(tmp_path / "w") as opened:
        quiet.put(opened, "tiny.md", {"Tiny": next(iter(SECTIONS.values()))})
        curation = curate(context(opened), CurationRequest(target=50), [])
        assert 0 < curation.dataset.records < 50
        assert curation.stop in ("plateau", "exhausted")


def test_the_real_models_make_a_small_set(tmp_path, engine, embedder):
    class Models:
        def engine(self):
            return engine

        def embedder(self):
            return embedder

    with Workspace.create(tmp_path / "w") as opened:
        fill(opened, dict(list(SECTIONS.items())[:3]))
        ctx = context(opened, Models())
        request = CurationRequest("8 pairs, stronger on error codes", rounds=1)
        curation = curate(ctx, request, [HELD])
        assert curation.dataset.records == 8
        asked = next(row for row in curation.log if row["event"] == "examined")
        assert asked["asked"] > 3
        assert 0 < asked["mean"] < 1


def test_the_command_tells_the_log_and_what_an_interrupt_left(workspace, monkeypatch, capsys):
    curation = run(workspace, "20 条，加强 valve", rounds=1)
    root = str(workspace.root)
    assert main(["-w", root, "curate", "--log"]) == 0
    assert "开始：目标 20 条" in capsys.readouterr().out

    def interrupted(app, name, arguments, **options):
        raise CurationInterrupted(curation)

    monkeypatch.setattr(App, "run_tool", interrupted)
    assert main(["-w", root, "curate", "--target", "20"]) == 130
    assert curation.dataset.id in capsys.readouterr().out


def test_the_agent_in_the_terminal_sends_the_curator(workspace):
    ctx = replace(context(workspace), curator=run_curation)
    with open_checkpointer(workspace.threads_path) as saver:
        graph = build_analyst(ctx, saver, planner=Planner(TOOLS))
        request = "Curate 20 pairs, stronger on error codes, at most 2 rounds"
        result = run_request(graph, request, "t", approve=lambda asked: False)
    (row,) = result.results.values()
    assert result.ok, result.text
    assert row["tool"] == "curate_data"
    assert row["data"]["rounds"] <= 2
    assert "error codes" in read_log(curations(workspace)[0])[0]["named"]


def test_the_tool_needs_the_agent_behind_it(workspace):
    from domainsmith.errors import InternalError

    with pytest.raises(InternalError, match="no curator"):
        tool_named("curate_data").call(context(workspace), {"count": 5})
