"""Fixtures of the training tests: a tiny random model with the real tokenizer, workspaces."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domainsmith.model_io.catalog import weights_sha256
from domainsmith.records import TrainingJob
from domainsmith.training.dataset_folder import write_dataset
from domainsmith.workspace import Workspace

from .records_for_tests import small_records

DATASET = "dataset_00000000000000aa"


@pytest.fixture(scope="session")
def tokenizer(chat_model_path: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(chat_model_path, local_files_only=True)


@pytest.fixture(scope="session")
def tiny_model(chat_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer model with SmolLM2's tokenizer: a step takes milliseconds."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("models") / "tiny"
    shutil.copytree(chat_model_path, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    for name in ("config.json", "generation_config.json", "manifest.json"):
        (folder / name).unlink(missing_ok=True)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return folder


@pytest.fixture
def make_workspace(tmp_path: Path) -> Iterator[Callable[[str], Workspace]]:
    """Makes workspaces that hold the small dataset."""
    opened: list[Workspace] = []

    def make(name: str) -> Workspace:
        workspace = Workspace.create(tmp_path / name)
        opened.append(workspace)
        write_dataset(workspace, DATASET, small_records())
        return workspace

    yield make
    for workspace in opened:
        workspace.close()


@pytest.fixture
def make_job() -> Callable[..., TrainingJob]:
    """Makes jobs on the small dataset, on one thread."""

    def make(model: str, folder: Path, workspace: Workspace, **changes: Any) -> TrainingJob:
        from domainsmith.storage.atomic import hash_file

        values: dict[str, Any] = {
            "base_model": model,
            "base_sha256": weights_sha256(folder),
            "dataset_id": DATASET,
            "dataset_sha256": hash_file(workspace.datasets_dir / DATASET / "data.jsonl"),
            "threads": 1,
            "device": "cpu",
            "batch_tokens": 256,
        }
        return TrainingJob(**(values | changes))

    return make
