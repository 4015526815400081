"""Stages that read the records only: grades, copies, novelty, leaks."""

from __future__ import annotations

from pydantic import Field

from domainsmith.data_connection.overlap import squeeze
from domainsmith.training.select.leakage import leakage_reasons
from domainsmith.training.select.near import near_copies
from domainsmith.training.select.novelty import novelty_filter
from domainsmith.training.select.pool import Pool
from domainsmith.training.select.stages.options import NoOptions, StageOptions

__all__ = [
    "NOVELTY_F1",
    "NearOptions",
    "NoveltyOptions",
    "drop_exact",
    "drop_failed",
    "drop_leaks",
    "drop_near",
    "drop_unoriginal",
]

NOVELTY_F1 = 0.7


class NearOptions(StageOptions):
    """Parameters of ``near``."""

    threshold: float = Field(default=0.8, gt=0.0, le=1.0)
    """Jaccard similarity of two sets of word runs from which they are near copies."""
    size: int = Field(default=3, ge=1, le=20)
    """Words (Chinese: characters) in a run."""


class NoveltyOptions(StageOptions):
    """Parameters of ``novelty``."""

    threshold: float = Field(default=NOVELTY_F1, ge=0.0, lt=1.0)
    """ROUGE-L F1 above which a record is not novel."""


def drop_failed(pool: Pool, options: NoOptions) -> None:
    """Drop records that a grader failed.

    Args:
        pool: The records.
        options: None.
    """
    for at in pool.left:
        failed = next((grade for grade in pool.records[at].grades if not grade.passed), None)
        if failed is not None:
            pool.drop(at, failed.reason, stage=f"grade {failed.grader}")


def drop_exact(pool: Pool, options: NoOptions) -> None:
    """Drop questions that were asked before in the same form; letters and digits count.

    Args:
        pool: The records.
        options: None.
    """
    seen: dict[tuple[object, ...], int] = {}
    for at in pool.left:
        record = pool.records[at]
        # An answer in a conversation is another one than the answer to the question alone.
        turns = tuple((squeeze(user), squeeze(reply)) for user, reply in record.history)
        first = seen.setdefault((squeeze(record.asked), pool.form(at), turns), at)
        if first != at:
            pool.drop(at, f"same question as {pool.ids[first]}", winner=first)


def drop_near(pool: Pool, options: NearOptions) -> None:
    """Drop near copies (MinHash, decided by exact Jaccard similarity).

    Args:
        pool: The records.
        options: Threshold and length of the runs.
    """
    rows = pool.left
    found = near_copies(
        [pool.text(at) for at in rows],
        threshold=options.threshold,
        size=options.size,
        groups=[pool.label(at) for at in rows],
    )
    for at, copy in zip(rows, found, strict=True):
        if copy is not None:
            winner = rows[copy.row]
            reason = f"Jaccard {copy.jaccard:.2f} with {pool.ids[winner]}"
            pool.drop(at, reason, winner=winner)


def drop_unoriginal(pool: Pool, options: NoveltyOptions) -> None:
    """Drop records whose words were there before (ROUGE-L).

    Args:
        pool: The records.
        options: Threshold.
    """
    rows = pool.left
    verdicts = novelty_filter(
        [pool.text(at) for at in rows],
        threshold=options.threshold,
        groups=[pool.label(at) for at in rows],
    )
    for at, verdict in zip(rows, verdicts, strict=True):
        if verdict.nearest is not None:
            winner = rows[verdict.nearest]
            pool.drop(at, f"F1 {verdict.f1:.2f} with {pool.ids[winner]}", winner=winner)


def drop_leaks(pool: Pool, options: NoOptions) -> None:
    """Drop what holds something of the test questions: by passage, words and meaning.

    Args:
        pool: The records; questions and held-out texts are in its resources.
        options: None.
    """
    given = pool.resources
    rows = pool.left
    vectors = question_vectors = None
    if given.questions and pool.has_vectors:
        vectors = pool.vectors_of(rows)
        question_vectors = given.question_vectors
        if question_vectors is None:
            question_vectors = given.embedded([item.question for item in given.questions])
    reasons = leakage_reasons(
        [pool.records[at] for at in rows],
        questions=given.questions,
        held_out_texts=given.held_out_texts,
        vectors=vectors,
        question_vectors=question_vectors,
        embedded_languages=given.embedded_languages,
    )
    for at, reason in zip(rows, reasons, strict=True):
        held = given.held_out_passages.intersection(pool.records[at].passage_ids)
        if held:
            pool.drop(at, f"passage: {min(held)}")
        elif reason is not None:
            pool.drop(at, reason)
