"""What a dataset holds in numbers, and how two datasets differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from domainsmith.model_io.messages import record_messages
from domainsmith.records import Preference, Record
from domainsmith.training.dataset_items import Item

__all__ = ["DatasetDiff", "DatasetStats", "GradeStats", "Spread", "dataset_diff", "dataset_stats"]


@dataclass(frozen=True)
class Spread:
    """How some numbers are spread.

    Args:
        least: The smallest.
        median: The middle one, the lower of two.
        p90: The smallest that nine tenths do not exceed.
        most: The largest.
        total: Their sum.
    """

    least: int
    median: int
    p90: int
    most: int
    total: int


@dataclass(frozen=True)
class GradeStats:
    """What one grader said.

    Args:
        passed: Items that passed.
        failed: Items that failed.
        mean: Mean score, 0 to 1.
    """

    passed: int
    failed: int
    mean: float


@dataclass(frozen=True)
class DatasetStats:
    """A dataset in numbers.

    Args:
        items: Records, preferences or rankings.
        methods: Items by method, most first.
        languages: Items by language.
        models: Items by generating model.
        with_input: Items that stand over a context.
        with_history: Items with earlier turns.
        with_system: Items with a system text of their own.
        passages: Different passages behind them.
        questions: Lengths of instructions, characters.
        answers: Lengths of answers (the chosen or best one), characters.
        tokens: Lengths as trained on, tokens; None if nothing counts them.
        exact_duplicates: Items beyond the first that say word for word the same.
        same_question: Items beyond the first that ask the same over the same context.
        grades: By grader.
    """

    items: int
    methods: dict[str, int]
    languages: dict[str, int]
    models: dict[str, int]
    with_input: int
    with_history: int
    with_system: int
    passages: int
    questions: Spread
    answers: Spread
    tokens: Spread | None
    exact_duplicates: int
    same_question: int
    grades: dict[str, GradeStats]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class DatasetDiff:
    """How one dataset differs from another.

    Args:
        both: Items in both.
        removed: Only in the first.
        added: Only in the second.
        changed: Pairs (first, second) that ask the same over the same context and answer
            differently; they are in neither of the lists above.
    """

    both: int
    removed: tuple[Item, ...]
    added: tuple[Item, ...]
    changed: tuple[tuple[Item, Item], ...]


def dataset_stats(
    items: Sequence[Item], *, count_tokens: Callable[[str], int] | None = None
) -> DatasetStats:
    """Count what a dataset holds.

    Args:
        items: At least one.
        count_tokens: Of the model to be trained.

    Returns:
        The numbers.
    """
    grades: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for item in items:
        for grade in item.grades:
            grades[grade.grader].append((grade.score, grade.passed))
    contents = [_content(item) for item in items]
    questions = [_question(item) for item in items]
    return DatasetStats(
        items=len(items),
        methods=_most_first(item.method for item in items),
        languages=_most_first(item.language for item in items),
        models=_most_first(item.model for item in items),
        with_input=sum(1 for item in items if item.input),
        with_history=sum(1 for item in items if item.history),
        with_system=sum(1 for item in items if item.system),
        passages=len({passage for item in items for passage in item.passage_ids}),
        questions=_spread([len(item.instruction) for item in items]),
        answers=_spread([len(_answer(item)) for item in items]),
        tokens=_spread([count_tokens(_text(item)) for item in items]) if count_tokens else None,
        exact_duplicates=len(contents) - len(set(contents)),
        same_question=len(questions) - len(set(questions)),
        grades={
            name: GradeStats(
                passed=sum(passed for _, passed in found),
                failed=sum(not passed for _, passed in found),
                mean=round(sum(score for score, _ in found) / len(found), 4),
            )
            for name, found in sorted(grades.items())
        },
    )


def dataset_diff(first: Sequence[Item], second: Sequence[Item]) -> DatasetDiff:
    """Compare two datasets by content; grades and order do not count.

    Args:
        first: The items of one.
        second: Of the other.

    Returns:
        What was removed, added and changed, each in its dataset's order.
    """
    ids = {item.id for item in first} & {item.id for item in second}
    gone = {item.id: item for item in first if item.id not in ids}
    new = {item.id: item for item in second if item.id not in ids}
    waiting: dict[tuple[Any, ...], list[Item]] = defaultdict(list)
    for item in gone.values():
        waiting[_question(item)].append(item)
    changed: list[tuple[Item, Item]] = []
    for item in new.values():
        same = waiting.get(_question(item))
        if same:
            changed.append((same.pop(0), item))
    paired = {item.id for pair in changed for item in pair}
    return DatasetDiff(
        both=len(ids),
        removed=tuple(item for id_, item in gone.items() if id_ not in paired),
        added=tuple(item for id_, item in new.items() if id_ not in paired),
        changed=tuple(changed),
    )


def _question(item: Item) -> tuple[Any, ...]:
    return (item.kind, item.system, item.history, item.instruction, item.input)


def _content(item: Item) -> tuple[Any, ...]:
    if isinstance(item, Record):
        return (*_question(item), item.output)
    if isinstance(item, Preference):
        return (*_question(item), item.chosen, item.rejected)
    return (*_question(item), item.answers)


def _answer(item: Item) -> str:
    if isinstance(item, Record):
        return item.output
    return item.chosen if isinstance(item, Preference) else item.answers[0]


def _text(item: Item) -> str:
    """Return an item as it is trained on, its other answers after the first."""
    if isinstance(item, Record):
        return "\n".join(message.content for message in record_messages(item))
    others = (item.rejected,) if isinstance(item, Preference) else item.answers[1:]
    turns = [text for turn in item.history for text in turn]
    return "\n".join([item.system, *turns, item.instruction, item.input, _answer(item), *others])


def _most_first(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _spread(values: Sequence[int]) -> Spread:
    ordered = sorted(values)
    last = len(ordered) - 1
    return Spread(
        least=ordered[0],
        median=ordered[last // 2],
        p90=ordered[min(last, -(-9 * len(ordered) // 10) - 1)],
        most=ordered[-1],
        total=sum(ordered),
    )
