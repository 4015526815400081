"""What makes a transformer embed fast on a CPU: even batches, and half the bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from domainsmith.model_io.device import keep_freed_memory, pick_dtype

__all__ = ["batches_by_length", "compute_in_bfloat16"]

_BATCH_TOKENS = {"cpu": 2048}
"""Tokens of a batch, about: enough to fill the processor, little enough to stay in its cache."""
_BATCH_TOKENS_ELSEWHERE = 65_536
_COUNTED_AT_ONCE = 8192
"""Texts whose tokens are held while they are counted."""


def batches_by_length(
    texts: Sequence[str], tokenizer: Any, most_tokens: int, *, device: str = "cpu"
) -> Iterator[list[str]]:
    """Put texts of about equal length together, so that little is padded.

    Lengths are counted, not estimated: sorted by their characters, texts of 80 tokens were padded
    by a third, and counting costs a hundredth of what that does.

    Args:
        texts: Any number; repeated ones come once.
        tokenizer: Of transformers, or of the tokenizers library as static models have it.
        most_tokens: Tokens of a text that the model reads.
        device: Where it computes; accelerators get larger batches.

    Yields:
        Batches of about 2,048 tokens (65,536 on an accelerator), the longest texts first.
    """
    limit = _BATCH_TOKENS.get(device, _BATCH_TOKENS_ELSEWHERE)
    unique = list(dict.fromkeys(texts))
    lengths: dict[str, int] = {}
    for start in range(0, len(unique), _COUNTED_AT_ONCE):
        part = unique[start : start + _COUNTED_AT_ONCE]
        lengths.update(zip(part, _token_counts(part, tokenizer, most_tokens), strict=True))
    batch: list[str] = []
    for text in sorted(lengths, key=lambda text: (-lengths[text], -len(text), text)):
        if batch and lengths[batch[0]] * (len(batch) + 1) > limit:
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _token_counts(texts: list[str], tokenizer: Any, most: int) -> list[int]:
    if callable(tokenizer):
        rows = tokenizer(texts, truncation=True, max_length=most, return_attention_mask=False)
        return [len(ids) for ids in rows["input_ids"]]
    return [min(most, len(found.ids)) for found in tokenizer.encode_batch(texts)]


def compute_in_bfloat16(model: Any, dtype: str) -> bool:
    """Let the layers of a transformer compute in bfloat16; what follows them stays float32.

    Args:
        model: Of sentence-transformers, in evaluation mode; its weights are changed.
        dtype: ``bfloat16``, ``float32`` or ``auto``.

    Returns:
        Whether it was done: not for static models, other devices, and CPUs that would emulate it.
    """
    import torch

    from domainsmith.model_io.cpu_attention import use_cpu_attention
    from domainsmith.model_io.packed_linear import pack_linear_layers

    first = model[0]
    body = getattr(first, "auto_model", None)
    if body is None or model.device.type != "cpu" or not _wants_bfloat16(dtype):
        return False
    body.to(torch.bfloat16).requires_grad_(False)
    pack_linear_layers(body)
    use_cpu_attention(body)
    keep_freed_memory()

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
