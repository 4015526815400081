"""Adapters: listed, found by a beginning of their id, verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from domainsmith.errors import ArtifactCorrupt, InputInvalid, InputNotFound
from domainsmith.records import AdapterManifest
from domainsmith.storage.atomic import atomic_folder, write_json
from domainsmith.training.registry import adapter, adapter_folder, adapters, register_adapter
from domainsmith.workspace import Workspace


def _store(workspace: Workspace, job: str) -> str:
    manifest = AdapterManifest(
        job_id=job,
        dataset_id="dataset_1",
        base_model="default",
        base_sha256="b",
        weights_sha256="w",
        method="sft",
        system_prompt="",
        chat_template_sha256="c",
        final_loss=1.0,
        steps=1,
        trained_tokens=10,
    )
    with atomic_folder(workspace.adapters_dir / manifest.id) as staging:
        (staging / "adapter_model.safetensors").write_bytes(b"weights")
        write_json(staging / "domainsmith.json", manifest.model_dump(mode="json"))
    return manifest.id


def test_adapters(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "w") as workspace:
        assert adapters(workspace) == []
        first, second = _store(workspace, "job_1"), _store(workspace, "job_2")
        for name in (first, second):
            register_adapter(workspace, name)
        assert [entry.id for entry in adapters(workspace)] == [second, first]
        assert adapter_folder(workspace, first.removeprefix("adapter_")[:8]).name == first
        with pytest.raises(InputInvalid, match="2 adapters"):
            adapter(workspace, "adapter_")
        with pytest.raises(InputNotFound):
            adapter(workspace, "adapter_none")
        (workspace.adapters_dir / first / "adapter_model.safetensors").write_bytes(b"Weights")
        with pytest.raises(ArtifactCorrupt, match="differs"):
            adapter(workspace, first)
        assert [bool(entry.problem) for entry in adapters(workspace)] == [False, True]
