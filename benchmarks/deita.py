"""DEITA's diversity filter against its loop over one record at a time.

The peer is the published procedure with a batch of one (hkust-nlp/deita, ``selection/filter``),
restated: in the order of the score, the embeddings kept so far are gathered and made a tensor,
both sides are brought to length 1, and the record is skipped if a cosine is above 0.9. With larger
batches the original also skips a record because of one that it has just skipped, so its result
depends on the batch; with one it does not. ``lean`` is the same loop on a growing array of rows of
length 1. Scores are the lengths of the sentences. Times are seconds of processor time of one
thread. The exit code is 1 if a kept list differs or the ratio is under 50.

Run: ``OMP_NUM_THREADS=1 python -m benchmarks.deita [--rows 10000]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.real_texts import conditions, embeddings, sentences
from domainsmith.records import content_hash
from domainsmith.training.select.diverse import diverse_order

THRESHOLD = 0.9
TARGET = 50
ROUNDS = 3


def peer(rows: NDArray[np.float64], order: list[int]) -> list[int]:
    """Compare each record with all kept before it, as published."""
    ordered = rows[order]
    kept = [0]
    for at in range(1, len(ordered)):
        one = torch.tensor(ordered[at : at + 1], dtype=torch.float32)
        others = torch.tensor(ordered[kept], dtype=torch.float32)
        one = one / one.norm(dim=1, keepdim=True)
        others = others / others.norm(dim=1, keepdim=True)
        if not bool((one @ others.T > THRESHOLD).any()):
            kept.append(at)
    return [order[at] for at in kept]


def lean(rows: NDArray[np.float64], order: list[int]) -> list[int]:
    """Do the same without gathering and without bringing to length 1 again."""
    ordered = rows[order].astype(np.float32)
    held = np.empty_like(ordered)
    kept: list[int] = []
    for at, row in enumerate(ordered):
        if not kept or float((held[: len(kept)] @ row).max()) <= THRESHOLD:
            held[len(kept)] = row
            kept.append(at)
    return [order[at] for at in kept]


def main() -> int:
    """Run all and print it as JSON."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=10_000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    vectors = embeddings(100_000)[-arguments.rows :]
    scores = [float(len(text)) for text in sentences(100_000)[-arguments.rows :]]
    order = np.argsort(-np.asarray(scores), kind="stable").tolist()
    rows = vectors.astype(np.float64)
    ways: dict[str, Callable[[], list[int]]] = {
        "domainsmith": lambda: diverse_order(vectors, scores, threshold=THRESHOLD)[0],
        "lean": lambda: lean(rows, order),
        "peer": lambda: peer(rows, order),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    kept: dict[str, list[int]] = {}
    for turn in range(ROUNDS):
        for name, way in ways.items():
            if turn and name == "peer":
                continue  # minutes long, and its spread does not matter at this ratio
            began = time.process_time()
            kept[name] = way()
            seconds[name].append(time.process_time() - began)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    equal = kept["peer"] == kept["lean"] == kept["domainsmith"]
    ratio = median["peer"] / median["domainsmith"]
    result = {
        "rows": list(vectors.shape),
        "rows_sha256": content_hash(vectors.tobytes())[:16],
        "kept": len(kept["peer"]),
        "kept_lists_equal": equal,
        "seconds": {name: round(value, 3) for name, value in median.items()},
        "ratio": round(ratio, 1),
        "ratio_to_lean": round(median["lean"] / median["domainsmith"], 1),
        **conditions("torch"),
    }
    print(json.dumps(result, indent=2))
    return 0 if equal and ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
