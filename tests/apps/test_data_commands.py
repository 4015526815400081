"""``domainsmith data``: what it shows, compares and merges; a review by pipe and by terminal."""

from __future__ import annotations

import io
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.cells import cell_len

from domainsmith.apps.cli.data_show import item_text
from domainsmith.apps.cli.main import main
from domainsmith.memory.feedback import reviews
from domainsmith.records import Grade, Preference, Record
from domainsmith.training.dataset_folder import dataset_info, read_dataset, write_dataset
from domainsmith.training.general_set import read_general_set
from domainsmith.workspace import Workspace


def record(number: int, **values: object) -> Record:
    plain: dict[str, object] = {
        "instruction": f"How heavy is part {number}?",
        "output": f"{number} kg.",
        "language": "en",
        "method": "self_qa/fact",
        "model": "code",
        "passage_ids": ("passage_0123456789abcdef",),
        "grades": (Grade(grader="format", score=1.0, passed=True),),
    }
    return Record.model_validate(plain | values)


@pytest.fixture
def space(tmp_path: Path) -> Path:
    with Workspace.create(tmp_path / "space") as workspace:
        hostile = record(3, output="3 kg.\x1b[2J\u202e", method="self_kv/lookup")
        write_dataset(workspace, "dataset_aaaa", [record(1), record(2)])
        write_dataset(workspace, "dataset_bbbb", [record(2), hostile, record(1, output="9 kg.")])
        pair = Preference(
            instruction="How heavy?",
            chosen="3 kg.",
            rejected="4 kg.",
            margin=1.0,
            language="en",
            method="preferences",
            model="code",
        )
        write_dataset(workspace, "dataset_cccc", [pair], card={"stage": "preference"})
    return tmp_path / "space"


def call(space: Path, *arguments: str) -> int:
    return main(["--workspace", str(space), *arguments])


