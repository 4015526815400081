"""ROUGE-L novelty filter against comparing with every kept text, as Self-Instruct does.

The peer is its loop (yizhongw/self-instruct, ``bootstrap_instructions.py``), restated: every
candidate against every kept text with a pure-Python LCS, one process. ``rapidfuzz`` is the same
loop with a bit-parallel LCS. Texts are generated from a fixed seed unless a JSONL file of records
with an ``instruction`` is given. Prints a ratio only if all decisions are equal.

Run: ``python benchmarks/novelty.py [--count 1000] [--texts FILE.jsonl] [--rounds 3]``
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rapidfuzz.distance import LCSseq

from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.records import content_hash
from domainsmith.training.select.novelty import novelty_filter

THRESHOLD = 0.7


def plain_lcs(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the longest common subsequence by the textbook table."""
    row = [0] * (len(right) + 1)
    for a in left:
        before = 0
        for at, b in enumerate(right, start=1):
            before, row[at] = row[at], before + 1 if a == b else max(row[at], row[at - 1])
    return row[-1]


def against_all(
    texts: Sequence[str], lcs: Callable[[Sequence[str], Sequence[str]], int]
) -> list[bool]:
    """Compare each text with every kept one."""
    kept: list[list[str]] = []
    decisions = []
    for text in texts:
        tokens = plain_tokens(text)
        novel = True
        for other in kept:
            common = lcs(tokens, other)
            precision, recall = common / max(1, len(other)), common / max(1, len(tokens))
            both = precision + recall
            if both > 0 and 2 * precision * recall / both > THRESHOLD:
                novel = False  # the reference goes on to the maximum; the decision is the same
                break
        decisions.append(novel)
        if novel:
            kept.append(tokens)
    return decisions


def ours(texts: Sequence[str]) -> list[bool]:
    """Decide with the prefix index."""
    return [verdict.kept for verdict in novelty_filter(texts, threshold=THRESHOLD)]


def invented_texts(count: int) -> list[str]:
    """Instructions over a Zipf-like vocabulary, a fifth of them near copies."""
    source = random.Random(17)
    words = [f"w{at}" for at in range(5000)]
    weights = [1 / (at + 3) for at in range(5000)]
    texts: list[str] = []
    for _ in range(count):
        if texts and source.random() < 0.2:
            near = source.choice(texts).split()
            near[source.randrange(len(near))] = source.choice(words)
            texts.append(" ".join(near))
        else:
            texts.append(" ".join(source.choices(words, weights, k=source.randint(6, 30))))
    return texts


def main() -> int:
    """Run the comparison and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--texts", type=Path)
    arguments = parser.parse_args()
    if arguments.texts:
        lines = arguments.texts.read_text(encoding="utf-8").split("\n")
        texts = [json.loads(line)["instruction"] for line in lines if line][: arguments.count]
    else:
        texts = invented_texts(arguments.count)
    ways: dict[str, Callable[[], list[bool]]] = {
        "plain loop": lambda: against_all(texts, plain_lcs),
        "rapidfuzz loop": lambda: against_all(texts, LCSseq.similarity),
        "domainsmith": lambda: ours(texts),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    decisions: dict[str, list[bool]] = {}
    for turn in range(arguments.rounds):
        for name, way in ways.items():
            if name == "plain loop" and turn:
                continue  # minutes long, and its spread does not matter at this ratio
            started = time.perf_counter()
            decisions[name] = way()
            seconds[name].append(time.perf_counter() - started)
    equal = all(found == decisions["plain loop"] for found in decisions.values())
    median = {name: statistics.median(values) for name, values in seconds.items()}
    result = {
        "texts": len(texts),
        "texts_sha256": content_hash("\n".join(texts)),
        "kept": sum(decisions["domainsmith"]),
        "decisions_equal": equal,
        "seconds": {name: round(value, 4) for name, value in median.items()},
        "ratio_to_plain_loop": round(median["plain loop"] / median["domainsmith"], 1),
        "ratio_to_rapidfuzz_loop": round(median["rapidfuzz loop"] / median["domainsmith"], 1),
        "load_average": os.getloadavg()[0],
    }
    print(json.dumps(result, indent=2))
    return 0 if equal else 1


if __name__ == "__main__":
    raise SystemExit(main())
