"""What a job will cost, said before it is launched, and what is not known about it.

Tokens, steps and trainable parameters are exact: the dataset is tokenised and planned as the job
will do it. Speed comes from earlier jobs of this workspace on the same model and device, or else
from a benchmark of half a second whose result is kept in the workspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domainsmith.records import Record, TrainingJob
from domainsmith.training.dataset import (
    ChatTokenizer,
    TokenizedRecord,
    micro_tokens,
    split_validation,
    tokenize_records,
)
from domainsmith.training.machine_speed import MachineSpeed, ModelShape, machine_speed, model_shape
from domainsmith.training.step_plan import StepPlan, can_share_prefixes, plan_steps
from domainsmith.workspace import Workspace

__all__ = ["Estimate", "estimate"]

_START_SECONDS = 12.0
"""Imports, loading and the last save, measured on two cores."""
_ACTIVATION_FACTOR = 2.3
"""Stored activations per sum of the linear layers' inputs and outputs, measured."""
_PROCESS_BYTES = 700_000_000
"""Python with torch, transformers and trl loaded."""


@dataclass(frozen=True)
class Estimate:
    """What a job will cost.

    Args:
        records: Records that will be trained on.
        refused: Records that are too long or empty.
        tokens: Tokens of the records over all steps.
        computed_tokens: Of these, what is computed: shared beginnings once, padding added.
        steps: Optimizer steps.
        seconds: Until the adapter is stored.
        tokens_per_second: Expected speed, in tokens of the records.
        peak_memory_bytes: Of the training process, on the device that it uses.
        disk_bytes: Adapter and checkpoints.
        trainable_parameters: Of the adapter.
        basis: Where the speed is from.
        unknown: What this estimate does not know, one sentence each.
    """

    records: int
    refused: int
    tokens: int
    computed_tokens: int
    steps: int
    seconds: float
    tokens_per_second: float
    peak_memory_bytes: int
    disk_bytes: int
    trainable_parameters: int
    basis: str
    unknown: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self) | {"unknown": list(self.unknown)}


def estimate(
    workspace: Workspace, job: TrainingJob, records: Sequence[Record], base_folder: Path
) -> Estimate:
    """Estimate a job.

    Args:
        workspace: Its earlier jobs and its benchmark are used.
        job: What would be launched.
        records: The dataset.
        base_folder: The base model's folder.

    Returns:
        The estimate.

    Raises:
        InputEmpty: No record can be trained on.
        WeightsMissing: The base folder holds no safetensors.
    """
    from domainsmith.model_io.device import pick_device

    device = pick_device(job.device)
    shape = model_shape(base_folder)
    data = tokenize_records(
        records, _tokenizer(base_folder), max_length=job.max_length, system=job.system_prompt
    )
    part, held = split_validation(data.records, share=job.validation_share, seed=job.seed)
    plan = _plan(job, part, device, base_folder)
    batches = [batch for step in plan for batch in step]
    items = [[part[at] for row in batch for at in row.records] for batch in batches]
    tokens = sum(item.length for batch in items for item in batch)
    sizes = [len(batch) * batch[0].length for batch in batches]
    answers = max(sum(item.completion_length for item in batch) for batch in items)
    speed = machine_speed(workspace, job, shape)
    seconds = sum(sizes) / speed.tokens_per_second
    validation = sum(item.length for item in held) / 3  # one forward pass is about a third
    trainable = shape.trainable(job.lora_rank)
    return Estimate(
        records=len(data.records),
        refused=len(data.refused),
        tokens=tokens,
        computed_tokens=sum(sizes),
        steps=len(plan),
        seconds=round(_START_SECONDS + seconds + validation / speed.tokens_per_second, 1),
        tokens_per_second=round(tokens / seconds, 1),
        peak_memory_bytes=_memory(shape, trainable, max(sizes), answers, _bytes_of(job, device)),
        disk_bytes=trainable * (2 + 3 * 12),  # the adapter; two checkpoints and one in the making
        trainable_parameters=trainable,
        basis=speed.basis,
        unknown=_unknown(device, speed),
    )


def _plan(
    job: TrainingJob, part: Sequence[TokenizedRecord], device: str, base_folder: Path
) -> list[StepPlan]:
    return plan_steps(
        part,
        epochs=job.epochs,
        batch_tokens=job.batch_tokens,
        micro_tokens=micro_tokens(job, device),
        seed=job.seed,
        max_steps=job.max_steps,
        share=job.share_prefixes and can_share_prefixes(base_folder),
    )


def _bytes_of(job: TrainingJob, device: str) -> int:
    from domainsmith.model_io.device import pick_dtype

    return 2 if str(pick_dtype(job.dtype, device)) == "torch.bfloat16" else 4


def _memory(shape: ModelShape, trainable: int, tokens: int, answers: int, width: int) -> int:
    activations = _ACTIVATION_FACTOR * sum(i + o for i, o in shape.linears) * width * tokens
    head = answers * shape.vocabulary * (width + 8)
    optimizer = trainable * (width * 2 + 4 * 4)
    return int(_PROCESS_BYTES + shape.parameters * width + activations + head + optimizer)


def _unknown(device: str, speed: MachineSpeed) -> tuple[str, ...]:
    unknown = ["Other programs on this machine slow the job down; they are not foreseen."]
    if speed.basis.startswith("benchmark"):
        unknown.append("The speed is derived from a short benchmark and may be off by half.")
    if not device.startswith("cpu"):
        unknown.append("Memory was calibrated on CPUs; the device may need more or less.")
    return tuple(unknown)


def _tokenizer(base_folder: Path) -> ChatTokenizer:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(str(base_folder), local_files_only=True)
    found: ChatTokenizer = tokenizer
    return found
