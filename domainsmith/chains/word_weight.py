"""How much a word of a question counts where its wording is looked for in the documents.

A manual of twenty passages is no sample of the language. By its own counts "error" (which it never
says) is the rarest word of "What does error E05 mean?", and "tablet" (which a leaflet says
everywhere) counts nothing. So words are counted in the collection and in a background beside it,
in which a word that people ask with ("need", "new", "happen") is as common as it is in questions.
"""

from __future__ import annotations

import math
from functools import lru_cache

from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import content_terms

__all__ = ["is_common", "word_weight"]

_BACKGROUND = 300
"""Passages about other things that are counted beside those of the collection."""
_COMMON_SHARE = 0.2
"""Share of these that hold a word of :data:`_COMMON_EN` or :data:`_COMMON_ZH`."""
_UNKNOWN = "\x00"
_COMMON_EN = """
    able allow allowed ask back better bring case code come contain count day deal different
    error ever every exactly example expect explain fact far find first follow get go goes going
    gone got happen happens help including instead involved kind know later least let lot main
    make makes many maximum minimum mostly must name need needed needs new next normal number
    occur one part people person place possible problem properly put ready really reason require
    required right say see set should show shows something special sure take taken takes taking
    tell telling thing think told try turn two type use used using usual usually want way well
    wish work works wrong year yes yet
"""
_COMMON_ZH = """
    使用 进行 情况 相关 有关 需 做 去 来 说 看 想 会 才 最 新 好 问题 东西 哪种 具体
    一般 通常 发生 出现 搞 弄 干 走 打 拿 用 算 管 叫 到 找 过 放 开 出 着 给 得 别 另外 还有 要 再
    又 自己 人家 别人 现在 已经 突然 不小心 只是 然后 结果 发现 觉得 知道 打算 准备 可能 一直 每次
    总共 一共 分别 直接 一定 必须 还要 想来 要求 公司 里面 那个 这种 那种 几 次 里 点 号 按 坐 能用
    处理 操作 不行 行 怎样 用完 没用 没有 有没有 要不要 会不会 全 只 多 少 大 小
"""


def word_weight(index: Index, term: str) -> float:
    """Return how much a content term of a question counts.

    Args:
        index: Knows in how many passages the term stands.
        term: As :func:`~domainsmith.data_connection.language.content_terms` writes it.

    Returns:
        The logarithm of how rare the term is in the collection and the background together;
        in a large collection :meth:`Index.idf`, but for common words.
    """
    passages = math.exp(index.idf(_UNKNOWN)) / 2
    holding = passages / math.exp(index.idf(term))
    common = _BACKGROUND * _COMMON_SHARE if term in _common() else 0.0
    return math.log((passages + _BACKGROUND) / (holding + common))


def is_common(term: str) -> bool:
    """Tell whether people ask with a word whatever they ask about ("need", 办)."""
    return term in _common()


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(content_terms(_COMMON_EN, "en")) | frozenset(_COMMON_ZH.split())
