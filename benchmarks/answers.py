"""``python -m benchmarks.answers``: whole answers to questions on documents that were never seen.

``answer_sets`` holds small collections of invented offices and makers, each with 60 questions: 45
that its documents answer, 15 that they do not though they come near. Documents and questions were
written by somebody who knew neither the program nor its rules. A question is

- ``right`` if the answer holds every string that its key asks for (without regard to case and
  white space), or if it has no answer and is refused;
- ``shown`` if it is refused, and one of the nearest statements that are shown with a refusal holds
  the answer: a person finds it, a script does not;
- ``refused`` if it is refused without that;
- ``wrong`` if another thing is answered: the worst of these.

The sets of ``DEVELOPED`` were read while the program was made better, the others were not: only
their figures say what new documents can expect. ``--misses`` prints what is not right of the sets
of ``DEVELOPED`` only. Exits with 1 if a set cannot be read.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.retrieval.bootstrap import interval
from domainsmith.apps.expert import Expert

SETS = Path(__file__).parent / "answer_sets"
DEVELOPED = ("en-clinic", "en-tenancy", "zh-hr", "zh-motor")
Outcome = Literal["right", "shown", "refused", "wrong"]


class Asked(BaseModel):
    """A question and its key.

    Attributes:
        question: As people type.
        must: For each inner list at least one of its strings must stand in the answer; empty if
            the documents do not answer.
        source: The words of the documents that answer it.
        kind: What makes it hard.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    question: str
    must: tuple[tuple[str, ...], ...]
    source: str
    kind: str


@dataclass(frozen=True)
class Answered:
    """What became of a question."""

    asked: Asked
    text: str
    refused: bool
    closest: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """Right, shown, refused or wrong."""
        if not self.asked.must:
            return "right" if self.refused else "wrong"
        if not self.refused:
            return "right" if self._holds(self.text) else "wrong"
        return "shown" if any(self._holds(text) for text in self.closest) else "refused"

    def _holds(self, text: str) -> bool:
        said = _bare(text)
        return all(any(_bare(key) in said for key in keys) for keys in self.asked.must)


def _bare(text: str) -> str:
    return "".join(text.lower().split())


def read_set(name: str) -> list[Asked]:
    """Read the questions of a set.

    Args:
        name: Its folder under ``answer_sets``.
    """
    lines = (SETS / name / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [Asked.model_validate_json(line) for line in lines if line.strip()]


def answer_set(name: str, asked: list[Asked], embedder: str | None) -> list[Answered]:
    """Add a set's documents to a new workspace and ask its questions, as ``ask`` does.

    Args:
        name: Of the set.
        asked: Its questions.
        embedder: Setting ``embed_model``; the default's if None.
    """
    settings = {"embed_model": embedder} if embedder else {}
    with tempfile.TemporaryDirectory() as folder, Expert.open(folder, **settings) as expert:
        expert.add(SETS / name / "docs")
        answers = expert.answers().batch([item.question for item in asked])
    return [
        Answered(item, answer.text, answer.refused, tuple(c.text for c in answer.closest))
        for item, answer in zip(asked, answers, strict=True)
    ]


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="*", default=sorted(p.name for p in SETS.iterdir()))
    parser.add_argument("--embedder", help="setting embed_model, for example multilingual")
    parser.add_argument("--misses", action="store_true", help="print what is not right")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    results: dict[str, list[Answered]] = {}
    for name in args.sets:
        try:
            results[name] = answer_set(name, read_set(name), args.embedder)
        except (OSError, ValidationError) as error:
            print(f"{name} cannot be read: {error}", file=sys.stderr)
            return 1
        if not args.json:
            _print_row(name + (" *" if name in DEVELOPED else ""), results[name])
            if args.misses and name in DEVELOPED:
                _print_misses(results[name])
    held_out = [row for name, rows in results.items() if name not in DEVELOPED for row in rows]
    if args.json:
        print(json.dumps({name: _figures(rows) for name, rows in results.items()}, indent=1))
    elif held_out:
        _print_row("held out", held_out)
        print("* read while the program was made better")
    return 0


def _figures(rows: list[Answered]) -> dict[str, float]:
    answerable = [row.outcome for row in rows if row.asked.must]
    count = Counter(answerable)
    others = [row.outcome for row in rows if not row.asked.must]
    told = [len(row.text) for row in rows if not row.refused]
    mean, low, high = interval([float(row.outcome == "right") for row in rows])
    return {
        **{"questions": len(rows), "right": mean, "low": low, "high": high},
        **{f"answerable_{key}": count[key] / len(answerable) for key in get_args(Outcome)},
        "unanswerable_refused": others.count("right") / len(others) if others else 1.0,
        "median_characters": float(statistics.median(told)) if told else 0.0,
    }


def _print_row(name: str, rows: list[Answered]) -> None:
    got = _figures(rows)
    told = {key: got[f"answerable_{key}"] for key in get_args(Outcome)}
    print(
        f"{name:15} right {got['right']:.3f} [{got['low']:.3f}, {got['high']:.3f}] of "
        f"{len(rows)}; with an answer: {' '.join(f'{key} {of:.3f}' for key, of in told.items())}; "
        f"without: refused {got['unanswerable_refused']:.3f}; "
        f"{got['median_characters']:.0f} characters",
        flush=True,
    )


def _print_misses(rows: list[Answered]) -> None:
    for row in rows:
        if row.outcome != "right":
            print(f"  {row.outcome:8} {row.asked.kind:12} {row.asked.question}")
            print(f"           wanted: {row.asked.source[:110]!r}")
            print(f"           said:   {row.text[:160]!r}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
