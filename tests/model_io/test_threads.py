"""Several threads on one engine: each gets what it would get alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Constraint, GenerationRequest

PROMPTS = ["The washing machine", "A fuse of 13 A", "为什么天空", "The drum holds eight kilograms"]
RULE = Constraint.json_schema(
    {
        "type": "object",
        "properties": {"part": {"enum": ["drum", "fuse"]}, "count": {"type": "integer"}},
        "required": ["part", "count"],
    }
)


def test_threads_get_the_same_as_alone(engine: Engine, adapter_folder: Path) -> None:
    engine.add_adapter("tuned", adapter_folder)

    def generate(number: int) -> Any:
        adapter = "tuned" if number % 2 else None
        requests = [
            GenerationRequest(PROMPTS[number], 3, adapter=adapter),
            GenerationRequest(PROMPTS[number] + " and", 3, adapter=None, temperature=0.9, seed=3),
        ]
        return [done.text for done in sorted(engine.generate(requests), key=lambda one: one.index)]

    def stream(number: int) -> Any:
        adapter = None if number % 2 else "tuned"
        return "".join(engine.stream(GenerationRequest(PROMPTS[number], 3, adapter=adapter)))

    def score(number: int) -> Any:
        adapter = "tuned" if number % 2 else None
        found = engine.score([(PROMPTS[number], " stands."), ("x", " y")], adapter=adapter)
        return [round(item.sum, 3) for item in found]

    def constrained(number: int) -> Any:
        request = GenerationRequest(PROMPTS[number], 16, constraint=RULE)
        return [done.text for done in engine.generate([request])]

    work: list[Callable[[int], Any]] = [generate, stream, score, constrained]
    try:
        alone = [[call(number) for call in work] for number in range(len(PROMPTS))]
        start = threading.Barrier(len(PROMPTS))

        def together(number: int) -> list[Any]:
            start.wait(timeout=30)
            order = [*range(number, len(work)), *range(number)]  # each begins with another call
            found = {place: work[place](number) for place in order}
            return [found[place] for place in range(len(work))]

        with ThreadPoolExecutor(len(PROMPTS)) as pool:
            assert list(pool.map(together, range(len(PROMPTS)))) == alone
    finally:
        engine.remove_adapter("tuned")


def test_an_adapter_may_come_and_go_while_others_answer(
    engine: Engine, adapter_folder: Path
) -> None:
    request = GenerationRequest(PROMPTS[0], 3)
    (wanted,) = engine.generate([request])
    over = threading.Event()

    def swap() -> int:
        count = 0
        while not over.is_set():
            engine.add_adapter("swapped", adapter_folder)
            engine.remove_adapter("swapped")
            count += 1
        return count

    with ThreadPoolExecutor(3) as pool:
        swaps = pool.submit(swap)
        found = [pool.submit(lambda: list(engine.generate([request]))) for _ in range(3)]
        answers = [future.result(timeout=120) for future in found]
        over.set()
        assert swaps.result(timeout=60) >= 0
    assert answers == [[wanted]] * 3
    assert engine.adapters == ()
