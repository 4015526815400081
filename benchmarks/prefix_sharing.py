"""Speed of answering questions about one passage, with the passage computed once or each time.

Eight questions on a passage of 600 tokens, greedy, in three ways: every prompt computed whole
(``share_prefix`` off), the common beginning computed once in the call, and the same call again,
when its beginning is still kept. Tokens are those that were answered. All three must give the same
texts in float32, or the exit code is 1; ``--dtype`` sets the number type that is timed.

Usage: python -m benchmarks.prefix_sharing [--rounds 3] [--tokens 16] [--dtype bfloat16] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import torch
import transformers

from domainsmith.model_io.catalog import chat_model_folder
from domainsmith.model_io.device import set_threads
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Completion, GenerationRequest
from domainsmith.model_io.messages import qa_messages

PASSAGE_TOKENS = 600
MANUAL = Path(__file__).parent.parent / "examples" / "washer" / "service-manual.md"
QUESTIONS = (
    "What is the drum volume of the Tarn 680?",
    "How wide is the Tarn 610?",
    "What does RB at the start of the serial number mean?",
    "Which fuse does the house circuit need?",
    "How long is the mains cable?",
    "How many holes do the smaller drums have?",
    "Where is the DoseWell unit?",
    "How heavy is the concrete front weight?",
)


def main() -> int:
    """Run the rounds, print the table and compare the outputs."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=16, help="bound of new tokens")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    threads = set_threads(0)
    folder = chat_model_folder()
    exact = Engine.load(folder, device="cpu", dtype="float32")
    requests = build_requests(exact, arguments.tokens)
    texts = [[done.text for done in answers] for _, answers in run_ways(exact, requests)]
    equal = texts[0] == texts[1] == texts[2]
    engine = Engine.load(folder, device="cpu", dtype=arguments.dtype)
    list(engine.generate(requests[:2]))  # set-up is not timed
    speeds: dict[str, list[float]] = {"not shared": [], "shared": [], "kept": []}
    for _ in range(arguments.rounds):
        ways = run_ways(engine, requests)
        for values, (seconds, answers) in zip(speeds.values(), ways, strict=True):
            values.append(sum(done.completion_tokens for done in answers) / seconds)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    ratios = {name: median / medians["not shared"] for name, median in medians.items()}
    if arguments.json:
        print(json.dumps({"tokens_per_second": speeds, "ratio": ratios, "equal": equal}))
        return 0 if equal else 1
    prompt = engine.count_tokens(requests[0].prompt)
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, {arguments.dtype}, "
        f"{threads} threads, load {os.getloadavg()[0]:.1f}, {arguments.rounds} rounds, "
        f"{len(requests)} questions, passage of {PASSAGE_TOKENS} tokens (prompts of about {prompt})"
    )
    for name, median in medians.items():
        print(f"{name:12}{median:8.1f} tokens/s {ratios[name]:6.2f}x")
    print(f"float32 texts equal in all three ways: {'yes' if equal else 'NO'}")
    return 0 if equal else 1


def build_requests(engine: Engine, tokens: int) -> list[GenerationRequest]:
    """Ask all questions about the first 600 tokens of the example manual."""
    ids = engine.tokenizer.encode(MANUAL.read_text(encoding="utf-8"), add_special_tokens=False)
    passage = engine.tokenizer.decode(ids[:PASSAGE_TOKENS])
    return [
        GenerationRequest(
            engine.render(qa_messages(question, context=passage, language="en")),
            max_new_tokens=tokens,
        )
        for question in QUESTIONS
    ]


def run_ways(
    engine: Engine, requests: list[GenerationRequest]
) -> list[tuple[float, list[Completion]]]:
    """Return seconds and answers: not shared, shared, shared and kept from the call before."""
    engine.prefix_cache.clear()
    found = []
    for share in (False, True, True):
        engine.share_prefix = share
        began = time.perf_counter()
        answers = sorted(engine.generate(requests), key=lambda done: done.index)
        found.append((time.perf_counter() - began, answers))
    return found


if __name__ == "__main__":
    sys.exit(main())
