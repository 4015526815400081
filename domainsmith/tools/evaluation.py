"""The tool that proves whether tuning helped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from domainsmith.errors import InputEmpty, InputNotFound
from domainsmith.records import EvalReport, Question, Record
from domainsmith.tools.current import latest_ids
from domainsmith.tools.data import held_out_questions
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say
from domainsmith.training.dataset_folder import find_dataset, read_dataset

if TYPE_CHECKING:
    from domainsmith.training.evaluate import EvalAnswer, System
    from domainsmith.training.gate import Promotion
    from domainsmith.training.registry import AdapterEntry

__all__ = ["EVALUATE_MODEL", "eval_systems"]

_MAX_NEW_TOKENS = 96


class EvaluateModel(ToolArguments):
    """Arguments of ``evaluate_model``."""

    questions: str | None = Field(
        default=None, min_length=1, description="JSONL file of held-out test questions"
    )


def eval_systems(ctx: ToolContext, adapter_id: str | None) -> dict[str, System]:
    """Make the systems that are compared: with and without adapter, with and without documents.

    The models' own words are compared: no gate refuses for them and no sentence is quoted in
    their place, since that code would answer for both alike.

    Args:
        ctx: Gives the engine and the index.
        adapter_id: The tuned model; None compares the base with and without retrieval.

    Returns:
        Systems by name: ``base``, ``base+retrieval``, ``tuned``, ``tuned+retrieval``.
    """
    named: list[tuple[str, str | None]] = [("base", None)]
    if adapter_id is not None:
        from domainsmith.training.registry import adapter_folder

        ctx.models.engine().add_adapter(adapter_id, adapter_folder(ctx.workspace, adapter_id))
        named.append(("tuned", adapter_id))
    systems: dict[str, System] = {}
    for name, adapter in named:
        systems[name] = _closed_book(ctx, adapter)
        systems[f"{name}+retrieval"] = _with_documents(ctx, adapter)
    return systems


def _closed_book(ctx: ToolContext, adapter: str | None) -> System:
    from domainsmith.model_io.generation import GenerationRequest
    from domainsmith.model_io.messages import is_refusal, qa_messages
    from domainsmith.training.evaluate import EvalAnswer

    def system(questions: Sequence[Question]) -> list[EvalAnswer]:
        engine = ctx.models.engine()
        requests = [
            GenerationRequest(
                engine.render(qa_messages(q.question, language=q.language)),
                max_new_tokens=_MAX_NEW_TOKENS,
                adapter=adapter,
            )
            for q in questions
        ]
        texts = [""] * len(requests)
        for completion in engine.generate(requests):
            texts[completion.index] = completion.text.strip()
        return [
            EvalAnswer(text, is_refusal(text, q.language))
            for text, q in zip(texts, questions, strict=True)
        ]

    return system


def _with_documents(ctx: ToolContext, adapter: str | None) -> System:
    from domainsmith.chains.answer import answer_many
    from domainsmith.training.evaluate import EvalAnswer

    def system(questions: Sequence[Question]) -> list[EvalAnswer]:
        replies = answer_many(
            [q.question for q in questions],
            index=ctx.models.index(),
            embedder=ctx.models.embedder(),
            chat=ctx.models.engine(),
            top_k=ctx.options.top_k,
            adapter=adapter,
            gate=False,
            fallback=False,
        )
        return [EvalAnswer(reply.text, reply.refused) for reply in replies]

    return system


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


def _sample(questions: list[Question], most: int) -> list[Question]:
    """Take questions evenly from the file, so that every part of it is in."""
    if not most or len(questions) <= most:
        return questions
    return [questions[n * len(questions) // most] for n in range(most)]


def _evaluate_model(ctx: ToolContext, arguments: EvaluateModel) -> ToolResult:
    from domainsmith.training.evaluate import evaluate, finished_report, report_key
    from domainsmith.training.gate import promote
    from domainsmith.training.report import write_report

    entry = _newest_adapter(ctx)
    assert entry.manifest is not None
    questions, file = held_out_questions(ctx, arguments.questions)
    if file is None or not questions:
        raise InputNotFound(
            "No test questions were found beside the documents",
            fix="Name a JSONL file of questions, or put NAME-questions.jsonl beside the folder.",
        )
    questions = _sample(questions, ctx.options.max_questions)
    dataset = find_dataset(ctx.workspace, entry.manifest.dataset_id)
    records: list[Record] = read_dataset(dataset.path) if dataset else []
    config = _config(ctx, entry)
    names = ["base", "base+retrieval", "tuned", "tuned+retrieval"]
    key = report_key(
        questions, names, adapter_id=entry.id, dataset_id=entry.manifest.dataset_id, config=config
    )
    known = finished_report(ctx.workspace, key)
    report = known or evaluate(
        ctx.workspace,
        questions,
        eval_systems(ctx, entry.id),
        adapter_id=entry.id,
        dataset_id=entry.manifest.dataset_id,
        records=records,
        config=config,
        embed=ctx.models.embedder().embed,
        seed=ctx.options.seed,
        progress=ctx.progress,
    )
    path = write_report(ctx.workspace, report, language=ctx.language)
    decision = promote(ctx.workspace, report)
    return _result(ctx, report, decision, len(questions), file, path, done=known is not None)


def _config(ctx: ToolContext, entry: AdapterEntry) -> dict[str, Any]:
    from domainsmith.prompts import prompt_sha256
    from domainsmith.storage.passages import passages_fingerprint

    assert entry.manifest is not None
    return {
        "base_sha256": entry.manifest.base_sha256,
        "passages": passages_fingerprint(ctx.workspace.db),
        "top_k": ctx.options.top_k,
        "max_new_tokens": _MAX_NEW_TOKENS,
        "prompts": [
            prompt_sha256(name, language)
            for name in ("expert", "grounded_question")
            for language in ("en", "zh")
        ],
        "systems": 1,
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
    summary = say(
        ctx,
        f"{'Already done: ' if done else ''}Verdict after {questions} held-out questions of "
        f"{file.name}: {verdict[0]}. Scores (95 % intervals): {scores}. Differences: {gains}. "
        f"Leaks: {leaks}. {decision.reason} Report: {path}",
        f"{'已经完成：' if done else ''}{file.name} 的 {questions} 个留出问题的结论：{verdict[1]}。"
        f"得分（95% 区间）:{scores}。差值：{gains}。泄漏：{leaks}。{decision.reason} 报告：{path}",
    )
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
