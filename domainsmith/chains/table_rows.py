"""The rows of Markdown tables, each with its column names."""

from __future__ import annotations

import re

__all__ = ["asked_cells", "cells", "table_rows"]

_SAYS_NOTHING = re.compile(
    r"\W*|propert(?:y|ies)|parameters?|items?|features?|specifications?|characteristics?|attributes?|"
    r"names?|fields?|keys?|values?|details?|data|descriptions?|information|"
    r"项目|参数|名称|规格|属性|特性|字段|数?值|内容|说明|描述|详情|数据|信息",
    re.IGNORECASE,
)
"""Heads of a table of two columns that only say that it is one: "Property", "Value"."""
_DENYING_NAME = re.compile(
    r"[^:]{0,30}(?:\b(?:not|never|excluded|forbidden|prohibited)\b|n['’]t\b)[^:]{0,20}: |"
    r"[^:：]{0,8}(?:不(?:可|能|得|准|许|赔|保|包含|包括|适用)|禁止|除外)[^:：]{0,8}[:：]",
    re.IGNORECASE,
)
_ASKS_WHICH = re.compile(r"\b(?:which|what|where)\b|哪|什么", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|never|no)\b|n['’]t\b|不|禁止|除外", re.IGNORECASE)


def table_rows(text: str) -> list[tuple[str, str]]:
    """Return the rows of a text's table.

    Args:
        text: Of a passage; lines that begin with a bar are its table.

    Returns:
        (the line, the same to read) of each row below the heads: "Bin: Blue; Collected: Monday".
    """
    rows = [line for line in text.split("\n") if line.lstrip().startswith("|")]
    split = [cells(row) for row in rows]
    headed = len(rows) > 2 and all(set(cell) <= set("-: ") for cell in split[1])
    names = split[0] if headed else []
    listed = len(names) == 2 and all(_SAYS_NOTHING.fullmatch(name) for name in names)
    found = []
    for row, values in list(zip(rows, split, strict=True))[2 if headed else 0 :]:
        pairs = [
            f"{name}: {value}" if name else value
            for name, value in zip(names or [""] * len(values), values, strict=False)
            if value
        ]
        told = ": ".join(filter(None, values)) if listed else "; ".join(pairs)
        found.append((row.strip(), told))
    return found


def cells(row: str) -> list[str]:
    """Return the cells of a line of a table."""
    parts = re.split(r"(?<!\\)\|", row.strip().strip("|"))
    return [part.strip().replace("\\|", "|") for part in parts]


def asked_cells(question: str, row: str) -> str:
    """Leave out the cells of a row that say what is not so, where a question asks which one it is.

    "Which bin do cartons go in?" is not answered by the bin under whose "What does not" they stand.

    Args:
        question: The user's words.
        row: To read, as :func:`table_rows` gives it.

    Returns:
        The row itself if the question has a "not" of its own, or if nothing would be left.
    """
    if not _ASKS_WHICH.search(question) or _DENIES.search(question):
        return row
    pairs = re.split(r"; (?=[^;:]{1,40}: )", row)  # a cell may hold a semicolon of its own
    kept = [pair for pair in pairs if not _DENYING_NAME.match(pair)]
    return "; ".join(kept) or row
