"""The least time that a machine needs for the engine's work, from speeds measured on it."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from benchmarks.generation.ways import Answers, useful_tokens
from domainsmith.model_io.engine import Engine

__all__ = ["floor_seconds"]


def floor_seconds(engine: Engine, prefilled: int, steps: int, found: Answers) -> float:
    """Return the least time that this machine needs for the engine's work."""
    body = sum(weights.numel() for weights in engine.model.get_decoder().layers.parameters())
    head = engine.model.get_output_embeddings().weight.numel()
    decoded = useful_tokens(found)
    operations = 2 * body * (prefilled + decoded) + 2 * head * decoded
    gemm, memory = machine_speed()
    return operations / gemm + steps * 2 * (body + head) / memory


def machine_speed() -> tuple[float, float]:
    """Return GEMM operations and bytes read a second."""
    square = torch.randn(2048, 2048).bfloat16()
    block = torch.ones(1 << 27)  # 512 MB
    gemm = best_seconds(lambda: square @ square)
    return 2 * 2048**3 / gemm, 4 * (1 << 27) / best_seconds(block.sum)


def best_seconds(work: Callable[[], object]) -> float:
    """Return the best of five runs."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best
