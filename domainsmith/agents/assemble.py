"""From drafted steps to a plan: order, gaps, dependencies, and what must be asked back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domainsmith.agents.wording import ask_back
from domainsmith.records import Language, Plan, Step

if TYPE_CHECKING:
    from domainsmith.tools.tool import Tool

__all__ = ["Draft", "assemble", "complete", "number_steps"]

_LOOP = (
    "add_documents",
    "generate_data",
    "select_data",
    "train_model",
    "evaluate_model",
    "serve_model",
)
"""The order in which these tools make what the next one needs."""
_STAGE = {tool: stage for stage, tool in enumerate(_LOOP)} | {
    "curate_data": _LOOP.index("select_data")
}
"""How far each tool brings the loop; the curator generates and selects."""
_NEEDS_ALL = frozenset({"select_data", "train_model"})
"""Steps that make no sense without the ones before them in the loop."""
_TRAINED = _LOOP.index("train_model")
_TURNED: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"\b(?:after|once|before|as soon as|when|first)\b", re.IGNORECASE),
    "zh": re.compile(r"之后|以后|后|之前|以前|前|先"),
}
_READS_DOCUMENTS = frozenset({"answer_question", "search_documents", "workspace_status"})


@dataclass(frozen=True)
class Draft:
    """A step without a number.

    Args:
        tool: Name of the tool.
        arguments: (name, value) pairs.
        position: Offset in the request of the words that asked for it; -1 if it fills a gap.
    """

    tool: str
    arguments: tuple[tuple[str, Any], ...] = ()
    position: int = -1


def assemble(
    request: str,
    drafts: Sequence[Draft],
    score: float,
    tools: Mapping[str, Tool[Any]],
    language: Language,
) -> Plan:
    """Make a plan of drafted steps.

    Args:
        request: The user's words.
        drafts: Steps in the order of the words.
        score: How well they fit, 0 to about 1.
        tools: The tools by name.
        language: The request's language.

    Returns:
        The plan; it asks back instead if a required argument is missing.
    """
    confidence = round(min(1.0, max(0.0, score)), 4)
    for draft in drafts:
        for name in tools[draft.tool].required_arguments:
            if name not in dict(draft.arguments):
                question = ask_back(draft.tool, name, language)
                return Plan(request=request, steps=(), confidence=confidence, question=question)
    ordered = _in_order(_distinct(drafts), turned=bool(_TURNED[language].search(request)))
    steps = number_steps(complete(ordered), tools)
    return Plan(request=request, steps=steps, confidence=confidence)


def _distinct(drafts: Sequence[Draft]) -> list[Draft]:
    """Join neighbours that say the same thing twice ("train it, with 3 epochs")."""
    result: list[Draft] = []
    for draft in drafts:
        last = result[-1] if result else None
        if last is not None and last.tool == draft.tool and draft.tool in _LOOP[1:]:
            merged = dict(last.arguments) | dict(draft.arguments)
            if all(merged[k] == v for k, v in last.arguments):
                result[-1] = Draft(draft.tool, tuple(merged.items()), last.position)
                continue
        if last is None or (last.tool, last.arguments) != (draft.tool, draft.arguments):
            result.append(draft)
    return result


def _in_order(drafts: list[Draft], *, turned: bool) -> list[Draft]:
    """Put steps of the loop into its order where the words turn it round ("after training")."""
    places = [n for n, d in enumerate(drafts) if d.tool in _STAGE]
    loop = [drafts[n] for n in places]
    if not turned or len({d.tool for d in loop}) < len(loop):
        return drafts
    loop.sort(key=lambda d: _STAGE[d.tool])
    result = list(drafts)
    for place, draft in zip(places, loop, strict=True):
        result[place] = draft
    return result


def complete(drafts: Sequence[Draft]) -> list[Draft]:
    """Fill gaps between steps of one plan.

    If a plan adds documents and then trains, the steps that turn the one into what the other
    needs stand between them, although the request did not name them. Before the first step of
    the loop nothing is added: what it needs may exist already.

    Args:
        drafts: Steps in order.

    Returns:
        The steps, gaps filled.
    """
    result: list[Draft] = []
    reached: int | None = None
    for draft in drafts:
        if draft.tool in _STAGE:
            stage = _STAGE[draft.tool]
            if reached is not None and (draft.tool in _NEEDS_ALL or reached >= _TRAINED):
                result += [Draft(tool) for tool in _LOOP[reached + 1 : stage]]
            reached = stage
        result.append(draft)
    return result


def number_steps(drafts: Sequence[Draft], tools: Mapping[str, Tool[Any]]) -> tuple[Step, ...]:
    """Number steps and name what each needs.

    Args:
        drafts: Steps in order.
        tools: The tools by name.

    Returns:
        The steps; a step needs the latest earlier steps that make what its tool requires.
    """
    steps: list[Step] = []
    makers: dict[str, list[int]] = {}
    for number, draft in enumerate(drafts, 1):
        tool = tools[draft.tool]
        kinds: tuple[str, ...] = tool.requires
        if draft.tool in _READS_DOCUMENTS:
            kinds = (*kinds, "passages")
        needs = sorted({n for kind in kinds for n in makers.get(kind, [])})
        steps.append(
            Step(
                number=number,
                tool=draft.tool,
                arguments=dict(draft.arguments),
                needs=tuple(needs),
                reason="" if draft.position >= 0 else "needed by a later step",
            )
        )
        for kind in tool.produces:
            keep = makers.get(kind, []) if kind == "passages" else []
            makers[kind] = [*keep, number]
    return tuple(steps)
