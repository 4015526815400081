"""Names of loaded models: they tell what decides the words."""

from __future__ import annotations

import pytest

from domainsmith.model_io import load
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


def test_loaded_models_are_bounded_and_the_used_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_loaded", type(load._loaded)())
    calls = []
    for number in range(8):
        load._once(("engine", number), lambda number=number: calls.append(number) or number)
        load._once(("engine", "used"), object)
        load._once(("embedder", "one"), object)
    kept = [key for key in load._loaded if key[0] == "engine"]
    assert kept == [("engine", 5), ("engine", 6), ("engine", 7), ("engine", "used")]
    assert ("embedder", "one") in load._loaded
    assert calls == list(range(8))
    assert load._once(("engine", 7), pytest.fail) == 7
