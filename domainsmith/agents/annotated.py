"""Annotated requests: words that people used, and the steps that they meant."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from domainsmith.agents.clauses import clauses
from domainsmith.agents.spans import find_spans, mask
from domainsmith.records import Language

__all__ = ["Example", "Label", "load_examples"]

Label = tuple[str, ...]
"""Tool names in order; empty for requests that no tool serves."""


@dataclass(frozen=True)
class Example:
    """A request, or one clause of it, and the tools that it asks for.

    Args:
        text: The request with its literal pieces masked.
        label: The tools.
        source: Number of the line in the example file, from 0.
        pieces: Clauses that it has; compared only with texts of at least as many.
    """

    text: str
    label: Label
    source: int
    pieces: int = 1


@cache
def load_examples(language: Language) -> tuple[Example, ...]:
    """Read the annotated requests of a language.

    A request whose clauses and steps are equally many also gives one example per clause,
    unless it is marked as ``turned``: its words name the steps in another order.

    Args:
        language: ``en`` or ``zh``.

    Returns:
        Examples in the order of the file.
    """
    path = files(__package__) / f"plan_examples.{language}.jsonl"
    examples: list[Example] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")):
        if not line:
            continue
        row: dict[str, Any] = json.loads(line)
        request = row["request"]
        steps = row["steps"] or ([row["ask"]] if "ask" in row else [])
        label = tuple(step["tool"] for step in steps)
        spans = find_spans(request, language)
        pieces = clauses(request, spans, language)
        aligned = 1 < len(label) == len(pieces) and not row.get("turned")
        examples.append(
            Example(mask(request, spans), label, number, len(pieces) if len(label) > 1 else 1)
        )
        if aligned:
            examples += [
                Example(mask(request, spans, start, end), (tool,), number)
                for (start, end), tool in zip(pieces, label, strict=True)
            ]
    return tuple(examples)
