import json

import pytest

from domainsmith.apps.cli.main import main
from domainsmith.apps.doctor import check_all
from domainsmith.settings import Settings
from domainsmith.storage.atomic import write_json
from domainsmith.workspace import Workspace


def named(checks):
    return {check.name: check for check in checks}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DOMAINSMITH_WORKSPACE", raising=False)


def test_workspace_that_does_not_exist_is_a_finding(tmp_path):
    found = named(check_all(tmp_path / "no" / "where"))
    assert found["disk"].value.endswith(str(tmp_path))
    assert found["workspace"].state == "missing"


@pytest.mark.parametrize(
    ("model", "state", "said"),
    [
        ("local:/nowhere/model", "missing", "no such folder"),
        ("local:{empty}", "missing", "no model weights"),
        ("nobody/no-such-model", "missing", "no weights here"),
        ("openai:http://127.0.0.1:1/v1#m", "ok", "remote"),
    ],
)
def test_configured_models_are_looked_for(tmp_path, model, state, said):
    (tmp_path / "empty").mkdir()
    model = model.replace("{empty}", str(tmp_path / "empty"))
    check = named(check_all(None, Settings(chat_model=model)))["chat_model"]
    assert check.state == state
    assert said in check.value
    assert check.fix or state == "ok"


def test_configured_local_models_are_found(chat_model_path, embedder):
    from domainsmith.model_io.catalog import embedder_folder

    folder = embedder_folder()
    settings = Settings(chat_model=str(chat_model_path), embed_model=str(folder))
    found = named(check_all(None, settings))
    assert (found["chat_model"].state, found["embed_model"].state) == ("ok", "ok")


def test_device_and_index_are_those_of_the_settings(tmp_path):
    device = named(check_all(None, Settings(device="cpu", dtype="float32")))["device"]
    assert device.value == "cpu, torch.float32"
    assert named(check_all(None, Settings(device="abacus")))["device"].state == "missing"


def test_index_is_told_in_words(tmp_path, embedder):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("The Orla kettle needs a fuse of 13 A.\n")
    root = tmp_path / "w"
    assert main(["--workspace", str(root), "--quiet", "add", str(tmp_path / "docs")]) == 0
    index = named(check_all(root))["index"]
    assert index.state == "ok"
    assert index.value.startswith("exact search, 1 passage, 1 vector of all-minilm")
    assert "{" not in index.value


def test_an_empty_workspace_has_no_index_to_load_a_model_for(tmp_path):
    Workspace.create(tmp_path / "w").close()
    found = named(check_all(tmp_path / "w"))
    assert found["documents"].value == "0 documents, 0 passages"
    assert "index" not in found
    assert not {"tuned model", "tuned search"} & set(found)


def test_chosen_models_that_cannot_be_used_are_a_warning(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        write_json(workspace.adapters_dir / "promoted.json", {"adapter_id": "adapter_01"})
        current = {"now": ["retriever_01"], "before": []}
        write_json(workspace.root / "retrievers" / "current.json", current)
    found = named(check_all(tmp_path / "w"))
    assert found["tuned model"].state == found["tuned search"].state == "warning"
    assert "the base model answers" in found["tuned model"].value
    assert "retriever_01" in found["tuned search"].value


def test_broken_settings_are_a_finding_beside_the_others(tmp_path, capsys):
    Workspace.create(tmp_path / ".domainsmith").close()
    (tmp_path / ".domainsmith" / "domainsmith.toml").write_text("top_k = = 1")
    assert main(["doctor", "--json"]) == 1
    checks = {row["name"]: row for row in json.loads(capsys.readouterr().out)["data"]}
    assert checks["settings"]["state"] == "missing"
    assert "not valid TOML" in checks["settings"]["value"]
    assert checks["python"]["state"] == "ok"
