"""Pulls from a hub on this machine: resume, checksums, refusals; and GGUF files."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_server import REVISION, Hub, serve
from tiny_models import CHARACTERS, tiny_model

from domainsmith.errors import DomainSmithError, InputInvalid, ResourceExhausted, WeightsMissing
from domainsmith.model_io import catalog, hub_file
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.model_io.hub import parse_hub_name
from domainsmith.storage import folders
from domainsmith.storage.atomic import MANIFEST

NAME = "owner/tiny"
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_model(tmp_path_factory.mktemp("hub") / "model")
    (folder / "pytorch_model.bin").write_bytes(b"never fetched")
    return folder


@pytest.fixture
def hub(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model; an empty cache; no waiting between tries."""
    shutil.copytree(model, tmp_path / "remote")
    monkeypatch.setenv("DOMAINSMITH_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    for name in ("DOMAINSMITH_OFFLINE", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub_file.time, "sleep", lambda seconds: None)
    with serve(tmp_path / "remote") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def parts(tmp_path: Path) -> list[int]:
    return [file.stat().st_size for file in (tmp_path / "models").rglob("*.part")]


def test_a_pull_fetches_once_and_pins_the_revision(hub: Hub, tmp_path: Path) -> None:
    said: list[str] = []
    folder = catalog.pull(NAME, progress=said.append)
    assert folder == tmp_path / "models" / "owner--tiny"
    assert len(said) == 1
    assert "owner/tiny" in said[0]
    assert not (folder / "pytorch_model.bin").exists()
    manifest = json.loads((folder / MANIFEST).read_bytes())
    assert manifest["revision"] == REVISION
    assert set(manifest["files"]) >= {WEIGHTS, "config.json", "tokenizer.json"}
    card = catalog.show(NAME)
    assert (card.name, card.licence, card.revision) == (NAME, "apache-2.0", REVISION)
    assert (card.context_length, card.architecture) == (512, "llama")
    assert card.sha256 == catalog.weights_sha256(folder)
    assert "assistant:" in card.template
    assert NAME in [card.name for card in catalog.list_models()]
    assert catalog.pull(NAME) == catalog.chat_model_folder(f"local:{NAME}") == folder
    assert hub.asked == [(WEIGHTS, "")]
    assert not list((tmp_path / "models" / "partial").iterdir())
    engine = Engine.load(folder, device="cpu", dtype="float32")
    assert list(engine.generate([GenerationRequest("x", max_new_tokens=2)]))
    assert catalog.remove(NAME) == [folder]
    assert NAME not in [card.name for card in catalog.list_models()]


def test_files_of_one_name_have_folders_of_their_own() -> None:
    names = [NAME, f"{NAME}#q4/m.gguf", f"{NAME}#q8/m.gguf", f"{NAME}#m.gguf", "owner/tiny2"]
    slugs = [found.slug for found in map(parse_hub_name, names) if found]
    assert len(set(slugs)) == len(names)
    assert not any("/" in slug for slug in slugs)
    for text in ("tiny", "owner/tiny#x.bin", "../tiny", "owner/../tiny", "a/b/c", "owner/m.gguf"):
        assert parse_hub_name(text) is None


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_broke_off_goes_on(hub: Hub, tmp_path: Path, ranges: bool) -> None:
    whole = (hub.folder / WEIGHTS).stat().st_size
    hub.break_after = 1000
    with pytest.raises(WeightsMissing, match="connection") as caught:
        catalog.pull(NAME)
    assert "goes on where it stopped" in str(caught.value.fix)
    assert NAME not in [card.name for card in catalog.list_models()]
    (had,) = parts(tmp_path)
    assert 1000 <= had < whole
    hub.break_after, hub.ranges = 0, ranges
    hub.asked.clear()
    folder = catalog.pull(NAME)
    assert hub.asked == [(WEIGHTS, f"bytes={had}-")]
    assert (folder / WEIGHTS).read_bytes() == (hub.folder / WEIGHTS).read_bytes()
    assert parts(tmp_path) == []


def test_an_interrupt_keeps_what_is_there(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(text: str) -> None:
        if text.startswith(WEIGHTS):
            raise KeyboardInterrupt

    monkeypatch.setattr(hub_file, "_REPORT_S", -1.0)
    with pytest.raises(KeyboardInterrupt):
        catalog.pull(NAME, progress=interrupt)
    (had,) = parts(tmp_path)
    catalog.pull(NAME)
    assert hub.asked[-1] == (WEIGHTS, f"bytes={had}-")


def test_what_breaks_behind_the_download_costs_no_download(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(folders, "_seal", full)
        with pytest.raises(ResourceExhausted):
            catalog.pull(NAME)
    fetched = len(hub.asked)
    assert (catalog.pull(NAME) / WEIGHTS).is_file()
    assert len(hub.asked) == fetched


def test_another_revision_does_not_go_on_with_the_old_one(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = 1000
    with pytest.raises(WeightsMissing):
        catalog.pull(NAME)
    (note,) = (tmp_path / "models" / "partial").rglob(".revision")
    note.write_text("other")
    hub.break_after = 0
    hub.asked.clear()
    catalog.pull(NAME)
    assert hub.asked == [(WEIGHTS, "")]


def test_damaged_weights_are_not_kept(hub: Hub, tmp_path: Path) -> None:
    hub.damaged = True
    with pytest.raises(WeightsMissing, match="checksum"):
        catalog.pull(NAME)
    assert parts(tmp_path) == []
    hub.damaged = False
    folder = catalog.pull(NAME)
    (folder / WEIGHTS).write_bytes(b"x" * (folder / WEIGHTS).stat().st_size)
    assert catalog.pull(NAME) == folder
    assert (folder / WEIGHTS).read_bytes() == (hub.folder / WEIGHTS).read_bytes()


REFUSALS: dict[str, tuple[dict[str, Any], str, str]] = {
    "gated": ({"status": 403, "error_code": "GatedRepo"}, "gated", "HF_TOKEN"),
    "no token": ({"status": 401}, "HTTP 401|private", "HF_TOKEN"),
    "forbidden": ({"status": 403}, "HTTP 403", "HF_TOKEN"),
    "down": ({"status": 503}, "HTTP 503", "again"),
    "unknown": ({"info_status": 404}, "no such model", "name"),
    "unknown without a token": ({"info_status": 401}, "no such model", "HF_TOKEN"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_the_hub_refuses_is_told(hub: Hub, case: str) -> None:
    faults, words, fix = REFUSALS[case]
    for name, value in faults.items():
        setattr(hub, name, value)
    with pytest.raises(WeightsMissing, match=words) as caught:
        catalog.pull(NAME)
    assert fix in str(caught.value.fix)
    assert caught.value.where == NAME


def test_without_a_network_it_says_how_to_pull(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsMissing, match="connection to the model hub failed"):
        catalog.pull(NAME)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for use in (catalog.pull, catalog.chat_model_folder, catalog.embedder_folder):
        with pytest.raises(WeightsMissing, match="not on this machine") as caught:
            use(NAME)
        assert f"models pull {NAME}" in str(caught.value.fix)
    with pytest.raises(WeightsMissing, match="No such model") as caught:
        catalog.show(NAME)
    assert f"models pull {NAME}" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("names", "words"),
    [(["a.gguf", "b.gguf"], r"a\.gguf.*b\.gguf"), (["pytorch_model.bin"], "pickled")],
)
def test_models_without_safetensors_are_refused_before_the_download(
    hub: Hub, names: list[str], words: str
) -> None:
    (hub.folder / WEIGHTS).unlink()
    for name in names:
        (hub.folder / name).write_bytes(b"x")
    with pytest.raises(InputInvalid, match=words):
        catalog.pull(NAME)
    assert hub.asked == []


@pytest.mark.parametrize(
    "name", ["default", "embedder", NAME, "{root}/packages", "{root}", "/etc", "openai:http://x#m"]
)
def test_only_models_of_the_cache_are_removed(hub: Hub, tmp_path: Path, name: str) -> None:
    root = tmp_path / "models"
    (root / "packages" / "other").mkdir(parents=True)
    with pytest.raises(DomainSmithError) as caught:
        catalog.remove(name.format(root=root))
    assert caught.value.fix
    assert (root / "packages" / "other").is_dir()


def write_gguf(path: Path) -> None:
    """Write a GGUF file of a tiny Llama model."""
    import gguf
    import numpy as np

    dice = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(256)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_dimension_count(8)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_license("mit")
    characters = [chr(33 + number) for number in range(CHARACTERS - 4)]
    tokens = ["<pad>", "<end>", "<start>", "ab", *characters]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3, 1, *[1] * len(characters)])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_chat_template("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    sizes = {"attn_q": (32, 32), "attn_k": (16, 32), "attn_v": (16, 32), "attn_output": (32, 32)}
    sizes |= {"ffn_gate": (32, 32), "ffn_up": (32, 32), "ffn_down": (32, 32)}
    shapes = {f"blk.0.{name}.weight": shape for name, shape in sizes.items()}
    shapes |= {f"blk.0.{name}.weight": (32,) for name in ("attn_norm", "ffn_norm")}
    shapes |= {"token_embd.weight": (len(tokens), 32), "output.weight": (len(tokens), 32)}
    shapes["output_norm.weight"] = (32,)
    for name, shape in shapes.items():
        writer.add_tensor(name, dice.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_file_of_the_user_is_converted_once(hub: Hub, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    write_gguf(mine)
    card = catalog.show(f"local:{mine}")
    assert (card.architecture, card.context_length, card.licence) == ("llama", 256, "mit")
    assert card.template.startswith("{% for m")
    said: list[str] = []
    folder = catalog.chat_model_folder(f"local:{mine}", progress=said.append)
    assert len(said) == 1
    copy = tmp_path / "elsewhere" / "mine.gguf"
    copy.parent.mkdir()
    shutil.copy(mine, copy)
    for name in (str(mine), f"local:{copy}", str(copy.parent)):
        assert catalog.chat_model_folder(name, progress=said.append) == folder
    assert len(said) == 1
    weights = next(folder.glob("*.safetensors"))
    before = weights.read_bytes()
    weights.write_bytes(before[:-1] + b"x")  # of the same size
    assert catalog.chat_model_folder(str(mine), progress=said.append) == folder
    assert "damaged" in said[1]
    assert weights.read_bytes() == before
    engine = Engine.load(folder, device="cpu", dtype="float32")
    (done,) = engine.generate([GenerationRequest("abc", max_new_tokens=3)])
    assert done.completion_tokens
    mine.write_bytes(mine.read_bytes()[:-2000])
    with pytest.raises(WeightsMissing, match="truncated"):
        catalog.chat_model_folder(str(mine))
    mine.write_bytes(mine.read_bytes()[:60])
    with pytest.raises(WeightsMissing, match="truncated"):
        catalog.show(str(mine))


def test_one_gguf_file_of_the_hub_is_pulled_and_converted(hub: Hub, tmp_path: Path) -> None:
    write_gguf(hub.folder / "small.q8.gguf")
    name = f"{NAME}#small.q8.gguf"
    folder = catalog.pull(name)
    assert hub.asked == [("small.q8.gguf", "")]
    assert catalog.chat_model_folder(f"local:{name}") == folder
    assert (folder / "config.json").is_file()
    assert catalog.show(name).revision == REVISION
    assert name in [card.name for card in catalog.list_models()]
    assert catalog.remove(name) == [folder]
