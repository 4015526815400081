"""Function calls of the embedded model on BFCL's non-live sets, with and without our decoding.

Four ways, each greedy and with the same list of tools: ``free`` generates text and reads the first
JSON object in it leniently; ``constrained`` is ``bind_tools``; ``scored`` lets the likelihood of
the names pick the tool first; ``copied`` besides copies the strings from the request. Right or
wrong is decided by :mod:`benchmarks.bfcl_match`. Intervals are 95 % bootstrap percentiles over the
requests.

The data (Apache-2.0) is found through ``DOMAINSMITH_DATA`` (default ``../shared/data``).

Run: ``python -m benchmarks.tool_calls [--count 60] [--seed 17] [--tokens 128]``
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from langchain_core.messages import HumanMessage

from benchmarks.bfcl_match import call_matches
from domainsmith.errors import OutputInvalid
from domainsmith.model_io.chat_messages import (
    call_constraint,
    parse_call,
    plain_messages,
    request_text,
)
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.model_io.load import load_engine
from domainsmith.model_io.tool_choice import scored_tools
from domainsmith.records import content_hash

SETS = ("simple_python", "multiple")
_KINDS = {"dict": "object", "float": "number", "tuple": "array"}
Call = tuple[str, dict[str, Any]] | None


def read_rows(name: str, count: int, seed: int) -> list[dict[str, Any]]:
    """Return a sample of a set in the order of the file."""
    folder = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data")) / "tool_bfcl"
    file = folder / f"{name}.jsonl"
    if not file.is_file():
        raise SystemExit(f"{file} is absent: set DOMAINSMITH_DATA to the folder of the data sets")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    chosen = sorted(random.Random(seed).sample(range(len(rows)), min(count, len(rows))))
    return [rows[number] for number in chosen]


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


def lenient_call(text: str) -> Call:
    """Read the first JSON object of a text that looks like a call."""
    decoder = json.JSONDecoder()
    for at, character in enumerate(text):
        if character != "{":
            continue
        try:
            value, _ = decoder.raw_decode(text[at:])
        except ValueError:
            continue
        arguments = value.get("arguments", value.get("parameters"))
        if isinstance(value.get("name"), str) and isinstance(arguments, dict):
            return value["name"], arguments
    return None


def calls_by(engine: Engine, rows: Sequence[dict[str, Any]], way: str, tokens: int) -> list[Call]:
    """Let the model answer all rows in one way, in batches: ``bind_tools`` takes the same steps."""
    requests = []
    for row in rows:
        tools: Sequence[Mapping[str, Any]] = tools_of(row)
        messages = [question(row)]
        plain = plain_messages(messages, tools)
        constraint = None
        if way in ("scored", "copied"):
            tools, _ = scored_tools(engine, plain, tools, must_call=True, adapter=None)
        if way != "free":
            copied_from = request_text(messages) if way == "copied" else ""
            constraint = call_constraint(tools, must_call=True, copied_from=copied_from)
        requests.append(GenerationRequest(engine.render(plain), tokens, constraint=constraint))
    found: list[Call] = [None] * len(rows)
    for done in engine.generate(requests):
        constraint = requests[done.index].constraint
        if constraint is None:
            found[done.index] = lenient_call(done.text)
            continue
        try:
            _, (call,) = parse_call(done.text, constraint, salt="")
        except OutputInvalid as error:
            print(f"{rows[done.index]['id']} {way}: {error}")
        else:
            found[done.index] = call["name"], call["args"]
    return found


def question(row: dict[str, Any]) -> HumanMessage:
    """Return the request of a row."""
    return HumanMessage(row["question"][0][0]["content"])


def interval(right: Sequence[bool], seed: int, rounds: int = 2000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of an accuracy."""
    source = random.Random(seed)
    shares = sorted(sum(source.choices(right, k=len(right))) / len(right) for _ in range(rounds))
    return shares[int(0.025 * rounds)], shares[int(0.975 * rounds) - 1]


def main() -> int:
    """Answer, check and print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--tokens", type=int, default=128)
    arguments = parser.parse_args()
    engine = load_engine("default")
    table = []
    for name in SETS:
        rows = read_rows(name, arguments.count, arguments.seed)
        for way in ("free", "constrained", "scored", "copied"):
            started = time.perf_counter()
            calls = calls_by(engine, rows, way, arguments.tokens)
            right = [
                call_matches(call, row["ground_truth"][0], row["function"])
                for call, row in zip(calls, rows, strict=True)
            ]
            named = [
                call is not None and call[0] in row["ground_truth"][0]
                for call, row in zip(calls, rows, strict=True)
            ]
            low, high = interval(right, arguments.seed)
            table.append(
                {
                    "set": name,
                    "way": way,
                    "requests": len(rows),
                    "calls": sum(call is not None for call in calls),
                    "right tool": sum(named),
                    "right call": sum(right),
                    "accuracy": round(sum(right) / len(right), 3),
                    "interval": [round(low, 3), round(high, 3)],
                    "seconds a request": round((time.perf_counter() - started) / len(rows), 2),
                    "rows_sha256": content_hash("\n".join(row["id"] for row in rows)),
                }
            )
            print(
                f"{name:14} {way:12} calls {table[-1]['calls']:3}  right tool {sum(named):3}  "
                f"right call {sum(right):3} of {len(rows)} = {sum(right) / len(right):.3f} "
                f"[{low:.3f}, {high:.3f}]",
                flush=True,
            )
    result = {
        "table": table,
        "model": engine.model_name,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg()[0],
    }
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
