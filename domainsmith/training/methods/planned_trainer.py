"""trl's trainer over steps that were planned before, and the loss that it minimises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from trl.trainer.sft_trainer import SFTTrainer

from domainsmith.training.dataset import TokenizedRecord
from domainsmith.training.methods.batch_tensors import batch_tensors, summed_loss
from domainsmith.training.methods.master_weights import MasterAdamW
from domainsmith.training.step_plan import StepPlan

__all__ = ["PlannedTrainer", "StepCollator"]


class StepCollator:
    """Turns the number of a step into its padded micro-batches.

    Args:
        records: What is trained on.
        plan: Which of them each step sees.
        pad: Token id to pad with.
    """

    def __init__(
        self, records: Sequence[TokenizedRecord], plan: Sequence[StepPlan], pad: int
    ) -> None:
        self.records, self.plan, self.pad = records, plan, pad

    def __call__(self, rows: list[dict[str, int]]) -> dict[str, Any]:
        """Build the tensors of one step."""
        (row,) = rows
        plan = self.plan[row["step"]]
        return {"micros": [batch_tensors(self.records, batch, self.pad) for batch in plan]}

    def tokens(self, step: int) -> tuple[int, int, int]:
        """Count a step: its records' tokens, completion tokens, positions that are computed."""
        batches = self.plan[step]
        items = [self.records[at] for batch in batches for row in batch for at in row.records]
        return (
            sum(item.length for item in items),
            sum(item.completion_length for item in items),
            sum(len(batch) * batch[0].length for batch in batches),
        )


class PlannedTrainer(SFTTrainer):
    """trl's trainer over planned steps: one item of its dataset is one optimizer step."""

    masters: MasterAdamW
    first_step: int = 0
    run_seed: int = 0
    last_loss: tuple[float, int] = (0.0, 0)
    """Summed loss and completion tokens of the step before."""

    def _get_train_sampler(self, *_: object, **__: object) -> torch.utils.data.Sampler[int]:
        return torch.utils.data.SequentialSampler(range(self.args.max_steps))

    def training_step(
        self,
        model: Any,
        inputs: dict[str, Any],
        num_items_in_batch: object = None,
    ) -> torch.Tensor:
        """Run one step's micro-batches and return the mean loss per completion token."""
        del num_items_in_batch
        # The dropout of step k depends on k alone, so a resumed run needs no generator state.
        torch.manual_seed(self.run_seed * 1_000_003 + self.first_step + self.state.global_step)
        micros = self._prepare_inputs(inputs)["micros"]
        count = sum(len(batch["targets"]) for batch in micros)
        total = torch.zeros((), dtype=torch.float64)
        for batch in micros:
            loss = summed_loss(model, batch)
            self.accelerator.backward(loss / count)
            self.masters.absorb()
            total += loss.detach().double().cpu()
        if not math.isfinite(float(total)):
            raise FloatingPointError("the loss is not a number")
        self.last_loss = (float(total), count)
        return (total / count).float().to(self.args.device)
