"""Personal data in items: masked in every text, told in the grade."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeVar

from domainsmith.chains.grading.options import GradingOptions
from domainsmith.chains.grading.private_data import MASK, mask_private
from domainsmith.chains.grading.subject import Subject, verdict
from domainsmith.data_connection.overlap import squeeze
from domainsmith.records import Grade, Preference, Ranking, Record

__all__ = ["grade_private", "masked_item", "private_counts"]

AnyItem = TypeVar("AnyItem", Record, Preference, Ranking)
_TEXTS = ("instruction", "input", "output", "system", "chosen", "rejected")


def masked_item(item: AnyItem, options: GradingOptions) -> tuple[AnyItem, Counter[str]]:
    """Replace personal data and secrets in all texts of an item.

    Args:
        item: Its question, context, system text, history and all its answers are looked at.
        options: What may stay.

    Returns:
        The item, the same one if nothing was found, and the places by kind.
    """
    changes, counts = _changes(item, options)
    return (item.model_copy(update=changes) if counts else item), counts


def private_counts(item: Record | Preference | Ranking, options: GradingOptions) -> Counter[str]:
    """Count personal data and secrets in all texts of an item, by kind."""
    return _changes(item, options)[1]


def _changes(
    item: Record | Preference | Ranking, options: GradingOptions
) -> tuple[dict[str, Any], Counter[str]]:
    counts: Counter[str] = Counter()

    def masked(text: str) -> str:
        done = mask_private(text, allow=options.allow)
        counts.update(done.counts)
        return done.text

    changes: dict[str, Any] = {
        name: masked(getattr(item, name)) for name in _TEXTS if getattr(item, name, "")
    }
    changes["history"] = tuple((masked(asked), masked(said)) for asked, said in item.history)
    if isinstance(item, Ranking):
        changes["answers"] = tuple(masked(answer) for answer in item.answers)
    return changes, counts


def grade_private(subject: Subject, counts: Counter[str], options: GradingOptions) -> Grade:
    """Say what was masked; fail what is worth nothing after it.

    Args:
        subject: The item before masking.
        counts: Of :func:`masked_item`.
        options: With ``mask`` off, anything found fails the item.

    Returns:
        A pass that tells the kinds, or a failure if the answer is nothing but personal data or
        two answers are the same once masked.
    """
    told = ", ".join(f"{kind} x {many}" for kind, many in sorted(counts.items()))
    if not counts:
        return verdict("private", "")
    if not options.mask:
        return verdict("private", f"personal data: {told}")
    answers = [mask_private(text, allow=options.allow).text for text in _answers(subject)]
    if MASK.search(answers[0]) and not squeeze(MASK.sub("", answers[0])):
        return verdict("private", f"the answer is personal data: {told}")
    if len({squeeze(answer) for answer in answers}) < len(answers):
        return verdict("private", f"the answers differ in personal data alone: {told}")
    return verdict("private", "", note=f"masked {told}")


def _answers(subject: Subject) -> list[str]:
    return [subject.answer, *subject.others]
