"""``python -m benchmarks.adapters``: switching adapters, and what it leaves in memory.

A LoRA and a DoRA adapter with random weights stand beside the embedded base model. Timed is the
switch alone; memory is the process's resident set before and after 1,000 switches and 1,000 short
calls. The scores under each adapter and under the base must be the same bits afterwards;
otherwise the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import peft
import torch
from transformers import AutoModelForCausalLM

from domainsmith.model_io.catalog import chat_model_folder
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.model_io.quiet import quiet_transformers

_TARGET_S = 0.2
_NAMES = ("lora", None, "dora", "lora", "dora", None)
_PAIRS = [("The washing machine", " stands in the cellar.")]


def make_adapters(base: Path, folder: Path) -> dict[str, Path]:
    """Save one adapter of each kind, on all linear layers.

    Args:
        base: The base model.
        folder: Gets a folder for each.

    Returns:
        Their folders by name.
    """
    torch.manual_seed(0)
    for name in ("lora", "dora"):
        config = peft.LoraConfig(
            r=16, target_modules="all-linear", use_dora=name == "dora", task_type="CAUSAL_LM"
        )
        with quiet_transformers():
            model = AutoModelForCausalLM.from_pretrained(str(base), dtype=torch.bfloat16)
            tuned = peft.get_peft_model(model, config)
        for key, weights in tuned.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(weights, std=0.02)
        tuned.save_pretrained(str(folder / name))
    return {name: folder / name for name in ("lora", "dora")}


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _say(text: str) -> None:
    """Tell on stderr where a long run stands."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _scores(engine: Engine) -> list[float]:
    return [engine.score(_PAIRS, adapter=name)[0].sum for name in (None, "lora", "dora")]


def _switches(engine: Engine, count: int) -> list[float]:
    seconds = []
    for number in range(count):
        started = time.perf_counter()
        engine._adapters.use(_NAMES[number % len(_NAMES)])
        seconds.append(time.perf_counter() - started)
    return seconds


def _calls(engine: Engine, count: int) -> None:
    for number in range(count):
        name = _NAMES[number % len(_NAMES)]
        list(engine.generate([GenerationRequest("The drum", max_new_tokens=2, adapter=name)]))


def measure(engine: Engine, folders: dict[str, Path], count: int) -> dict[str, Any]:
    """Measure one engine.

    Args:
        engine: Without adapters; has both afterwards.
        folders: See :func:`make_adapters`.
        count: Switches, and calls.

    Returns:
        Milliseconds, megabytes, and whether the scores stayed the same.
    """
    report: dict[str, Any] = {}
    for name, folder in folders.items():
        started = time.perf_counter()
        engine.add_adapter(name, folder)
        report[f"{name}_load_s"] = round(time.perf_counter() - started, 2)
    before = _scores(engine)
    _say("warming up")
    _switches(engine, 60)  # the allocator's pools are filled before the first reading
    _calls(engine, 60)
    start = _resident_mb()
    _say(f"{count} switches")
    seconds = _switches(engine, count)
    between = _resident_mb()
    _say(f"{count} calls")
    _calls(engine, count)
    end = _resident_mb()
    return report | {
        "count": count,
        "switch_ms_median": round(1e3 * median(seconds), 2),
        "switch_ms_p99": round(1e3 * quantiles(seconds, n=100)[-1], 2),
        "rss_mb": [round(value, 1) for value in (start, between, end)],
        "switches_growth_mb": round(between - start, 1),
        "calls_growth_mb": round(end - between, 1),
        "same_scores": _scores(engine) == before and len(set(before)) == 3,
    }


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.adapters", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="switches, and calls")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    base = chat_model_folder("default")
    with tempfile.TemporaryDirectory() as folder:
        folders = make_adapters(base, Path(folder))
        engine = Engine.load(base)
        report = measure(engine, folders, options.count)
    report |= {
        "torch": torch.__version__,
        "peft": peft.__version__,
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
        "dtype": str(engine.model.dtype),
    }
    if options.json:
        print(json.dumps(report))
    else:
        print(
            f"torch {report['torch']}, peft {report['peft']}, {report['dtype']}, "
            f"{report['threads']} threads, load {report['load']}"
        )
        print(f"load an adapter: LoRA {report['lora_load_s']} s, DoRA {report['dora_load_s']} s")
        slow = "" if report["switch_ms_p99"] < 1e3 * _TARGET_S else " (above the target of 0.2 s)"
        print(
            f"switch: median {report['switch_ms_median']} ms, "
            f"p99 {report['switch_ms_p99']} ms{slow}"
        )
        print(f"resident memory grew by {report['switches_growth_mb']} MB over {options.count}")
        print(f"switches and by {report['calls_growth_mb']} MB over {options.count} calls")
        print(f"same scores afterwards: {'yes' if report['same_scores'] else 'NO'}")
    return 0 if report["same_scores"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
