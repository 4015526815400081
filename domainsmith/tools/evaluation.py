"""The tool that proves whether tuning helped."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from domainsmith.counts import counted
from domainsmith.errors import InputEmpty, InputNotFound
from domainsmith.records import EvalReport, Question, Record
from domainsmith.tools.adapters import require_same_base
from domainsmith.tools.current import latest_ids
from domainsmith.tools.eval_systems import MAX_NEW_TOKENS, eval_systems
from domainsmith.tools.held_out import asked_questions
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say
from domainsmith.training.dataset_folder import read_dataset

if TYPE_CHECKING:
    from domainsmith.training.gate import Promotion
    from domainsmith.training.registry import AdapterEntry

__all__ = ["EVALUATE_MODEL"]


class EvaluateModel(ToolArguments):
    """Arguments of ``evaluate_model``."""

    questions: str | None = Field(
        default=None, min_length=1, description="JSONL file of held-out test questions"
    )


def _newest_adapter(ctx: ToolContext) -> AdapterEntry:
    from domainsmith.training.registry import adapters

    usable = {e.id: e for e in adapters(ctx.workspace) if not e.problem and e.manifest}
    ids = [i for i in latest_ids(ctx.workspace, "adapter") if i in usable]
    if not usable:
        raise InputEmpty(
            "There is no tuned model to evaluate",
            where=ctx.workspace.adapters_dir,
            fix="Train one first.",
        )
    return usable[ids[0]] if ids else next(iter(usable.values()))


def _questions(ctx: ToolContext, arguments: EvaluateModel) -> tuple[list[Question], Path]:
    """Return the test questions that are asked, and their file."""
    questions, file = asked_questions(ctx, arguments.questions)
    if file is None or not questions:
        raise InputNotFound(
            "No test questions were found beside the documents",
            fix="Name a JSONL file of questions, or put NAME-questions.jsonl beside the folder.",
        )
    return _sample(questions, ctx.options.max_questions), file


def _sample(questions: list[Question], most: int) -> list[Question]:
    """Take questions evenly from the file, so that every part of it is in."""
    if not most or len(questions) <= most:
        return questions
    return [questions[n * len(questions) // most] for n in range(most)]


def _evaluate_model(ctx: ToolContext, arguments: EvaluateModel) -> ToolResult:
    from domainsmith.training.evaluate import (
        ANSWER_CHAIN,
        evaluate,
        finished_report,
        register_report,
        report_key,
    )
    from domainsmith.training.gate import promote
    from domainsmith.training.report import write_report

    entry = _newest_adapter(ctx)
    assert entry.manifest is not None
    require_same_base(ctx, entry)
    questions, file = _questions(ctx, arguments)
    config = _config(ctx, entry)
    names = ["base", "base+retrieval", "tuned", "tuned+retrieval", ANSWER_CHAIN]
    key = report_key(
        questions, names, adapter_id=entry.id, dataset_id=entry.manifest.dataset_id, config=config
    )
    known = finished_report(ctx.workspace, key)
    if known is not None:
        register_report(ctx.workspace, known, questions)  # a kill may have come before it
    report = known or evaluate(
        ctx.workspace,
        questions,
        eval_systems(ctx, entry.id),
        adapter_id=entry.id,
        dataset_id=entry.manifest.dataset_id,
        records=_trained_records(ctx, entry.manifest.dataset_id),
        config=config,
        embed=ctx.models.embedder().embed,
        seed=ctx.options.seed,
        progress=ctx.progress,
    )
    path = write_report(ctx.workspace, report, language=ctx.language)
    decision = promote(ctx.workspace, report)
    return _result(ctx, report, decision, len(questions), file, path, done=known is not None)


def _trained_records(ctx: ToolContext, dataset_id: str) -> list[Record]:
    """Read what the adapter was trained on: without it, no leak could be found, so none is shown.

    Raises:
        InputNotFound: The dataset is gone.
        ArtifactCorrupt: It is damaged.
    """
    folder = ctx.workspace.datasets_dir / dataset_id
    if not folder.is_dir():
        raise InputNotFound(
            "The dataset that the adapter was trained on is missing, so leaks cannot be checked",
            where=folder,
            fix="Put it back, or generate, select and train again.",
        )
    return read_dataset(folder)


def _config(ctx: ToolContext, entry: AdapterEntry) -> dict[str, Any]:
    from domainsmith.chains.gate import THRESHOLD
    from domainsmith.model_io.device import pick_device, pick_dtype
    from domainsmith.prompts import prompt_sha256
    from domainsmith.storage.passages import passages_fingerprint

    device = pick_device(ctx.options.device)
    reranking = ctx.reranking()
    assert entry.manifest is not None
    return {
        "base_sha256": entry.manifest.base_sha256,
        "passages": passages_fingerprint(ctx.workspace.db),
        "embedder": ctx.models.embedder().model_name,
        "device": device,
        "dtype": str(pick_dtype(ctx.options.dtype, device)),
        "quantization": ctx.options.quantization,
        "bootstrap_seed": ctx.options.seed,
        "gate": THRESHOLD,
        "top_k": ctx.options.top_k,
        "query": asdict(ctx.query_options()),
        "reranker": [reranking["reranker"].name, reranking["rerank_top"]] if reranking else None,
        "max_new_tokens": MAX_NEW_TOKENS,
        "prompts": [
            prompt_sha256(name, language)
            for name in ("expert", "grounded_question", "refusal")
            for language in ("en", "zh")
        ],
        "systems": 3,
    }


def _result(
    ctx: ToolContext,
    report: EvalReport,
    decision: Promotion,
    questions: int,
    file: Path,
    path: Path,
    *,
    done: bool,
) -> ToolResult:
    summary = _summary(ctx, report, decision, questions, file, path, done=done)
    return ToolResult(
        ok=True,
        summary=summary,
        artifact_ids=(
            report.key or report.id,
            *((report.adapter_id,) if report.adapter_id else ()),
        ),
        data={
            "already_done": done,
            "verdict": report.verdict,
            "promoted": decision.promoted,
            "questions": questions,
            "questions_file": str(file),
            "report": report.model_dump(mode="json", exclude={"answers"}),
            "path": str(path),
        },
    )


def _summary(
    ctx: ToolContext,
    report: EvalReport,
    decision: Promotion,
    questions: int,
    file: Path,
    path: Path,
    *,
    done: bool,
) -> str:
    scores = "; ".join(
        f"{s.system} {s.overall.mean:.3f} [{s.overall.low:.3f}, {s.overall.high:.3f}]"
        for s in report.scores
    )
    gains = "; ".join(
        f"{name} {gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"
        for name, gap in report.differences.items()
    )
    leaks = sum(report.leakage.values())
    verdict = {
        "better": ("better", "更好"),
        "worse": ("worse", "更差"),
        "no clear difference": ("no clear difference", "没有明显差别"),
    }[report.verdict]
    return say(
        ctx,
        f"{'Already done: ' if done else ''}Verdict after "
        f"{counted(questions, 'held-out question')} of "
        f"{file.name}: {verdict[0]}. Scores (95 % intervals): {scores}. Differences: {gains}. "
        f"Leaks: {leaks}. {decision.reason} Report: {path}",
        f"{'已经完成：' if done else ''}{file.name} 的 {questions} 个留出问题的结论：{verdict[1]}。"
        f"得分（95% 区间）：{scores}。差值：{gains}。泄漏：{leaks}。"
        f"{'已启用该模型。' if decision.promoted else '未启用该模型。'}报告：{path}",
    )


EVALUATE_MODEL = Tool(
    name="evaluate_model",
    title={"en": "Evaluate the model", "zh": "评估模型"},
    description={
        "en": "Compare base and tuned model, with and without retrieval, on held-out questions.",
        "zh": "用留出的问题比较基础模型和微调模型（有检索和无检索）。",
    },
    arguments=EvaluateModel,
    run=_evaluate_model,
    writes=True,
    requires=("adapter",),
    produces=("promoted",),
)
