"""Loads a model folder with transformers, safely and offline."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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

__all__ = ["Quantization", "knows_words", "load_model"]

Quantization = Literal["none", "8bit", "4bit"]

_FETCH = "Fetch it again (`domainsmith models pull NAME`) or name another model."


def load_model(
    folder: Path, device: str, dtype: torch.dtype, quantization: Quantization = "none"
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
            fix=_FETCH,
        ) from error


def knows_words(tokenizer: Any) -> bool:
    """Tell whether a tokenizer has a vocabulary.

    Where its files are missing, transformers makes some tokenizers up, of special tokens alone.

    Args:
        tokenizer: Of transformers; one of the tokenizers library is believed.
    """
    if not callable(tokenizer):
        return True
    return len(set(tokenizer.get_vocab().values()) - set(tokenizer.all_special_ids)) > 0


def _load(folder: Path, device: str, dtype: torch.dtype, options: dict[str, Any]) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # Code that comes with weights is never run: a model of an unknown type is an error instead.
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with quiet_transformers():
        found: Any = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=dtype,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are told below, by name
            **safe,
            **options,
        )
        model, report = found
        _check_report(report, folder)
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(folder), **safe)
        except Exception as error:
            raise _tokenizer_error(folder, error) from error
    if not knows_words(tokenizer):
        raise _tokenizer_error(folder, "it knows no words")
    if not options:
        model = model.to(device)
    tokenizer.padding_side = "left"
    return model.eval().requires_grad_(False), tokenizer


def _check_report(report: Mapping[str, Any], folder: Path) -> None:
    """Refuse weights that do not fill the model: transformers would fill it with random numbers."""
    lacking = sorted(str(name) for name in report["missing_keys"])
    misfits = sorted(str(name) for name, *_ in report["mismatched_keys"])
    for names, fault in ((lacking, "missing from its files"), (misfits, "of another shape")):
        if names:
            raise WeightsMissing(
                f"{len(names)} of the model's weights are {fault} ({names[0]}, ...)",
                where=folder,
                fix=_FETCH,
            )


def _tokenizer_error(folder: Path, error: object) -> WeightsMissing:
    reason = " ".join(str(error).split())[:160] or type(error).__name__
    return WeightsMissing(
        f"The model's tokenizer is missing or damaged ({reason})", where=folder, fix=_FETCH
    )


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
