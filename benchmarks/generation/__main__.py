"""Speed of answering 64 prompts on one machine, against HuggingFacePipeline and static batches.

The same prompts, weights, number type, threads and bound of new tokens, greedy, in turn:

- ``pipeline 4``: transformers' text-generation pipeline called with 4 prompts at a time, which is
  what ``HuggingFacePipeline.from_model_id(...).batch`` does by default;
- ``pipeline 1``: the same one prompt at a time, which is what ``HuggingFacePipeline(pipeline=...)``
  does, because a pipeline that is given no batch size takes 1 (every fourth prompt only);
- ``static 16``: ``model.generate`` on left-padded batches of 16, in the given order;
- ``engine``: :meth:`domainsmith.model_io.engine.Engine.generate` as it is called everywhere.

langchain-huggingface is not needed: its calls are repeated here (version 1.x, ``_generate``).
Useful tokens are those up to and with the end token; what a batch computes for rows that are
finished is not credited. The floor of the engine's time is

    computed tokens * 2 * weights / GEMM speed + steps * weight bytes / memory speed

with both speeds measured here. Two bfloat16 batches of other shapes differ in the last bits, so
equality is decided in float32, on 8 of the prompts: all 8 must equal ``model.generate`` on the
prompt alone, or the exit code is 1.

Usage: python -m benchmarks.generation [--rounds 1] [--tokens 64] [--prompts 64] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers

from benchmarks.generation.floor import floor_seconds
from benchmarks.generation.prompts import build_prompts
from benchmarks.generation.ways import (
    EXACT_PROMPTS,
    Answers,
    by_engine,
    by_pipeline,
    by_static_batches,
    equal_in_float32,
    useful_tokens,
    warm_up,
)
from domainsmith.model_io.catalog import chat_model_folder
from domainsmith.model_io.device import set_threads
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.loading import load_model
from domainsmith.model_io.quiet import quiet_transformers

ALONE_EVERY = 4


def main() -> int:
    """Run the rounds, print the table and compare the outputs."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=64, help="bound of new tokens")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    threads = set_threads(0)
    folder = chat_model_folder()
    with quiet_transformers():
        engine = Engine.load(folder, device="cpu", dtype="bfloat16")
        # A model of its own, as transformers loads it: the engine packs its weights.
        plain, _ = load_model(folder, "cpu", torch.bfloat16)
        prompts = build_prompts(engine, arguments.prompts)
        warm_up(engine, plain)
        report = run_rounds(engine, plain, prompts, arguments.tokens, arguments.rounds)
        exact = equal_in_float32(folder, prompts, arguments.tokens)
    report["equal_float32"] = f"{exact}/{min(EXACT_PROMPTS, len(prompts))}"
    show(report, arguments, threads)
    return 0 if exact == min(EXACT_PROMPTS, len(prompts)) else 1


def run_rounds(
    engine: Engine, plain: Any, prompts: Sequence[str], tokens: int, rounds: int
) -> dict[str, Any]:
    """Answer the prompts in every way by turns, and compare times and texts."""
    some = prompts[::ALONE_EVERY]
    runs: dict[str, Callable[[], Answers]] = {
        "pipeline 4": lambda: by_pipeline(engine, plain, prompts, tokens, 4),
        "pipeline 1": lambda: by_pipeline(engine, plain, some, tokens, 1),
        "static 16": lambda: by_static_batches(engine, plain, prompts, tokens),
        "engine": lambda: by_engine(engine, prompts, tokens),
    }
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    found: dict[str, Answers] = {}
    shares = []
    for _ in range(rounds):
        for name, run in runs.items():
            before = (engine.statistics.prefilled_tokens, engine.statistics.steps)
            began = time.perf_counter()
            found[name] = run()
            seconds = time.perf_counter() - began
            speeds[name].append(useful_tokens(found[name]) / seconds)
            if name == "engine":
                computed = engine.statistics.prefilled_tokens - before[0]
                steps = engine.statistics.steps - before[1]
                shares.append(floor_seconds(engine, computed, steps, found[name]) / seconds)
    same = sum(a == b for a, b in zip(found["engine"], found["static 16"], strict=True))
    return {
        "tokens_per_second": speeds,
        "ratio": {
            name: statistics.median(speeds["engine"]) / statistics.median(values)
            for name, values in speeds.items()
        },
        "share_of_floor": statistics.median(shares),
        "useful_tokens": useful_tokens(found["engine"]),
        "prompt_tokens": sum(engine.count_tokens(prompt) for prompt in prompts),
        "equal_bf16": f"{same}/{len(prompts)}",
    }


def show(report: dict[str, Any], arguments: argparse.Namespace, threads: int) -> None:
    """Print the table."""
    if arguments.json:
        print(json.dumps(report))
        return
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, bfloat16, "
        f"{threads} threads, load {os.getloadavg()[0]:.1f}, {arguments.rounds} rounds, "
        f"{arguments.prompts} prompts of {report['prompt_tokens']:,} tokens together, "
        f"at most {arguments.tokens} new ones each, {report['useful_tokens']:,} of them useful"
    )
    print(f"{'':12}{'useful tokens/s':>16}{'engine is':>12}")
    for name, values in report["tokens_per_second"].items():
        ratio = "" if name == "engine" else f"{report['ratio'][name]:.2f}x"
        print(f"{name:12}{statistics.median(values):16.1f}{ratio:>12}")
    print(
        f"engine's floor (see the head of this file) is {report['share_of_floor']:.0%} of its time"
    )
    print(
        f"equal texts: bfloat16 against static 16 {report['equal_bf16']}, "
        f"float32 against generate alone {report['equal_float32']}"
    )


if __name__ == "__main__":
    sys.exit(main())
