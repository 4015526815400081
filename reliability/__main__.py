"""Run the fault harness: ``python -m reliability chaos --kills 50 --stage add --seed 1``."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from reliability.bit_flips import flip_bits
from reliability.forked import adopt_orphans, run_forked
from reliability.place import Place
from reliability.stages import STAGES, Stage
from reliability.sweeps import Sweep, chaos, crash_points, finish
from reliability.verify import differences, left_overs, verify

_FLIPS_IN_CI = 10
_ROUNDS_BEFORE_FLIPS = 5


def main(argv: list[str] | None = None) -> int:
    """Run one command of the harness.

    Args:
        argv: Arguments; those of the process if None.

    Returns:
        0 if nothing was lost, 1 otherwise.
    """
    arguments = _parser().parse_args(argv)
    adopt_orphans()
    for stage in STAGES.values():
        stage.warm()
    root = Path(arguments.out or tempfile.mkdtemp(prefix="reliability-"))
    root.mkdir(parents=True, exist_ok=True)
    place = Place(root / "faulted")
    place.root.mkdir(exist_ok=True)
    started = time.monotonic()
    sweeps = _run(arguments, place)
    passed = _judge(sweeps, place, Place(root / "reference"), time.monotonic() - started)
    if passed and not arguments.out:
        shutil.rmtree(root)
    elif not passed:
        print(f"kept for inspection: {root}", file=sys.stderr)
    return 0 if passed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reliability", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    random_kills = commands.add_parser("chaos", help="SIGKILL at random moments")
    random_kills.add_argument("--kills", type=int, default=50)
    points = commands.add_parser(
        "crash-points", help="SIGKILL at the k-th operation, k = 1, 2, ..."
    )
    points.add_argument("--kills", type=int, help="stop after so many (default: all points)")
    points.add_argument("--every", type=int, default=1, help="take each n-th point")
    for command in (random_kills, points):
        command.add_argument("--stage", choices=sorted(STAGES), default="add")
    bits = commands.add_parser("bit-flips", help="one bit flipped in each file of the index")
    bits.add_argument("--flips", type=int, default=100)
    ci = commands.add_parser("ci", help="a sample of everything on one growing store")
    for command in (random_kills, points, bits, ci):
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--out", help="folder to keep (default: a temporary one)")
    return parser


def _run(arguments: argparse.Namespace, place: Place) -> list[Sweep]:
    if arguments.command == "ci":
        return _ci(place, arguments.seed)
    if arguments.command == "bit-flips":
        return _bit_flips(place, arguments.flips, arguments.seed)
    stage = STAGES[arguments.stage]
    if arguments.command == "chaos":
        sweep = chaos(stage, place, kills=arguments.kills, seed=arguments.seed)
    else:
        sweep = crash_points(stage, place, kills=arguments.kills, every=arguments.every)
    finish(stage, place, sweep)
    return [sweep]


def _ci(place: Place, seed: int) -> list[Sweep]:
    """At least 100 kills over all stages, accumulated on one store."""
    plan = {
        "add": (40, 3, 12),
        "generate": (30, 1, 10),
        "index": (8, 7, 8),
        "chroma": (2, 17, 2),
        "writers": (2, 23, 3),
        "loop": (12, 31, 4),
    }
    sweeps = []
    for name, (points, every, kills) in plan.items():
        stage = STAGES[name]
        first = crash_points(stage, place, kills=points, every=every)
        second = chaos(stage, place, kills=kills, seed=seed, first_round=first.rounds)
        finish(stage, place, second)
        sweeps += [first, second]
    print(flip_bits(place, flips=_FLIPS_IN_CI, seed=seed))
    return sweeps


def _bit_flips(place: Place, flips: int, seed: int) -> list[Sweep]:
    stage = STAGES["index"]
    sweep = Sweep(stage.name, 0)
    for number in range(_ROUNDS_BEFORE_FLIPS):
        stage.prepare(place, number)
    sweep.rounds = _ROUNDS_BEFORE_FLIPS
    finish(stage, place, sweep)
    print(flip_bits(place, flips=flips, seed=seed))
    return [sweep]


def _judge(sweeps: list[Sweep], place: Place, reference: Place, seconds: float) -> bool:
    rounds = {sweep.stage: sweep.rounds for sweep in sweeps}
    reference.root.mkdir(exist_ok=True)
    for name, count in rounds.items():
        _run_reference(STAGES[name], reference, count)
    verdict = verify(
        place.store, place.ledger, reference.store, orphans=sum(s.orphans for s in sweeps)
    )
    for sweep in sweeps:
        print(sweep)
    kills = sum(sweep.kills for sweep in sweeps)
    print(f"kills={kills} repeated={verdict.repeated} seconds={seconds:.0f}")
    if not verdict.identical:
        print("differs:", *differences(place.store, reference.store))
    for name in left_overs(place.store):
        print("left over:", name)
    print(verdict)
    return verdict.passed


def _run_reference(stage: Stage, reference: Place, rounds: int) -> None:
    """Run all rounds' inputs at once, undisturbed."""

    def work() -> None:
        for number in range(rounds):
            stage.prepare(reference, number)
        stage.attempt(reference)

    outcome = run_forked(work)
    if outcome.error:
        raise RuntimeError(f"The reference run of {stage.name} failed:\n{outcome.error}")


if __name__ == "__main__":
    sys.exit(main())
