"""A selection as a file beside the dataset: what each stage did, and every drop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from domainsmith.records import canonical_json
from domainsmith.storage.atomic import read_lines
from domainsmith.training.select.pool import SelectionRun

__all__ = ["FILE", "card_stages", "read_selection_file", "selection_file"]

FILE = "selection.jsonl"
"""Its name in the folder of the selected dataset."""


def card_stages(run: SelectionRun) -> dict[str, str]:
    """Describe the stages for a dataset's card; wall times are left to the file.

    Args:
        run: The outcome.

    Returns:
        ``01 exact`` to ``160 in, 150 out``; parameters that are not defaults are named by the
        file.
    """
    return {
        f"{place:02d} {report.stage}": f"{report.entered} in, {report.left} out"
        for place, report in enumerate(run.stages, start=1)
    }


def selection_file(run: SelectionRun) -> bytes:
    """Write down a selection, one JSON object a line.

    Args:
        run: The outcome.

    Returns:
        A line for each stage (``stage``, ``options``, ``in``, ``out``), then one for each dropped
        record (``id``, ``stage``, ``reason``, ``winner``). Equal selections give equal bytes, so no
        time is in it.
    """
    lines: list[dict[str, Any]] = [
        {
            "stage": report.stage,
            "options": report.options,
            "in": report.entered,
            "out": report.left,
        }
        for report in run.stages
    ]
    lines += [
        {"id": drop.id, "stage": drop.stage, "reason": drop.reason, "winner": drop.winner}
        for drop in run.drops
    ]
    return "".join(canonical_json(line) + "\n" for line in lines).encode("utf-8")


def read_selection_file(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read what :func:`selection_file` wrote.

    Args:
        folder: Of the selected dataset.

    Returns:
        Stages and drops; none if the dataset has no such file.
    """
    lines = [json.loads(line) for line in read_lines(Path(folder) / FILE)]
    return [x for x in lines if "options" in x], [x for x in lines if "options" not in x]
