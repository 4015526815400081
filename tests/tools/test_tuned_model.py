"""Tools around a tuned model: who may answer with it, what it will cost, what proves it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from domainsmith.errors import ArtifactCorrupt, InputInvalid, InputNotFound
from domainsmith.records import Answer, Citation, Question
from domainsmith.tools import adapters, evaluation, jobs, training
from domainsmith.tools.eval_systems import eval_systems
from domainsmith.tools.knowledge import ANSWER_QUESTION
from domainsmith.tools.tool import ToolContext, ToolOptions
from domainsmith.training import gate, registry
from domainsmith.training.dataset_folder import write_dataset
from domainsmith.training.evaluate import ANSWER_CHAIN
from domainsmith.workspace import Workspace

ENTRY = SimpleNamespace(
    id="adapter_0123456789abcdef",
    folder="folder",
    manifest=SimpleNamespace(
        base_sha256="a" * 64, base_model="default", dataset_id="dataset_1", system_prompt=""
    ),
)


class FakeModels:
    """Models that only note what they are asked for."""

    def __init__(self):
        self.loaded = []
        self.name = "hash@1"
        self.remote = False

    def engine(self):
        assert not self.remote, "a remote model has no engine"
        return SimpleNamespace(adapters=(), add_adapter=lambda id, folder: self.loaded.append(id))

    def chat(self):
        return "remote" if self.remote else "engine"

    def embedder(self):
        return SimpleNamespace(model_name=self.name)

    def index(self):
        return None

    def reranker(self):
        return None


@pytest.fixture
def ctx(tmp_path, monkeypatch):
    monkeypatch.setattr(adapters, "base_sha256", lambda ctx: "a" * 64)
    with Workspace.create(tmp_path / "w") as workspace:
        yield ToolContext(workspace=workspace, models=FakeModels(), folder=tmp_path)


@pytest.fixture
def asked(monkeypatch):
    """The arguments with which the answer chain was built."""
    calls = []

    def build(workspace, index, embedder, chat, **options):
        calls.append({"chat": chat, **options})
        answer = Answer(question="q", text="It is so.", language="en", refused=False, model="m")
        return SimpleNamespace(invoke=lambda values: answer)

    monkeypatch.setattr("domainsmith.chains.answer.build_answer_chain", build)
    return calls


@pytest.fixture
def promoted(monkeypatch):
    monkeypatch.setattr(gate, "promoted_adapter", lambda workspace: ENTRY.id)
    monkeypatch.setattr(registry, "adapter", lambda workspace, id: ENTRY)


def test_without_a_promoted_adapter_the_chat_model_answers(ctx, asked):
    result = ANSWER_QUESTION.call(ctx, {"question": "Why?"})
    assert (asked[0]["chat"], asked[0]["adapter"]) == ("engine", None)
    assert result.summary == "It is so."


def test_the_quote_of_several_steps_is_one_short_line(ctx, monkeypatch):
    steps = "".join(f"{n}. Turn the key {n} times to the left.\n" for n in range(1, 9))
    citation = Citation(
        number=1, passage_id="passage_1", document_path="manual.md", quote=steps, support=1.0
    )
    answer = Answer(question="q", text=steps, language="en", citations=(citation,), model="m")
    monkeypatch.setattr(
        "domainsmith.chains.answer.build_answer_chain",
        lambda *_, **__: SimpleNamespace(invoke=lambda values: answer),
    )
    result = ANSWER_QUESTION.call(ctx, {"question": "How do I turn the key?"})
    last = result.summary.split("\n")[-1]
    assert last.startswith("[1] manual.md: 1. Turn the key 1 times to the left. 2. Turn")
    assert last.endswith("...")
    assert result.data["answer"]["citations"][0]["quote"] == steps


def test_the_promoted_adapter_answers_and_is_named(ctx, asked, promoted):
    result = ANSWER_QUESTION.call(ctx, {"question": "Why?"})
    assert asked[0]["adapter"] == asked[0]["adapter_id"] == ENTRY.id
    assert asked[0]["system"] is None
    assert ctx.models.loaded == [ENTRY.id]
    assert ENTRY.id in result.summary
    assert result.data["adapter_id"] == ENTRY.id


def test_another_base_answers_without_the_adapter(ctx, asked, promoted, monkeypatch):
    monkeypatch.setattr(adapters, "base_sha256", lambda ctx: "b" * 64)
    ANSWER_QUESTION.call(ctx, {"question": "Why?"})
    assert asked[0]["adapter"] is None
    assert ctx.models.loaded == []


def test_a_remote_model_has_no_base_for_adapters(tmp_path):
    options = ToolOptions(chat_model="openai:http://127.0.0.1:1/v1#m")
    with Workspace.create(tmp_path / "w") as workspace:
        ctx = ToolContext(workspace=workspace, models=FakeModels(), options=options)
        with pytest.raises(InputInvalid, match="remote"):
            adapters.base_sha256(ctx)


def test_a_remote_chat_model_answers(ctx, asked, monkeypatch):
    ctx.models.remote = True
    ANSWER_QUESTION.call(ctx, {"question": "Why?"})
    assert asked[0]["chat"] == "remote"


def test_an_adapter_of_other_weights_is_not_evaluated(ctx, monkeypatch):
    monkeypatch.setattr(evaluation, "_newest_adapter", lambda ctx: ENTRY)
    monkeypatch.setattr(adapters, "base_sha256", lambda ctx: "b" * 64)
    with pytest.raises(InputInvalid, match="was trained on 'default'"):
        evaluation.EVALUATE_MODEL.call(ctx, {})


def test_without_the_training_data_no_leak_could_be_found_so_nothing_is_claimed(ctx):
    with pytest.raises(InputNotFound, match="leaks cannot be checked"):
        evaluation._trained_records(ctx, "dataset_1")
    from domainsmith.records import Record

    record = Record(
        instruction="Why?", output="So.", language="en", method="self_qa/pattern", model="code"
    )
    info = write_dataset(ctx.workspace, "dataset_1", [record])
    assert evaluation._trained_records(ctx, "dataset_1") == [record]
    (info.path / "data.jsonl").write_text("")
    with pytest.raises(ArtifactCorrupt):
        evaluation._trained_records(ctx, "dataset_1")


def test_a_report_is_known_again_only_under_the_same_conditions(ctx):
    configs = [evaluation._config(ctx, ENTRY)]
    for change in ({"dtype": "float32"}, {"quantization": "8bit"}, {"seed": 1}, {"top_k": 2}):
        other = replace(ctx, options=replace(ctx.options, device="cpu", **change))
        configs.append(evaluation._config(other, ENTRY))
    ctx.models.name = "hash@2"
    configs.append(evaluation._config(ctx, ENTRY))
    assert len({str(config) for config in configs}) == len(configs)


@pytest.fixture
def estimated(ctx, monkeypatch):
    """Estimates with a made-up model, as if a selected dataset existed."""
    folder = ctx.workspace.root
    monkeypatch.setattr("domainsmith.model_io.catalog.chat_model_folder", lambda name: folder)
    shape = SimpleNamespace(trainable=lambda rank: 1)
    monkeypatch.setattr("domainsmith.training.machine_speed.model_shape", lambda folder: shape)
    speed = SimpleNamespace(tokens_per_second=100.0)
    monkeypatch.setattr("domainsmith.training.machine_speed.machine_speed", lambda *args: speed)
    old = SimpleNamespace(records=200)
    monkeypatch.setattr(training, "newest_dataset", lambda ctx, stage: old)
    monkeypatch.setattr(training, "make_job", lambda *args: None)
    exact = {"seconds": 60.0, "records": 9, "tokens": 90}
    monkeypatch.setattr(training, "_job_estimate", lambda *args: dict(exact))

    def estimate(*ahead, **options):
        own = replace(ctx, ahead=ahead, options=replace(ctx.options, **options))
        return training.TRAIN_MODEL.estimate(own, training.TRAIN_MODEL.parse({"epochs": 2.0}))

    return estimate


def test_an_estimate_is_rough_while_the_plan_still_makes_the_data(estimated):
    assert not estimated()["rough"]
    assert estimated()["records"] == 9
    planned = estimated(("generate_data", {"count": 30}), ("select_data", {"count": 20}))
    assert planned["rough"]
    assert (planned["records"], planned["tokens"]) == (20, 20 * 240 * 2)
    assert "rough" in planned["summary"]
    assert estimated(("generate_data", {"count": 30}), ("select_data", {}))["records"] == 60
    assert estimated(("select_data", {}))["records"] == ToolOptions().records
    assert estimated(("select_data", {"count": 300}))["records"] == 200, "there are no more"
    assert estimated(("select_data", {}), max_steps=3)["tokens"] == 3 * 2048


def test_the_newest_jobs_are_listed_first(ctx, monkeypatch):
    rows = [SimpleNamespace(id=f"job_{number:04x}") for number in range(25)]
    monkeypatch.setattr("domainsmith.storage.jobs.jobs", lambda db: rows)
    monkeypatch.setattr("domainsmith.training.launch.adopt_jobs", lambda workspace: [])
    from domainsmith.records import JobStatus

    monkeypatch.setattr(
        "domainsmith.training.launch.status",
        lambda workspace, id: JobStatus(job_id=id, state="succeeded"),
    )
    result = jobs.LIST_JOBS.call(ctx, {})
    lines = result.summary.split("\n")
    assert lines[1].startswith("job_0018")
    assert len(lines) == 21
    assert len(result.data["jobs"]) == 25


def test_models_own_words_are_compared_and_the_chain_stands_beside_them(ctx, monkeypatch):
    seen = []

    def answer_many(questions, *, adapter, gate, fallback, **rest):
        seen.append((adapter, gate, fallback))
        return [SimpleNamespace(text="It.", refused=False)]

    monkeypatch.setattr("domainsmith.chains.answer.answer_many", answer_many)
    monkeypatch.setattr(registry, "adapter_folder", lambda workspace, id: "folder")
    assert list(eval_systems(ctx, None)) == ["base", "base+retrieval"]
    systems = eval_systems(ctx, ENTRY.id)
    assert list(systems) == ["base", "base+retrieval", "tuned", "tuned+retrieval", ANSWER_CHAIN]
    question = Question(key="q", question="Why?", answer="So.", language="en")
    for name in ("base+retrieval", "tuned+retrieval", ANSWER_CHAIN):
        assert systems[name]([question])[0].text == "It."
    assert seen == [(None, False, False), (ENTRY.id, False, False), (ENTRY.id, True, True)]
