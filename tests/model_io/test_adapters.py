from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from domainsmith.errors import InputInvalid, WeightsMissing
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.model_io.quiet import quiet_transformers

PROMPT = "The washing machine"
PAIRS = [(PROMPT, " stands in the cellar.")]


@pytest.fixture(scope="module")
def dora_folder(chat_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DoRA adapter with random directions and other magnitudes than the base's."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(
        r=4, target_modules=["v_proj", "down_proj"], use_dora=True, task_type="CAUSAL_LM"
    )
    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(str(chat_model_path), dtype=torch.float32)
        tuned = get_peft_model(model, config)
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weights, std=0.3)
            if "magnitude" in name:
                weights.mul_(1.1)
    folder = tmp_path_factory.mktemp("dora")
    tuned.save_pretrained(str(folder))
    return folder


@pytest.fixture
def without_adapters(exact_engine: Engine) -> Iterator[Engine]:
    yield exact_engine
    for name in exact_engine.adapters:
        exact_engine.remove_adapter(name)


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


@pytest.mark.parametrize("dora_first", [True, False])
def test_dora_switches_beside_lora(
    without_adapters: Engine, adapter_folder: Path, dora_folder: Path, dora_first: bool
) -> None:
    engine = without_adapters
    base = engine.score(PAIRS)[0].sum
    folders = {"dora": dora_folder, "lora": adapter_folder}
    for name in sorted(folders, reverse=not dora_first):
        engine.add_adapter(name, folders[name])
    values = {name: engine.score(PAIRS, adapter=name)[0].sum for name in folders}
    assert len({base, *values.values()}) == 3
    mixed = answers(engine, "dora", None, "lora", "dora")
    assert mixed[0] == mixed[3]
    assert engine.score(PAIRS)[0].sum == base
    for name in folders if dora_first else ():
        assert values[name] == pytest.approx(with_peft(engine, folders[name]), abs=1e-3)
    engine.remove_adapter("dora")
    assert engine.score(PAIRS, adapter="lora")[0].sum == values["lora"]
    engine.remove_adapter("lora")
    assert engine.score(PAIRS)[0].sum == base
    assert not any("lora" in name for name, _ in engine.model.named_modules())


def with_peft(engine: Engine, folder: Path) -> float:
    """Score the pair with plain peft on a fresh base model."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(str(engine.folder), dtype=torch.float32)
        tuned = PeftModel.from_pretrained(model, str(folder)).eval()
    (prompt, completion) = (engine.tokenizer.encode(t, add_special_tokens=False) for t in PAIRS[0])
    with torch.inference_mode():
        logits = tuned(input_ids=torch.tensor([[*prompt, *completion]])).logits[0].double()
    chosen = logits.log_softmax(-1)[len(prompt) - 1 : -1]
    return sum(float(row[token]) for row, token in zip(chosen, completion, strict=True))


def test_switching_is_fast_and_leaks_nothing(
    without_adapters: Engine, adapter_folder: Path, dora_folder: Path
) -> None:
    engine = without_adapters
    engine.add_adapter("dora", dora_folder)
    engine.add_adapter("lora", adapter_folder)
    names = ("dora", None, "lora")
    before = [engine.score(PAIRS, adapter=name)[0].sum for name in names]
    for name in names * 10:
        engine._adapters.use(name)
    resident, started = resident_bytes(), time.perf_counter()
    for name in names * 50:
        engine._adapters.use(name)
    assert (time.perf_counter() - started) / 150 < 0.2
    assert resident_bytes() - resident < 20e6
    assert [engine.score(PAIRS, adapter=name)[0].sum for name in names] == before


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("kind", ["prefix", "prompt"])
def test_adapters_of_virtual_tokens_are_refused_not_ignored(
    engine: Engine, tmp_path: Path, kind: str
) -> None:
    from peft import PrefixTuningConfig, PromptTuningConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    tiny = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
        )
    )
    config = PrefixTuningConfig if kind == "prefix" else PromptTuningConfig
    folder = tmp_path / kind
    with quiet_transformers():
        tuned = get_peft_model(tiny, config(task_type="CAUSAL_LM", num_virtual_tokens=4))
    tuned.save_pretrained(folder)
    with pytest.raises(InputInvalid, match="virtual tokens") as caught:
        engine.add_adapter("x", folder)
    assert "LoRA or DoRA" in (caught.value.fix or "")
    assert engine.adapters == ()
