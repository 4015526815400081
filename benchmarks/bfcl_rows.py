"""Rows of BFCL's non-live sets, their functions as tools, and which rows served development."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

__all__ = ["LEFT_OUT", "SETS", "answers_of", "read_rows", "tools_of"]

SETS = ("simple_python", "multiple", "parallel", "parallel_multiple", "irrelevance")

LEFT_OUT = {
    "multi_turn_base": "its calls are checked by running them against simulated services",
}
"""Sets of the folder that are not covered, and why."""

_KINDS = {"dict": "object", "float": "number", "tuple": "array"}
_DEVELOPMENT_ROWS = 300
_DEVELOPMENT_SHARE = 60


def read_rows(name: str, count: int, seed: int, part: str = "all") -> list[dict[str, Any]]:
    """Return a sample of a set in the order of the file.

    Args:
        name: Of the set.
        count: Rows at most; 0 takes all.
        seed: Of the sample.
        part: ``development`` (rows looked at while the decoding was made), ``held-out`` or ``all``.
    """
    known = _development_ids() if part != "all" else set()
    rows = [
        row
        for row in _all_rows(name)
        if part == "all" or (row["id"] in known) == (part == "development")
    ]
    if not count or count >= len(rows):
        return rows
    return [rows[number] for number in sorted(random.Random(seed).sample(range(len(rows)), count))]


def json_schema(part: Any) -> Any:
    """Turn BFCL's parameter description into JSON Schema."""
    if not isinstance(part, dict):
        return part
    schema: dict[str, Any] = {}
    if part.get("type") != "any":
        schema["type"] = _KINDS.get(part.get("type", ""), part.get("type"))
    for key in ("description", "enum", "required"):
        if key in part:
            schema[key] = part[key]
    if "properties" in part:
        schema["properties"] = {key: json_schema(one) for key, one in part["properties"].items()}
    if "items" in part:
        schema["items"] = json_schema(part["items"])
    return schema


def tools_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the functions of a row in OpenAI's form."""
    return [
        {
            "type": "function",
            "function": {
                "name": function["name"],
                "description": function.get("description", ""),
                "parameters": json_schema(function["parameters"]),
            },
        }
        for function in row["function"]
    ]


def answers_of(row: dict[str, Any]) -> list[dict[str, dict[str, list[Any]]]]:
    """Return the right calls with their possible values; none where no tool fits."""
    answers: list[dict[str, dict[str, list[Any]]]] = row.get("ground_truth") or []
    return answers


def _all_rows(name: str) -> list[dict[str, Any]]:
    folder = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data")) / "tool_bfcl"
    file = folder / f"{name}.jsonl"
    if not file.is_file():
        raise SystemExit(f"{file} is absent: set DOMAINSMITH_DATA to the folder of the data sets")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


def _development_ids() -> set[str]:
    """Return the rows that were looked at while the decoding was made, answers included.

    Of the simple and multiple sets together the first 300 of a shuffle, of the irrelevance set a
    sample of 60; of the others none.
    """
    both = [row["id"] for name in SETS[:2] for row in _all_rows(name)]
    random.Random(1).shuffle(both)
    irrelevant = [row["id"] for row in _all_rows("irrelevance")]
    sample = random.Random(101).sample(range(len(irrelevant)), _DEVELOPMENT_SHARE)
    return {*both[:_DEVELOPMENT_ROWS], *(irrelevant[number] for number in sample)}
