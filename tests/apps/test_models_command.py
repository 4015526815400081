"""``domainsmith models`` as a person and a script call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domainsmith.apps.cli.main import main
from domainsmith.records import TrainingJob
from domainsmith.storage.jobs import put_job, set_state
from domainsmith.workspace import Workspace


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a converted default model of 3 kB, and a model of the hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOMAINSMITH_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("DOMAINSMITH_OFFLINE", "1")
    for name, facts in (
        ("smollm2-135m-instruct", {}),
        ("owner--tiny", {"name": "owner/tiny", "licence": "mit", "revision": "abc"}),
    ):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"x" * 3000)
        (folder / "config.json").write_text('{"model_type": "llama"}')
        (folder / "manifest.json").write_text(json.dumps(facts))
    return tmp_path / "models"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["models", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_list_names_what_can_be_used(cached: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert "owner/tiny\tchat\t3 KB\tmit\there" in out
    code, out, _ = run(capsys, "list", "--json")
    models = {model["name"]: model for model in json.loads(out)["data"]["models"]}
    assert models["owner/tiny"]["revision"] == "abc"


def test_remove_asks_and_says_what_it_frees(
    cached: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "remove", "owner/tiny", "--no-input")
    assert code == 2
    assert "which frees 3 KB" in err
    assert (cached / "owner--tiny").is_dir()
    code, out, _ = run(capsys, "remove", "owner/tiny", "--yes", "--json")
    assert code == 0
    data = json.loads(out)["data"]
    assert data["freed_bytes"] > 3000
    assert data["deleted"] == [str(cached / "owner--tiny")]
    assert not (cached / "owner--tiny").exists()
    assert run(capsys, "remove", "owner/tiny", "--yes")[0] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["remove", "/etc", "--yes"], 2, "Only models of the cache"),
        (["remove", "nobody/none", "--yes"], 3, "holds nothing"),
        (["show", "nobody/none"], 3, "models pull nobody/none"),
        (["show", "/nowhere"], 3, "No such model"),
        (["pull", "nobody/none"], 3, "network is forbidden"),
        (["pull", "/nowhere"], 3, "No model under that name"),
        (["pull", "openai:http://127.0.0.1:1/v1#m"], 2, "served model"),
        (["bench", "/nowhere"], 3, "No model under that name"),
    ],
)
def test_wrong_names_are_told(
    cached: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    found, _, err = run(capsys, *arguments)
    assert (found, words in err) == (code, True), err
    found, out, _ = run(capsys, *arguments, "--json")
    assert json.loads(out)["error"]["exit_code"] == found == code


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_a_job_trains_on_is_not_removed(
    cached: Path, capsys: pytest.CaptureFixture[str], state: str
) -> None:
    job = TrainingJob(base_model="default", base_sha256="0", dataset_id="d", dataset_sha256="0")
    with Workspace.create(Path(".domainsmith")) as workspace:
        put_job(workspace.db, job, folder=workspace.jobs_dir / job.id)
        set_state(workspace.db, job.id, state)  # type: ignore[arg-type]
    code, _, err = run(capsys, "remove", "local:default", "--yes")
    assert code == 2
    assert f"jobs cancel {job.id}" in err
    with Workspace.open(Path(".domainsmith")) as workspace:
        set_state(workspace.db, job.id, "succeeded")
    assert run(capsys, "remove", "default", "--yes")[0] == 0
    assert not (cached / "smollm2-135m-instruct").exists()
