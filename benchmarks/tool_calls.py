"""Function calls of the embedded model on BFCL's non-live sets, with and without our decoding.

Ways, each greedy and with the same list of tools:

- ``free`` generates text and reads the JSON objects in it leniently;
- ``constrained`` obeys a grammar of the tools and nothing else;
- ``scored`` picks the tool by likelihood first;
- ``told`` besides narrows the numbers and the optional arguments to what the request says;
- ``copied`` besides copies texts from the request: ``bind_tools`` with ``tool_choice="any"``;
- ``auto`` is ``copied`` with the right to answer in words: ``bind_tools`` as it is by default.

In the irrelevance set no tool fits, and an answer in words is right; of the ways only ``free``,
``auto`` and ``decoding`` (``auto`` by the grammar alone) can give one. In the parallel sets a list
of calls is asked for. Right or wrong is decided by :mod:`benchmarks.bfcl_match`. Intervals are 95 %
bootstrap percentiles over the requests. ``--steps`` instead counts the forward steps of ``copied``
with and without forced tokens, row by row, in float32. A few calls differ: a forced text is cut
into tokens as the tokenizer cuts it, while a model that is asked for each token may spell it out.

The data (Apache-2.0) is found through ``DOMAINSMITH_DATA`` (default ``../shared/data``).

Run: ``python -m benchmarks.tool_calls [--sets simple_python,...] [--ways free,...] [--count 60]
[--part held-out] [--seed 17] [--tokens 128] [--steps]``
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Sequence
from typing import Any

import torch
from langchain_core.messages import HumanMessage

from benchmarks.bfcl_match import calls_match
from benchmarks.bfcl_rows import LEFT_OUT, SETS, answers_of, read_rows, tools_of
from domainsmith.errors import DomainSmithError
from domainsmith.model_io.chat_messages import plain_messages
from domainsmith.model_io.chat_request import chat_request
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.model_io.load import load_engine
from domainsmith.model_io.tool_calls import is_call, parse_calls
from domainsmith.records import content_hash

_AS_THEY_ARE = {"told_arguments": False, "copy_from_request": False}
WAYS: dict[str, dict[str, Any]] = {
    "free": {},
    "constrained": {"tool_choice": "any", "tool_choice_by": "decoding", **_AS_THEY_ARE},
    "scored": {"tool_choice": "any", **_AS_THEY_ARE},
    "told": {"tool_choice": "any", "copy_from_request": False},
    "copied": {"tool_choice": "any"},
    "auto": {},
    "decoding": {"tool_choice_by": "decoding", **_AS_THEY_ARE},
}
_IRRELEVANT_WAYS = ("free", "decoding", "auto")
Calls = list[tuple[str, dict[str, Any]]]


def lenient_calls(text: str) -> Calls:
    """Read the JSON objects of a text that look like calls."""
    decoder = json.JSONDecoder()
    found: Calls = []
    at = 0
    while (at := text.find("{", at)) >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
            continue
        arguments = value.get("arguments", value.get("parameters"))
        if isinstance(value.get("name"), str) and isinstance(arguments, dict):
            found.append((value["name"], arguments))
        at = end
    return found


def request_of(engine: Engine, row: dict[str, Any], way: str, tokens: int) -> GenerationRequest:
    """Return what ``bind_tools`` would ask the engine."""
    several = len(answers_of(row)) > 1
    messages = [HumanMessage(row["question"][0][-1]["content"])]
    tools = tools_of(row)
    if way == "free":
        prompt = engine.render(plain_messages(messages, tools, several=several))
        return GenerationRequest(prompt, tokens)
    options = {"tools": tools, "parallel_tool_calls": several, **WAYS[way]}
    asked = chat_request(engine, messages, options, adapter=None)
    return GenerationRequest(asked.prompt, tokens, constraint=asked.constraint)


def calls_of(request: GenerationRequest, text: str) -> Calls:
    """Read the calls of a completion."""
    if request.constraint is None:
        return lenient_calls(text)
    _, calls = parse_calls(text, request.constraint, salt="")
    return [(call["name"], call["args"]) for call in calls]


def calls_by(engine: Engine, rows: Sequence[dict[str, Any]], way: str, tokens: int) -> list[Calls]:
    """Let the model answer all rows in one way, in batches."""
    requests = [request_of(engine, row, way, tokens) for row in rows]
    found: list[Calls] = [[] for _ in rows]
    asked = [at for at, one in enumerate(requests) if way == "free" or is_call(one.constraint)]
    for done in engine.generate([requests[at] for at in asked]):
        at = asked[done.index]
        try:
            found[at] = calls_of(requests[at], done.text)
        except DomainSmithError as error:
            print(f"{rows[at]['id']} {way}: {error}")
    return found


def interval(right: Sequence[bool], seed: int, rounds: int = 2000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of an accuracy."""
    source = random.Random(seed)
    shares = sorted(sum(source.choices(right, k=len(right))) / len(right) for _ in range(rounds))
    return shares[int(0.025 * rounds)], shares[int(0.975 * rounds) - 1]


