"""New datasets from old ones: several merged into one, or one with a person's verdicts applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from domainsmith.errors import InputEmpty, InputInvalid
from domainsmith.records import Grade, Review, content_hash
from domainsmith.storage import lineage
from domainsmith.training.dataset_folder import DatasetInfo, find_dataset, read_items, write_dataset
from domainsmith.training.dataset_items import Item
from domainsmith.workspace import Workspace

__all__ = ["apply_reviews", "edited_item", "merge_datasets"]


def merge_datasets(workspace: Workspace, datasets: Sequence[DatasetInfo]) -> DatasetInfo:
    """Write the items of several datasets into one, exact duplicates once.

    Args:
        workspace: That holds them all.
        datasets: At least two, of one kind; of equal items the first is kept.

    Returns:
        The dataset, a child of all of them. An equal merge is recognised.

    Raises:
        InputInvalid: Fewer than two, or of several kinds.
    """
    kinds = sorted({info.kind for info in datasets})
    if len({info.id for info in datasets}) < 2:
        raise InputInvalid("Merging needs two different datasets", fix="Name at least two.")
    if len(kinds) > 1:
        raise InputInvalid(
            f"Datasets of different kinds cannot be merged: {', '.join(kinds)}",
            where=", ".join(info.id for info in datasets),
            fix="Merge datasets of one kind.",
        )
    dataset_id = f"dataset_{content_hash(['merge', [info.sha256 for info in datasets]])[:16]}"
    found = find_dataset(workspace, dataset_id)
    if found is not None:
        return found
    kept: dict[str, Item] = {}
    total = 0
    for info in datasets:
        for item in read_items(info.path):
            total += 1
            kept.setdefault(_content_key(item), item)
    stages = {str(info.card.get("stage", "raw")) for info in datasets}
    card = {
        # What was selected part by part may still repeat itself as a whole.
        "stage": stages.pop() if len(stages) == 1 and "selected" not in stages else "raw",
        "merged": {info.id: info.records for info in datasets},
        "dropped": {"exact duplicate": total - len(kept)},
    }
    parents = [info.id for info in datasets]
    return write_dataset(workspace, dataset_id, list(kept.values()), parents=parents, card=card)


def apply_reviews(
    workspace: Workspace, source: DatasetInfo, reviews: Mapping[str, Review]
) -> DatasetInfo:
    """Write a dataset anew with a person's verdicts: rejected items out, edited ones changed.

    Args:
        workspace: That holds it.
        source: The dataset that was reviewed.
        reviews: Last verdicts by item; those on items of other datasets are ignored.

    Returns:
        The new dataset, a child of the old one and of the verdicts. Items without a verdict
        stay as they are.

    Raises:
        InputEmpty: There is no verdict, or every item was rejected.
        InputInvalid: An edit does not fit its item.
    """
    items = read_items(source.path)
    used = [reviews[item.id] for item in items if item.id in reviews]
    if not used:
        raise InputEmpty("No item of the dataset has a verdict", where=source.id)
    key = ["review", source.sha256, sorted(review.id for review in used)]
    dataset_id = f"dataset_{content_hash(key)[:16]}"
    found = find_dataset(workspace, dataset_id)
    if found is not None:
        return found
    kept = [_reviewed(item, reviews.get(item.id)) for item in items]
    chosen = [item for item in kept if item is not None]
    if not chosen:
        raise InputEmpty("Every item was rejected", where=source.id, fix="Keep at least one.")
    counts: dict[str, int] = Counter(review.verdict for review in used)
    card = {
        "stage": source.card.get("stage", "raw"),
        "from": source.id,
        "reviews": {**counts, "none": len(items) - len(used)},
    }
    parents = [source.id, *sorted(review.id for review in used)]
    for old, new in zip(items, kept, strict=True):
        if new is not None and new.id != old.id:
            lineage.put_artifact(workspace.db, new, parents=[old.id, reviews[old.id].id])
    return write_dataset(workspace, dataset_id, chosen, parents=parents, card=card)


def edited_item(item: Item, changes: Mapping[str, object]) -> Item:
    """Give fields of an item other values.

    Args:
        item: The item.
        changes: Field to value, as plain data.

    Returns:
        The changed item; its grades, which no longer fit, are left out.

    Raises:
        InputInvalid: A field is unknown, may not be changed, or does not fit; all problems.
    """
    known = set(type(item).model_fields) - {"grades", "method", "model", "passage_ids", "seed"}
    problems = [f"{name}: may not be edited" for name in sorted(set(changes) - known)]
    values = {**item.model_dump(mode="json", exclude={"grades"}), **changes}
    try:
        changed = type(item).model_validate(values)
        if not changed.instruction.strip() or not str(values.get("output", "-")).strip():
            problems.append("instruction and answer may not be empty")
    except ValidationError as error:
        problems += [
            f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()
        ]
    if problems:
        raise InputInvalid(f"The edit does not fit: {'; '.join(problems)}", where=item.id)
    return changed


def _reviewed(item: Item, review: Review | None) -> Item | None:
    """Return the item with the person's grade, changed if asked for, None if rejected."""
    if review is None:
        return item
    if review.verdict == "reject":
        return None
    changed = edited_item(item, review.changes) if review.verdict == "edit" else item
    reason = "edited" if review.verdict == "edit" else ""
    grade = Grade(grader="person", score=1.0, passed=True, reason=reason)
    grades = tuple(old for old in changed.grades if old.grader != "person")
    return changed.model_copy(update={"grades": (*grades, grade)})


def _content_key(item: Item) -> str:
    """Hash what is trained on: two methods may have made the same item."""
    lineage_fields = {"method", "model", "prompt_sha256", "seed", "passage_ids", "grades", "margin"}
    plain = item.model_dump(mode="json", exclude=lineage_fields | {"reason", "scores"})
    return content_hash([item.kind, plain])
