"""GGUF to bfloat16 safetensors, once."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domainsmith.errors import DependencyMissing, DomainSmithError, WeightsMissing
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.storage.atomic import MANIFEST, atomic_folder

__all__ = ["convert_gguf", "gguf_facts"]


def convert_gguf(
    gguf: Path, target: Path, *, licence: str = "unknown", facts: Mapping[str, Any] | None = None
) -> None:
    """Write a model folder from a GGUF file.

    Decoding a GGUF file takes 2 to 20 s at every load and its kernels compute in float32, so it is
    done once. The folder appears whole or not at all.

    Args:
        gguf: The file; its tokenizer and chat template are taken along.
        target: The folder to make.
        licence: Written into the manifest.
        facts: Further entries of the manifest.

    Raises:
        WeightsMissing: The file is truncated, damaged, or of an architecture that is not known.
        DependencyMissing: The gguf library is not installed.
    """
    try:
        model, tokenizer = _load(gguf)
    except DomainSmithError:
        raise
    except ImportError as error:
        raise DependencyMissing(
            "Reading GGUF files needs the gguf library", fix="Run `pip install gguf`."
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise WeightsMissing(
            f"The GGUF file cannot be read; it is truncated, or its architecture is not known "
            f"({reason})",
            where=gguf,
            fix="Fetch it again (`domainsmith models pull NAME`), or use its safetensors.",
        ) from error
    with atomic_folder(target) as folder:
        with contextlib.redirect_stderr(io.StringIO()):
            model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        _clean_config(folder / "config.json")
        manifest = {"source": gguf.name, "licence": licence, **(facts or {})}
        (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def gguf_facts(gguf: Path) -> dict[str, Any]:
    """Read what a GGUF file says about itself.

    Args:
        gguf: The file.

    Returns:
        Its single values by key; lists (the vocabulary) are left out.

    Raises:
        WeightsMissing: It is truncated, or no GGUF file.
        DependencyMissing: The gguf library is not installed.
    """
    try:
        from gguf import GGUFReader, GGUFValueType

        fields = GGUFReader(str(gguf)).fields.items()
        return {
            key: field.contents()
            for key, field in fields
            if field.types and field.types[0] != GGUFValueType.ARRAY
        }
    except ImportError as error:
        raise DependencyMissing(
            "Reading GGUF files needs the gguf library", fix="Run `pip install gguf`."
        ) from error
    except Exception as error:
        raise WeightsMissing(
            f"The GGUF file is truncated or damaged ({' '.join(str(error).split())[:120]})",
            where=gguf,
            fix="Fetch it again.",
        ) from error


def _load(gguf: Path) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    # The progress bars of GGUF reading ignore transformers' switch.
    with quiet_transformers(), contextlib.redirect_stderr(io.StringIO()):
        place = str(gguf.parent)
        tokenizer = AutoTokenizer.from_pretrained(place, gguf_file=gguf.name, local_files_only=True)
        model: Any = AutoModelForCausalLM.from_pretrained(
            place,
            gguf_file=gguf.name,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
            local_files_only=True,
        )
    # save_pretrained refuses a model that looks quantised, which this one no longer is.
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.hf_quantizer = None
    model.is_quantized = False
    _split_digits(tokenizer, gguf)
    return model, tokenizer


def _split_digits(tokenizer: Any, gguf: Path) -> None:
    """Restore the digit rule of SmolLM's tokenizer, which GGUF names but transformers drops.

    Without it white space before a digit is cut differently from how the model was trained.
    """
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    field = GGUFReader(str(gguf)).get_field("tokenizer.ggml.pre")
    if field is None or field.contents() != "smollm":
        return
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )


def _clean_config(path: Path) -> None:
    config = json.loads(path.read_bytes())
    for key in ("auto_map", "quantization_config", "_name_or_path", "_model_name_or_path"):
        config.pop(key, None)
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
