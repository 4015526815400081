"""Pictures are drawn in both languages, the same in each run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domainsmith.records import Record
from domainsmith.training.select.manifest import FILE, read_selection_file, selection_file
from domainsmith.training.select.pipeline import run_stages
from domainsmith.training.select.plots import flat_map, selection_plots
from domainsmith.training.select.pool import SelectionRun
from domainsmith.training.select.resources import Resources

ITEMS = [
    Record(
        instruction=f"Where is part {at}?",
        output="x" * (at + 1),
        language="en",
        method="self_qa",
        model="code",
    )
    for at in range(40)
]


@pytest.fixture(scope="module")
def run() -> SelectionRun:
    rows = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    given = Resources(vectors=rows, scores={"golden": {item.id: 0.5 for item in ITEMS}})
    return run_stages(ITEMS, ["exact", "k_center"], resources=given, count=15)


def test_plots_are_png_and_repeatable(run: SelectionRun) -> None:
    english = selection_plots(ITEMS, run)
    assert sorted(english) == ["coverage.png", "selection.png"]
    assert all(data.startswith(b"\x89PNG") for data in english.values())
    assert selection_plots(ITEMS, run) == english
    chinese = selection_plots(ITEMS, run, "zh")
    assert sorted(chinese) == sorted(english)


def test_a_map_is_the_same_each_time_and_keeps_the_main_directions() -> None:
    rows = np.zeros((50, 6), dtype=np.float32)
    source = np.random.default_rng(1)
    rows[:, 3], rows[:, 1] = source.normal(size=50) * 9, source.normal(size=50) * 3
    flat = flat_map(rows)
    assert np.allclose(np.abs(flat[:, 0]), np.abs(rows[:, 3] - rows[:, 3].mean()), atol=1.0)
    assert np.array_equal(flat, flat_map(rows))
    assert flat_map(rows[:1]).shape == (1, 2)


def test_every_drop_and_stage_is_written_down(run: SelectionRun, tmp_path: Path) -> None:
    folder = tmp_path
    (folder / FILE).write_bytes(selection_file(run))
    stages, drops = read_selection_file(folder)
    assert [(s["stage"], s["in"], s["out"]) for s in stages] == [
        ("exact", 40, 40),
        ("k_center", 40, 15),
    ]
    assert stages[1]["options"]["count"] == 15
    assert [d["id"] for d in drops] == [d.id for d in run.drops]
    assert all(set(d) == {"id", "stage", "reason", "winner"} for d in drops)
