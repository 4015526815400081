"""Random JSON schemas, decoded with the embedded model: how many outputs are valid, at what cost.

Every completion is read as ``domainsmith.model_io.constrained_json`` reads it and then validated
again with ``jsonschema``, formats included. ``valid as decoded`` counts those that needed no
repair. ``refused`` are the schemas whose shortest document does not fit into ``--tokens``: that is
told before anything is decoded. The share of the mask is the time in ``RowGrammar.allow``,
``accept`` and ``forced`` against all of the time in decoding steps (prefill of new rows included);
compiling is counted apart.

Run: ``python -m benchmarks.schemas [--count 500] [--seed 17] [--tokens 192] [--temperature 0]``
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from typing import Any

import jsonschema
import torch

from benchmarks.random_schemas import random_schemas
from domainsmith.errors import DomainSmithError, InputInvalid
from domainsmith.model_io.constrain import Grammars, RowGrammar
from domainsmith.model_io.constrained_json import read_json
from domainsmith.model_io.decode import DecodeRun
from domainsmith.model_io.generation import Constraint, GenerationRequest
from domainsmith.model_io.load import load_engine

_TOPICS = ("a red bicycle", "the repair of a pump", "一份订单", "a meeting in May", "客户的地址")
_BLOCK = 16


class Clock:
    """Adds up the seconds that functions take."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def watch(self, owner: type, name: str, label: str) -> None:
        """Time every call of a method."""
        inner: Callable[..., Any] = getattr(owner, name)

        @wraps(inner)
        def timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                self.seconds[label] += time.perf_counter() - started

        setattr(owner, name, timed)


def problem_of(text: str, constraint: Constraint, counts: Counter[str]) -> str:
    """Return why a completion is not valid; empty if it is."""
    validator = jsonschema.Draft202012Validator(
        constraint.schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    try:
        value = read_json(text, constraint)
        validator.validate(value)
    except (DomainSmithError, jsonschema.ValidationError) as error:
        return str(error)[:300]
    counts["valid"] += 1
    if value == json.loads(text):
        counts["as decoded"] += 1
    return ""


def main() -> int:
    """Decode, validate and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--tokens", type=int, default=192)
    parser.add_argument("--temperature", type=float, default=0.0)
    arguments = parser.parse_args()
    engine = load_engine("default")
    schemas = random_schemas(arguments.count, seed=arguments.seed)
    list(engine.generate([GenerationRequest("x", 1, constraint=Constraint.choice(["y"]))]))
    clock = Clock()
    clock.watch(RowGrammar, "allow", "mask")
    clock.watch(RowGrammar, "accept", "mask")
    clock.watch(RowGrammar, "forced", "mask")
    clock.watch(DecodeRun, "advance", "steps")
    clock.watch(Grammars, "start", "compile")
    counts: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    started = time.perf_counter()
    for first in range(0, len(schemas), _BLOCK):
        block = schemas[first : first + _BLOCK]
        requests: dict[int, GenerationRequest] = {}
        for number, schema in enumerate(block, start=first):
            topic = _TOPICS[number % len(_TOPICS)]
            request = GenerationRequest(
                engine.render([{"role": "user", "content": f"Write a JSON record about {topic}."}]),
                max_new_tokens=arguments.tokens,
                temperature=arguments.temperature,
                seed=number,
                constraint=Constraint.json_schema(schema),
            )
            try:
                engine.check(request)
            except InputInvalid as error:
                # Not even its shortest document fits: said before anything was decoded.
                short = "shortest output" in error.what
                told = {"schema": number, "problem": error.what[:200]}
                (refused if short else failures).append(told)
                continue
            requests[number] = request
        numbers = list(requests)
        for done in engine.generate(list(requests.values())):
            number = numbers[done.index]
            counts["tokens"] += done.completion_tokens
            constraint = requests[number].constraint
            assert constraint is not None
            problem = problem_of(done.text, constraint, counts)
            if problem:
                failures.append({"schema": number, "problem": problem, "text": done.text[-200:]})
        share = clock.seconds["mask"] / clock.seconds["steps"]
        print(
            f"{counts['valid']} of {first + len(block) - len(refused)} valid, "
            f"{counts['as decoded']} as decoded, {len(refused)} refused, "
            f"mask {share:.2%} of the step, {counts['tokens']} tokens, "
            f"compile {clock.seconds['compile']:.1f} s, {time.perf_counter() - started:.0f} s",
            flush=True,
        )
    seconds = time.perf_counter() - started
    result = {
        "schemas": len(schemas),
        "seed": arguments.seed,
        "temperature": arguments.temperature,
        "tokens at most": arguments.tokens,
        "valid": counts["valid"],
        "refused": len(refused),
        "valid as decoded": counts["as decoded"],
        "mask share of the step": round(clock.seconds["mask"] / clock.seconds["steps"], 4),
        "mask ms a token": round(1e3 * clock.seconds["mask"] / max(1, counts["tokens"]), 3),
        "compile ms a schema": round(1e3 * clock.seconds["compile"] / len(schemas), 1),
        "seconds a schema": round(seconds / len(schemas), 3),
        "tokens": counts["tokens"],
        "seconds": round(seconds, 1),
        "versions": {"xgrammar": version("xgrammar"), "torch": torch.__version__},
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg()[0],
        "refusals": refused,
        "failures": failures,
    }
    print(json.dumps(result, indent=2, ensure_ascii=False))
    return 0 if counts["valid"] == len(schemas) - len(refused) else 1


if __name__ == "__main__":
    raise SystemExit(main())
