"""Every setting reaches what it is about. Loaders and long work are replaced by recorders."""

import inspect
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from domainsmith.apps.assembly import Assembly
from domainsmith.apps.cli.main import main
from domainsmith.errors import InputInvalid
from domainsmith.settings import Settings
from domainsmith.tools.toolset import tool_named
from domainsmith.tools.training import make_job
from domainsmith.workspace import Workspace

CHANGED = {
    "chat_model": "local:other",
    "embed_model": "other-embedder",
    "device": "cpu",
    "dtype": "float32",
    "quantization": "8bit",
    "threads": 3,
    "chunk_tokens": 64,
    "url_sources": "public",
    "top_k": 7,
    "tuned_retrieval": False,
    "reranker": "other-reranker",
    "rerank_top": 9,
    "decompose": "off",
    "step_back": "on",
    "translate": "off",
    "spelling": "on",
    "seed": 4,
    "records": 31,
    "epochs": 1.5,
    "learning_rate": 1e-3,
    "lora_rank": 4,
    "host": "127.0.0.2",
    "port": 8099,
    "max_steps": 6,
    "max_seconds": 9.0,
    "approve": ("train_model",),
}


class Recorded(Exception):
    """Ends a tool once what it was about to call is known."""


@pytest.fixture
def assembly(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        yield Assembly(workspace, Settings(**CHANGED))


@pytest.fixture
def record(monkeypatch):
    """Put recorders in place of functions; each returns the arguments that it was called with."""

    def install(target, result=None, error=None):
        seen = {}

        def recorder(*args, **keywords):
            seen.update(enumerate(args))
            seen.update(keywords)
            if error is not None:
                raise error
            return result

        monkeypatch.setattr(target, recorder)
        return seen

    return install


def loaded(record):
    record("domainsmith.model_io.load.load_embedder", SimpleNamespace(model_name="e"))
    record("domainsmith.model_io.load.load_reranker", SimpleNamespace(name="r"))
    return record("domainsmith.model_io.load.load_engine", SimpleNamespace(adapters=()))


def chosen(seen, names):
    return {name: seen[name] for name in names}


def changed(*names):
    return {name: CHANGED[name] for name in names}


def check_engine(assembly, record):
    seen = loaded(record)
    assembly.engine()
    names = ("device", "dtype", "threads", "quantization")
    assert chosen(seen, names) == changed(*names)
    assert seen[0] == CHANGED["chat_model"]
    return {"chat_model", *names}


def check_embedder(assembly, record):
    seen = record("domainsmith.model_io.load.load_embedder", SimpleNamespace())
    assembly.embedder()
    assert chosen(seen, ("device", "threads")) == changed("device", "threads")
    assert seen[0] == CHANGED["embed_model"]
    return {"embed_model", "device", "threads"}


def check_remote_chat(assembly, record):
    seen = record("domainsmith.model_io.load.load_chat", "chat")
    remote = Assembly(assembly.workspace, Settings(chat_model="openai:http://127.0.0.1:1/v1#m"))
    assert remote.chat() == remote.chat() == "chat"
    assert seen[0] == "openai:http://127.0.0.1:1/v1#m"
    return {"chat_model"}


def check_splitter(assembly, record):
    loaded(record)
    record("domainsmith.data_connection.index.Index.open", SimpleNamespace(refresh=lambda: None))
    seen = record("domainsmith.data_connection.sources.add_folder", error=Recorded())
    with pytest.raises(Recorded):
        tool_named("add_documents").call(assembly.context(), {"path": "docs"})
    assert seen["chunk_tokens"] == CHANGED["chunk_tokens"]
    return {"chunk_tokens"}


def check_urls(assembly, record):
    loaded(record)
    opened = SimpleNamespace(refresh=lambda: None, close=lambda: None)
    record("domainsmith.data_connection.index.Index.open", opened)
    seen = record("domainsmith.data_connection.urls.add_urls", error=InputInvalid("recorded"))
    addresses = assembly.workspace.root / "list.txt"
    addresses.write_text("https://example.org/a\n")
    flag = f"--set=url_sources={CHANGED['url_sources']}"
    arguments = ["--workspace", str(assembly.workspace.root), "--quiet", flag, "add", "--urls"]
    assert main([*arguments, str(addresses)]) == 2
    assert seen["allowed"] == CHANGED["url_sources"]
    return {"url_sources"}


def check_answer(assembly, record):
    loaded(record)
    record("domainsmith.data_connection.index.Index.open", SimpleNamespace(refresh=lambda: None))
    seen = record("domainsmith.chains.answer.build_answer_chain", error=Recorded())
    with pytest.raises(Recorded):
        assembly.answer("Which fuse?")
    assert seen["top_k"] == CHANGED["top_k"]
    seen.clear()
    with pytest.raises(Recorded):
        tool_named("answer_question").call(assembly.context(), {"question": "Which fuse?"})
    assert seen["top_k"] == CHANGED["top_k"]
    return {"top_k"}


def check_query(assembly, record):
    loaded(record)
    record("domainsmith.data_connection.index.Index.open", SimpleNamespace(refresh=lambda: None))
    chain = record("domainsmith.chains.answer.build_answer_chain", error=Recorded())
    names = ("decompose", "step_back", "translate", "spelling")
    for ask in (
        lambda: assembly.answer("Which fuse?"),
        lambda: tool_named("answer_question").call(assembly.context(), {"question": "Which?"}),
    ):
        chain.clear()
        with pytest.raises(Recorded):
            ask()
        assert asdict(chain["query"]) == changed(*names)
    return set(names)


def check_reranker(assembly, record):
    loaded(record)
    record("domainsmith.data_connection.index.Index.open", SimpleNamespace(refresh=lambda: None))
    seen = record("domainsmith.model_io.load.load_reranker", "other")
    chain = record("domainsmith.chains.answer.build_answer_chain", error=Recorded())
    with pytest.raises(Recorded):
        assembly.answer("Which fuse?")
    assert (chain["reranker"], chain["rerank_top"]) == ("other", CHANGED["rerank_top"])
    assert (seen[0], seen["device"], seen["threads"]) == (CHANGED["reranker"], "cpu", 3)
    found = record("domainsmith.data_connection.retrieve.retrieve", error=Recorded())
    for name, arguments, calls in (
        ("answer_question", {"question": "Which fuse?"}, chain),
        ("search_documents", {"query": "fuse"}, found),
    ):
        calls.clear()
        with pytest.raises(Recorded):
            tool_named(name).call(assembly.context(), arguments)
        assert (calls["reranker"], calls["rerank_top"]) == ("other", CHANGED["rerank_top"])
    return {"reranker", "rerank_top", "device", "threads"}


def check_likelihood(assembly, record):
    loaded(record)
    local = Assembly(assembly.workspace, Settings(reranker="likelihood"))
    assert local.reranker() is local.reranker() is not None
    remote = Assembly(
        assembly.workspace,
        Settings(reranker="likelihood", chat_model="openai:http://127.0.0.1:1/v1#m"),
    )
    with pytest.raises(InputInvalid, match="likelihood"):
        remote.reranker()
    return {"reranker"}


def check_late_interaction(assembly, record):
    words = SimpleNamespace(model_name="e", knows_tokens=True, token_vectors=list)
    record("domainsmith.model_io.load.load_embedder", words)
    index = SimpleNamespace(refresh=lambda: None, idf=len)
    record("domainsmith.data_connection.index.Index.open", index)
    local = Assembly(assembly.workspace, Settings(reranker="late-interaction"))
    assert local.reranker() is local.reranker()
    assert local.reranker().name == "late-interaction:e"
    assert Assembly(assembly.workspace, Settings()).reranker().name == "late-interaction:e"
    assert Assembly(assembly.workspace, Settings(reranker="none")).reranker() is None
    served = Settings(reranker="late-interaction", embed_model="openai:http://127.0.0.1:1/v1#m")
    record("domainsmith.model_io.load.load_embedder", SimpleNamespace(model_name="e"))
    with pytest.raises(InputInvalid, match="transformer"):
        Assembly(assembly.workspace, served).reranker()
    automatic = served.model_copy(update={"reranker": "auto"})
    assert Assembly(assembly.workspace, automatic).reranker() is None
    return {"reranker"}


def check_generation(assembly, record):
    loaded(record)
    seen = record("domainsmith.chains.generate.generate_dataset", error=Recorded())
    with pytest.raises(Recorded):
        tool_named("generate_data").call(assembly.context(), {})
    assert (seen["target"], seen["seed"]) == (CHANGED["records"], CHANGED["seed"])
    return {"records", "seed"}


def check_training(assembly, record):
    record("domainsmith.model_io.catalog.chat_model_folder", Path("model"))
    record("domainsmith.model_io.catalog.weights_sha256", "0" * 64)
    dataset = SimpleNamespace(id="dataset_1", sha256="1" * 64)
    job = make_job(assembly.context(), dataset, None)
    names = ("device", "dtype", "threads", "epochs", "learning_rate", "lora_rank", "seed")
    assert {name: getattr(job, name) for name in names} == changed(*names)
    assert job.base_model == CHANGED["chat_model"]
    assert job.max_steps == 0  # the setting of this name is the agent's budget
    return {"chat_model", *names}


def check_server(assembly, record):
    seen = record("domainsmith.apps.http.run.run_server")
    flags = [f"--set={name}={CHANGED[name]}" for name in ("host", "port")]
    assert main(["--workspace", str(assembly.workspace.root), "--quiet", *flags, "serve"]) == 0
    assert chosen(seen, ("host", "port")) == changed("host", "port")
    assert seen["flags"]["port"] == CHANGED["port"]
    assert assembly.context().options.port == CHANGED["port"]
    return {"host", "port"}


def check_tuned_retrieval(assembly, record):
    used = record("domainsmith.training.retrieval.registry.in_use", {"embedder": "tuned"})
    assert CHANGED["tuned_retrieval"] is False
    assert assembly.tuned_retrievers() == {}
    assert not used
    allowed = assembly.settings.model_copy(update={"tuned_retrieval": True})
    assert Assembly(assembly.workspace, allowed).tuned_retrievers() == {"embedder": "tuned"}
    assert used["base_model"] == CHANGED["embed_model"]
    return {"tuned_retrieval"}


def check_agent(assembly, record):
    policy = assembly.policy()
    assert policy.allow == CHANGED["approve"]
    assert policy.budget.steps == CHANGED["max_steps"]
    assert policy.budget.seconds == CHANGED["max_seconds"]
    return {"approve", "max_steps", "max_seconds"}


def test_an_allow_rule_that_names_no_tool_is_refused(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        own = Assembly(workspace, Settings(approve=("train", "train_model")))
        with pytest.raises(InputInvalid, match="names no tool") as refused:
            own.policy()
    assert refused.value.where == "train"
    assert "train_model" in str(refused.value.fix)


CHECKS = {name: value for name, value in globals().items() if name.startswith("check_")}


@pytest.mark.parametrize("name", CHECKS)
def test_settings_reach(name, assembly, record):
    assert CHECKS[name](assembly, record)


def test_no_setting_is_left_out():
    defaults = Settings().model_dump()
    assert set(CHANGED) == set(defaults)
    assert all(defaults[name] != value for name, value in CHANGED.items())
    texts = "".join(inspect.getsource(check) for check in CHECKS.values())
    assert [name for name in CHANGED if f'"{name}"' not in texts] == []
