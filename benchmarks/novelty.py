"""ROUGE-L novelty filter against ``rouge_score`` on every kept text, as Self-Instruct does.

The peer is that loop (yizhongw/self-instruct, ``bootstrap_instructions.py``): the package's scorer
with every candidate and every kept text, in one process; a candidate is dropped if the highest F1
is above 0.7. It takes minutes, so it can be run in parts (``--seconds``) that go on from the last;
what is done is compared, and the exit code is 1 until all is. The instructions are the real English
ones of the shared data. ``--scale`` times ours alone on 100,000: the real ones, then recombinations
of them (the first words of one and the last words of another). Times are seconds of processor time
of one thread. The exit code is 1 if a decision differs, a Chinese copy is kept, or a target is
missed.

Run: ``OMP_NUM_THREADS=1 python -m benchmarks.novelty [--count 4000] [--seconds 300] [--scale]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

from rouge_score.rouge_scorer import RougeScorer

from benchmarks.real_texts import cache_folder, conditions, instructions, recombined
from domainsmith.records import content_hash
from domainsmith.storage.atomic import write_json
from domainsmith.training.select.novelty import novelty_filter

THRESHOLD = 0.7
TARGET_RATIO = 500
TARGET_SECONDS = 120
LONGEST = 400
"""Characters of an instruction that both are timed on; the peer's time grows with the square."""
ROUNDS = 5


def peer(texts: list[str], seconds: float) -> dict[str, Any]:
    """Compare each text with every kept one by ``rouge_score``, for some seconds at most.

    Args:
        texts: The instructions.
        seconds: Of wall time; what is left is done by the next call.

    Returns:
        The state: how many texts are ``done``, which are ``kept``, ``seconds`` of processor time.
    """
    path = cache_folder() / f"rouge_{content_hash(texts)[:16]}.json"
    state: dict[str, Any] = {"done": 0, "kept": [], "seconds": 0.0, "pairs": 0}
    if path.is_file():
        state = json.loads(path.read_text(encoding="utf-8"))
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    end = time.perf_counter() + seconds
    while state["done"] < len(texts) and time.perf_counter() < end:
        began = time.process_time()
        at = state["done"]
        scores = [scorer.score(texts[at], texts[k])["rougeL"].fmeasure for k in state["kept"]]
        state["pairs"] += len(scores)
        if not scores or max(scores) <= THRESHOLD:
            state["kept"].append(at)
        state["done"] += 1
        state["seconds"] += time.process_time() - began
    write_json(path, state)
    return state


def ours(texts: list[str]) -> tuple[float, list[int]]:
    """Return seconds of processor time and the kept texts."""
    began = time.process_time()
    verdicts = novelty_filter(texts, threshold=THRESHOLD)
    return time.process_time() - began, [at for at, v in enumerate(verdicts) if v.kept]


def against_peer(count: int, seconds: float) -> dict[str, Any]:
    """Run both on the same instructions and compare the kept lists."""
    texts = [text for text in instructions(LONGEST) if text.isascii()][:count]
    state = peer(texts, seconds)
    unfinished = state["done"] < len(texts)
    texts = texts[: state["done"]]  # decisions are made in order, so a part is a whole of its own
    runs = [ours(texts) for _ in range(ROUNDS)]
    median = statistics.median(seconds for seconds, _ in runs)
    equal = all(kept == state["kept"] for _, kept in runs)
    ratio = state["seconds"] / median
    return {
        "instructions": len(texts),
        "texts_sha256": content_hash(texts)[:16],
        "kept": len(state["kept"]),
        "pairs_of_peer": state["pairs"],
        "peer_seconds": round(state["seconds"], 2),
        "our_seconds": [round(seconds, 4) for seconds, _ in runs],
        "ratio": round(ratio, 1),
        "kept_lists_equal": equal,
        "unfinished": unfinished,
        "ok": equal and ratio >= TARGET_RATIO and len(texts) == count,
    }


def at_scale(count: int) -> dict[str, Any]:
    """Time ours alone."""
    real = list(dict.fromkeys(instructions()))
    texts = recombined(real, count)
    seconds, kept = ours(texts)
    return {
        "instructions": len(texts),
        "real": len(real),
        "texts_sha256": content_hash(texts)[:16],
        "kept": len(kept),
        "our_seconds": round(seconds, 2),
        "ok": seconds < TARGET_SECONDS,
    }


def chinese() -> dict[str, Any]:
    """Look at two equal Chinese sentences, here and in the package."""
    twice = ["请解释光合作用的过程。"] * 2
    score = RougeScorer(["rougeL"], use_stemmer=False).score(*twice)["rougeL"].fmeasure
    kept = [verdict.kept for verdict in novelty_filter(twice)]
    return {"kept": kept, "f1_of_rouge_score": score, "ok": kept == [True, False]}


def main() -> int:
    """Run what was asked for and print it as JSON."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=300.0, help="of the peer in this run")
    parser.add_argument("--scale", action="store_true", help="only the 100,000")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"chinese": chinese()}
    if arguments.scale:
        result["scale"] = at_scale(100_000)
    else:
        result["peer"] = against_peer(arguments.count, arguments.seconds)
    result |= conditions("rouge-score", "rapidfuzz")
    print(json.dumps(result, indent=2, ensure_ascii=False))
    parts = [value for value in result.values() if isinstance(value, dict) and "ok" in value]
    done = not result.get("peer", {}).get("unfinished")
    return 0 if done and all(part["ok"] for part in parts) else 1


if __name__ == "__main__":
    sys.exit(main())
