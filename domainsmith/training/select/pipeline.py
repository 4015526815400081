"""Compose the selection stages and say what each dropped, and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domainsmith.data_connection.overlap import squeeze
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import Language, Question, Record, Selection
from domainsmith.training.select.k_center import k_center
from domainsmith.training.select.leakage import leakage_reasons, numbers_named
from domainsmith.training.select.novelty import novelty_filter
from domainsmith.training.select.semantic import semantic_duplicates

__all__ = [
    "NOVELTY_F1",
    "SEMANTIC_COSINE",
    "admissible_records",
    "select_records",
    "selection_counts",
]

NOVELTY_F1 = 0.7
SEMANTIC_COSINE = 0.97


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
    """Choose training records: grades, exact, leakage, novelty, semantic, k-center, in order.

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
        embedded_languages: Languages that the embedder knows: the default one maps unknown
            Chinese words to one vector, so its cosines would call different questions equal.

    Returns:
        The kept ids in the given order, and (id, stage, reason) for each dropped record.
    """
    dropped = _inadmissible(
        records, vectors, questions, question_vectors, held_out_texts, embedded_languages
    )
    _drop_unoriginal(records, dropped)
    if vectors is not None:
        _drop_semantic(records, vectors, embedded_languages, dropped)
    _keep_target(records, vectors, target, dropped)
    return _selection(records, dropped)


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
    dropped = _inadmissible(
        records, vectors, questions, question_vectors, held_out_texts, embedded_languages
    )
    return _selection(records, dropped)


def _selection(records: Sequence[Record], dropped: dict[int, tuple[str, str]]) -> Selection:
    return Selection(
        kept=tuple(record.id for at, record in enumerate(records) if at not in dropped),
        dropped=tuple((records[at].id, *dropped[at]) for at in sorted(dropped)),
    )


def _inadmissible(
    records: Sequence[Record],
    vectors: NDArray[np.float32] | None,
    questions: Sequence[Question],
    question_vectors: NDArray[np.float32] | None,
    held_out_texts: Sequence[str],
    embedded_languages: Sequence[Language],
) -> dict[int, tuple[str, str]]:
    """Find failed grades, exact copies and leaks of the test: index -> (stage, reason)."""
    dropped: dict[int, tuple[str, str]] = {}
    for index, record in enumerate(records):
        failed = next((grade for grade in record.grades if not grade.passed), None)
        if failed is not None:
            dropped[index] = (f"grade {failed.grader}", failed.reason)
    _drop_exact(records, dropped)
    reasons = leakage_reasons(
        records,
        questions=questions,
        held_out_texts=held_out_texts,
        vectors=vectors,
        question_vectors=question_vectors,
        embedded_languages=embedded_languages,
    )
    for index, reason in enumerate(reasons):
        if reason is not None and index not in dropped:
            dropped[index] = ("leakage", reason)
    return dropped


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


def _form(record: Record) -> str:
    if not record.input:
        return "closed book"
    # The same question is answered over one context and refused over another: both teach.
    refused = is_refusal(record.output, record.language)
    return "refused over context" if refused else "over context"


def _drop_exact(records: Sequence[Record], dropped: dict[int, tuple[str, str]]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for index, record in enumerate(records):
        if index in dropped:
            continue
        key = (squeeze(record.instruction), _form(record))
        if key in seen:
            dropped[index] = ("exact", f"same question as {seen[key]}")
        else:
            seen[key] = record.id


def _forms(records: Sequence[Record], dropped: dict[int, tuple[str, str]]) -> list[list[int]]:
    forms: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        if index not in dropped:
            forms[_form(record)].append(index)
    return [forms[key] for key in sorted(forms)]


def _label(record: Record) -> tuple[object, ...]:
    """What two questions must have in common to be duplicates at all."""
    return (record.language, *numbers_named(record.instruction))


def _drop_unoriginal(records: Sequence[Record], dropped: dict[int, tuple[str, str]]) -> None:
    for form in _forms(records, dropped):
        # Questions from one table differ in a word or two, so the answer is compared too.
        # Refusals share theirs, which says nothing.
        texts = [
            records[at].instruction
            if is_refusal(records[at].output, records[at].language)
            else f"{records[at].instruction}\n{records[at].output}"
            for at in form
        ]
        groups = [_label(records[at]) for at in form]
        verdicts = novelty_filter(texts, threshold=NOVELTY_F1, groups=groups)
        for at, verdict in zip(form, verdicts, strict=True):
            if verdict.nearest is not None:
                other = records[form[verdict.nearest]]
                dropped[at] = ("novelty", f"F1 {verdict.f1:.2f} with {other.id}")


def _drop_semantic(
    records: Sequence[Record],
    vectors: NDArray[np.float32],
    languages: Sequence[Language],
    dropped: dict[int, tuple[str, str]],
) -> None:
    for every in _forms(records, dropped):
        form = [at for at in every if records[at].language in languages]
        found = semantic_duplicates(
            vectors[np.asarray(form, dtype=np.intp)],
            threshold=SEMANTIC_COSINE,
            groups=[_label(records[at]) for at in form],
        )
        for at, other in zip(form, found, strict=True):
            if other is not None:
                dropped[at] = ("semantic", f"means the same as {records[form[other.row]].id}")


def _keep_target(
    records: Sequence[Record],
    vectors: NDArray[np.float32] | None,
    target: int,
    dropped: dict[int, tuple[str, str]],
) -> None:
    left = [at for at in range(len(records)) if at not in dropped]
    if target <= 0 or len(left) <= target:
        return
    groups: dict[str, list[int]] = defaultdict(list)
    for at in left:
        groups[f"{records[at].method}, {_form(records[at])}"].append(at)
    for method, quota in _quotas({name: len(groups[name]) for name in groups}, target).items():
        group = groups[method]
        if vectors is None:
            keep = set(group[:quota])
        else:
            picks = k_center(vectors[np.asarray(group, dtype=np.intp)], quota)
            keep = {group[pick] for pick in picks}
        for at in group:
            if at not in keep:
                dropped[at] = ("k_center", f"over the share of {quota} for {method}")


def _quotas(sizes: dict[str, int], target: int) -> dict[str, int]:
    """Share ``target`` in proportion, remainders to the largest fractions, then by name."""
    total = sum(sizes.values())
    exact = {name: target * size / total for name, size in sizes.items()}
    quotas = {name: int(share) for name, share in exact.items()}
    by_fraction = sorted(sizes, key=lambda name: (quotas[name] - exact[name], name))
    for name in by_fraction[: target - sum(quotas.values())]:
        quotas[name] += 1
    return quotas
