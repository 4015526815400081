"""The loss that is trained on, and the optimizer's float32 copies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from domainsmith.records import TrainingJob
from domainsmith.training.job_folder import JobFolder
from domainsmith.training.methods import sft
from domainsmith.training.methods.master_weights import MasterAdamW
from domainsmith.training.methods.sft import train
from domainsmith.training.methods.step_watcher import StepReport

from .records_for_tests import small_records

pytestmark = pytest.mark.filterwarnings(
    # transformers, trl and peft deprecate names that they still use among themselves.
    "ignore::FutureWarning"
)


def _job(**changes: Any) -> TrainingJob:
    values: dict[str, Any] = {
        "base_model": "x",
        "base_sha256": "x",
        "dataset_id": "d",
        "dataset_sha256": "s",
        "threads": 1,
        "device": "cpu",
        "batch_tokens": 256,
    }
    return TrainingJob(**(values | changes))


def test_master_weights_keep_updates_that_bfloat16_loses(tmp_path: Path) -> None:
    parameter = torch.nn.Parameter(torch.full((4,), 1.0, dtype=torch.bfloat16))
    optimizer = MasterAdamW([("w", parameter)], lr=1e-4)
    for _ in range(60):  # each update of 1e-4 is below bfloat16's spacing at 1, 0.0039
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    assert parameter.grad is None
    assert float(parameter.detach()[0]) < 1.0
    assert float(optimizer.masters[0][0]) == pytest.approx(1 - 60e-4, abs=1e-5)
    optimizer.save(tmp_path)
    fresh = torch.nn.Parameter(torch.zeros(4, dtype=torch.bfloat16))
    other = MasterAdamW([("w", fresh)], lr=1e-4)
    other.restore(tmp_path)
    for side, weight in ((optimizer, parameter), (other, fresh)):
        weight.grad = torch.ones_like(weight)
        side.step()
    assert torch.equal(optimizer.masters[0], other.masters[0])
    assert torch.equal(parameter, fresh)


def test_training_learns_resumes_exactly_and_is_deterministic(
    tiny_model: Path, tmp_path: Path
) -> None:
    job = _job(max_steps=24, checkpoint_steps=5, learning_rate=0.02, lora_dropout=0.1)
    losses: dict[str, list[float]] = {}

    def run(name: str, stop_at: int = 0) -> bytes | None:
        folder = tmp_path / name
        seen = losses.setdefault(name, [])

        def note(report: StepReport) -> None:
            JobFolder(folder).append_metrics(report.line)
            seen.extend([report.line["loss"]] if "loss" in report.line else [])

        result = train(
            job,
            small_records(),
            tiny_model,
            folder,
            folder / "out",
            stop=lambda: len(seen) == stop_at,
            report=note,
        )
        assert result.finished is not bool(stop_at)
        return None if stop_at else (folder / "out/adapter_model.safetensors").read_bytes()

    whole = run("whole")
    # A random frozen base can learn little; that it does shows that gradients arrive.
    assert losses["whole"][-1] < losses["whole"][0] - 0.05
    assert run("parts", stop_at=8) is None
    assert run("parts") == whole
    assert losses["parts"] == losses["whole"]
    steps = JobFolder(tmp_path / "parts").read_steps()
    assert [line["step"] for line in steps] == list(range(1, 25))
    tensors = load_file(tmp_path / "whole/out/adapter_model.safetensors")
    assert len(tensors) == 2 * 7 * 2  # A and B of seven linear layers in two blocks
    config = json.loads((tmp_path / "whole/out/adapter_config.json").read_text())
    assert config["r"] == job.lora_rank
    assert config["base_model_name_or_path"] == "x"


def test_a_model_that_cannot_share_beginnings_trains_without_and_says_so(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[StepReport] = []

    def run(name: str) -> None:
        folder = tmp_path / name
        result = train(
            _job(max_steps=2),
            small_records(),
            tiny_model,
            folder,
            folder / "out",
            stop=lambda: False,
            report=reports.append,
        )
        assert result.finished

    run("shared")
    assert reports[0].line["shared_prefixes"]
    assert "cannot share" not in reports[0].message
    reports.clear()
    monkeypatch.setattr(sft, "sharing_is_exact", lambda *_: False)
    run("separate")
    assert not reports[0].line["shared_prefixes"]
    assert "cannot share beginnings" in reports[0].message
