"""Fixtures of the model tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from domainsmith.model_io.engine import Engine
from domainsmith.model_io.quiet import quiet_transformers


@pytest.fixture(scope="session")
def exact_engine(chat_model_path: Path) -> Engine:
    """SmolLM2 in float32, in which batching does not change a greedy choice."""
    return Engine.load(chat_model_path, device="cpu", dtype="float32")


@pytest.fixture(scope="session")
def adapter_folder(chat_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter with random weights, large enough to change outputs."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(str(chat_model_path), dtype=torch.float32)
        tuned = get_peft_model(model, config)
    for name, weights in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.5)
    folder = tmp_path_factory.mktemp("adapter")
    tuned.save_pretrained(str(folder))
    return folder
