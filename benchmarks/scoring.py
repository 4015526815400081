"""``python -m benchmarks.scoring``: ``Engine.score`` against plain transformers, a call a pair.

64 pairs of real questions, passages and answers of the example domain, in three shapes: 8 prompts
with 8 candidate answers each (choice, judging), 8 passages with 8 questions each (grading what was
generated from a passage), and 64 prompts that share no more than the system text. The peer runs
the same weights on the same tokens, one forward pass with all logits a pair. The sums must agree
to 1e-3 nats in float32; otherwise the exit code is 1.

Where nothing is shared, every token has to be computed, and the multiplications of the layers
alone bound what can be gained: the last column gives them at the speed of a large product of
matrices, measured in the same run, as a share of our time.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
import transformers

from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.loaders import load_file
from domainsmith.data_connection.split import passage_context, split
from domainsmith.model_io.catalog import chat_model_folder
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.messages import qa_messages
from domainsmith.records import Document, content_hash

_EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
_TOLERANCE = 1e-3
_TARGET = 4.0
_DTYPES = ("float32", "bfloat16")
Pairs = list[tuple[str, str]]


def _sources() -> tuple[list[str], list[tuple[str, str]]]:
    """Return passages, and questions with their answers."""
    path = _EXAMPLES / "washer" / "service-manual.md"
    loaded = load_file(path)
    document = Document(
        path=path.name,
        source_sha256=content_hash(loaded.text),
        media_type=loaded.media_type,
        title=loaded.title,
        language=detect_language(loaded.text),
        text=loaded.text,
    )
    lines = (_EXAMPLES / "washer-questions.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line.strip()]
    asked = [(row["question"], row["answer"]) for row in rows if row["answerable"]]
    return [passage_context(item) for item in split(document)], asked


def make_pairs(engine: Engine) -> dict[str, Pairs]:
    """Make the sets of 64 pairs.

    Args:
        engine: Renders the prompts.

    Returns:
        Prompt and completion pairs by shape.
    """
    passages, asked = _sources()

    def prompt(number: int, passage: int) -> str:
        question = asked[number % len(asked)][0]
        context = passages[passage % len(passages)]
        return engine.render(qa_messages(question, context=context, language="en"))

    answers = [answer for _, answer in asked]
    return {
        "8 prompts x 8 candidates": [
            (prompt(number, number), answers[(number + other) % len(answers)])
            for number in range(8)
            for other in range(8)
        ],
        "8 passages x 8 questions": [
            (prompt(8 * number + other, number), answers[(8 * number + other) % len(answers)])
            for number in range(8)
            for other in range(8)
        ],
        "64 prompts": [
            (prompt(number, number), answers[number % len(answers)]) for number in range(64)
        ],
    }


def least_seconds(engine: Engine, pairs: Pairs) -> float:
    """Return the time of the layers' multiplications at the speed of a large product."""
    tokens = sum(engine.count_tokens(prompt) + engine.count_tokens(text) for prompt, text in pairs)
    body = sum(weights.numel() for weights in engine.model.get_decoder().layers.parameters())
    square = torch.randn(2048, 2048, device=engine.model.device, dtype=engine.model.dtype)
    seconds = min(_timed(lambda: float((square @ square)[0, 0]))[1] for _ in range(5))
    return 2 * body * tokens * seconds / (2 * 2048**3)


def plain_scores(engine: Engine, pairs: Pairs) -> list[float]:
    """Score as plain transformers code does: one forward pass a pair."""
    values = []
    with torch.inference_mode():
        for prompt, completion in pairs:
            before = engine.tokenizer.encode(prompt, add_special_tokens=False)
            after = engine.tokenizer.encode(completion, add_special_tokens=False)
            ids = torch.tensor([[*before, *after]], device=engine.model.device)
            logits = engine.model(input_ids=ids).logits[0, :-1].float()
            chosen = logits.log_softmax(-1).gather(1, ids[0, 1:, None])[:, 0]
            values.append(float(chosen[len(before) - 1 :].double().sum()))
    return values


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    value = run()
    return value, time.perf_counter() - started


def measure(engine: Engine, pairs: Pairs, runs: int) -> dict[str, Any]:
    """Run both interleaved.

    Args:
        engine: The model.
        pairs: What to score.
        runs: How often; medians are reported.

    Returns:
        Seconds of both, their ratio, the largest difference in nats, and the share of
        :func:`least_seconds`, which may be above 1 where beginnings are shared.
    """
    theirs, ours = [], []
    engine.score(pairs[:2])
    plain_scores(engine, pairs[:2])
    for _ in range(runs):
        expected, seconds = _timed(lambda: plain_scores(engine, pairs))
        theirs.append(seconds)
        engine.prefix_cache.clear()
        found, seconds = _timed(lambda: engine.score(pairs))
        ours.append(seconds)
    difference = max(abs(a - b.sum) for a, b in zip(expected, found, strict=True))
    return {
        "plain_s": round(median(theirs), 2),
        "ours_s": round(median(ours), 2),
        "ratio": round(median(theirs) / median(ours), 2),
        "largest_difference": difference,
        "pairs_per_s": round(len(pairs) / median(ours), 1),
        "least_share": round(least_seconds(engine, pairs) / median(ours), 2),
    }


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.scoring", description=__doc__)
    parser.add_argument("--runs", type=int, default=2, help="interleaved runs a case")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=_DTYPES, help="one number type; both if left out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    report: dict[str, Any] = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "device": options.device,
        "load": os.getloadavg()[0],
        "target": _TARGET,
    }
    for dtype in [options.dtype] if options.dtype else _DTYPES:
        engine = Engine.load(chat_model_folder("default"), device=options.device, dtype=dtype)
        report["threads"] = torch.get_num_threads()
        for name, pairs in make_pairs(engine).items():
            report[f"{dtype}, {name}"] = measure(engine, pairs, options.runs)
    cases = {name: case for name, case in report.items() if isinstance(case, dict)}
    exact = [case for name, case in cases.items() if name.startswith("float32")]
    equal = all(case["largest_difference"] <= _TOLERANCE for case in exact)
    report["equal_in_float32"] = equal if exact else None
    if options.json:
        print(json.dumps(report))
        return 0 if equal else 1
    print(
        f"torch {report['torch']}, transformers {report['transformers']}, {options.device}, "
        f"{report['threads']} threads, load {report['load']:.1f}, {options.runs} runs"
    )
    for name, case in cases.items():
        verdict = "" if case["ratio"] >= _TARGET else f" (below the target of {_TARGET:g}x)"
        print(
            f"{name:36} plain {case['plain_s']:7.2f} s  ours {case['ours_s']:7.2f} s  "
            f"{case['ratio']:.2f}x{verdict}  largest difference {case['largest_difference']:.1e}  "
            f"products {case['least_share']:.0%}"
        )
    if exact:
        print(f"equal to {_TOLERANCE:g} nats in float32: {'yes' if equal else 'NO'}")
    return 0 if equal else 1


if __name__ == "__main__":
    raise SystemExit(main())
