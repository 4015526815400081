"""Validated question-answer pairs for a CPU-second: Self-QA against one prompt a pair.

The peer is the usual plain procedure, restated: the model is shown a passage and asked for one
question with its answer as JSON, after one worked example; what cannot be parsed or validated is
discarded. It is run with the same model in two ways: through the same engine, all prompts as one
batch (``plain engine``, the one that the ratio is taken against), and one prompt at a time through
``model.generate`` of transformers (``plain transformers``, on fewer passages).

Both sides pass the same validator (``pairs.py``), which shares no code with the product's own
check: the question ends as one, stands alone by the product's rule, is new and does not hold
its answer; every part of the answer stands word for word in the pair's passages. Refusals, closed
and grounded forms of one pair are not counted: a pair is a question with its answer.

Sets: the example domain's passages that hold answers of its test questions (``washer``,
``washer-zh``), and with ``../shared/data`` passages of en_covidqa and zh_cmrc2018, drawn by seed.

Usage: python -m benchmarks.self_qa [--passages 24] [--tries 2] [--sets washer ...] [--show 0]
Exit code 1 if a parse fails on our side, if less than 95 % of our pairs are grounded, or if the
ratio of all sets together is below 8.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import torch
import transformers

from benchmarks.self_qa.pairs import Pair, Side, grounded, valid_pairs
from benchmarks.self_qa.sets import DATA, passages_of
from benchmarks.self_qa.ways import ours, plain, through_engine, through_transformers
from domainsmith.model_io.load import load_engine
from domainsmith.records import content_hash

TARGET = 8.0
GROUNDED = 0.95


def report(name: str, label: str, side: Side) -> float:
    """Print one line and return the validated pairs for a CPU-second."""
    valid = valid_pairs(side.pairs)
    share = sum(map(grounded, side.pairs)) / max(1, len(side.pairs))
    rate = len(valid) / max(1e-9, side.cpu)
    print(
        f"{name:12} {label:18} asked {side.asked:4}  unparsed {side.unparsed:3}  "
        f"grounded {share:6.1%}  valid {len(valid):4}  CPU {side.cpu:7.1f} s  {rate:7.3f} pairs/s",
        flush=True,
    )
    return rate


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=24)
    parser.add_argument("--tries", type=int, default=2, help="prompts of the peer for a passage")
    parser.add_argument("--slow", type=int, default=4, help="passages for plain transformers")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", type=int, default=0, help="pairs of each level to print")
    parser.add_argument(
        "--sets", nargs="+", default=["washer", "washer-zh", "en_covidqa", "zh_cmrc2018"]
    )
    asked = parser.parse_args()
    sets = [name for name in asked.sets if name.startswith("washer") or (DATA / name).is_dir()]
    for name in sorted(set(asked.sets) - set(sets)):
        print(f"SKIPPED {name}: not in {DATA}")
    engine = load_engine("default")
    transformers.logging.set_verbosity_error()
    print(
        f"{engine.model_name}; torch {torch.__version__}, transformers {transformers.__version__}, "
        f"{torch.get_num_threads()} thread(s), load {os.getloadavg()[0]:.1f}, "
        f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC"
    )
    total: dict[str, Side] = {"self-qa": Side(), "plain engine": Side(), "self-qa model": Side()}
    levels: Counter[str] = Counter()
    for name in sets:
        passages, every = passages_of(name, asked.passages, asked.seed)
        print(f"{name}: {len(passages)} passages, {content_hash([p.text for p in passages])[:12]}")
        batched, slow = through_engine(engine, asked.seed), through_transformers(engine, asked.seed)
        ways: dict[str, Callable[[], Side]] = {
            "self-qa": partial(ours, passages, every, engine),
            "plain engine": partial(plain, passages, engine, batched, asked.tries),
            "plain transformers": partial(plain, passages[: asked.slow], engine, slow, asked.tries),
        }
        for label, run in ways.items():
            side = run()
            valid = valid_pairs(side.pairs) if label == "self-qa" else []
            report(name, label, side)
            if label in total:
                total[label].pairs += side.pairs
                total[label].asked += side.asked
                total[label].unparsed += side.unparsed
                total[label].cpu += side.cpu
            levels.update(pair.level for pair in valid)
            total["self-qa model"].pairs += [pair for pair in valid if pair.model != "code"]
            show(valid, asked.show)
    return verdict(total, levels)


def show(pairs: Sequence[Pair], many: int) -> None:
    """Print some pairs of each level."""
    seen: Counter[str] = Counter()
    for pair in pairs:
        seen[pair.level] += 1
        if seen[pair.level] <= many:
            print(f"    {pair.level}: {pair.question} -> {pair.answer}")


def verdict(total: dict[str, Side], levels: Counter[str]) -> int:
    """Print the sums and decide."""
    mine, peer = total["self-qa"], total["plain engine"]
    rates = [report("all", label, side) for label, side in list(total.items())[:2]]
    written = len(total["self-qa model"].pairs)
    print(
        f"valid by level: {dict(sorted(levels.items()))}; question written by the model: {written}"
    )
    share = sum(map(grounded, mine.pairs)) / max(1, len(mine.pairs))
    # A peer without a single valid pair is credited with one.
    least = max(rates[1], 1 / max(1e-9, peer.cpu))
    ratio = rates[0] / least
    good = ratio >= TARGET and share >= GROUNDED and mine.unparsed == 0
    print(
        f"ratio {ratio:.1f} (target {TARGET:g}); parse failures {mine.unparsed} against "
        f"{peer.unparsed} of {peer.asked}; grounded {share:.1%} (target {GROUNDED:.0%}): "
        f"{'OK' if good else 'MISSED'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
