"""Names of loaded models: they tell what decides the words."""

from __future__ import annotations

import pytest

from domainsmith.model_io.load import _label


def test_other_weights_are_another_model(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMAINSMITH_MODELS", str(tmp_path / "cache"))
    names = []
    for number in (1, 2):
        folder = tmp_path / str(number) / "model"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(bytes([number]))
        names.append(_label(folder, "cpu", "float32", "none"))
    assert names[0] != names[1]
    assert all(name.startswith("model@") and name.endswith("/float32") for name in names)
    assert _label(folder, "cpu", "bfloat16", "none").endswith("/bfloat16")
    assert _label(folder, "cpu", "float32", "8bit") == f"{names[1]}/8bit"
