"""The data path of the loop as the tools run it: add documents, generate, select."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from reliability.embedder import HashingEmbedder
from reliability.place import Place
from reliability.scripted import ScriptedModel
from reliability.stages import add, generate
from reliability.stages.documents import write_round

if TYPE_CHECKING:
    from domainsmith.data_connection.index import Index
    from domainsmith.model_io.engine import Engine
    from domainsmith.tools.tool import ToolResult

__all__ = ["attempt", "prepare", "run_tools", "warm"]

_FIRST_DOCUMENTS = 3
_RECORDS = 8
_QUESTION = {
    "key": "q1",
    "question": "How many hours does the drum of unit 0 run for?",
    "answer": "",
    "answerable": False,
    "language": "en",
    "category": "unanswerable",
}


class _Models:
    """Deterministic models that cost nothing; no index, which has a stage of its own."""

    def engine(self) -> Engine:
        return cast("Engine", ScriptedModel())

    def generator(self) -> Engine:
        return self.engine()

    def embedder(self) -> HashingEmbedder:
        return HashingEmbedder()

    def index(self) -> Index:
        return cast("Index", add.NoIndex())

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the data path asked for {name}")


def warm() -> None:
    """Import what an attempt needs."""
    import domainsmith.tools.toolset
    import domainsmith.training.evaluate
    import domainsmith.training.leakage_check

    generate.warm()
    del domainsmith


def prepare(place: Place, round_number: int) -> None:
    """Ask for one more pair of datasets.

    Args:
        place: Where.
        round_number: From 0; the seed of the round's datasets.
    """
    if not place.inputs.exists():
        for number in range(_FIRST_DOCUMENTS):
            write_round(place.inputs, number, prefix="note")
    questions = place.root / f"{place.inputs.name}-questions.jsonl"
    questions.write_text(json.dumps(_QUESTION) + "\n", encoding="utf-8")
    (place.root / "loop-wanted").write_text(str(round_number + 1), encoding="ascii")


def attempt(place: Place) -> None:
    """Run the tools for every pair of datasets that is asked for and not finished.

    Args:
        place: Where.
    """
    wanted = int((place.root / "loop-wanted").read_text(encoding="ascii"))
    # The harness remembers what has finished, so that an attempt does not grow with the rounds.
    finished = place.root / "loop-finished"
    first = int(finished.read_text(encoding="ascii")) if finished.exists() else 0
    for seed in range(first, wanted):
        run_tools(place, seed)
        beside = place.root / "loop-finished.new"
        beside.write_text(str(seed + 1), encoding="ascii")
        beside.rename(finished)


def run_tools(place: Place, seed: int) -> dict[str, ToolResult]:
    """Add the inputs, generate a dataset and select from it.

    Args:
        place: Where.
        seed: Of the generation.

    Returns:
        Result by tool.

    Raises:
        RuntimeError: A tool did not do what it was asked.
    """
    from domainsmith.tools.toolset import ToolContext, ToolOptions, tool_named
    from domainsmith.workspace import Workspace

    steps: dict[str, dict[str, Any]] = {
        "add_documents": {"path": str(place.inputs)},
        # The scripted model judges at random: its three first passages may give little.
        "generate_data": {"floor": 0.0},
        "select_data": {},
    }
    results: dict[str, ToolResult] = {}
    with Workspace.create(place.store) as workspace:
        ctx = ToolContext(
            workspace=workspace,
            models=_Models(),
            options=ToolOptions(records=_RECORDS, seed=seed),
            folder=place.root,
        )
        for name, arguments in steps.items():
            results[name] = tool_named(name).call(ctx, arguments)
            if not results[name].ok:
                raise RuntimeError(f"{name}: {results[name].summary}")
    return results
