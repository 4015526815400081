"""Progress in the request's language; the work itself tells it in English."""

from __future__ import annotations

import re

from domainsmith.records import Language

__all__ = ["progress_text", "time_left"]

_STAGES_ZH = {
    "loading files": "正在读取文件",
    "fetching pages": "正在获取网页",
    "reading tables": "正在读取数据表",
    "embedding passages": "正在嵌入段落",
    "embedding passages anew": "正在重新嵌入段落",
    "bringing search up to date": "正在更新检索",
    "asking about passages": "正在根据段落提问",
    "asking the student": "正在考查学生模型",
    "scoring answers": "正在给回答打分",
    "scoring examples": "正在给样例打分",
    "selecting records": "正在筛选记录",
    "selecting": "正在筛选",
    "smoke run": "试运行",
    "training": "正在训练",
    "tuning": "正在调优检索",
    "interrupted": "已中断",
}
_PHRASES_ZH = (
    (r"^round (\d+): ", r"第 \1 轮："),
    (r"^starting (.+)$", r"正在开始 \1"),
    (r"^generating (.+)$", r"正在生成 \1"),
    (r"^evaluating (.+)$", r"正在评估 \1"),
    (r"^selecting \((.+)\)$", r"正在筛选（\1）"),
    (r"(\d+) of (\d+) records? good", r"\2 条记录中 \1 条合格"),
    (r"; (\d+) need about ([^;]+?) and (\d+) tokens?", r"；\1 条约需 \2、\3 个词元"),
    (r"; no estimate$", "；暂无估计"),
    (r"about (\d+) (s|min|h) left", r"约剩 \1 \2"),
    (r"(\d+) made", r"已生成 \1 条"),
    (r"(\d+) tokens?\b", r"\1 个词元"),
    (r"\bloss ([\d.]+)", r"损失 \1"),
    (r"([\d.]+) tok/s", r"\1 词元/秒"),
    (r"(?<=\d) min\b", " 分钟"),
    (r"(?<=\d) s\b", " 秒"),
    (r"(?<=\d) h\b", " 小时"),
)


def progress_text(text: str, language: Language) -> str:
    """Say a stage or a remark of progress in a language.

    Args:
        text: As the work tells it.
        language: Of the person; names of methods and stages stay as they are.
    """
    if language == "en":
        return text
    round_number, colon, stage = text.rpartition(": ")
    if stage in _STAGES_ZH and (not colon or round_number.startswith("round ")):
        text = f"{round_number}{colon}{_STAGES_ZH[stage]}"
    for pattern, words in _PHRASES_ZH:
        text = re.sub(pattern, words, text)
    return text


def time_left(seconds: float, language: Language) -> str:
    """Tell how long work will still take."""
    return f"约剩 {seconds:.0f} 秒" if language == "zh" else f"about {seconds:.0f} s left"
