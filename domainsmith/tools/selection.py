"""The tool that selects training records from a generated dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field, JsonValue

from domainsmith.counts import counted
from domainsmith.errors import InputEmpty, InputNotFound, YieldTooLow
from domainsmith.records import Question, content_hash
from domainsmith.storage import lineage
from domainsmith.storage import passages as passage_store
from domainsmith.tools.current import note_latest
from domainsmith.tools.data import newest_dataset
from domainsmith.tools.held_out import held_out_questions
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say
from domainsmith.training.dataset_folder import (
    DatasetInfo,
    find_dataset,
    read_items,
    write_dataset,
)

if TYPE_CHECKING:
    from domainsmith.training.select.pool import SelectionRun
    from domainsmith.training.select.resources import Resources
    from domainsmith.training.select.stages.registry import Stage

__all__ = ["SELECT_DATA", "SelectData"]

_SHOWN = 5
"""Drops of each stage that a result names."""


class SelectData(ToolArguments):
    """Arguments of ``select_data``."""

    count: int | None = Field(default=None, ge=1, le=1_000_000, description="Records to keep")
    stages: tuple[str | dict[str, JsonValue], ...] | None = Field(
        default=None,
        min_length=1,
        description="Stages in the order of running, each a name or an object with its parameters",
    )
    tokens: int | None = Field(default=None, ge=1, description="Training tokens to keep at most")
    questions: str | None = Field(
        default=None, min_length=1, description="JSONL file of test questions to keep out"
    )
    dataset: str | None = Field(
        default=None, min_length=1, description="Id of the dataset to select from"
    )


@dataclass(frozen=True)
class _Task:
    """One selection: what from, by which stages, under which name."""

    raw: DatasetInfo
    stages: tuple[Stage, ...]
    questions: list[Question]
    held_out_texts: list[str]
    held_out_ids: list[str]
    inputs: dict[str, Any]

    @property
    def dataset_id(self) -> str:
        return f"dataset_{content_hash(self.inputs)[:16]}"


def _select_data(ctx: ToolContext, arguments: SelectData) -> ToolResult:
    questions, files = held_out_questions(ctx, arguments.questions)
    task = _task(ctx, arguments, questions)
    info = find_dataset(ctx.workspace, task.dataset_id)
    done = info is not None
    cost: list[dict[str, Any]] = []
    if info is None:
        info, cost = _write_selection(ctx, task)
    raw = task.raw
    if raw.kind == "record":  # what training takes
        note_latest(ctx.workspace, "selected", info.id)
    counts: dict[str, int] = dict(info.card.get("dropped", {}))
    by_stage = ", ".join(f"{stage} {n}" for stage, n in sorted(counts.items())) or "0"
    pictures = ", ".join(sorted(path.name for path in info.path.glob("*.png")))
    summary = say(
        ctx,
        f"{'Already done: ' if done else ''}{info.records} of "
        f"{counted(raw.records, 'record')} selected into "
        f"{info.id}; dropped: {by_stage}." + (f" Plots: {pictures}." if pictures else ""),
        f"{'已经完成：' if done else ''}从 {raw.records} 条记录中选出 {info.records} 条，"
        f"存入 {info.id}；丢弃：{by_stage}。" + (f"图表：{pictures}。" if pictures else ""),
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
            **_told(info, cost),
            "questions_files": [str(file) for file in files],
            "sha256": info.sha256,
        },
    )


def _told(info: DatasetInfo, cost: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return stages, first drops of each, and the folder, from the files beside the data.

    ``cost`` is what each stage took, if this call ran them.
    """
    from domainsmith.training.select.manifest import read_selection_file

    stages, drops = read_selection_file(info.path)
    if cost:
        stages = [{**stage, **more} for stage, more in zip(stages, cost, strict=True)]
    shown: dict[str, list[dict[str, Any]]] = {}
    for drop in drops:
        if len(shown.setdefault(drop["stage"], [])) < _SHOWN:
            shown[drop["stage"]].append(drop)
    return {"path": str(info.path), "stages": stages, "examples": shown}


