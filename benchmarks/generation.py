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
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from domainsmith.model_io.catalog import chat_model_folder
from domainsmith.model_io.device import set_threads
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.model_io.loading import load_model
from domainsmith.model_io.messages import qa_messages
from domainsmith.model_io.quiet import quiet_transformers

PIPELINE_BATCH, STATIC_BATCH = 4, 16
"""The default of langchain-huggingface, and a usual choice by hand."""
EXACT_PROMPTS = 8
ALONE_EVERY = 4
EXAMPLES = Path(__file__).parent.parent / "examples"

Answers = list[tuple[str, int]]
"""Text and number of useful tokens of each prompt."""


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
        some = prompts[::ALONE_EVERY]
        runs: dict[str, tuple[list[str], Callable[[], Answers]]] = {
            "pipeline 4": (
                prompts,
                lambda: by_pipeline(engine, plain, prompts, arguments.tokens, 4),
            ),
            "pipeline 1": (some, lambda: by_pipeline(engine, plain, some, arguments.tokens, 1)),
            "static 16": (
                prompts,
                lambda: by_static_batches(engine, plain, prompts, arguments.tokens),
            ),
            "engine": (prompts, lambda: by_engine(engine, prompts, arguments.tokens)),
        }
        warm_up(engine, plain)
        speeds: dict[str, list[float]] = {name: [] for name in runs}
        found: dict[str, Answers] = {}
        shares = []
        for _ in range(arguments.rounds):
            for name, (_, run) in runs.items():
                before = (engine.statistics.prefilled_tokens, engine.statistics.steps)
                began = time.perf_counter()
                found[name] = run()
                seconds = time.perf_counter() - began
                speeds[name].append(useful_tokens(found[name]) / seconds)
                if name == "engine":
                    computed = engine.statistics.prefilled_tokens - before[0]
                    steps = engine.statistics.steps - before[1]
                    shares.append(floor_seconds(engine, computed, steps, found[name]) / seconds)
        exact = equal_in_float32(folder, prompts, arguments.tokens)
    same = sum(a == b for a, b in zip(found["engine"], found["static 16"], strict=True))
    report = {
        "tokens_per_second": speeds,
        "ratio": {
            name: statistics.median(speeds["engine"]) / statistics.median(values)
            for name, values in speeds.items()
        },
        "share_of_floor": statistics.median(shares),
        "useful_tokens": useful_tokens(found["engine"]),
        "prompt_tokens": sum(engine.count_tokens(prompt) for prompt in prompts),
        "equal_bf16": f"{same}/{len(prompts)}",
        "equal_float32": f"{exact}/{min(EXACT_PROMPTS, len(prompts))}",
    }
    show(report, arguments, threads)
    return 0 if exact == min(EXACT_PROMPTS, len(prompts)) else 1


def build_prompts(engine: Engine, count: int) -> list[str]:
    """Return prompts of mixed kind and length, rendered, in a fixed mixed order.

    A third are questions about a section of the example manual, a third about a public passage
    (English and Chinese), a third are instructions without any text.
    """
    data = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))
    pools = [manual_questions(), *public_questions(data)]
    if len(pools) < 3:
        print(f"PUBLIC QUESTIONS ABSENT: {data} (set DOMAINSMITH_DATA); manual only")
    asked = [pool[at] for at in range(max(map(len, pools))) for pool in pools if at < len(pool)]
    return [
        engine.render(qa_messages(question, context=context, language=language))
        for question, context, language in asked[:count]
    ]


