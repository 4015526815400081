"""A workspace and models for tests of the curator, also as a process.

The model writes nothing useful, so all records come from the forms of sentences. Run as
``python tests/agents/quiet_curator.py WORKSPACE LINES``: the process kills itself with SIGKILL
after that many lines of answers, decisions and blocks.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from domainsmith.agents.curation import log, student
from domainsmith.agents.curator import Curation, CurationRequest, curate
from domainsmith.chains.synthesis import shards
from domainsmith.data_connection.language import content_terms
from domainsmith.model_io.generation import Completion, GenerationRequest, LogLikelihood
from domainsmith.records import Document, Passage, Question, QuestionGold, content_hash
from domainsmith.storage.atomic import append_line
from domainsmith.storage.documents import put_document
from domainsmith.tools.tool import ToolContext, ToolOptions
from domainsmith.workspace import Workspace

PARTS = ("pump", "valve", "hinge", "filter", "sensor", "spring", "cable", "handle", "tray", "fan")
FACTS = (
    "The pump weighs 3 kg.\nIf the pump whistles, bleed its upper nozzle.",
    "The inlet valve opens at 24 V.\nBefore you remove the valve, close the water tap.",
    "The door hinge is held by 5 screws.\nThe hinge pin lasts 6 years.",
    "Rinse the lint filter every 8 weeks.\nThe filter holds 2 litres of water.",
    "The level sensor sits behind the blue panel.\nThe sensor needs a supply of 12 V.",
    "Each tub spring carries 40 kg.\nReplace both springs when one is broken.",
    "The mains cable is 1.85 m long.\nNever use an extension lead with the cable.",
    "The grey handle is made of nylon.\nIf the handle is loose, tighten it with 7 Nm.",
    "The detergent tray has three chambers.\nAfter the last rinse, wash the tray by hand.",
    "The cooling fan runs for 90 seconds.\nThe fan blade is 110 mm wide.",
)
SECTIONS = {
    f"{at + 1} {part.title()}": text
    for at, (part, text) in enumerate(zip(PARTS, FACTS, strict=True))
}
CODES = "| code | title | cause |\n| --- | --- | --- |\n" + "\n".join(
    f"| QX-{100 + at} | {part.title()} stuck | Sand blocks the {part} inlet. |"
    for at, part in enumerate(PARTS)
)
HELD = Question(
    key="held",
    question="How heavy is the pump?",
    answer="3 kg.",
    language="en",
    gold=(QuestionGold(document="manual.md", quote="The pump weighs 3 kg."),),
)


class QuietModel:
    """Says one thing to everything; finds answers about the fan likely and all others not."""

    model_name = "quiet"
    context_length = 2048
    adapters: tuple[str, ...] = ()

    def render(self, messages: Sequence[Any], *, add_generation_prompt: bool = True) -> str:
        return "\n".join(str(message) for message in messages)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        for index, request in enumerate(requests):
            said = "What?" if request.constraint else "Clean the fan every 11 weeks."
            yield Completion(index, said, len(request.prompt.split()), 5, "stop")

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        return [LogLikelihood(-12.0, 4) for _ in pairs]


class TermEmbedder:
    """Places texts by their words."""

    model_name = "hash-of-terms"
    dimension = 512

    def embed(self, texts: Sequence[str]) -> Any:
        rows = np.zeros((len(texts), 512), dtype=np.float32)
        for at, text in enumerate(texts):
            for term in content_terms(text, "en"):
                rows[at, int(content_hash(term)[:8], 16) % 512] += 1
        return rows / np.maximum(1e-6, np.linalg.norm(rows, axis=1, keepdims=True))


class QuietModels:
    """Hands out the two."""

    def __init__(self) -> None:
        self._engine, self._embedder = QuietModel(), TermEmbedder()

    def engine(self) -> Any:
        return self._engine

    def embedder(self) -> Any:
        return self._embedder


def fill(workspace: Workspace, sections: Mapping[str, str] = SECTIONS) -> None:
    """Put the documents in: a manual of ten sections and a table of codes."""
    put(workspace, "manual.md", {f"Manual > {name}": text for name, text in sections.items()})
    put(workspace, "error-codes.csv", {"error-codes": CODES})


def put(workspace: Workspace, path: str, sections: Mapping[str, str]) -> None:
    document = Document(
        path=path,
        source_sha256=content_hash(path),
        media_type="text/markdown",
        title="Manual",
        language="en",
        text="",
    )
    passages = [
        Passage(
            document_id=document.id,
            document_path=path,
            ordinal=at,
            text=text,
            header=header,
            start=0,
            end=len(text),
            language="en",
            content="table" if text.startswith("|") else "prose",
        )
        for at, (header, text) in enumerate(sections.items())
    ]
    put_document(workspace.db, document, passages, folder="docs")


def context(workspace: Workspace, models: Any = None, **options: Any) -> ToolContext:
    return ToolContext(
        workspace=workspace, models=models or QuietModels(), options=ToolOptions(**options)
    )


def run(workspace: Workspace, wish: str = "30 pairs", **limits: Any) -> Curation:
    return curate(context(workspace), CurationRequest(wish=wish, **limits), [HELD])


def _die_after(lines: int) -> None:
    """Count the lines that are appended anywhere; the last one is on the disk before the end."""

    def counted(path: Path, line: str) -> None:
        nonlocal lines
        append_line(path, line)
        lines -= 1
        if lines <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for module in (log, shards, student):
        module.append_line = counted  # type: ignore[attr-defined]


if __name__ == "__main__":
    _die_after(int(sys.argv[2]))
    with Workspace.open(Path(sys.argv[1])) as opened:
        run(opened)
