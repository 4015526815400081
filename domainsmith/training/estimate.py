"""What a job will cost, said before it is launched, and what is not known about it.

Tokens, steps and trainable parameters are exact: the dataset is tokenised and planned as the job
will do it. Speed comes from earlier jobs of this workspace on the same model and device, or else
from a benchmark of half a second whose result is kept in the workspace.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domainsmith.errors import WeightsMissing
from domainsmith.records import Record, TrainingJob, content_hash
from domainsmith.storage import jobs
from domainsmith.storage.atomic import write_json
from domainsmith.training.dataset import (
    ChatTokenizer,
    micro_tokens,
    split_validation,
    tokenize_records,
)
from domainsmith.training.job_folder import JobFolder
from domainsmith.training.step_plan import can_share_prefixes, plan_steps
from domainsmith.workspace import Workspace

__all__ = ["Estimate", "MachineSpeed", "ModelShape", "estimate", "machine_speed", "model_shape"]

_START_SECONDS = 12.0
"""Imports, loading and the last save, measured on two cores."""
_EFFICIENCY = {"cpu": 0.38, "cuda": 0.35}
"""Share of the benchmarked matrix speed that training reached (the rest is element-wise work)."""
_ACTIVATION_FACTOR = 2.3
"""Stored activations per sum of the linear layers' inputs and outputs, measured."""
_PROCESS_BYTES = 700_000_000
"""Python with torch, transformers and trl loaded."""
_BENCHMARK_S = 0.5


@dataclass(frozen=True)
class ModelShape:
    """What the cost of training a model follows from.

    Args:
        linears: (inputs, outputs) of each linear layer that gets an adapter.
        vocabulary: Rows of the output head.
        width: Size of a hidden state.
        parameters: In all.
    """

    linears: tuple[tuple[int, int], ...]
    vocabulary: int
    width: int
    parameters: int

    def trainable(self, rank: int) -> int:
        """Return the parameters of an adapter on all linear layers.

        Args:
            rank: Of the adapter.
        """
        return sum(rank * (inputs + outputs) for inputs, outputs in self.linears)


@dataclass(frozen=True)
class MachineSpeed:
    """How fast this machine trains.

    Args:
        tokens_per_second: Computed tokens, for the model, device and threads in question.
        basis: Where the number is from, in words.
    """

    tokens_per_second: float
    basis: str


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
    plan = plan_steps(
        part,
        epochs=job.epochs,
        batch_tokens=job.batch_tokens,
        micro_tokens=micro_tokens(job, device),
        seed=job.seed,
        max_steps=job.max_steps,
        share=job.share_prefixes and can_share_prefixes(base_folder),
    )
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


def model_shape(base_folder: Path) -> ModelShape:
    """Read a model's shape from the headers of its weight files.

    Args:
        base_folder: Holds ``*.safetensors``.

    Returns:
        The shape; embeddings and the output head get no adapter.

    Raises:
        WeightsMissing: There are none.
    """
    tensors: dict[str, list[int]] = {}
    for file in sorted(Path(base_folder).glob("*.safetensors")):
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(size))
        tensors |= {name: value["shape"] for name, value in header.items() if "shape" in value}
    if not tensors:
        raise WeightsMissing("The folder holds no safetensors weights", where=base_folder)
    linears, head = [], [1, 1]
    for name, shape in sorted(tensors.items()):
        if len(shape) != 2 or not name.endswith(".weight"):
            continue
        if "embed" in name or "lm_head" in name:
            head = max(head, shape)
        else:
            linears.append((shape[1], shape[0]))
    count = 0
    for shape in tensors.values():
        size = 1
        for length in shape:
            size *= length
        count += size
    return ModelShape(tuple(linears), head[0], head[1], count)


def machine_speed(workspace: Workspace, job: TrainingJob, shape: ModelShape) -> MachineSpeed:
    """Say how fast this machine will train a model.

    Args:
        workspace: Earlier jobs count first; else a benchmark is run once and kept.
        job: Device, number type and threads.
        shape: The model.

    Returns:
        Tokens per second and where the number is from.
    """
    for row in reversed(jobs.jobs(workspace.db)):
        if row.id != job.id and _alike(row.job, job):
            steps = JobFolder(workspace.root / row.folder).read_steps()
            speeds = [
                line["computed_tokens"] / line["seconds"] for line in steps[1:] if line["seconds"]
            ]
            if len(speeds) >= 5:
                return MachineSpeed(statistics.median(speeds), f"measured in {row.id}")
    from domainsmith.model_io.device import pick_device

    kind = pick_device(job.device).partition(":")[0]
    linear = sum(inputs * outputs for inputs, outputs in shape.linears)
    # Forward and the gradient of the inputs; the weights themselves get none. The head runs on
    # the answer's tokens only, about a quarter.
    work = 4.0 * linear + 4.0 * shape.trainable(job.lora_rank) + shape.vocabulary * shape.width
    rate = _matrix_speed(workspace, job, shape)
    return MachineSpeed(
        rate * _EFFICIENCY.get(kind, 0.3) / work,
        f"benchmark of this machine ({rate / 1e9:.0f} GFLOP/s in matrix products)",
    )


def _alike(other: TrainingJob, job: TrainingJob) -> bool:
    same = ("base_sha256", "device", "dtype", "threads", "lora_rank")
    return all(getattr(other, name) == getattr(job, name) for name in same)


def _matrix_speed(workspace: Workspace, job: TrainingJob, shape: ModelShape) -> float:
    """Return floating-point operations per second in this model's products, measured once."""
    key = content_hash([job.device, job.dtype, job.threads, shape.width, shape.linears[:1]])[:16]
    place = workspace.root / "machine.json"
    try:
        known = dict(json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        known = {}
    if not isinstance(known.get(key), int | float):
        known[key] = _benchmark(job, shape)
        write_json(place, known)
    return float(known[key])


def _benchmark(job: TrainingJob, shape: ModelShape) -> float:
    import torch

    from domainsmith.model_io.device import pick_device, pick_dtype, set_threads

    device = pick_device(job.device)
    dtype = pick_dtype(job.dtype, device)
    before = torch.get_num_threads()
    set_threads(job.threads)
    inputs, outputs = max(shape.linears, key=lambda pair: pair[0] * pair[1])
    rows = 1024
    left = torch.ones((rows, inputs), dtype=dtype, device=device)
    right = torch.ones((inputs, outputs), dtype=dtype, device=device)
    rounds, start = 0, time.perf_counter()
    while True:
        product = left @ right
        if device.startswith("cuda"):
            product[0, 0].item()
        rounds += 1
        if rounds == 3:  # the first products pay for set-up
            start = time.perf_counter()
        if rounds > 3 and time.perf_counter() - start > _BENCHMARK_S:
            break
    torch.set_num_threads(before)
    return 2.0 * rows * inputs * outputs * (rounds - 3) / (time.perf_counter() - start)


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