def measured(
    engine: Engine, name: str, rows: Sequence[dict[str, Any]], way: str, arguments: Any
) -> dict[str, Any]:
    """Answer and check the rows of a set in one way; print and return the figures."""
    started = time.perf_counter()
    found = calls_by(engine, rows, way, arguments.tokens)
    seconds = (time.perf_counter() - started) / len(rows)
    right = [
        calls_match(calls, answers_of(row), row["function"])
        for calls, row in zip(found, rows, strict=True)
    ]
    named = [
        sorted(call[0] for call in calls) == sorted(name for one in answers_of(row) for name in one)
        for calls, row in zip(found, rows, strict=True)
    ]
    low, high = interval(right, arguments.seed)
    print(
        f"{name:17} {way:11} called {sum(map(bool, found)):3}  right tools {sum(named):3}  "
        f"right {sum(right):3} of {len(rows)} = {sum(right) / len(right):.3f} "
        f"[{low:.3f}, {high:.3f}]  {seconds:.2f} s a request",
        flush=True,
    )
    return {
        "set": name,
        "way": way,
        "requests": len(rows),
        "called": sum(map(bool, found)),
        "right tools": sum(named),
        "right": sum(right),
        "accuracy": round(sum(right) / len(right), 3),
        "interval": [round(low, 3), round(high, 3)],
        "seconds a request": round(seconds, 2),
        "rows_sha256": content_hash("\n".join(row["id"] for row in rows)),
    }


def steps_with_and_without(engine: Engine, rows: Sequence[dict[str, Any]], tokens: int) -> Any:
    """Count the forward steps of the same calls with and without forced tokens."""
    requests = [request_of(engine, row, "copied", tokens) for row in rows]
    steps: dict[bool, int] = {}
    calls: dict[bool, list[Calls]] = {}
    for forced in (False, True):
        engine.force_tokens = forced
        before = engine.statistics.steps
        texts = [next(iter(engine.generate([request]))).text for request in requests]
        steps[forced] = engine.statistics.steps - before
        calls[forced] = [calls_of(*pair) for pair in zip(requests, texts, strict=True)]
    same = sum(one == other for one, other in zip(calls[False], calls[True], strict=True))
    return {
        "calls": len(rows),
        "equal calls": same,
        "steps without forced tokens": steps[False],
        "steps with forced tokens": steps[True],
        "ratio": round(steps[False] / max(1, steps[True]), 2),
    }


def main() -> int:
    """Answer, check and print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--ways", default="free,constrained,told,copied,auto")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--part", choices=("all", "development", "held-out"), default="all")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--steps", action="store_true")
    arguments = parser.parse_args()
    engine = load_engine("default", dtype="float32" if arguments.steps else "auto")
    result: dict[str, Any] = {"table": [], "left out": LEFT_OUT}
    for name in arguments.sets.split(","):
        rows = read_rows(name, arguments.count, arguments.seed, arguments.part)
        ways = _IRRELEVANT_WAYS if name == "irrelevance" else arguments.ways.split(",")
        if arguments.steps:
            result.setdefault("steps", {})[name] = steps_with_and_without(
                engine, rows, arguments.tokens
            )
            continue
        for way in ways:
            result["table"].append(measured(engine, name, rows, way, arguments))
    result |= {
        "part": arguments.part,
        "model": engine.model_name,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg()[0],
    }
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
