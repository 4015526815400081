"""The tool that makes training data: any methods, in one run, into one dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, JsonValue

from domainsmith.errors import InputInvalid, YieldTooLow
from domainsmith.progress import ProgressEvent
from domainsmith.records import content_hash
from domainsmith.tools.current import note_latest
from domainsmith.tools.held_out import held_out_questions
from domainsmith.tools.knowledge import resolve_path
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say

if TYPE_CHECKING:
    from domainsmith.chains.generate import DatasetReport, Limits, MethodRequest
    from domainsmith.chains.synthesis.several import SpreadFor

__all__ = ["GENERATE_DATA", "requested_methods"]

_FILES = {"seeds": "self_instruct", "table": "self_kv"}
"""Arguments that name files, and the method whose option of the same name they set."""


class GenerateData(ToolArguments):
    """Arguments of ``generate_data``."""

    count: int | None = Field(default=None, ge=1, le=1_000_000, description="Records to make")
    questions: str | None = Field(
        default=None, min_length=1, description="JSONL file of test questions to keep out"
    )
    methods: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Ways to make data, each NAME or NAME:SHARE (documents, dialogues, "
        "preferences, ...); documents if absent",
    )
    options: dict[str, JsonValue] | None = Field(
        default=None, description="Settings of the methods, named METHOD.NAME or NAME"
    )
    seeds: str | None = Field(
        default=None, min_length=1, description="File of seed tasks for self_instruct"
    )
    tables: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Table files for self_kv"
    )
    budget_minutes: float | None = Field(
        default=None, gt=0, description="Stop after so many minutes, with what there is"
    )
    budget_tokens: int | None = Field(
        default=None, ge=1, description="Stop after so many tokens of the model, in all"
    )
    floor: float | None = Field(
        default=None, ge=0, description="Least good records a unit of work; 0 never stops"
    )
    smoke_only: bool | None = Field(default=None, description="Only measure yields and estimate")
    engine: Literal["local", "ray"] | None = Field(
        default=None, description="Where units are processed: here (local) or on a Ray cluster"
    )
    workers: int | None = Field(default=None, ge=1, le=4096, description="Processes with ray")


def requested_methods(ctx: ToolContext, arguments: GenerateData) -> tuple[MethodRequest, ...]:
    """Read methods, shares and options.

    Args:
        ctx: What the tool works on; relative files start from its folder.
        arguments: As given.

    Returns:
        The methods in order.

    Raises:
        InputInvalid: All problems in one message.
    """
    from domainsmith.chains.synthesis.plan import MethodRequest

    problems: list[str] = []
    shares: dict[str, float] = {}
    for text in arguments.methods or ("documents",):
        name, colon, share = text.strip().partition(":")
        try:
            shares[name] = float(share) if colon else 1.0
        except ValueError:
            problems.append(f"the share of {name} is no number: {share}")
            shares[name] = 1.0
    options = _own_options(arguments.options or {}, list(shares), problems)
    for method in ("preferences", "rankings"):
        _fill_in(ctx, options.get(method, {}))
    files: dict[str, Any] = {
        "seeds": arguments.seeds and str(resolve_path(ctx, arguments.seeds)),
        "table": [str(resolve_path(ctx, item)) for item in arguments.tables or ()],
    }
    for name, value in files.items():
        if value and _FILES[name] not in options:
            problems.append(f"a file of {name} is for the method {_FILES[name]}")
        elif value:
            options[_FILES[name]][name] = value
    if problems:
        raise InputInvalid(
            "The methods cannot be used: " + "; ".join(problems),
            fix="Correct all of it and try again.",
        )
    return tuple(MethodRequest(name, share, options[name]) for name, share in shares.items())


def _own_options(
    given: Mapping[str, Any], methods: Sequence[str], problems: list[str]
) -> dict[str, dict[str, Any]]:
    """Sort options by method; ``grading.NAME`` is an option of all of them."""
    options: dict[str, dict[str, Any]] = {name: {} for name in methods}
    for key, value in given.items():
        method, dot, name = key.rpartition(".")
        if method == "grading":
            for own in options.values():
                own.setdefault("grading", {})[name] = value
        elif not dot and len(methods) > 1:
            problems.append(f"option {key}: name its method as in {methods[0]}.{key}")
        elif (method or methods[0]) not in options:
            problems.append(f"option {key}: the run has no method {method}")
        else:
            options[method or methods[0]][name] = value
    return options


def _fill_in(ctx: ToolContext, options: dict[str, Any]) -> None:
    """Say where feedback and datasets lie, for methods that are made about them."""
    if options.get("source") == "feedback":
        from domainsmith.storage import lineage

        found = sorted(item.id for item in lineage.artifacts(ctx.workspace.db, "feedback"))
        options.setdefault("workspace", str(ctx.workspace.root))
        options.setdefault("state", content_hash(found)[:16])
    given = options.get("records")
    if isinstance(given, str) and given:
        dataset = ctx.workspace.datasets_dir / given / "data.jsonl"
        options["records"] = str(dataset if dataset.is_file() else resolve_path(ctx, given))


def _limits(arguments: GenerateData) -> Limits:
    from domainsmith.chains.generate import Limits

    return Limits(
        floor=arguments.floor,
        seconds=60.0 * (arguments.budget_minutes or 0.0),
        tokens=arguments.budget_tokens or 0,
        smoke_only=bool(arguments.smoke_only),
    )


def _spread(ctx: ToolContext, arguments: GenerateData) -> SpreadFor | None:
    if arguments.engine != "ray":
        return None
    from domainsmith.tools.ray_workers import ray_spread

    return ray_spread(ctx, questions=arguments.questions, workers=arguments.workers)


def _generate_data(ctx: ToolContext, arguments: GenerateData) -> ToolResult:
    from domainsmith.chains.generate import GenerationOptions, generate_dataset
    from domainsmith.training import dataset_folder
    from domainsmith.training.select.pipeline import admissible_records

    methods = requested_methods(ctx, arguments)
    questions, files = held_out_questions(ctx, arguments.questions)
    engine = ctx.models.engine()
    target = arguments.count or ctx.options.records

    def keep_partial(report: DatasetReport) -> None:
        note_latest(ctx.workspace, "raw", report.dataset_id)
        message = f"{report.records} records so far are in {report.dataset_id}"
        ctx.progress(ProgressEvent("interrupted", report.records, target, message))

    report = generate_dataset(
        ctx.workspace,
        target=target,
        seed=ctx.options.seed,
        exclude=questions,
        generator=engine,
        scorer=engine,
        embedder=ctx.models.embedder(),
        select=admissible_records,
        store=dataset_folder,
        progress=ctx.progress,
        options=GenerationOptions(methods=methods),
        limits=_limits(arguments),
        spread=_spread(ctx, arguments),
        on_partial=keep_partial,
    )
    if report.stopped == "smoke":
        return _smoke_result(ctx, report, target)
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
    return _result(ctx, report, target, kept_out)


def _result(
    ctx: ToolContext, report: DatasetReport, target: int, kept_out: Mapping[str, Any]
) -> ToolResult:
    done, out = report.repeated, sum(report.dropped.values())
    names = ", ".join(name.rpartition("/")[2] for name in kept_out["questions_files"])
    excluded, asked = report.passages_excluded, kept_out["questions"]
    taken = say(
        ctx,
        f"Kept out: {excluded} passages behind the {asked} questions of {names}."
        if names
        else "No questions file was found, so no passage was held out.",
        f"已排除 {names} 中 {asked} 个问题背后的 {excluded} 个段落。"
        if names
        else "没有找到问题文件，因此没有排除任何段落。",
    )
    early = ""
    if not report.whole:
        early = say(
            ctx,
            f" The run ended early ({report.stopped}); the same command goes on from there.",
            f"运行提前结束（{report.stopped}）；再次执行同一命令即可继续。",
        )
    summary = say(
        ctx,
        f"{'Already done: ' if done else ''}{report.records} records in {report.dataset_id} "
        f"(asked for {target}; {out} candidates dropped). {taken}{early}",
        f"{'已经完成：' if done else ''}{report.dataset_id} 中有 {report.records} 条记录"
        f"（要求 {target} 条；丢弃候选 {out} 条）。{taken}{early}",
    )
    return ToolResult(
        ok=True,
        summary=summary,
        artifact_ids=(report.dataset_id,),
        data={
            "already_done": done,
            "dataset_id": report.dataset_id,
            "records": report.records,
            "asked": target,
            "counts": dict(report.counts),
            "dropped": dict(report.dropped),
            "good_by_method": dict(report.good),
            "partial": not report.whole,
            "stopped": report.stopped,
            "tokens": report.tokens,
            "passages_excluded": report.passages_excluded,
            "questions_files": kept_out["questions_files"],
            "sha256": report.sha256,
        },
    )


def _smoke_result(ctx: ToolContext, report: DatasetReport, target: int) -> ToolResult:
    good = sum(report.good.values())
    by_method = ", ".join(f"{name} {many}" for name, many in report.good.items())
    summary = say(
        ctx,
        f"The smoke run alone gave {good} good records ({by_method}) with {report.tokens} tokens "
        f"in {report.seconds:.0f} s. The same command without --smoke-only goes on from there.",
        f"仅试运行：得到 {good} 条合格记录（{by_method}），用了 {report.tokens} 个词元、"
        f"{report.seconds:.0f} 秒。去掉 --smoke-only 再次执行即可继续。",
    )
    return ToolResult(
        ok=True,
        summary=summary,
        data={
            "already_done": False,
            "dataset_id": "",
            "records": good,
            "asked": target,
            "counts": dict(report.counts),
            "dropped": dict(report.dropped),
            "good_by_method": dict(report.good),
            "partial": True,
            "stopped": "smoke",
            "tokens": report.tokens,
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
