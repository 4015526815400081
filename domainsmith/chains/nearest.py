"""What comes near to a question that the documents do not answer, as lines to show."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.data_connection.tables import row_cells
from domainsmith.records import Answer, Closest, Conflict, Language, Passage
from domainsmith.storage.database import Database
from domainsmith.storage.passages import passages_by_id

__all__ = ["change_lines", "conflict_lines", "nearest_lines", "step_lines"]

_SHOWN = 3
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_RULE = re.compile(r"^(?=\s*\|[\s:|]*-)[\s:|-]*\|\s*$")
_CHARACTERS = 240


def nearest_lines(db: Database, answer: Answer, *, shown: int = _SHOWN) -> list[str]:
    """Describe what was found for a refused question, so that a person can look there.

    Args:
        db: Holds the passages.
        answer: Refused or not, or refused in part.
        shown: Most passages, for an answer that holds no statements.

    Returns:
        The statements that came closest, one line each, with document, page and header; of an
        answer without them the beginnings of the passages. Empty for an answer that was not
        refused in any part.
    """
    if answer.closest:
        return [_placed(item, item.text) for item in answer.closest]
    if not answer.refused:
        return []
    found = passages_by_id(db, answer.nearest[:shown])
    return [_placed(passage, _readable(passage.text)) for passage in found]


def _placed(item: Closest | Passage, text: str) -> str:
    page = f", page {item.page}" if item.page else ""
    header = f" ({item.header})" if item.header else ""
    words = " ".join(text.split()).removesuffix(";")
    cut = f"{words[:_CHARACTERS]}..." if len(words) > _CHARACTERS else words
    return f"{item.document_path}{page}{header}: {cut}"


def _readable(text: str) -> str:
    """Write the rows of Markdown tables as a line of ``head: cell`` pairs each.

    A table goes on over passages, so the first of them may have no heads: then the cells stand
    with commas between them.
    """
    shown: list[str] = []
    heads: list[str] = []
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if not _ROW.match(line):
            heads = []
            shown.append(line)
        elif _RULE.match(line):
            continue
        elif at + 1 < len(lines) and _ROW.match(lines[at + 1]) and _RULE.match(lines[at + 1]):
            heads = row_cells(line)
        else:
            shown.append(_said_row(heads, row_cells(line)))
    return "\n".join(shown)


def _said_row(heads: Sequence[str], cells: Sequence[str]) -> str:
    if len(heads) != len(cells):
        return ", ".join(filter(None, cells)) + ";"
    pairs = [f"{head}: {cell}" if head else cell for head, cell in zip(heads, cells, strict=True)]
    return ", ".join(pair for pair, cell in zip(pairs, cells, strict=True) if cell) + ";"


def conflict_lines(answer: Answer) -> list[str]:
    """Describe other documents that give different values, one line each."""
    return [
        _line(conflict, answer.language) for conflict in answer.conflicts if not conflict.version
    ]


def change_lines(answer: Answer) -> list[str]:
    """Tell what other versions of the answer's own document say, one sentence each.

    Args:
        answer: In its language the sentences are.

    Returns:
        Sentences such as "An older version (2021-03) said 60 ml: ...", with the place.
    """
    return [_change(conflict, answer.language) for conflict in answer.conflicts if conflict.version]


def step_lines(answer: Answer) -> list[str]:
    """Tell what was searched besides the question, one line a step, in the answer's language."""
    zh = answer.language == "zh"
    trace, lines = answer.trace, []
    if trace.get("spelling"):
        pairs = ", ".join(f"{new} ({old})" for old, new in sorted(trace["spelling"].items()))
        lines.append(f"已改正拼写：{pairs}" if zh else f"spelling: {pairs}")
    if trace.get("translate"):
        text = trace["translate"]["searched"]
        lines.append(f"译后搜索：{text}" if zh else f"translated: {text}")
    if trace.get("decompose"):
        text = " | ".join(trace["decompose"]["parts"])
        lines.append(f"分开搜索：{text}" if zh else f"taken apart: {text}")
    steps = [trace.get("step_back"), *(p.get("step_back") for p in trace.get("parts", ()))]
    for step in filter(None, steps):
        text = step["searched"]
        lines.append(f"更一般的问题：{text}" if zh else f"broader question: {text}")
    return lines


def _line(conflict: Conflict, language: Language) -> str:
    values, instead = ", ".join(conflict.values), ", ".join(conflict.answer_values)
    place = _place(conflict, language)
    if language == "zh":
        dated = f"（{conflict.dated}）" if conflict.dated else ""
        return f"{place}{dated}的说法是{values}，不是{instead}：{_quote(conflict)}"
    dated = f" ({conflict.dated})" if conflict.dated else ""
    return f"{place}{dated} says {values}, not {instead}: {_quote(conflict)}"


def _change(conflict: Conflict, language: Language) -> str:
    values, place = ", ".join(conflict.values), _place(conflict, language)
    if language == "zh":
        dated = f"（{conflict.dated}）" if conflict.dated else ""
        which = "旧版本" if conflict.version == "older" else "新版本"
        return f"{which}{dated}的说法是{values}：{_quote(conflict)}（{place}）"
    dated = f" ({conflict.dated})" if conflict.dated else ""
    which = "An older version" if conflict.version == "older" else "The newer version"
    says = "said" if conflict.version == "older" else "says"
    return f"{which}{dated} {says} {values}: {_quote(conflict)} ({place})"


def _place(conflict: Conflict, language: Language) -> str:
    if not conflict.page:
        return conflict.document_path
    page = f"，第 {conflict.page} 页" if language == "zh" else f", page {conflict.page}"
    return f"{conflict.document_path}{page}"


def _quote(conflict: Conflict) -> str:
    """The other source's words in one line; a table row without its bars."""
    quote = " ".join(conflict.quote.split())
    return ", ".join(filter(None, row_cells(quote))) if _ROW.match(quote) else quote
