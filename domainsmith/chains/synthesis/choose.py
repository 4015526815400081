"""What a dataset may hold: items of any kind through the callable that chooses records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from domainsmith.chains.synthesis.method import Item
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Passage, Preference, Question, Ranking, Record, Selection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Selector", "choose_items", "each_once"]


class Selector(Protocol):
    """Chooses records: ``training.select.pipeline.select_records``."""

    def __call__(
        self,
        records: Sequence[Record],
        *,
        vectors: NDArray[np.float32] | None,
        questions: Sequence[Question],
        question_vectors: NDArray[np.float32] | None,
        held_out_texts: Sequence[str],
        target: int,
    ) -> Selection:
        """Choose records."""
        ...


def choose_items(
    items: Sequence[Item],
    select: Selector,
    *,
    embedder: Embedder,
    exclude: Sequence[Question],
    held_out: Sequence[Passage],
    target: int,
) -> Selection:
    """Choose the items of a dataset.

    Records go to ``select`` as they are. Of preferences and rankings, several of which share a
    prompt, it sees each prompt once, to find leaks; failed grades are dropped here.

    Args:
        items: All of one kind.
        select: Chooses records.
        embedder: Of the instructions.
        exclude: Test questions that must not leak.
        held_out: Passages that hold their answers.
        target: Items wanted.

    Returns:
        Kept ids in order, and what was dropped.
    """
    records = [item for item in items if isinstance(item, Record)]
    if len(records) == len(items):
        return _selected(records, select, embedder, exclude, held_out, target)
    failed: dict[str, tuple[str, str, str]] = {}
    prompts: dict[tuple[str, str], Record] = {}
    for item in items:
        bad = next((grade for grade in item.grades if not grade.passed), None)
        if bad is not None:
            failed[item.id] = (item.id, f"grade {bad.grader}", bad.reason)
        else:
            prompts.setdefault((item.instruction, item.input), _as_record(item))
    shown = _selected(list(prompts.values()), select, embedder, exclude, held_out, 0)
    leaks = {lost: (stage, why) for lost, stage, why in shown.dropped if stage == "leakage"}
    dropped: list[tuple[str, str, str]] = []
    kept: list[str] = []
    for item in items:
        prompt = prompts.get((item.instruction, item.input))
        if item.id in failed:
            dropped.append(failed[item.id])
        elif prompt is not None and prompt.id in leaks:
            dropped.append((item.id, *leaks[prompt.id]))
        else:
            kept.append(item.id)
    return Selection(kept=tuple(kept), dropped=tuple(dropped))


def each_once(items: Sequence[Item], kept: Sequence[str]) -> list[Item]:
    """Return the items of some ids, each once, in their order.

    Args:
        items: All items.
        kept: Ids.
    """
    wanted = set(kept)
    chosen: dict[str, Item] = {}
    for item in items:
        if item.id in wanted:
            chosen.setdefault(item.id, item)
    return list(chosen.values())


def _selected(
    records: Sequence[Record],
    select: Selector,
    embedder: Embedder,
    exclude: Sequence[Question],
    held_out: Sequence[Passage],
    target: int,
) -> Selection:
    if not records:
        return Selection(kept=())
    return select(
        records,
        vectors=embedder.embed([record.asked for record in records]),
        questions=exclude,
        question_vectors=embedder.embed([item.question for item in exclude]) if exclude else None,
        held_out_texts=[item.text for item in held_out],
        target=target,
    )


def _as_record(item: Item) -> Record:
    """Write what a preference or ranking teaches as a record, for the search for leaks."""
    output = ""
    if isinstance(item, Preference):
        output = item.chosen
    elif isinstance(item, Ranking):
        output = item.answers[0]
    return Record(
        instruction=item.instruction,
        input=item.input,
        output=output,
        system=item.system,
        history=item.history,
        language=item.language,
        method=item.method,
        passage_ids=item.passage_ids,
        model=item.model,
    )
