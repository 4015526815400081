"""Compose the selection stages in any order and say what each dropped, and why."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.errors import InputInvalid
from domainsmith.progress import ProgressEvent
from domainsmith.records import Language, Question, Record, Selection
from domainsmith.training.select.pool import Drop, Item, Pool, SelectionRun, StageReport
from domainsmith.training.select.resources import Resources
from domainsmith.training.select.stages.by_meaning import SEMANTIC_COSINE
from domainsmith.training.select.stages.by_text import NOVELTY_F1
from domainsmith.training.select.stages.registry import (
    ADMISSIBLE_STAGES,
    DEFAULT_STAGES,
    Stage,
    parse_stages,
)

__all__ = [
    "NOVELTY_F1",
    "SEMANTIC_COSINE",
    "admissible_records",
    "run_stages",
    "select_records",
    "selection_counts",
]


def run_stages(
    items: Sequence[Item],
    stages: Iterable[Stage | str | Mapping[str, Any]] = DEFAULT_STAGES,
    *,
    resources: Resources | None = None,
    count: int = 0,
    tokens: int = 0,
) -> SelectionRun:
    """Run a pipeline: each stage sees what the ones before it left.

    Args:
        items: Records, preferences or rankings, preferred ones first. The last two are selected by
            their prompt and best answer.
        stages: In the order of running: names (``"novelty"``), mappings with parameters
            (``{"stage": "near", "threshold": 0.7}``) or stages from ``parse_stages``.
        resources: Embeddings, test questions, the model that is trained, the cache.
        count: Records wanted in all; see ``parse_stages``. 0 keeps all that pass.
        tokens: Training tokens wanted in all; 0 for no bound.

    Returns:
        What was kept, what was dropped and why, and what each stage did.

    Raises:
        InputInvalid: A stage does not exist, its parameters do not fit, or it needs a resource
            that is absent; or the items are no list.
    """
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise InputInvalid(f"Selected are records in a list, not {type(items).__name__}")
    if stages is None:
        raise InputInvalid("Stages are names or mappings in a list, not None")
    plan = _plan(stages, count, tokens)
    pool = Pool(items, resources or Resources())
    reports = []
    for number, stage in enumerate(plan):
        pool.resources.progress(ProgressEvent(f"selecting ({stage.name})", number, len(plan)))
        reports.append(_run_stage(pool, stage))
    pool.resources.progress(ProgressEvent("selecting", len(plan), len(plan)))
    return SelectionRun(
        selection=Selection(
            kept=tuple(pool.ids[at] for at in pool.left),
            dropped=tuple(_line(pool.drops[at]) for at in sorted(pool.drops)),
        ),
        drops=tuple(pool.drops.values()),
        stages=tuple(reports),
        scores=pool.resources.scores,
        vectors=pool.known_vectors(),
    )


def _plan(
    stages: Iterable[Stage | str | Mapping[str, Any]], count: int, tokens: int
) -> tuple[Stage, ...]:
    entries = [
        stage.as_dict() if isinstance(stage, Stage) else stage
        for stage in ([stages] if isinstance(stages, str) else stages)
    ]
    return parse_stages(entries, count=count, tokens=tokens)


def _run_stage(pool: Pool, stage: Stage) -> StageReport:
    entered, hits = len(pool.left), pool.resources.cache.hits
    began = time.perf_counter()
    pool.begin(stage.name)
    if pool.left:
        stage.kind.run(pool, stage.options)
    pool.settle()
    return StageReport(
        stage=stage.name,
        options=stage.options.model_dump(mode="json"),
        entered=entered,
        left=len(pool.left),
        seconds=time.perf_counter() - began,
        cached=pool.resources.cache.hits - hits,
    )


def _line(drop: Drop) -> tuple[str, str, str]:
    return drop.id, drop.stage, drop.reason


def select_records(
    records: Sequence[Record],
    *,
    vectors: NDArray[np.float32] | None = None,
    questions: Sequence[Question] = (),
    question_vectors: NDArray[np.float32] | None = None,
    held_out_texts: Sequence[str] = (),
    target: int = 0,
    embedded_languages: Sequence[Language] = ("en",),
) -> Selection:
    """Choose training records with the default stages.

    A question may stand once from memory, once over its context and once over a context that
    does not answer it: these forms are compared within themselves only. Two questions that
    name different numbers or codes are never duplicates of each other. Records that a grader
    failed go first.

    Args:
        records: Candidates, preferred ones first.
        vectors: Shape (n, d), embeddings of the instructions, L2-normalised. Without them the
            semantic, cosine-leakage and k-center stages are left out, and a ``target`` keeps
            the first ones of each method.
        questions: Test questions that must not leak.
        question_vectors: Shape (q, d), their embeddings.
        held_out_texts: Passages that hold gold answers.
        target: Records to keep; 0 keeps all that pass. Each method and form (with or without
            context) keeps its share.
        embedded_languages: Languages that the embedder knows.

    Returns:
        The kept ids in the given order, and (id, stage, reason) for each dropped record.
    """
    resources = Resources(
        vectors=vectors,
        questions=questions,
        question_vectors=question_vectors,
        held_out_texts=held_out_texts,
        embedded_languages=embedded_languages,
    )
    return run_stages(records, DEFAULT_STAGES, resources=resources, count=target).selection


def admissible_records(
    records: Sequence[Record],
    *,
    vectors: NDArray[np.float32] | None = None,
    questions: Sequence[Question] = (),
    question_vectors: NDArray[np.float32] | None = None,
    held_out_texts: Sequence[str] = (),
    target: int = 0,
    embedded_languages: Sequence[Language] = ("en",),
) -> Selection:
    """Keep what a dataset may hold at all: the first three stages of :func:`select_records`.

    Generation writes everything that passes these; what is similar or too much is decided by a
    selection afterwards, which can be run again with another target.

    Args:
        records: Candidates.
        vectors: Shape (n, d), embeddings of the instructions, L2-normalised.
        questions: Test questions that must not leak.
        question_vectors: Shape (q, d), their embeddings.
        held_out_texts: Passages that hold gold answers.
        target: Not used: nothing is dropped for being too much.
        embedded_languages: Languages that the embedder knows.

    Returns:
        The kept ids in the given order, and (id, stage, reason) for each dropped record.
    """
    del target
    resources = Resources(
        vectors=vectors,
        questions=questions,
        question_vectors=question_vectors,
        held_out_texts=held_out_texts,
        embedded_languages=embedded_languages,
    )
    return run_stages(records, ADMISSIBLE_STAGES, resources=resources).selection


def selection_counts(selection: Selection) -> dict[str, int]:
    """Count a selection's drops.

    Args:
        selection: From :func:`select_records`.

    Returns:
        Stage and rule (``leakage ngram``) to number of records, sorted by name.
    """
    counts: Counter[str] = Counter()
    for _, stage, reason in selection.dropped:
        counts[f"{stage} {reason.split(':')[0]}" if stage == "leakage" else stage] += 1
    return dict(sorted(counts.items()))
