"""The tool that makes training data: any methods, in one run, into one dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domainsmith.counts import counted
from domainsmith.errors import YieldTooLow
from domainsmith.progress import ProgressCallback, ProgressEvent
from domainsmith.tools.current import note_latest
from domainsmith.tools.generate_request import (
    GenerateData,
    requested_limits,
    requested_options,
)
from domainsmith.tools.generate_summary import found_nothing, kept_out_words, run_summary
from domainsmith.tools.held_out import held_out_questions
from domainsmith.tools.tool import Tool, ToolContext, ToolResult, say

if TYPE_CHECKING:
    from domainsmith.chains.generate import DatasetReport, GenerationOptions
    from domainsmith.chains.synthesis.several import SpreadFor
    from domainsmith.records import Question

__all__ = ["GENERATE_DATA"]

_NOTHING = {
    "en": "no dataset was written; the same command goes on from the units that are finished",
    "zh": "没有写出数据集；再次执行同一命令会从已完成的部分继续",
}


def _spread(ctx: ToolContext, arguments: GenerateData) -> SpreadFor | None:
    if arguments.engine != "ray":
        return None
    from domainsmith.tools.ray_workers import ray_spread

    return ray_spread(
        ctx,
        questions=arguments.questions,
        workers=arguments.workers,
        topic=(arguments.topic or "").strip(),
    )


def _generate_data(ctx: ToolContext, arguments: GenerateData) -> ToolResult:
    options = requested_options(ctx, arguments)
    questions, files = held_out_questions(ctx, arguments.questions)
    report = _run(ctx, arguments, options, questions)
    if report.stopped == "smoke":
        return _smoke_result(ctx, report, options.target)
    if not report.records:
        raise YieldTooLow(
            f"No record is there yet; the run ended early ({report.stopped})",
            where=report.path,
            fix="Run the same command again to go on, with a larger budget.",
        )
    note_latest(ctx.workspace, "raw", report.dataset_id)
    kept_out = {
        "passages_excluded": report.passages_excluded,
        "questions": len(questions),
        "questions_files": [str(file) for file in files],
    }
    return _result(ctx, report, options, kept_out)


def _run(
    ctx: ToolContext,
    arguments: GenerateData,
    options: GenerationOptions,
    questions: Sequence[Question],
) -> DatasetReport:
    """Generate; an interrupt always says what it leaves."""
    from domainsmith.chains.generate import generate_dataset
    from domainsmith.chains.written import scorer_of
    from domainsmith.training import dataset_folder
    from domainsmith.training.select.pipeline import admissible_records

    told: list[DatasetReport] = []

    def keep_partial(report: DatasetReport) -> None:
        told.append(report)
        note_latest(ctx.workspace, "raw", report.dataset_id)
        message = f"{counted(report.records, 'record')} so far in {report.dataset_id}"
        ctx.progress(ProgressEvent("interrupted", report.records, options.target, message))

    progress = _from_the_start(ctx, options)
    try:
        generator = ctx.models.generator()
        return generate_dataset(
            ctx.workspace,
            target=options.target,
            seed=ctx.options.seed,
            exclude=questions,
            generator=generator,
            scorer=scorer_of(generator),
            embedder=ctx.models.embedder(),
            select=admissible_records,
            store=dataset_folder,
            progress=progress,
            options=options,
            limits=requested_limits(arguments),
            spread=_spread(ctx, arguments),
            on_partial=keep_partial,
        )
    except KeyboardInterrupt:
        if not told:
            ctx.progress(ProgressEvent("interrupted", 0, options.target, _NOTHING[ctx.language]))
        raise


def _from_the_start(ctx: ToolContext, options: GenerationOptions) -> ProgressCallback:
    """Tell at once that work goes on: models load, and the first block may take a minute."""
    names = ", ".join(item.name for item in options.methods)
    stage = say(ctx, f"starting {names}", f"正在开始 {names}")
    ctx.progress(ProgressEvent(stage, 0, 1))
    waiting = [ProgressEvent(stage, 1, 1)]

    def tell(event: ProgressEvent) -> None:
        if waiting:
            ctx.progress(waiting.pop())
        ctx.progress(event)

    return tell


def _result(
    ctx: ToolContext,
    report: DatasetReport,
    options: GenerationOptions,
    kept_out: Mapping[str, Any],
) -> ToolResult:
    return ToolResult(
        ok=True,
        summary=run_summary(ctx, report, options, kept_out_words(ctx, report, kept_out)),
        artifact_ids=(report.dataset_id,),
        data={
            "already_done": report.repeated,
            "dataset_id": report.dataset_id,
            "records": report.records,
            **_figures(report, options.target),
            "partial": not report.whole,
            "passages_excluded": report.passages_excluded,
            "questions_files": kept_out["questions_files"],
            "sha256": report.sha256,
        },
    )


def _figures(report: DatasetReport, target: int) -> dict[str, Any]:
    """Return what a smoke run and a whole run tell alike."""
    return {
        "asked": target,
        "counts": dict(report.counts),
        "dropped": dict(report.dropped),
        "dried_up": dict(report.dried),
        "found_nothing": dict(report.nothing),
        "good_by_method": dict(report.good),
        "stopped": report.stopped,
        "tokens": report.tokens,
        "topic": dict(report.topic),
    }


def _smoke_result(ctx: ToolContext, report: DatasetReport, target: int) -> ToolResult:
    good = sum(report.good.values())
    by_method = ", ".join(f"{name} {many}" for name, many in report.good.items())
    summary = say(
        ctx,
        f"The smoke run alone gave {counted(good, 'good record')} ({by_method}) with "
        f"{counted(report.tokens, 'token')} "
        f"in {report.seconds:.0f} s. The same command without --smoke-only goes on from there.",
        f"仅试运行：得到 {good} 条合格记录（{by_method}），用了 {report.tokens} 个词元、"
        f"{report.seconds:.0f} 秒。去掉 --smoke-only 再次执行即可继续。",
    )
    summary += found_nothing(ctx, report)
    return ToolResult(
        ok=True,
        summary=summary,
        data={
            "already_done": False,
            "dataset_id": "",
            "records": good,
            **_figures(report, target),
            "partial": True,
        },
    )


GENERATE_DATA = Tool(
    name="generate_data",
    title={"en": "Generate training data", "zh": "生成训练数据"},
    description={
        "en": "Make graded question-answer records from the documents with the local model. "
        "Passages behind the test questions are left out.",
        "zh": "用本地模型根据文档生成经过评分的问答记录，测试问题背后的段落会被排除。",
    },
    arguments=GenerateData,
    run=_generate_data,
    writes=True,
    requires=("passages",),
    produces=("raw_dataset",),
)
