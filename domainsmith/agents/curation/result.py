"""The curator as the tools and commands use it: from arguments to a result in words."""

from __future__ import annotations

from typing import Any

from domainsmith.agents.curation.words import stop_words
from domainsmith.agents.curator import Curation, CurationRequest, curate
from domainsmith.counts import counted
from domainsmith.tools.curation import CurateData
from domainsmith.tools.held_out import held_out_questions
from domainsmith.tools.tool import ToolContext, ToolResult, say

__all__ = ["curation_result", "run_curation"]


def run_curation(ctx: ToolContext, arguments: CurateData) -> ToolResult:
    """Run ``curate_data``.

    Args:
        ctx: What it works on.
        arguments: Checked.

    Returns:
        The result.

    Raises:
        CurationInterrupted: Ctrl-C; a valid dataset was written first.
    """
    questions, files = held_out_questions(ctx, arguments.questions)
    request = CurationRequest(
        wish=arguments.wish or "",
        target=arguments.count,
        minutes=arguments.minutes,
        rounds=arguments.rounds,
        tokens=arguments.tokens,
    )
    curation = curate(ctx, request, questions)
    return curation_result(ctx, curation, [str(file) for file in files])


def curation_result(
    ctx: ToolContext, curation: Curation, questions_files: list[str] | None = None
) -> ToolResult:
    """Put a curation in words.

    Args:
        ctx: Its language.
        curation: What came of it.
        questions_files: Files of the test questions that were kept out.
    """
    last: dict[str, Any] = dict(
        next(row for row in reversed(curation.log) if row["event"] == "stopped")
    )
    covered, sections = last["coverage"]["sections"]
    why = stop_words(curation.stop, ctx.language)
    done = curation.repeated
    info = curation.dataset
    summary = say(
        ctx,
        f"{'Already done: ' if done else ''}{counted(info.records, 'record')} in {info.id} "
        f"(asked for {last['target']}), {covered} of {counted(sections, 'section')} covered, after "
        f"{counted(curation.rounds, 'round')}. It ended because {why}.",
        f"{'已经完成：' if done else ''}{info.id} 中有 {info.records} 条记录"
        f"（要求 {last['target']} 条），{sections} 个章节中覆盖了 {covered} 个，"
        f"共 {curation.rounds} 轮。结束原因：{why}。",
    )
    return ToolResult(
        ok=True,
        summary=summary,
        artifact_ids=(info.id, curation.id),
        data={
            "already_done": done,
            "curation_id": curation.id,
            "dataset_id": info.id,
            "records": info.records,
            "asked": last["target"],
            "rounds": curation.rounds,
            "stop": curation.stop,
            "coverage": last["coverage"],
            "minutes": last["minutes"],
            "tokens": last["tokens"],
            "log": str(curation.folder / "log.jsonl"),
            "questions_files": questions_files or [],
            "sha256": info.sha256,
        },
    )
