"""Self-Instruct's filters: which instructions and instances are thrown away, and why."""

from __future__ import annotations

import re
from itertools import pairwise

from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.records import Language

__all__ = ["instance_problem", "instruction_problem", "loops"]

_KEYWORDS = re.compile(
    r"\b(?:images?|pictures?|photos?|pictured|graphs?|charts?|diagrams?|flowcharts?|plots?|videos?|"
    r"audio|music|songs?|draw|sketch|files?|maps?|click|website|links?|go to|attached|above)\b"
    r"|图片|图像|照片|图表|流程图|视频|音频|音乐|画一|绘制|附件|链接|网站|点击|上图|下图",
    re.I,
)
"""What a model that reads and writes text cannot do."""
_PROGRAM = re.compile(
    r"^(?:Write|Create) a (?:program|script)\b|^(?:编写|写)一?个?(?:程序|脚本)", re.I
)
_DANGLING = re.compile(
    r"\b(?:the|a|an|of|to|and|or|in|on|for|with|by|that|which|is|are|your|its|from)[.?]$", re.I
)
_WORDS = (3, 40)
_CHARACTERS_ZH = (5, 60)
_OUTPUT_WORDS = 160
_OUTPUT_ZH = 400


def instruction_problem(text: str, language: Language) -> str:
    """Say why an instruction is filtered, apart from its novelty.

    Args:
        text: The instruction.
        language: That it should be in.

    Returns:
        The filter's name, or an empty text.
    """
    size = len(text) if language == "zh" else len(text.split())
    low, high = _CHARACTERS_ZH if language == "zh" else _WORDS
    if not low <= size <= high:
        return "length"
    if _KEYWORDS.search(text) or _PROGRAM.search(text):
        return "keyword"
    if re.match(r"[\W_]", text) or (language == "en" and not text[0].isascii()):
        return "first character"
    if detect_language(text) != language:
        return "language"
    if _DANGLING.search(text):
        return "unfinished"
    return "repetition" if loops(text) else ""


def instance_problem(instruction: str, given: str, output: str, language: Language) -> str:
    """Say why an instance is filtered.

    Args:
        instruction: Of the task.
        given: The instance's input; empty without one.
        output: The instance's output.
        language: Of the task.

    Returns:
        The filter's name, or an empty text.
    """
    words = plain_tokens(output)
    if not words:
        return "empty output"
    if given and words == plain_tokens(given):
        return "output is the input"
    if words == plain_tokens(instruction):
        return "output is the instruction"
    if len(output) > _OUTPUT_ZH if language == "zh" else len(output.split()) > _OUTPUT_WORDS:
        return "length"
    if len(words) > 3 and detect_language(output) != language:
        return "language"
    return "repetition" if loops(output) else ""


def loops(text: str) -> bool:
    """Tell whether a text says the same again and again, as weak models do.

    Args:
        text: Any text.
    """
    words = plain_tokens(text)
    if any(a == b and not a.isdigit() and not "一" <= a <= "鿿" for a, b in pairwise(words)):
        return True
    size = 4
    runs = [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]
    return len(runs) - len(set(runs)) > max(1, len(runs) // 10)