def manual_questions() -> list[tuple[str, str, Any]]:
    """Return (question, section of the manual, language) of the example domain."""
    manual = (EXAMPLES / "washer" / "service-manual.md").read_text(encoding="utf-8")
    sections = re.split(r"\n(?=## )", manual)
    asked: list[tuple[str, str, Any]] = []
    for line in (EXAMPLES / "washer-questions.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        for section in sections:
            if any(gold["quote"] in section for gold in item["gold"]):
                asked.append((item["question"], section.strip()[:2400], "en"))
                break
    return asked


def public_questions(data: Path) -> list[list[tuple[str, str, Any]]]:
    """Return pools of (question, passage, language); empty where the data is absent."""
    pools: list[list[tuple[str, str, Any]]] = []
    passages: list[tuple[str, str, Any]] = []
    for language in ("en", "zh"):
        texts = {item["id"]: item["text"] for item in lines(data, f"{language}_passages.jsonl")}
        for item in lines(data, f"{language}_questions.jsonl")[:240:12]:
            passages.append((item["question"], texts[item["passage_id"]], language))
    if passages:
        pools.append(passages)
    tasks = data / "instr_self_instruct" / "seed_tasks.jsonl"
    if tasks.is_file():
        items = [json.loads(line) for line in tasks.read_text(encoding="utf-8").split("\n") if line]
        pools.append([(item["instruction"], "", "en") for item in items[::5]])
    return pools


def lines(data: Path, name: str) -> list[dict[str, Any]]:
    """Read one of the parallel reading sets; nothing where it is absent."""
    path = data / "zhen_xquad" / name
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def warm_up(engine: Engine, plain: Any) -> None:
    """Let every way compute a little, so that none pays for set-up."""
    texts = [engine.render([{"role": "user", "content": "Say yes."}])] * 2
    by_pipeline(engine, plain, texts, 2, 2)
    by_static_batches(engine, plain, texts, 2)
    by_engine(engine, texts, 2)


def by_pipeline(
    engine: Engine, model: Any, prompts: Sequence[str], tokens: int, batch: int
) -> Answers:
    """Generate as HuggingFacePipeline does: chunks of 4 prompts through a pipeline."""
    pipe = transformers.pipeline(
        "text-generation",
        model=model,
        tokenizer=engine.tokenizer,
        max_new_tokens=tokens,
        do_sample=False,
        batch_size=batch,
    )
    found: Answers = []
    for start in range(0, len(prompts), PIPELINE_BATCH):
        chunk = list(prompts[start : start + PIPELINE_BATCH])
        for answer in pipe(chunk, return_tensors=True, add_special_tokens=False):
            ids = answer[0]["generated_token_ids"]
            prompt = engine.tokenizer.encode(chunk[len(found) - start], add_special_tokens=False)
            found.append(answer_of(engine, without_prompt(engine, ids, len(prompt))))
    return found


def without_prompt(engine: Engine, ids: list[int], prompt: int) -> list[int]:
    """Return the new tokens of a row that is padded on the left."""
    pad = engine.tokenizer.pad_token_id
    begin = next((at for at, token in enumerate(ids) if token != pad), 0)
    return ids[begin + prompt :]


def answer_of(engine: Engine, ids: list[int]) -> tuple[str, int]:
    """Cut new tokens behind the first end token."""
    ends = [at for at, token in enumerate(ids) if token == engine.tokenizer.eos_token_id]
    ids = ids[: ends[0] + 1] if ends else ids
    return str(engine.tokenizer.decode(ids, skip_special_tokens=True)), len(ids)


def useful_tokens(answers: Answers) -> int:
    """Sum up."""
    return sum(tokens for _, tokens in answers)


def by_static_batches(engine: Engine, model: Any, prompts: Sequence[str], tokens: int) -> Answers:
    """Generate with transformers, left-padded batches in the given order."""
    found: Answers = []
    for start in range(0, len(prompts), STATIC_BATCH):
        inputs = engine.tokenizer(
            list(prompts[start : start + STATIC_BATCH]),
            return_tensors="pt",
            padding=True,
            padding_side="left",
            add_special_tokens=False,
        )
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
        new = output[:, inputs["input_ids"].shape[1] :]
        found.extend(answer_of(engine, row.tolist()) for row in new)
    return found


def by_engine(engine: Engine, prompts: Sequence[str], tokens: int) -> Answers:
    """Generate with the engine, in one call."""
    requests = [GenerationRequest(prompt, max_new_tokens=tokens) for prompt in prompts]
    done = sorted(engine.generate(requests), key=lambda answer: answer.index)
    return [(answer.text, answer.completion_tokens) for answer in done]


def equal_in_float32(folder: Path, prompts: Sequence[str], tokens: int) -> int:
    """Return how many of 8 prompts get the same text from the engine's batch and from generate."""
    engine = Engine.load(folder, device="cpu", dtype="float32")
    step = max(1, len(prompts) // EXACT_PROMPTS)
    chosen = list(prompts[::step][:EXACT_PROMPTS])
    bound = min(tokens, 32)
    requests = [GenerationRequest(prompt, max_new_tokens=bound) for prompt in chosen]
    texts = {done.index: done.text for done in engine.generate(requests)}
    equal = 0
    for number, prompt in enumerate(chosen):
        inputs = engine.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
        with torch.inference_mode():
            output = engine.model.generate(**inputs, max_new_tokens=bound, do_sample=False)
        new = output[0, inputs["input_ids"].shape[1] :]
        equal += texts[number] == engine.tokenizer.decode(new, skip_special_tokens=True)
    return equal


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
