"""Accounts for each training step: reports it, stores checkpoints, stops when asked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from domainsmith.records import TrainingJob
from domainsmith.training.checkpoint import save_checkpoint
from domainsmith.training.methods.master_weights import MasterAdamW
from domainsmith.training.methods.planned_trainer import PlannedTrainer, StepCollator

__all__ = ["RunProgress", "StepReport", "StepWatcher"]

_WINDOW = 10
"""Optimizer steps of the logging window."""


@dataclass(frozen=True)
class StepReport:
    """One optimizer step, or something worth a line in the log.

    Args:
        step: Steps done.
        total_steps: Steps in all.
        line: Plain data for ``metrics.jsonl``.
        loss: Mean loss per completion token over the last ten steps, nats.
        tokens_per_second: Over the last ten steps of this process, padding not counted.
        eta_seconds: Until the last step, at that speed.
        message: For people.
    """

    step: int
    total_steps: int
    line: dict[str, Any]
    loss: float | None = None
    tokens_per_second: float | None = None
    eta_seconds: float | None = None
    message: str = ""


@dataclass
class RunProgress:
    """What a checkpoint stores besides tensors."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    recent: list[list[float]] = field(default_factory=list)
    """[summed loss, completion tokens] of the last steps, oldest first."""

    @property
    def loss(self) -> float:
        """Mean loss per completion token over the last steps, nats."""
        return math.fsum(row[0] for row in self.recent) / max(
            1.0, math.fsum(row[1] for row in self.recent)
        )


class StepWatcher(TrainerCallback):
    """Reports each step, stores checkpoints and stops when asked."""

    trainer: PlannedTrainer

    def __init__(
        self,
        job: TrainingJob,
        checkpoints: Path,
        optimizer: MasterAdamW,
        progress: RunProgress,
        collate: StepCollator,
        stop: Callable[[], bool],
        report: Callable[[StepReport], None],
    ) -> None:
        self.job, self.checkpoints, self.optimizer = job, checkpoints, optimizer
        self.progress, self.collate, self.stop, self.report = progress, collate, stop, report
        self.clock = time.perf_counter()
        self.speed: list[tuple[int, float]] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Account for the step that just ended."""
        now = time.perf_counter()
        took, self.clock = now - self.clock, now
        progress, total = self.progress, len(self.collate.plan)
        tokens, completion, computed = self.collate.tokens(progress.step)
        summed, count = self.trainer.last_loss
        progress.step += 1
        progress.tokens += tokens
        progress.seconds += took
        progress.recent = [*progress.recent, [summed, float(count)]][-_WINDOW:]
        self.speed = [*self.speed, (tokens, took)][-_WINDOW:]
        speed = sum(t for t, _ in self.speed) / max(1e-9, sum(s for _, s in self.speed))
        left = sum(self.collate.tokens(step)[0] for step in range(progress.step, total))
        line = {
            "step": progress.step,
            "total_steps": total,
            "loss": summed / count,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "gradient_norm": self.optimizer.gradient_norm,
            "tokens": tokens,
            "completion_tokens": completion,
            "computed_tokens": computed,
            "seconds": round(took, 4),
            "tokens_per_second": round(speed, 1),
        }
        self.report(
            StepReport(progress.step, total, line, progress.loss, speed, left / speed, "training")
        )
        stopping = self.stop()
        if stopping or progress.step % self.job.checkpoint_steps == 0 or progress.step == total:
            save_checkpoint(self.checkpoints, progress.step, self.optimizer.save, progress.__dict__)
            self.clock = time.perf_counter()
        control.should_training_stop = control.should_training_stop or stopping
        return control
