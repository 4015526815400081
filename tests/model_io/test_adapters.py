from __future__ import annotations

import json
import os
import shutil
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
    # Embedded virtual tokens have logits, too.
    chosen = logits.log_softmax(-1)[-len(completion) - 1 : -1]
    return sum(float(row[token]) for row, token in zip(chosen, completion, strict=True))


def test_switching_leaks_nothing(
    without_adapters: Engine, adapter_folder: Path, dora_folder: Path
) -> None:
    engine = without_adapters
    engine.add_adapter("dora", dora_folder)
    engine.add_adapter("lora", adapter_folder)
    names = ("dora", None, "lora")
    before = [engine.score(PAIRS, adapter=name)[0].sum for name in names]
    for name in names * 10:
        engine._adapters.use(name)
    resident = resident_bytes()
    for name in names * 50:
        engine._adapters.use(name)
    assert resident_bytes() - resident < 20e6
    assert [engine.score(PAIRS, adapter=name)[0].sum for name in names] == before


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module", params=["prefix", "prompt", "p-tuning"])
def virtual_folder(
    request: pytest.FixtureRequest,
    chat_model_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """An adapter of virtual tokens with random weights."""
    import torch
    from peft import PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    kinds = {
        "prefix": PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5),
        "prompt": PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5),
        "p-tuning": PromptEncoderConfig(
            task_type="CAUSAL_LM", num_virtual_tokens=5, encoder_hidden_size=32
        ),
    }
    torch.manual_seed(1)
    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(str(chat_model_path), dtype=torch.float32)
        tuned = get_peft_model(model, kinds[request.param])
    folder = tmp_path_factory.mktemp("virtual")
    tuned.save_pretrained(str(folder))
    return folder


def test_virtual_tokens_stand_before_every_prompt(
    without_adapters: Engine, virtual_folder: Path, adapter_folder: Path
) -> None:
    engine = without_adapters
    base = engine.score(PAIRS)[0].sum
    alone = answers(engine, None)
    engine.add_adapter("lora", adapter_folder)
    engine.add_adapter("virtual", virtual_folder)
    assert engine.adapters == ("lora", "virtual")
    value = engine.score(PAIRS, adapter="virtual")[0].sum
    assert value == pytest.approx(with_peft(engine, virtual_folder), abs=1e-3)
    assert abs(value - base) > 0.01
    text, tokens = generated_with_peft(engine, virtual_folder)
    requests = [
        GenerationRequest(PROMPT, max_new_tokens=4, adapter=adapter)
        for adapter in ("virtual", None, "lora")
    ]
    done = sorted(engine.generate(requests), key=lambda one: one.index)
    assert (done[0].text, done[1].text) == (text, alone[0])
    assert {one.prompt_tokens for one in done} == {tokens}
    assert "".join(engine.stream(requests[0])) == text
    engine.remove_adapter("virtual")
    with pytest.raises(InputInvalid, match="No such adapter"):
        answers(engine, "virtual")
    assert engine.score(PAIRS)[0].sum == base


def generated_with_peft(engine: Engine, folder: Path) -> tuple[str, int]:
    """Generate with plain peft on a fresh base model, greedily, a whole pass a token."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(str(engine.folder), dtype=torch.float32)
        tuned = PeftModel.from_pretrained(model, str(folder)).eval()
    prompt = engine.tokenizer.encode(PROMPT, add_special_tokens=False)
    ids = list(prompt)
    with torch.inference_mode():
        for _ in range(4):
            ids.append(int(tuned(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    text = engine.tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True)
    return str(text), len(prompt)


def test_rows_of_several_adapters_share_a_batch(
    without_adapters: Engine, adapter_folder: Path, dora_folder: Path, tmp_path: Path
) -> None:
    engine = without_adapters
    other = tmp_path / "other"
    shutil.copytree(adapter_folder, other)
    weights = load_file(other / "adapter_model.safetensors")
    save_file({name: -part for name, part in weights.items()}, other / "adapter_model.safetensors")
    for name, folder in (("one", adapter_folder), ("two", other), ("dora", dora_folder)):
        engine.add_adapter(name, folder)
    names = ("one", None, "two", "dora", None, "one")
    prompts = [PROMPT + " Then, step by step." * number for number in range(len(names))]
    requests = [
        GenerationRequest(prompt, max_new_tokens=8, adapter=name)
        for prompt, name in zip(prompts, names, strict=True)
    ]
    alone = [next(engine.generate([request])).text for request in requests]
    before = engine.statistics.steps
    mixed = {done.index: done.text for done in engine.generate(requests)}
    assert [mixed[number] for number in range(len(names))] == alone
    # All but the DoRA row take their steps together.
    assert engine.statistics.steps - before <= 2 * 8
    base = engine.score(PAIRS)[0].sum
    for name in engine.adapters:
        engine.remove_adapter(name)
    assert engine.score(PAIRS)[0].sum == base


def test_adapters_that_need_more_than_a_prompt_are_refused(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    config = {"peft_type": "MULTITASK_PROMPT_TUNING", "task_type": "CAUSAL_LM"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(InputInvalid, match="more than a prompt") as caught:
        engine.add_adapter("x", tmp_path)
    assert "LoRA" in (caught.value.fix or "")
    assert engine.adapters == ()
