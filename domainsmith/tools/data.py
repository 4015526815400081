"""Tools that make training data: the newest dataset of a stage, and selection from it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from domainsmith.errors import InputEmpty, YieldTooLow
from domainsmith.records import Question, Record, content_hash
from domainsmith.storage import lineage
from domainsmith.storage import passages as passage_store
from domainsmith.tools.current import latest_ids, note_latest
from domainsmith.tools.generate import GENERATE_DATA
from domainsmith.tools.held_out import held_out_questions
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say
from domainsmith.training.dataset_folder import (
    DatasetInfo,
    find_dataset,
    read_dataset,
    write_dataset,
)

__all__ = [
    "GENERATE_DATA",
    "SELECT_DATA",
    "held_out_questions",
    "newest_dataset",
]


class SelectData(ToolArguments):
    """Arguments of ``select_data``."""

    count: int | None = Field(default=None, ge=1, le=1_000_000, description="Records to keep")


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


def _select_data(ctx: ToolContext, arguments: SelectData) -> ToolResult:
    raw = newest_dataset(ctx, "raw")
    if raw is None:
        raise InputEmpty(
            "There is no generated dataset to select from",
            where=ctx.workspace.datasets_dir,
            fix="Generate training data first.",
        )
    questions, files = held_out_questions(ctx, None)
    held_out_texts = _held_out_texts(ctx, questions)
    target = arguments.count or ctx.options.records
    inputs = {
        "raw": raw.sha256,
        "count": target,
        "questions": content_hash(sorted(q.id for q in questions)),
        "held_out_texts": content_hash(held_out_texts),
        "embedder": ctx.models.embedder().model_name,
        "selection": 1,
    }
    dataset_id = f"dataset_{content_hash(inputs)[:16]}"
    info = find_dataset(ctx.workspace, dataset_id)
    done = info is not None
    if info is None:
        info = _write_selection(ctx, raw, dataset_id, questions, held_out_texts, target, inputs)
    note_latest(ctx.workspace, "selected", info.id)
    counts: dict[str, int] = dict(info.card.get("dropped", {}))
    by_stage = ", ".join(f"{stage} {n}" for stage, n in sorted(counts.items())) or "0"
    summary = say(
        ctx,
        f"{'Already done: ' if done else ''}{info.records} of {raw.records} records selected into "
        f"{info.id}; dropped: {by_stage}.",
        f"{'已经完成：' if done else ''}从 {raw.records} 条记录中选出 {info.records} 条，"
        f"存入 {info.id}；丢弃：{by_stage}。",
    )
    return ToolResult(
        ok=True,
        summary=summary,
        artifact_ids=(info.id, raw.id),
        data={
            "already_done": done,
            "dataset_id": info.id,
            "records": info.records,
            "from_records": raw.records,
            "dropped": counts,
            "questions_files": [str(file) for file in files],
            "sha256": info.sha256,
        },
    )


def _write_selection(
    ctx: ToolContext,
    raw: DatasetInfo,
    dataset_id: str,
    questions: list[Question],
    held_out_texts: list[str],
    target: int,
    inputs: dict[str, Any],
) -> DatasetInfo:
    from domainsmith.training.select.pipeline import select_records, selection_counts

    records = read_dataset(raw.path)
    embedder = ctx.models.embedder()
    selection = select_records(
        records,
        vectors=embedder.embed([r.instruction for r in records]),
        questions=questions,
        question_vectors=embedder.embed([q.question for q in questions]) if questions else None,
        held_out_texts=held_out_texts,
        target=target,
    )
    by_id: dict[str, Record] = {r.id: r for r in records}
    kept = [by_id[i] for i in selection.kept]
    dropped = selection_counts(selection)
    if not kept:
        raise YieldTooLow(
            f"Selection left none of {len(records)} records ({dropped})",
            where=raw.path,
            fix="Generate more data.",
        )
    selection_id = lineage.put_artifact(ctx.workspace.db, selection, parents=[raw.id])
    return write_dataset(
        ctx.workspace,
        dataset_id,
        kept,
        parents=[raw.id, selection_id],
        card={"stage": "selected", "dropped": dropped, "from": raw.id, "inputs": inputs},
    )


def _held_out_texts(ctx: ToolContext, questions: list[Question]) -> list[str]:
    """Return the passages that hold gold answers."""
    if not questions:
        return []
    from domainsmith.training.leakage_check import held_out_passages

    all_passages = passage_store.passages(ctx.workspace.db, copies=True)
    held = held_out_passages(all_passages, questions)
    return [passage.text for passage in all_passages if passage.id in held]


SELECT_DATA = Tool(
    name="select_data",
    title={"en": "Select training data", "zh": "筛选训练数据"},
    description={
        "en": "Remove duplicates, leaks and weak records from the newest generated dataset and "
        "keep a diverse selection.",
        "zh": "从最新生成的数据集中去除重复、泄漏和质量差的记录，保留多样的子集。",
    },
    arguments=SelectData,
    run=_select_data,
    writes=True,
    requires=("raw_dataset",),
    produces=("selected_dataset",),
)
