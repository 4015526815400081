"""The newest dataset of a stage, and the tools that make training data."""

from __future__ import annotations

from typing import Literal

from domainsmith.tools.current import latest_ids
from domainsmith.tools.generate import GENERATE_DATA
from domainsmith.tools.held_out import held_out_questions
from domainsmith.tools.tool import ToolContext
from domainsmith.training.dataset_folder import DatasetInfo, find_dataset

__all__ = ["GENERATE_DATA", "held_out_questions", "newest_dataset"]


def newest_dataset(ctx: ToolContext, stage: Literal["raw", "selected"]) -> DatasetInfo | None:
    """Return the dataset of a stage that was made or asked for last.

    Args:
        ctx: What the tool works on.
        stage: ``raw`` (generated) or ``selected``.
    """
    for dataset_id in latest_ids(ctx.workspace, stage):
        info = find_dataset(ctx.workspace, dataset_id)
        if info is not None and info.card.get("stage", "raw") == stage:
            return info
    return None
