"""How fast this machine trains a model: from earlier jobs, else from a short benchmark."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from domainsmith.errors import WeightsMissing
from domainsmith.records import TrainingJob, content_hash
from domainsmith.storage import jobs
from domainsmith.storage.atomic import write_json
from domainsmith.training.job_folder import JobFolder
from domainsmith.workspace import Workspace

__all__ = ["MachineSpeed", "ModelShape", "machine_speed", "model_shape"]

_EFFICIENCY = {"cpu": 0.38, "cuda": 0.35}
"""Share of the benchmarked matrix speed that training reached (the rest is element-wise work)."""
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
