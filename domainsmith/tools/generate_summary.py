"""What a generation run says of itself: how many records, about what, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domainsmith.counts import counted
from domainsmith.tools.tool import ToolContext, say

if TYPE_CHECKING:
    from domainsmith.chains.generate import DatasetReport, GenerationOptions

__all__ = ["found_nothing", "kept_out_words", "run_summary"]


def kept_out_words(ctx: ToolContext, report: DatasetReport, kept_out: Mapping[str, Any]) -> str:
    """Say which passages were held out, and for whose questions.

    Args:
        ctx: In whose language.
        report: Of the run.
        kept_out: ``passages_excluded``, ``questions`` and ``questions_files``.
    """
    names = ", ".join(name.rpartition("/")[2] for name in kept_out["questions_files"])
    excluded, asked = report.passages_excluded, kept_out["questions"]
    if not names:
        return say(
            ctx,
            "No questions file was found, so no passage was held out.",
            "没有找到问题文件，因此没有排除任何段落。",
        )
    return say(
        ctx,
        f"Kept out: {counted(excluded, 'passage')} behind the {counted(asked, 'question')} of "
        f"{names}.",
        f"已排除 {names} 中 {asked} 个问题背后的 {excluded} 个段落。",
    )


def run_summary(
    ctx: ToolContext, report: DatasetReport, options: GenerationOptions, kept_out: str
) -> str:
    """Tell what a run made and what it lacks, in a few sentences.

    Args:
        ctx: In whose language.
        report: Of the run.
        options: What was asked for.
        kept_out: From :func:`kept_out_words`.
    """
    from domainsmith.chains.synthesis.dataset import OVER

    done, target = report.repeated, options.target
    over = report.dropped.get(OVER, 0)
    out = sum(report.dropped.values()) - over
    early = ""
    if not report.whole and report.stopped != "yield":
        early = say(
            ctx,
            f" The run ended early ({report.stopped}); the same command goes on from there.",
            f"运行提前结束（{report.stopped}）；再次执行同一命令即可继续。",
        )
    early += _missing(ctx, report, options) + found_nothing(ctx, report) + _unscored(ctx, report)
    kept_out = _about(ctx, report) + kept_out
    more = ""
    if over:
        more = say(
            ctx,
            f"; {counted(over, 'good one')} more than that left out",
            f"；另有 {over} 条合格但超出要求",
        )
    return say(
        ctx,
        f"{'Already done: ' if done else ''}{counted(report.records, 'record')} in "
        f"{report.dataset_id} "
        f"(asked for {target}; {counted(out, 'candidate')} dropped{more}). {kept_out}{early}",
        f"{'已经完成：' if done else ''}{report.dataset_id} 中有 {report.records} 条记录"
        f"（要求 {target} 条；丢弃候选 {out} 条{more}）。{kept_out}{early}",
    )


def _about(ctx: ToolContext, report: DatasetReport) -> str:
    """Say what a topic was taken for, and what of it the documents lack."""
    if not report.topic:
        return ""
    words, many = report.topic["words"], report.topic["passages"]
    sections: Mapping[str, Sequence[str]] = report.topic["sections"]
    titles = list(dict.fromkeys(title for found in sections.values() for title in found))
    named = say(ctx, "; ", "；").join(titles[:5]) + (" ..." if len(titles) > 5 else "")
    lacking = say(ctx, ", ", "、").join(phrase for phrase, found in sections.items() if not found)
    not_there = say(ctx, f" The documents do not speak of {lacking}.", f"文档没有提到{lacking}。")
    return say(
        ctx,
        f'About "{words}": {counted(many, "passage")} ({named}).{not_there if lacking else ""} ',
        f"主题“{words}”：{many} 个段落（{named}）。{not_there if lacking else ''}",
    )


def _missing(ctx: ToolContext, report: DatasetReport, options: GenerationOptions) -> str:
    """Say how many of the items asked for are not there, and why."""
    from domainsmith.chains.synthesis.plan import told_reasons

    missing = options.target - report.records if options.bounded else 0
    told = ""
    if missing > 0 and report.whole:
        names = ", ".join(report.spent)
        told = say(
            ctx,
            f" {counted(missing, 'record')} of the {options.target} missing: "
            + (f"the documents give no more by {names}." if names else "the rest was dropped."),
            f"比要求的 {options.target} 条少 {missing} 条："
            + (f"文档通过 {names} 已给不出更多。" if names else "其余已被丢弃。"),
        )
    if report.dried:
        reasons = told_reasons(report.dried)
        lack = say(ctx, f" {missing} of {options.target} missing;", f"少 {missing} 条；")
        told += (lack if missing > 0 and not report.whole else "") + say(
            ctx,
            f" dried up after a good beginning: {reasons}."
            + ("" if report.whole else " With --floor 0 it goes on nevertheless."),
            f"开始良好但随后产出不足：{reasons}。"
            + ("" if report.whole else "加上 --floor 0 可继续。"),
        )
    return told


def found_nothing(ctx: ToolContext, report: DatasetReport) -> str:
    """Name the methods that the dataset is without.

    Args:
        ctx: In whose language.
        report: Of the run.
    """
    from domainsmith.chains.synthesis.plan import told_reasons

    if not report.nothing:
        return ""
    many, reasons = len(report.nothing), told_reasons(report.nothing)
    return say(
        ctx,
        f" {counted(many, 'method')} found nothing or too little and went without: {reasons}.",
        f"有 {many} 种方法没有得到结果或结果太少，已跳过：{reasons}。",
    )


def _unscored(ctx: ToolContext, report: DatasetReport) -> str:
    """Say which checks were left out for want of likelihoods."""
    from domainsmith.chains.synthesis.method import NOT_SCORED

    many = sum(count for name, count in report.counts.items() if name.startswith(NOT_SCORED))
    if not many:
        return ""
    return say(
        ctx,
        f" The served model tells no likelihoods, so {counted(many, 'text')} had to be kept "
        f"without the checks "
        "that need them (trivia, likelihood); a local model makes these.",
        f"所连接的模型不提供似然值，因此 {many} 条文本未做需要它的检查（常识、似然）；"
        "本地模型会做这些检查。",
    )
