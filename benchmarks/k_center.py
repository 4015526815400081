"""k-center-greedy against one call of ``pairwise_distances`` a pick.

The peer is the loop of google/active-learning (``sampling_methods/kcenter_greedy.py``), restated:
for each pick the distances of all rows to it by scikit-learn, the minimum with those before, and
the first row of the highest. It starts at row 0 here (there, at a random one). It is timed on the
embeddings as the model gives them (float32), which scikit-learn converts at each call, and on a
copy in double precision made beforehand, which is faster; the picks are compared with the latter,
where ties are ties of the data. Rows are embeddings of real sentences, each sentence once. Times
are seconds of processor time of one thread. The exit code is 1 if a pick differs or the ratio to
the peer on float32 is under 50.

A pick costs the peer the same each time, so ``--peer-picks N`` times it on the first N picks only
and extends its time (stated as such); the other picks are then compared with ``lean``, the same
loop with one plain product of the matrix and the pick.

Run: ``OMP_NUM_THREADS=1 python -m benchmarks.k_center [--rows 50000] [--picks 2500]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

from benchmarks.real_texts import conditions, embeddings
from domainsmith.records import content_hash
from domainsmith.training.select.k_center import k_center

TARGET = 50
ROUNDS = 3


def peer(rows: NDArray[Any], picks: int) -> list[int]:
    """Pick one at a time."""
    chosen = [0]
    nearest = pairwise_distances(rows, rows[chosen], metric="euclidean")
    while len(chosen) < picks:
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, pairwise_distances(rows, rows[chosen[-1:]]))
    return chosen


def lean(rows: NDArray[np.float64], picks: int) -> list[int]:
    """Pick one at a time, by one product each."""
    chosen = [0]
    nearest = rows @ rows[0]
    while len(chosen) < picks:
        nearest[chosen[-1]] = np.inf
        chosen.append(int(np.argmin(nearest)))
        np.maximum(nearest, rows @ rows[chosen[-1]], out=nearest)
    return chosen


def main() -> int:
    """Run both and print it as JSON."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--picks", type=int, default=2500)
    parser.add_argument("--peer-picks", type=int, default=0, help="time the peer on so many")
    arguments = parser.parse_args()
    vectors = embeddings(arguments.rows)
    seconds: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        picks = k_center(vectors, arguments.picks)
        seconds.append(time.process_time() - began)
    rows = vectors.astype(np.float64)
    timed = arguments.peer_picks or arguments.picks
    began = time.process_time()
    expected = peer(rows, timed)
    peer_seconds = (time.process_time() - began) * arguments.picks / timed
    began = time.process_time()
    by_float32 = peer(vectors, timed)
    float32_seconds = (time.process_time() - began) * arguments.picks / timed
    began = time.process_time()
    by_lean = lean(rows, arguments.picks)
    lean_seconds = time.process_time() - began
    ratio = float32_seconds / statistics.median(seconds)
    equal = picks[:timed] == expected and picks == by_lean
    result = {
        "rows": list(vectors.shape),
        "rows_sha256": content_hash(vectors.tobytes())[:16],
        "picks": len(picks),
        "picks_equal": {
            "peer": picks[:timed] == expected,
            "peer_float32": picks[:timed] == by_float32,
            "lean": picks == by_lean,
        },
        "peer_picks_timed": timed,
        "peer_seconds": round(float32_seconds, 2),
        "peer_seconds_in_double": round(peer_seconds, 2),
        "lean_seconds": round(lean_seconds, 2),
        "our_seconds": [round(value, 2) for value in seconds],
        "ratio": round(ratio, 1),
        "ratio_in_double": round(peer_seconds / statistics.median(seconds), 1),
        "ratio_to_lean": round(lean_seconds / statistics.median(seconds), 1),
        **conditions("scikit-learn"),
    }
    print(json.dumps(result, indent=2))
    return 0 if equal and ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
