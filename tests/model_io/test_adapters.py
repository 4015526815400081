from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from domainsmith.errors import InputInvalid, WeightsMissing
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest

PROMPT = "The washing machine"


def answers(engine: Engine, *adapters: str | None) -> list[str]:
    requests = [
        GenerationRequest(PROMPT, max_new_tokens=4, adapter=adapter) for adapter in adapters
    ]
    done = sorted(engine.generate(requests), key=lambda item: item.index)
    return [item.text for item in done]


def test_adapters_switch_and_leave_no_trace(engine: Engine, adapter_folder: Path) -> None:
    pairs = [(PROMPT, " stands in the cellar.")]
    (base,) = answers(engine, None)
    score = engine.score(pairs)[0].sum
    engine.add_adapter("one", adapter_folder)
    engine.add_adapter("./t.w.o", adapter_folder)
    try:
        assert engine.adapters == ("./t.w.o", "one")
        mixed = answers(engine, "one", None, "./t.w.o", None)
        assert mixed[1] == mixed[3] == base
        assert mixed[0] == mixed[2] != base
        assert engine.score(pairs, adapter="one")[0].sum != score
        assert engine.score(pairs)[0].sum == score
        engine.add_adapter("one", adapter_folder)
        assert answers(engine, "one", None) == [mixed[0], base]
        engine.remove_adapter("one")
        assert answers(engine, "./t.w.o", None) == [mixed[0], base]
        with pytest.raises(InputInvalid, match="No such adapter"):
            answers(engine, "one")
    finally:
        for name in engine.adapters:
            engine.remove_adapter(name)
    assert answers(engine, None) == [base]
    assert engine.score(pairs)[0].sum == score
    assert not any("lora" in name for name, _ in engine.model.named_modules())


def test_a_misfit_leaves_the_model_and_other_adapters_as_they_were(
    engine: Engine, adapter_folder: Path, tmp_path: Path
) -> None:
    misfit = tmp_path / "misfit"
    shutil.copytree(adapter_folder, misfit)
    config = json.loads((misfit / "adapter_config.json").read_bytes())
    (misfit / "adapter_config.json").write_text(json.dumps({**config, "r": 8}))
    (base,) = answers(engine, None)
    with pytest.raises(InputInvalid, match="does not fit"):
        engine.add_adapter("x", misfit)
    assert not any("lora" in name for name, _ in engine.model.named_modules())
    other = load_file(adapter_folder / "adapter_model.safetensors")
    renamed = {name.replace(".layers.0.", ".layers.99."): other[name] for name in other}
    save_file(renamed, misfit / "adapter_model.safetensors")
    shutil.copy(adapter_folder / "adapter_config.json", misfit)
    with pytest.raises(InputInvalid, match="belong to another model"):
        engine.add_adapter("x", misfit)
    config["target_modules"] = ["q_proj", "mlp"]
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "adapter_config.json").write_text(json.dumps(config))
    shutil.copy(misfit / "adapter_model.safetensors", tmp_path / "half")
    with pytest.raises(InputInvalid, match="does not fit"):
        engine.add_adapter("half", tmp_path / "half")
    assert not any("lora" in name for name, _ in engine.model.named_modules())
    assert answers(engine, None) == [base]
    engine.add_adapter("good", adapter_folder)
    try:
        (tuned,) = answers(engine, "good")
        for name in ("x", "good"):
            with pytest.raises(InputInvalid, match="does not fit"):
                engine.add_adapter(name, misfit)
            assert engine.adapters == ("good",)
            assert answers(engine, None, "good") == [base, tuned]
    finally:
        for name in engine.adapters:
            engine.remove_adapter(name)
    assert not any("lora" in name for name, _ in engine.model.named_modules())


def test_folders_that_are_no_adapter_are_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="no adapter"):
        engine.add_adapter("x", tmp_path)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"\0" * 9)
    (tmp_path / "adapter_config.json").write_text("{broken")
    with pytest.raises(WeightsMissing, match="damaged"):
        engine.add_adapter("x", tmp_path)
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "target_modules": ["nope"]}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(InputInvalid, match="does not fit"):
        engine.add_adapter("x", tmp_path)
    assert engine.adapters == ()
    assert answers(engine, None)
