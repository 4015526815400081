"""Semantic duplicates among 100,000 real sentences, after encoding.

``--check N`` compares with the plain loop (each row with all rows kept before it) on the first N.
Times are seconds of processor time of one thread. The exit code is 1 if a decision differs or it
takes a minute.

Run: ``OMP_NUM_THREADS=1 python -m benchmarks.semantic [--rows 100000] [--check 10000]``
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_texts import conditions, embeddings
from domainsmith.records import content_hash
from domainsmith.training.select.semantic import semantic_duplicates

THRESHOLD = 0.95
TARGET_SECONDS = 60


def plain(vectors: NDArray[np.float32]) -> list[int | None]:
    """Return for each row the nearest kept row from the threshold on, by the plain loop."""
    rows = vectors.astype(np.float64)
    held = np.empty_like(rows)
    kept: list[int] = []
    found: list[int | None] = []
    for at, row in enumerate(rows):
        cosines = held[: len(kept)] @ row
        close = len(kept) > 0 and float(cosines.max()) >= THRESHOLD
        found.append(kept[int(np.argmax(cosines))] if close else None)
        if not close:
            held[len(kept)] = row
            kept.append(at)
    return found


def main() -> int:
    """Run it and print it as JSON."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--check", type=int, default=10_000)
    arguments = parser.parse_args()
    vectors = embeddings(arguments.rows)
    head = vectors[: arguments.check]
    found = semantic_duplicates(head, threshold=THRESHOLD)
    equal = [close and close.row for close in found] == plain(head)
    began, wall = time.process_time(), time.perf_counter()
    duplicates = semantic_duplicates(vectors, threshold=THRESHOLD)
    seconds, wall = time.process_time() - began, time.perf_counter() - wall
    result = {
        "rows": list(vectors.shape),
        "rows_sha256": content_hash(vectors.tobytes())[:16],
        "kept": sum(close is None for close in duplicates),
        "equal_to_plain_loop": {"rows": len(head), "equal": equal},
        "seconds": round(seconds, 1),
        "wall_seconds": round(wall, 1),
        **conditions(),
    }
    print(json.dumps(result, indent=2))
    return 0 if equal and seconds < TARGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
