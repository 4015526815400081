"""trl's trainer over steps that were planned before, and the loss that it minimises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from peft import PeftModel
from trl.trainer.sft_trainer import SFTTrainer

from domainsmith.training.dataset import IGNORED, StepPlan, TokenizedRecord, plan_steps
from domainsmith.training.methods.master_weights import MasterAdamW

__all__ = ["PlannedTrainer", "StepCollator", "mean_loss", "padded_batch", "summed_loss"]


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
        micros = [
            padded_batch([self.records[i] for i in batch], self.pad)
            for batch in self.plan[row["step"]]
        ]
        return {"micros": micros}

    def tokens(self, step: int) -> tuple[int, int, int]:
        """Count a step: tokens, completion tokens, padded positions in all."""
        items = [[self.records[i] for i in batch] for batch in self.plan[step]]
        flat = [item for batch in items for item in batch]
        padded = sum(len(batch) * max(item.length for item in batch) for batch in items)
        return (
            sum(item.length for item in flat),
            sum(item.completion_length for item in flat),
            padded,
        )


def padded_batch(items: Sequence[TokenizedRecord], pad: int) -> dict[str, torch.Tensor]:
    """Lay records into tensors of shape (rows, longest), padded on the right.

    Args:
        items: At least one record.
        pad: Token id to pad with.

    Returns:
        ``input_ids`` and ``labels``. There is no attention mask: attention is causal, so no token
        sees the padding behind it, and a mask would only cost time.
    """
    longest = max(item.length for item in items)
    ids = torch.full((len(items), longest), pad, dtype=torch.long)
    labels = torch.full((len(items), longest), IGNORED, dtype=torch.long)
    for row, item in enumerate(items):
        ids[row, : item.length] = torch.tensor(item.input_ids)
        labels[row, : item.length] = torch.tensor(item.labels)
    return {"input_ids": ids, "labels": labels}


def summed_loss(model: PeftModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Sum the loss over a micro-batch's completion tokens, with the head on those alone.

    Args:
        model: The base model with its adapter.
        batch: From :func:`padded_batch`, on the model's device.

    Returns:
        Scalar, nats.
    """
    inner: Any = model.get_base_model()
    hidden = inner.get_decoder()(input_ids=batch["input_ids"], use_cache=False).last_hidden_state[
        :, :-1
    ]  # (rows, length - 1, width)
    target = batch["labels"][:, 1:]
    wanted = target != IGNORED
    logits = inner.get_output_embeddings()(hidden[wanted])  # (completion tokens, vocabulary)
    return torch.nn.functional.cross_entropy(logits.float(), target[wanted], reduction="sum")


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
        count = sum(int((batch["labels"] != IGNORED).sum()) for batch in micros)
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


@torch.no_grad()
def mean_loss(
    model: PeftModel, records: Sequence[TokenizedRecord], micro_tokens: int, pad: int
) -> float | None:
    """Measure the loss on records without training on them.

    Args:
        model: The base model with its adapter.
        records: What to measure on.
        micro_tokens: Padded tokens of a forward pass.
        pad: Token id to pad with.

    Returns:
        Mean loss per completion token in nats, or None without records.
    """
    if not records:
        return None
    model.eval()
    lengths = [item.length for item in records]
    (whole,) = plan_steps(
        lengths, epochs=1, batch_tokens=1 << 40, micro_tokens=micro_tokens, seed=0
    )
    device = model.device
    total, count = 0.0, 0
    for batch in whole:
        tensors = padded_batch([records[i] for i in batch], pad)
        on_device = {name: tensor.to(device) for name, tensor in tensors.items()}
        total += float(summed_loss(model, on_device))
        count += int((tensors["labels"][:, 1:] != IGNORED).sum())
    return total / max(1, count)
