"""Words of the pictures, in both languages."""

from __future__ import annotations

from domainsmith.records import Language

__all__ = ["plot_words"]

_WORDS: dict[str, tuple[str, str]] = {
    "start": ("at first", "开始"),
    "before": ("before", "筛选前"),
    "after": ("after", "筛选后"),
    "records": ("records", "条记录"),
    "number": ("records", "记录数"),
    "stages": ("Records left after each stage", "每一步之后剩余的记录"),
    "map": (
        "Questions by meaning, laid flat along their two main directions",
        "按语义排列的问题（沿两个主方向展平）",
    ),
    "answer": ("Answer length (characters)", "回答长度（字符）"),
    "quality": ("Mean grade", "平均评分"),
    "perplexity": ("Perplexity of the answer", "回答的困惑度"),
    "ifd": ("Difficulty of the instruction (IFD)", "指令难度（IFD）"),
    "golden": ("Golden score", "黄金分数"),
    "tokens": ("Training tokens", "训练词元数"),
}


def plot_words(language: Language) -> dict[str, str]:
    """Return the words by key.

    Args:
        language: Which.
    """
    return {key: pair[language == "zh"] for key, pair in _WORDS.items()}
