"""The held-out comparison of systems on a person's own test questions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domainsmith.errors import InputEmpty, InternalError
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import EvalReport, Question, Record, content_hash
from domainsmith.storage import lineage, passages
from domainsmith.storage.atomic import append_line, read_lines, write_json
from domainsmith.storage.locks import hold
from domainsmith.training.comparison import Answered, EvalAnswer, compared, questions_sha256
from domainsmith.training.leakage_check import Embed, check_leakage
from domainsmith.workspace import Workspace

__all__ = ["ANSWER_CHAIN", "System", "evaluate", "finished_report", "register_report", "report_key"]

ANSWER_CHAIN = "answer chain"
"""System with gate and quoting around the tuned model: shown, never part of the verdict."""


System = Callable[[Sequence[Question]], Sequence[EvalAnswer]]
"""Answers questions in their order; called with a block of them."""


def report_key(
    questions: Sequence[Question],
    system_names: Sequence[str],
    *,
    adapter_id: str | None,
    dataset_id: str | None,
    config: Mapping[str, Any],
) -> str:
    """Name a report by what goes into it.

    Args:
        questions: Test questions.
        system_names: Systems that are compared.
        adapter_id: The tuned model.
        dataset_id: What it was trained on.
        config: Plain data that decides the systems' answers (base model, top_k, prompts).

    Returns:
        ``report_`` and 16 hexadecimal digits.
    """
    sources = [
        questions_sha256(questions),
        sorted(system_names),
        adapter_id,
        dataset_id,
        dict(config),
    ]
    return f"report_{content_hash(sources)[:16]}"


def finished_report(workspace: Workspace, key: str) -> EvalReport | None:
    """Return a finished report, or None.

    Args:
        workspace: Where to look.
        key: From :func:`report_key`.
    """
    try:
        text = (workspace.reports_dir / key / "report.json").read_text(encoding="utf-8")
        return EvalReport.model_validate_json(text)
    except (OSError, ValidationError):
        return None


def evaluate(
    workspace: Workspace,
    questions: Sequence[Question],
    systems: Mapping[str, System],
    *,
    adapter_id: str | None = None,
    dataset_id: str | None = None,
    records: Sequence[Record] = (),
    config: Mapping[str, Any] | None = None,
    embed: Embed | None = None,
    block: int = 32,
    seed: int = 17,
    progress: ProgressCallback = silent,
) -> EvalReport:
    """Let systems answer the test questions and compare them.

    Answers are stored block by block, so a killed evaluation goes on where it was, and a finished
    one is returned at once.

    Args:
        workspace: Where the report goes.
        questions: Test questions.
        systems: By name: ``base``, ``base+retrieval``, ``tuned``, ``tuned+retrieval``.
        adapter_id: The tuned model.
        dataset_id: What it was trained on.
        records: That dataset's records, checked for leaks.
        config: Plain data that decides the systems' answers; part of the report's identity.
        embed: For the leakage check by meaning.
        block: Questions handed to a system at once.
        seed: Of the bootstrap.
        progress: Told after each block.

    Returns:
        The report, also stored as ``reports/<key>/report.json``.

    Raises:
        InputEmpty: No questions or no systems.
        InputInvalid: The training data holds something of the test set.
    """
    if not questions or not systems:
        raise InputEmpty("An evaluation needs questions and systems")
    key = report_key(
        questions, list(systems), adapter_id=adapter_id, dataset_id=dataset_id, config=config or {}
    )
    if (done := finished_report(workspace, key)) is not None:
        register_report(workspace, done, questions)
        return done
    leakage = check_leakage(
        records, questions, passages=passages.passages(workspace.db, copies=True), embed=embed
    )
    leakage.require_none()
    folder = workspace.reports_dir / key
    with hold(folder / "lock", purpose="evaluating"):
        answers = {
            name: _answers(folder / "answers.jsonl", name, system, questions, block, progress)
            for name, system in sorted(systems.items(), key=lambda item: _rank(item[0]))
        }
        report = compared(
            key, questions, answers, adapter_id, dataset_id, leakage.counts, seed=seed
        )
        write_json(folder / "report.json", report.model_dump(mode="json"))
    register_report(workspace, report, questions)
    return report


def _answers(
    log: Path,
    name: str,
    system: System,
    questions: Sequence[Question],
    block: int,
    progress: ProgressCallback,
) -> Answered:
    """Ask one system, skipping the blocks that are in the log."""
    known = {
        (line["system"], line["start"]): line
        for line in map(json.loads, read_lines(log))
        if line["block"] == block
    }
    answers: list[EvalAnswer] = []
    seconds = 0.0
    for start in range(0, len(questions), block):
        part = questions[start : start + block]
        line = known.get((name, start))
        if line is None:
            began = time.perf_counter()
            given = list(system(part))
            if len(given) != len(part):
                raise InternalError(f"{name} gave {len(given)} answers to {len(part)} questions")
            line = {
                "system": name,
                "start": start,
                "block": block,
                "seconds": round(time.perf_counter() - began, 3),
                "answers": [[answer.text, answer.refused] for answer in given],
            }
            append_line(log, json.dumps(line, ensure_ascii=False, sort_keys=True))
        answers += [EvalAnswer(text, refused) for text, refused in line["answers"]]
        seconds += line["seconds"]
        progress(ProgressEvent(f"evaluating {name}", len(answers), len(questions)))
    return Answered(tuple(answers), seconds)


def _rank(system: str) -> tuple[bool, str]:
    """Sort the answer chain behind the models' own words."""
    return (system == ANSWER_CHAIN, system)


def register_report(
    workspace: Workspace, report: EvalReport, questions: Sequence[Question]
) -> None:
    """Enter a report into the lineage, below its adapter and questions; repeating changes nothing.

    Args:
        workspace: Where the report lies.
        report: A finished report.
        questions: The test questions that it is about.
    """
    test_set = lineage.put_artifact(
        workspace.db,
        kind="questions",
        id=f"questions_{report.questions_sha256[:16]}",
        payload={"sha256": report.questions_sha256, "count": len(questions)},
        parents=[],
    )
    lineage.put_artifact(
        workspace.db,
        kind="report",
        id=report.key,
        payload=report.model_dump(mode="json", exclude={"answers"}),
        parents=[test_set, *([report.adapter_id] if report.adapter_id else [])],
        path=workspace.reports_dir / report.key,
    )
