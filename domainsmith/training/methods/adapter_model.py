"""The model that an adapter is trained on, and the adapter's files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from domainsmith.errors import WeightsMissing
from domainsmith.model_io.device import pick_dtype
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.records import TrainingJob

__all__ = ["load_model", "quiet_warnings", "save_adapter"]


def load_model(job: TrainingJob, base_folder: Path, device: str) -> tuple[Any, PeftModel]:
    """Load a base model and lay a fresh LoRA adapter on all its linear layers.

    Args:
        job: Number type, rank, alpha, dropout and seed.
        base_folder: Weights, configuration and tokenizer.
        device: From ``pick_device``.

    Returns:
        Tokenizer and model; equal jobs give equal adapters.

    Raises:
        WeightsMissing: The folder cannot be loaded.
    """
    dtype = pick_dtype(job.dtype, device)
    dtype = torch.float32 if dtype == torch.float16 else dtype  # float16 gradients underflow
    try:
        with quiet_transformers(), quiet_warnings():
            tokenizer = AutoTokenizer.from_pretrained(str(base_folder), local_files_only=True)
            base: Any = AutoModelForCausalLM.from_pretrained(
                str(base_folder), dtype=dtype, local_files_only=True, use_safetensors=True
            )
    except (OSError, ValueError) as error:
        raise WeightsMissing(
            f"The base model cannot be loaded: {str(error).splitlines()[0]}",
            where=job.base_model,
            fix="Run `domainsmith models pull` and resume the job.",
        ) from error
    base.to(device)
    base.config.use_cache = False
    torch.manual_seed(job.seed)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=job.lora_rank,
        lora_alpha=job.lora_alpha,
        lora_dropout=job.lora_dropout,
        target_modules="all-linear",
        bias="none",
    )
    with quiet_warnings():
        model = get_peft_model(base, config, autocast_adapter_dtype=True)
    for parameter in model.parameters():
        if parameter.requires_grad:
            # Drawn in float32, rounded once: see master_weights.py.
            parameter.data = parameter.data.to(dtype)
    return tokenizer, model


def save_adapter(model: PeftModel, job: TrainingJob, folder: Path) -> None:
    """Write the adapter as peft reads it, without a path of this machine.

    Args:
        model: The trained model.
        job: Names the base model.
        folder: Gets ``adapter_model.safetensors`` and ``adapter_config.json``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = get_peft_model_state_dict(model, save_embedding_layers=False)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    save_file(plain, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = model.peft_config["default"].to_dict()
    config["base_model_name_or_path"] = job.base_model
    config["inference_mode"] = True
    text = json.dumps(_plain(config), sort_keys=True, indent=2, ensure_ascii=False)
    (folder / "adapter_config.json").write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(getattr(value, "value", value))


@contextmanager
def quiet_warnings() -> Iterator[None]:
    """Hide deprecations between transformers, trl and peft: nothing a user could act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield
