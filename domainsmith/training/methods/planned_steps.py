"""Optimizer steps that are planned beforehand, so that a resumed run gives the same weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from domainsmith.training.checkpoint import newest_checkpoint, save_checkpoint
from domainsmith.training.methods.master_weights import MasterAdamW

__all__ = ["PlannedSteps", "StepProgress", "run_steps"]

_WARMUP_SHARE = 0.1
_CHECKPOINT_S = 45.0


@dataclass(frozen=True)
class PlannedSteps:
    """The schedule of one training.

    Args:
        steps: Optimizer steps.
        learning_rate: Peak rate; warmed up over a tenth of the steps, then linear to 0.
        seed: With the step, it decides the dropout.
        inputs: Hash of what is learned from; a checkpoint of other inputs is not gone on from.
    """

    steps: int
    learning_rate: float
    seed: int
    inputs: str

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, from 0."""
        warm = max(1, math.ceil(self.steps * _WARMUP_SHARE))
        left = (self.steps - step) / max(1, self.steps - warm)
        return self.learning_rate * min(1.0, (step + 1) / warm, left)


@dataclass(frozen=True)
class StepProgress:
    """Where a training stands.

    Args:
        step: Steps that are done.
        steps: Steps in all.
        loss: Of the last step.
        seconds: A step takes, about; of the steps of this run.
        message: What a resume skipped, once.
    """

    step: int
    steps: int
    loss: float
    seconds: float
    message: str = ""


def run_steps(
    plan: PlannedSteps,
    optimizer: MasterAdamW,
    backward: Callable[[int], float],
    checkpoints: Path,
    *,
    stop: Callable[[], bool],
    report: Callable[[StepProgress], None],
) -> bool:
    """Run the steps, from the newest checkpoint on.

    Args:
        plan: Steps and rates.
        optimizer: Owns the weights; restored from the checkpoint.
        backward: Computes the gradients of a step (from 0) and returns its loss.
        checkpoints: Where checkpoints lie; about one a minute is kept.
        stop: Asked before each step.
        report: Told after each step.

    Returns:
        False if it was stopped; a checkpoint of where it stood is written then.

    Raises:
        FloatingPointError: A loss is not a number.
    """
    found = newest_checkpoint(checkpoints)
    message, first = "; ".join(found.skipped), 0
    if found.checkpoint is not None and found.checkpoint.state.get("inputs") == plan.inputs:
        optimizer.restore(found.checkpoint.folder)
        first = found.checkpoint.step

    def save(step: int) -> None:
        save_checkpoint(checkpoints, step, optimizer.save, {"inputs": plan.inputs}, keep=1)

    began = saved = time.monotonic()
    for step in range(first, plan.steps):
        if stop():
            if step > first:
                save(step)
            return False
        torch.manual_seed(plan.seed * 1_000_003 + step)
        for group in optimizer.param_groups:
            group["lr"] = plan.rate(step)
        loss = backward(step)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss of step {step + 1} is not a number")
        optimizer.step()
        now = time.monotonic()
        pace = (now - began) / (step + 1 - first)
        report(StepProgress(step + 1, plan.steps, loss, pace, message))
        message = ""
        if now - saved >= _CHECKPOINT_S and step + 1 < plan.steps:
            save(step + 1)
            saved = time.monotonic()
    return True
