"""What makes a transformer embed fast on a CPU: even batches, and half the bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from domainsmith.model_io.device import pick_dtype

__all__ = ["BATCH_TOKENS", "batches_by_length", "compute_in_bfloat16"]

BATCH_TOKENS = 4096
"""Tokens of a batch, about: enough to fill the processor, little enough to stay in its cache."""


def batches_by_length(texts: Sequence[str], most_tokens: int) -> Iterator[list[str]]:
    """Put texts of about equal length together, so that little is padded.

    Args:
        texts: Any number; repeated ones come once.
        most_tokens: Tokens of a text that the model reads.

    Yields:
        Batches of about :data:`BATCH_TOKENS` tokens, the longest texts first.
    """
    lengths = {text: _about_tokens(text, most_tokens) for text in texts}
    batch: list[str] = []
    for text in sorted(lengths, key=lambda text: (-lengths[text], -len(text), text)):
        if batch and lengths[batch[0]] * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _about_tokens(text: str, most: int) -> int:
    """Estimate tokens: four Latin letters are about one, so is a character of other scripts."""
    octets = len(text.encode("utf-8", "replace"))
    others = (octets - len(text)) // 2  # three octets each, mostly
    return min(most, 2 + others + (len(text) - others) // 4)


def compute_in_bfloat16(model: Any, dtype: str) -> bool:
    """Let the layers of a transformer compute in bfloat16; what follows them stays float32.

    Args:
        model: Of sentence-transformers, in evaluation mode; its weights are changed.
        dtype: ``bfloat16``, ``float32`` or ``auto``.

    Returns:
        Whether it was done: not for static models, other devices, and CPUs that would emulate it.
    """
    import torch

    from domainsmith.model_io.packed_linear import pack_linear_layers

    first = model[0]
    body = getattr(first, "auto_model", None)
    if body is None or model.device.type != "cpu" or not _wants_bfloat16(dtype):
        return False
    body.to(torch.bfloat16).requires_grad_(False)
    pack_linear_layers(body)

    def widen(module: object, given: object, features: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value.float() if getattr(value, "dtype", None) == torch.bfloat16 else value
            for name, value in features.items()
        }

    first.register_forward_hook(widen)
    return True


def _wants_bfloat16(dtype: str) -> bool:
    import torch

    if dtype != "auto":
        return pick_dtype(dtype) == torch.bfloat16
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in checks)
