"""What is killed: one product function a stage, with inputs that grow from round to round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reliability.place import Place
from reliability.stages import add, generate, index, loop, writers

__all__ = ["STAGES", "Stage"]


@dataclass(frozen=True)
class Stage:
    """One stage of the product under fault."""

    name: str
    prepare: Callable[[Place, int], None]
    """Brings the inputs of a round, from 0; done by the harness, never killed."""
    attempt: Callable[[Place], None]
    """Runs the product over everything prepared so far, or continues it; this is killed."""
    warm: Callable[[], None]
    """Imports what an attempt needs, so that forked children have it."""


STAGES: dict[str, Stage] = {
    "add": Stage("add", add.prepare, add.attempt, add.warm),
    "chroma": Stage("chroma", index.prepare_chroma, index.attempt_chroma, index.warm),
    "generate": Stage("generate", generate.prepare, generate.attempt, generate.warm),
    "index": Stage("index", index.prepare, index.attempt, index.warm),
    "loop": Stage("loop", loop.prepare, loop.attempt, loop.warm),
    "writers": Stage("writers", writers.prepare, writers.attempt, writers.warm),
}
