"""The tool that makes data: its arguments, and the recipe by which another process works on."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from amber_manual import store_manual

from domainsmith.apps.assembly import Assembly
from domainsmith.apps.cli.generate import _options
from domainsmith.chains.generate import GenerationOptions
from domainsmith.chains.synthesis.method import Materials
from domainsmith.chains.synthesis.plan import plan_methods
from domainsmith.chains.synthesis.registry import METHODS
from domainsmith.chains.synthesis.shards import block_values
from domainsmith.chains.synthesis.sources import sort_passages
from domainsmith.chains.synthesis.spread import measured_block
from domainsmith.errors import InputInvalid, InputNotFound, InternalError
from domainsmith.progress import ProgressEvent
from domainsmith.settings import Settings
from domainsmith.storage.passages import passages
from domainsmith.tools import ray_workers
from domainsmith.tools.generate import GENERATE_DATA
from domainsmith.tools.generate_request import GenerateData, requested_methods
from domainsmith.tools.ray_workers import build_from_recipe, worker_recipe
from domainsmith.tools.tool import ToolOptions
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder
    from domainsmith.model_io.engine import Engine


@pytest.fixture
def assembly(tmp_path: Path) -> Any:
    with Workspace.create(tmp_path / "space") as space:
        texts = [
            f"The amber {part} weighs {n + 3} kg. If it rattles, tighten its {n + 2} screws."
            for n, part in enumerate(("pump", "valve", "hinge"))
        ]
        store_manual(space, texts)
        yield Assembly(space, Settings())


def test_a_method_that_is_not_there_is_said_before_a_model_is_loaded(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "space") as space:
        own = Assembly(space, Settings(chat_model="/no/model"))
        with pytest.raises(InputInvalid, match=r"no method tables \(there are dialogues,"):
            GENERATE_DATA.call(own.context(), {"methods": ["tables"]})
        own.close()


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"methods": ["self_kv"]}, InputInvalid, r"nothing to read: give a table \(--table"),
        ({"options": {"nonsense": 3}}, InputInvalid, "nonsense: there is no such option"),
        ({"options": {"grading.nonsense": 3}}, InputInvalid, "nonsense"),
        ({"methods": ["documents", "preferences"]}, InputInvalid, "items of one kind"),
        ({"methods": ["self_kv"], "tables": ["no.csv"]}, InputNotFound, "no such file: no.csv"),
        *[
            ({"methods": [name], "options": {"nonsense": 3}}, InputInvalid, "nonsense")
            for name in METHODS
        ],
    ],
)
def test_options_are_refused_before_a_model_is_loaded(
    tmp_path: Path, asked: dict[str, Any], error: type[Exception], said: str
) -> None:
    with Workspace.create(tmp_path / "space") as space:
        own = Assembly(space, Settings(chat_model="/no/model"))
        with pytest.raises(error, match=said):
            GENERATE_DATA.call(own.context(), asked)
        own.close()


def test_methods_shares_options_and_files(assembly: Assembly, tmp_path: Path) -> None:
    arguments = GENERATE_DATA.parse(
        {
            "methods": ["self_kv:3", "documents"],
            "options": {"documents.refusal_share": 0.1, "self_kv.sql": "a.db"},
            "tables": ["rows.csv"],
        }
    )
    ctx = assembly.context(folder=tmp_path)
    first, second = requested_methods(ctx, arguments)
    assert (first.name, first.share) == ("self_kv", 3.0)
    assert first.options == {"sql": "a.db", "table": [str(tmp_path / "rows.csv")]}
    assert (second.share, second.options) == (1.0, {"refusal_share": 0.1})
    assert requested_methods(ctx, GenerateData())[0].name == "documents"


def test_every_problem_of_a_request_is_told(assembly: Assembly) -> None:
    arguments = GENERATE_DATA.parse(
        {
            "methods": ["documents:much", "self_kv"],
            "options": {"refusal_share": 0.1, "dialogues.turns": 3},
            "seeds": "seeds.jsonl",
        }
    )
    with pytest.raises(InputInvalid) as caught:
        requested_methods(assembly.context(), arguments)
    for problem in (
        "share of documents is no number",
        "name its method as in documents.refusal_share",
        "no method dialogues",
        "is for the method self_instruct",
    ):
        assert problem in caught.value.what


def test_options_of_the_command_line() -> None:
    assert _options(("a=1", "b.c=true", "d=x y", 'e=["p"]')) == {
        "a": 1,
        "b.c": True,
        "d": "x y",
        "e": ["p"],
    }
    assert _options(()) is None
    with pytest.raises(InputInvalid, match="not: alone, =3"):
        _options(("alone", "a=1", "=3"))


def test_a_recipe_builds_the_same_method_elsewhere(
    assembly: Assembly, engine: Engine, embedder: LocalEmbedder
) -> None:
    source = sort_passages(passages(assembly.workspace.db, copies=True), [])
    materials = Materials(
        passages=source.usable,
        every=source.every,
        generator=assembly.engine(),
        scorer=assembly.engine(),
        embedder=assembly.embedder(),
        target=1,
        seed=1,
    )
    planned = plan_methods(GenerationOptions(target=4), materials)[0]
    recipe = worker_recipe(assembly.context(), planned, questions=None, workers=2)
    recipe = json.loads(json.dumps(recipe))
    method, meter = build_from_recipe(recipe)
    unit = next(planned.method.rounds())[0]  # type: ignore[index]
    here = block_values(measured_block(planned.method, unit, planned.meter))
    there = block_values(measured_block(method, unit, meter))
    assert here["items"]
    assert here["tokens"] > 0
    assert {**here, "seconds": 0} == {**there, "seconds": 0}
    with pytest.raises(InternalError, match="other passages or models"):
        build_from_recipe({**recipe, "target": 9})


def test_a_worker_searches_with_tuned_models_only_where_its_caller_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tuned = SimpleNamespace(folder=tmp_path, facts=SimpleNamespace(languages=("en",)))
    monkeypatch.setattr(
        "domainsmith.training.retrieval.registry.in_use", lambda *_, **__: {"embedder": tuned}
    )
    monkeypatch.setattr(
        "domainsmith.model_io.load.load_embedder",
        lambda name, **_: SimpleNamespace(name=name, languages=()),
    )
    for wanted, name in ((True, str(tmp_path)), (False, "default")):
        models = ray_workers._Models(None, ToolOptions(tuned_retrieval=wanted))  # type: ignore[arg-type]
        assert models.embedder().name == name  # type: ignore[attr-defined]


def test_a_smoke_run_alone_is_reported(
    assembly: Assembly, engine: Engine, embedder: LocalEmbedder
) -> None:
    result = GENERATE_DATA.call(assembly.context(), {"count": 4, "smoke_only": True})
    assert result.data["stopped"] == "smoke"
    assert result.artifact_ids == ()
    assert "smoke run alone gave" in result.summary
    again = GENERATE_DATA.call(assembly.context(), {"count": 4, "budget_tokens": 10**9})
    assert again.data["records"] == 4
    assert not again.data["partial"]
    over = again.data["dropped"]["more than asked for"]
    assert f"{over} good ones more than that left out" in again.summary


def test_an_interrupt_with_nothing_made_says_so(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    events: list[ProgressEvent] = []
    ctx = assembly.context(progress=events.append)
    monkeypatch.setattr(assembly, "generator", interrupted)
    with pytest.raises(KeyboardInterrupt):
        GENERATE_DATA.call(ctx, {"count": 4})
    assert events[0].stage == "starting documents"
    assert events[-1].stage == "interrupted"
    assert "no dataset was written" in events[-1].message
