"""Write the curated dataset: whenever a curation stops, also by Ctrl-C, there is a valid one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domainsmith.agents.curation import log_entries
from domainsmith.agents.curation.bench import Bench
from domainsmith.agents.curation.coverage import Coverage
from domainsmith.agents.curation.goal import goal_values
from domainsmith.agents.curation.log import DecisionLog
from domainsmith.agents.curation.pick import pick_records
from domainsmith.agents.curation.state import Stop
from domainsmith.errors import YieldTooLow
from domainsmith.records import content_hash
from domainsmith.storage import lineage
from domainsmith.tools.current import note_latest
from domainsmith.training.dataset_folder import DatasetInfo, write_dataset
from domainsmith.training.select.pipeline import selection_counts

__all__ = ["write_curated"]


def write_curated(
    bench: Bench, stop: Stop, log: DecisionLog, state: Mapping[str, Any]
) -> DatasetInfo:
    """Pick the records so far, write them as a selected dataset and say why it ends.

    Args:
        bench: What the curation works with.
        stop: Why it ends.
        log: Where that is said.
        state: The curation's state, for the counts.

    Returns:
        The dataset; an equal one that exists is kept.

    Raises:
        YieldTooLow: There is no usable record.
    """
    usable, selection = bench.usable()
    kept = pick_records(bench.atlas, usable, bench.need(), bench.goal.target)
    if not kept:
        raise YieldTooLow(
            "The curation has no usable record",
            where=bench.folder,
            fix="Add more documents, or use a larger model.",
        )
    name = bench.folder.name
    lineage.put_artifact(
        bench.ctx.workspace.db,
        kind="curation",
        id=name,
        payload=goal_values(bench.goal),
        parents=[],
        path=bench.folder,
    )
    coverage = bench.measure(kept)
    dropped = selection_counts(selection)
    if len(usable) > len(kept):
        dropped["over the share of its section"] = len(usable) - len(kept)
    info = write_dataset(
        bench.ctx.workspace,
        f"dataset_{content_hash([name, [record.id for record in kept]])[:16]}",
        kept,
        parents=[name],
        card=_card(bench, coverage, dropped, stop),
    )
    note_latest(bench.ctx.workspace, "selected", info.id)
    log.note(
        state.get("round", 0),
        "stopped",
        run=state.get("run", 0),
        again=stop == "interrupted",
        stop=stop,
        target=bench.goal.target,
        coverage=coverage.values(),
        minutes=round(state.get("seconds", 0.0) / 60, 2),
        tokens=state.get("tokens", 0),
        **log_entries.written(info, kept),
    )
    return info


def _card(
    bench: Bench, coverage: Coverage, dropped: Mapping[str, int], stop: Stop
) -> dict[str, Any]:
    return {
        "stage": "selected",
        "method": "curated",
        "from": bench.folder.name,
        "goal": {k: v for k, v in goal_values(bench.goal).items() if k != "focus"},
        "coverage": {
            key: f"{value[0]} of {value[1]}" if isinstance(value, list) else value
            for key, value in coverage.values().items()
        },
        "dropped": dropped,
        "stopped": stop,
    }
