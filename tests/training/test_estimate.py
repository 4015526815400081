"""Estimates: exact where they can be, in the right order where they are measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from domainsmith.errors import WeightsMissing
from domainsmith.records import TrainingJob
from domainsmith.training.estimate import estimate
from domainsmith.training.machine_speed import machine_speed, model_shape
from domainsmith.workspace import Workspace

from .records_for_tests import small_records


def test_shape_of_smollm2_is_exact(chat_model_path: Path) -> None:
    shape = model_shape(chat_model_path)
    assert shape.parameters == 134_515_008
    assert (shape.vocabulary, shape.width, len(shape.linears)) == (49152, 576, 210)
    assert shape.trainable(16) == 4_884_480  # as peft counts them


def test_estimate_of_a_small_job(
    make_workspace: Callable[[str], Workspace],
    make_job: Callable[..., TrainingJob],
    chat_model_path: Path,
) -> None:
    workspace = make_workspace("w")
    records = small_records()
    once = estimate(
        workspace,
        make_job("default", chat_model_path, workspace, epochs=1.0),
        records,
        chat_model_path,
    )
    job = make_job("default", chat_model_path, workspace, epochs=4.0)
    four = estimate(workspace, job, records, chat_model_path)
    assert four.tokens == 4 * once.tokens
    assert four.steps == 4 * once.steps
    assert once.records + once.refused == len(records)
    assert four.seconds > once.seconds > 0
    assert 1e9 < four.peak_memory_bytes < 8e9
    assert four.disk_bytes > 4_884_480 * 2
    assert any("benchmark" in sentence for sentence in four.unknown)
    speed = machine_speed(workspace, job, model_shape(chat_model_path))
    seconds = four.computed_tokens / speed.tokens_per_second  # the benchmark that was kept
    assert four.tokens_per_second == pytest.approx(four.tokens / seconds, rel=1e-3)
    assert four.computed_tokens < four.tokens  # the system prompt, once a row


def test_no_weights_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing):
        model_shape(tmp_path)
