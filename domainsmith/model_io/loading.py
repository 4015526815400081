"""Loads a model folder with transformers, safely and offline."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.errors import (
    DependencyMissing,
    DomainSmithError,
    InputInvalid,
    ResourceExhausted,
    WeightsMissing,
)
from domainsmith.model_io.architecture import check_architecture
from domainsmith.model_io.device import is_out_of_memory
from domainsmith.model_io.quiet import quiet_transformers

if TYPE_CHECKING:
    import torch

__all__ = ["load_model"]


def load_model(
    folder: Path, device: str, dtype: torch.dtype, quantization: str = "none"
) -> tuple[Any, Any]:
    """Load weights and tokenizer of one folder.

    Args:
        folder: With ``config.json``, tokenizer and safetensors.
        device: Where the weights go.
        dtype: Number type of the weights.
        quantization: ``none``, ``8bit`` or ``4bit`` (CUDA and bitsandbytes only).

    Returns:
        The model in evaluation mode, and its tokenizer.

    Raises:
        WeightsMissing: The folder holds no usable weights.
        InputInvalid: Quantisation was asked for on a device that cannot, or the model is of a kind
            that this package would compute wrongly.
        ResourceExhausted: It does not fit into memory.
        DependencyMissing: bitsandbytes is not installed.
    """
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise WeightsMissing(
            "The folder holds no model in safetensors form",
            where=folder,
            fix="Run `domainsmith models pull default`, or name another model.",
        )
    options = _quantization(quantization, device, dtype)
    try:
        model, tokenizer = _load(folder, device, dtype, options)
        check_architecture(model, tokenizer, folder)
        return model, tokenizer
    except DomainSmithError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise ResourceExhausted(
                "Memory does not suffice to load the model",
                where=folder,
                fix="Close other programs, use a smaller model, or quantise it on CUDA.",
            ) from error
        reason = " ".join(str(error).split())[:240] or type(error).__name__
        raise WeightsMissing(
            f"The model cannot be loaded; its files are damaged, or its architecture is not known "
            f"to this version of transformers ({reason})",
            where=folder,
            fix="Fetch it again (`domainsmith models pull default`) or name another model.",
        ) from error


def _load(folder: Path, device: str, dtype: torch.dtype, options: dict[str, Any]) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # Code that comes with weights is never run: a model of an unknown type is an error instead.
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(str(folder), **safe)
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(folder), dtype=dtype, use_safetensors=True, **safe, **options
        )
    if not options:
        model = model.to(device)
    tokenizer.padding_side = "left"
    return model.eval().requires_grad_(False), tokenizer


def _quantization(quantization: str, device: str, dtype: torch.dtype) -> dict[str, Any]:
    if quantization == "none":
        return {}
    if quantization not in ("8bit", "4bit"):
        raise InputInvalid("Unknown quantisation", where=quantization, fix="Use 8bit or 4bit.")
    if not device.startswith("cuda"):
        raise InputInvalid(
            f"{quantization} weights need a CUDA device, and this runs on {device}",
            fix="Leave quantisation off: bfloat16 is used here.",
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise DependencyMissing(
            "Quantised weights need bitsandbytes", fix='Run `pip install "domainsmith[gpu]"`.'
        )
    from transformers import BitsAndBytesConfig

    config = (
        BitsAndBytesConfig(load_in_8bit=True)
        if quantization == "8bit"
        else BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    )
    return {"quantization_config": config, "device_map": {"": device}}
