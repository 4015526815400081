"""The lines of a dataset: records, preferences or rankings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domainsmith.records import Preference, Ranking, Record

__all__ = ["ITEM_KINDS", "Item", "item_line", "read_item_line"]

Item = Record | Preference | Ranking
"""One line of a dataset. A dataset holds items of one kind."""
ITEM_KINDS: Mapping[str, type[Item]] = {kind.kind: kind for kind in (Record, Preference, Ranking)}


def item_line(item: Item) -> dict[str, Any]:
    """Return one line of ``data.jsonl`` as plain data.

    Args:
        item: The item; its id comes with it.
    """
    return {"id": item.id, **item.model_dump(mode="json")}


def read_item_line(values: Mapping[str, Any], kind: str) -> Item:
    """Build an item from one line of ``data.jsonl``.

    Args:
        values: From :func:`item_line`.
        kind: As the manifest says.

    Raises:
        KeyError: There is no such kind.
        ValidationError: The data do not fit it.
    """
    return ITEM_KINDS[kind].model_validate({k: v for k, v in values.items() if k != "id"})
