"""Data made with a served model: the project's own server with the real small model."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from amber_manual import store_manual

from domainsmith.apps.assembly import Assembly
from domainsmith.errors import EndpointUnavailable
from domainsmith.model_io import remote_generate
from domainsmith.model_io.generation import Completion
from domainsmith.progress import ProgressEvent
from domainsmith.settings import Settings
from domainsmith.tools.generate import GENERATE_DATA
from domainsmith.training.dataset_folder import dataset_info, read_items
from domainsmith.workspace import Workspace

PARTS = ("pump", "valve", "hinge", "filter", "sensor", "spring")
TEXTS = [
    f"The amber {part} weighs {n + 3} kg. If the amber {part} rattles, tighten its {n + 2} screws. "
    f"Workers in Bergen open the amber {part} at 4 bar and never by hand."
    for n, part in enumerate(PARTS)
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, chat_model_path: Path) -> Iterator[str]:
    """Return the name of the base model behind ``domainsmith serve``."""
    folder = tmp_path_factory.mktemp("served")
    Workspace.create(folder / "space").close()
    command = [sys.executable, "-m", "domainsmith", "--workspace", str(folder / "space")]
    with (folder / "log").open("w") as log:
        child = subprocess.Popen(
            [*command, "--json", "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert child.stdout is not None
        line = next((line for line in child.stdout if line.startswith(b"{")), b"")
        assert line, (folder / "log").read_text()
        yield f"openai:{json.loads(line)['data']['url']}#base"
    finally:
        child.terminate()
        child.wait(20)
        if child.stdout is not None:
            child.stdout.close()


def assembly(space: Workspace, model: str) -> Assembly:
    return Assembly(space, Settings(chat_model=model))


def test_a_served_model_makes_data(served: str, tmp_path: Path, embedder: Any) -> None:
    with Workspace.create(tmp_path / "space") as space:
        store_manual(space, TEXTS[:2])
        app = assembly(space, served)
        asked = {"count": 4, "methods": ["documents"], "options": {"refusal_share": 0.1}}
        result = GENERATE_DATA.call(app.context(), asked)
        assert result.ok
        assert result.data["records"] == 4
        assert result.data["tokens"] > 100
        assert "tells no likelihoods" in result.summary
        counts = result.data["counts"]
        assert counts["not scored: records"] > 0
        assert counts["model candidates"] > 0
        folder = space.datasets_dir / result.data["dataset_id"]
        graders = {grade.grader for item in read_items(folder) for grade in item.grades}
        assert "grounding" in graders
        assert not graders & {"trivia", "likelihood"}
        again = GENERATE_DATA.call(app.context(), asked)
        assert again.data["already_done"]


def test_a_server_that_dies_leaves_what_was_made_and_the_run_goes_on(
    tmp_path: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def answer(self: Any, request: Any) -> Completion:
        calls.append(request)
        return Completion(0, "At how many bar do workers open the part?", 9, 9, "stop")

    asked = {
        "count": 60,
        "methods": ["documents"],
        "options": {"block_passages": 1, "refusal_share": 0.0},
        "floor": 0.0,
    }
    served = "openai:http://127.0.0.1:9/v1#m"
    monkeypatch.setattr(remote_generate.RemoteGenerator, "_ask", answer)
    with Workspace.create(tmp_path / "whole") as space:
        store_manual(space, TEXTS)
        whole = GENERATE_DATA.call(assembly(space, served).context(), asked)
    monkeypatch.setattr(remote_generate, "_PAUSE", 0.01)
    with Workspace.create(tmp_path / "space") as space:
        store_manual(space, TEXTS)
        app = assembly(space, served)
        events: list[ProgressEvent] = []
        left = [len(calls) - 1]

        def dying(self: Any, request: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise EndpointUnavailable("No model server answers there", where="here")
            return answer(self, request)

        monkeypatch.setattr(remote_generate.RemoteGenerator, "_ask", dying)
        with pytest.raises(EndpointUnavailable):
            GENERATE_DATA.call(app.context(progress=events.append), asked)
        (told,) = [event.message for event in events if event.stage == "interrupted"]
        partial = dataset_info(space.datasets_dir / re.findall(r"dataset_\w+", told)[0])
        assert partial.card["stopped"] == "server"
        assert 0 < partial.records < whole.data["records"]
        monkeypatch.setattr(remote_generate.RemoteGenerator, "_ask", answer)
        assert GENERATE_DATA.call(app.context(), asked).data["sha256"] == whole.data["sha256"]