def _task(ctx: ToolContext, arguments: SelectData, questions: list[Question]) -> _Task:
    from domainsmith.training.select.stages.registry import DEFAULT_STAGES, parse_stages

    raw = _source(ctx, arguments.dataset)
    default = arguments.stages is None
    count = arguments.count or (ctx.options.records if default and not arguments.tokens else 0)
    given = DEFAULT_STAGES if arguments.stages is None else arguments.stages
    stages = parse_stages(given, count=count, tokens=arguments.tokens or 0)
    texts, ids = _held_out(ctx, questions)
    inputs = {
        "raw": raw.sha256,
        "stages": [stage.as_dict() for stage in stages],
        "questions": content_hash(sorted(q.id for q in questions)),
        "held_out_texts": content_hash(texts),
        "embedder": ctx.models.embedder().model_name,
        "selection": 2,
    }
    if any(stage.needs_model for stage in stages):
        inputs["model"] = ctx.models.engine().model_name
    return _Task(raw, stages, questions, texts, ids, inputs)


def _source(ctx: ToolContext, given: str | None) -> DatasetInfo:
    if given is not None:
        info = find_dataset(ctx.workspace, given)
        if info is None:
            raise InputNotFound(
                f"There is no whole dataset {given}",
                where=ctx.workspace.datasets_dir,
                fix="`domainsmith data show` lists them.",
            )
        return info
    raw = newest_dataset(ctx, "raw")
    if raw is None:
        raise InputEmpty(
            "There is no generated dataset to select from",
            where=ctx.workspace.datasets_dir,
            fix="Generate training data first.",
        )
    return raw


def _write_selection(ctx: ToolContext, task: _Task) -> tuple[DatasetInfo, list[dict[str, Any]]]:
    """Run the stages and write what they keep; also returns what each stage took."""
    from domainsmith.training.select.manifest import FILE, card_stages, selection_file
    from domainsmith.training.select.pipeline import run_stages
    from domainsmith.training.select.plots import selection_plots

    items = read_items(task.raw.path)
    run = run_stages(items, task.stages, resources=_resources(ctx, task))
    by_id = {item.id: item for item in items}
    kept = [by_id[i] for i in run.selection.kept]
    if not kept:
        raise YieldTooLow(
            f"Selection left none of {counted(len(items), 'record')}: {_worst(run)} "
            f"({run.counts()})",
            where=task.raw.path,
            fix="Generate more data, or leave a stage out.",
        )
    selection_id = lineage.put_artifact(ctx.workspace.db, run.selection, parents=[task.raw.id])
    info = write_dataset(
        ctx.workspace,
        task.dataset_id,
        kept,
        parents=[task.raw.id, selection_id],
        card={
            # Training takes the newest selected dataset, and it takes records.
            "stage": "selected" if task.raw.kind == "record" else f"selected {task.raw.kind}s",
            "dropped": run.counts(),
            "stages": card_stages(run),
            "from": task.raw.id,
            "inputs": task.inputs,
        },
        files={FILE: selection_file(run), **selection_plots(items, run, ctx.language)},
    )
    cost = [{"seconds": round(one.seconds, 3), "cached": one.cached} for one in run.stages]
    return info, cost


def _worst(run: SelectionRun) -> str:
    last = next(report for report in run.stages if not report.left)
    return f"the stage {last.stage} dropped the last {last.entered}"


def _resources(ctx: ToolContext, task: _Task) -> Resources:
    from domainsmith.training.select.resources import Resources
    from domainsmith.training.select.score_cache import ScoreCache

    embedder = ctx.models.embedder()
    sections = {}
    if any(stage.name == "topics" for stage in task.stages):
        sections = {
            passage.id: (passage.document_path, passage.header)
            for passage in passage_store.passages(ctx.workspace.db, copies=True)
        }
    return Resources(
        embed=embedder.embed,
        embedder_name=embedder.model_name,
        questions=task.questions,
        held_out_texts=task.held_out_texts,
        held_out_passages=frozenset(task.held_out_ids),
        model=ctx.models.engine() if "model" in task.inputs else None,
        sections=sections,
        cache=ScoreCache(ctx.workspace.root / "selection" / "scores.jsonl"),
        progress=ctx.progress,
    )


def _held_out(ctx: ToolContext, questions: list[Question]) -> tuple[list[str], list[str]]:
    """Return text and id of the passages that hold gold answers."""
    if not questions:
        return [], []
    from domainsmith.training.leakage_check import held_out_passages

    all_passages = passage_store.passages(ctx.workspace.db, copies=True)
    held = held_out_passages(all_passages, questions)
    found = [passage for passage in all_passages if passage.id in held]
    return [passage.text for passage in found], [passage.id for passage in found]


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