def envelope(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    data: dict[str, object] = json.loads(capsys.readouterr().out)["data"]
    return data


def test_datasets_are_listed_the_last_made_first(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (space / "datasets" / "dataset_aaaa" / "data.jsonl").unlink()
    assert main(["--workspace", str(space), "--json", "data", "list"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)["data"]}
    assert (rows["dataset_bbbb"]["items"], rows["dataset_bbbb"]["stage"]) == (3, "raw")
    assert rows["dataset_aaaa"]["stage"] == "missing or damaged"
    assert main(["--workspace", str(space), "data", "list"]) == 0
    assert "dataset_bbbb" in capsys.readouterr().out


def test_show_pages_items_with_grades_and_sources(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(space, "data", "show", "dataset_bbbb", "--method", "self_kv") == 0
    shown = capsys.readouterr()
    assert "[2] record_" in shown.out
    assert "grades:   format 1.00" in shown.out
    assert "passage_0123456789abcdef (no longer stored)" in shown.out
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out
    assert "1 of 1 item" in shown.err
    assert call(space, "data", "show", "--json") == 0
    assert envelope(capsys)["dataset_id"] == "dataset_cccc", "the newest one, whatever it holds"
    assert call(space, "data", "show", "dataset_aaaa", "--find", "nothing") == 2


def test_stats_diff_and_merge(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(space, "data", "stats", "dataset_bbbb", "--no-tokens", "--json") == 0
    found = envelope(capsys)
    assert (found["items"], found["methods"]) == (3, {"self_qa/fact": 2, "self_kv/lookup": 1})
    assert call(space, "data", "diff", "dataset_aaaa", "dataset_bbbb") == 0
    assert "1 in both, 0 removed, 1 added, 1 changed" in capsys.readouterr().out
    assert call(space, "data", "merge", "dataset_aaaa", "dataset_bbbb", "--json") == 0
    merged = envelope(capsys)
    assert (merged["items"], merged["duplicates"]) == (4, 1)
    assert call(space, "data", "merge", "dataset_aaaa", "dataset_cccc") == 2
    assert "different kinds" in capsys.readouterr().err


def test_export_knows_the_kind(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = space.parent / "out.jsonl"
    assert call(space, "data", "export", str(target), "--dataset", "dataset_cccc") == 0
    assert "1 preference of dataset_cccc" in capsys.readouterr().out
    assert set(json.loads(target.read_text(encoding="utf-8"))) == {"prompt", "chosen", "rejected"}
    alpaca = [str(target), "--dataset", "dataset_cccc", "--format", "alpaca", "--force"]
    assert call(space, "export", *alpaca) == 2


def test_the_ending_of_the_name_says_how_an_export_is_written(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = {}
    for ending in ("json", "jsonl"):
        target = space.parent / f"out.{ending}"
        assert call(space, "data", "export", str(target), "--dataset", "dataset_bbbb") == 0
        capsys.readouterr()
        read[ending] = read_general_set(target)
        assert not read[ending].bad
        assert len(read[ending].records) == 3
    whole = json.loads((space.parent / "out.json").read_text(encoding="utf-8"))
    lines = (space.parent / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert whole == [json.loads(line) for line in lines]
    asked = [[item.instruction for item in found.records] for found in read.values()]
    assert asked[0] == asked[1]
    for name in ("out.csv", "out"):
        odd = space.parent / name
        assert call(space, "data", "export", str(odd), "--dataset", "dataset_bbbb") == 2
        told = capsys.readouterr().err
        assert ".jsonl (one JSON object a line) or .json (one JSON array)" in told
        assert not odd.exists()


def test_a_review_by_pipe(
    space: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        {"id": record(1).id, "verdict": "reject", "comment": "dull"},
        {"id": record(2).id, "verdict": "edit", "changes": {"output": "Two kilograms."}},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert call(space, "data", "review", "dataset_aaaa", "--json") == 0
    applied = str(envelope(capsys)["applied"])
    assert [item.output for item in read_dataset(space / "datasets" / applied)] == [
        "Two kilograms."
    ]


def test_wrong_verdicts_are_told_together_and_none_is_kept(
    space: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        json.dumps({"id": record(1).id, "verdict": "accept"}),
        "{",
        json.dumps({"id": "record_1", "verdict": "accept"}),
        json.dumps({"id": record(1).id, "verdict": "edit"}),
        json.dumps({"id": record(1).id, "verdict": "edit", "changes": {"model": "me"}}),
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    assert call(space, "data", "review", "dataset_aaaa") == 2
    said = capsys.readouterr().err
    for problem in ("line 2: no JSON", "line 3: record_1 is not", "line 4: an edit", "line 5: The"):
        assert problem in said
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert call(space, "data", "review", "dataset_aaaa") == 2
    assert "no verdict on standard input" in capsys.readouterr().err
    with Workspace.open(space) as workspace:
        assert reviews(workspace) == {}


class Terminal:
    """A program that believes it has a terminal."""

    def __init__(self, space: Path, *arguments: str) -> None:
        self._master, slave = os.openpty()
        environment = {k: v for k, v in os.environ.items() if k not in ("EDITOR", "VISUAL")}
        self.program = subprocess.Popen(
            [sys.executable, "-m", "domainsmith", "-w", str(space), *arguments],
            stdin=slave,
            stderr=slave,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        os.close(slave)

    def wait_for(self, text: str, keys: str) -> str:
        seen, until = "", time.monotonic() + 60
        while text not in seen:
            if time.monotonic() > until:
                self.program.kill()
                self.end()
                pytest.fail(f"never said {text}: {seen}")
            if select.select([self._master], [], [], 0.2)[0]:
                seen += os.read(self._master, 65536).decode("utf-8", "replace")
        os.write(self._master, keys.encode())
        return seen

    def end(self) -> str:
        out, _ = self.program.communicate(timeout=60)
        os.close(self._master)
        return out


def test_a_review_in_a_terminal_is_left_and_gone_on(space: Path) -> None:
    first = Terminal(space, "data", "review", "dataset_bbbb")
    shown = first.wait_for("q quit > ", "a")
    assert "question: How heavy is part 2?" in shown
    second = first.wait_for("q quit > ", "r")
    assert "\x1b[2J" not in second
    assert "3 kg." in second
    first.wait_for("3/3", "q")
    assert "accept 1, open 1, reject 1" in first.end()
    assert first.program.returncode == 0
    again = Terminal(space, "data", "review", "dataset_bbbb")
    shown = again.wait_for("q quit > ", "e")
    assert "1/1" in shown
    assert "9 kg." in shown
    again.wait_for("instruction (enter keeps it): ", "\n")
    again.wait_for("output (enter keeps it): ", "Nine kilograms.\n")
    out = again.end()
    assert "accept 1, edit 1, reject 1" in out
    made = out.strip().rpartition(" ")[2]
    info = dataset_info(space / "datasets" / made)
    assert [item.output for item in read_dataset(info.path)] == ["2 kg.", "Nine kilograms."]


def test_lines_break_between_words_and_by_the_width_of_characters(space: Path) -> None:
    chinese = "电源线长一百五十厘米请使用十三安培的保险丝"
    item = Record(
        instruction="Which fuse does the circuit of the house need for this machine, and why?",
        output=chinese * 3,
        language="zh",
        method="self_qa/fact",
        model="code",
    )
    with Workspace.open(space) as workspace:
        text = item_text(workspace, item, 1, width=48)
    lines = text.split("\n")
    assert max(cell_len(line) for line in lines) <= 48
    assert "  question: Which fuse does the circuit of the" in lines
    assert "            house need for this machine, and" in lines
    assert chinese * 3 in "".join(line.strip() for line in lines)
