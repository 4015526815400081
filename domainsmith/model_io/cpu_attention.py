"""Attention on a CPU, for chat models and embedders of transformers.

torch's fused attention multiplies in small blocks. Larger products take half its time and less:
those of a decoding step (:mod:`decode_attention`) and those of prompts and texts
(:mod:`tiled_attention`). What these do not compute is left to torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import bidirectional_mask_function, sdpa_mask

from domainsmith.model_io.decode_attention import single_query_attention
from domainsmith.model_io.kv_cache import States
from domainsmith.model_io.tiled_attention import tiled_attention

__all__ = ["NAME", "common_states", "use_cpu_attention"]

NAME = "sdpa_cpu"
_MOST_FLOAT32_TOKENS = 1024
"""In float32, torch is as fast from here on."""

_COMMON: ContextVar[States | None] = ContextVar("common_states", default=None)
_NEUTRAL = {
    "cache_position",
    "deterministic",
    "dropout",
    "is_causal",
    "position_ids",
    "scaling",
    "sliding_window",
    "use_cache",
}
"""Options that say nothing which the mask and the positions have not said."""


def use_cpu_attention(model: Any) -> bool:
    """Let a model on a CPU compute its attention this way.

    Args:
        model: Loaded with torch's fused attention (``sdpa``), in evaluation mode.

    Returns:
        Whether it applies.
    """
    if model.device.type != "cpu" or model.config._attn_implementation != "sdpa":
        return False
    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, _mask)
    model.set_attn_implementation(NAME)
    return True


@contextmanager
def common_states(states: States | None) -> Iterator[None]:
    """Let the steps within see states in front of those in the rows' own cache.

    Args:
        states: Of the tokens that all rows begin with, one row; None if there are none.
    """
    token = _COMMON.set(states)
    try:
        yield
    finally:
        _COMMON.reset(token)


def _mask(batch_size: int, q_length: int, kv_length: int, **options: Any) -> torch.Tensor | None:
    """Make a mask as transformers does, of one query where all see the same."""
    if options.get("mask_function") is bidirectional_mask_function:
        q_length = 1
    mask: torch.Tensor | None = sdpa_mask(batch_size, q_length, kv_length, **options)
    return mask


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Compute the attention of one layer; the shapes are transformers'."""
    shared = _COMMON.get()
    first = shared[module.layer_idx] if shared is not None else None  # type: ignore[index]
    mask, scale = attention_mask, options.get("scaling") or query.shape[-1] ** -0.5
    if _is_plain(query, key, value, mask, options):
        if query.shape[2] == 1 and query.dtype == torch.bfloat16:
            mask = None if mask is None else _additive(mask, query.dtype)
            return single_query_attention(query, key, value, mask, scale=scale, common=first), None
        if first is None and _is_tiled(query, key, mask):
            causal, mask = _without_causal(module, query, key, mask, options)
            return tiled_attention(query, key, value, mask, causal=causal, scale=scale), None
    if first is not None:
        key, value, mask = _joined(first, key, value, mask)
    output, _ = sdpa_attention_forward(module, query, key, value, mask, **options)
    return output, None


def _is_plain(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    options: dict[str, Any],
) -> bool:
    """Tell whether nothing but a scale and one mask for all heads goes into the sums."""
    # What changes the sums (sinks, caps, biases) comes under a name of its own, known here or not.
    return (
        all(options[name] is None for name in set(options) - _NEUTRAL)
        and not options.get("dropout")
        and not torch.is_grad_enabled()
        and query.shape[1] % key.shape[1] == 0
        and value.shape == key.shape
        and (mask is None or (mask.ndim == 4 and mask.shape[1] == 1))
    )


def _is_tiled(query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None) -> bool:
    queries, tokens = query.shape[2], key.shape[2]
    if queries == 1 or (mask is None and queries != tokens):
        return False
    if query.dtype == torch.float32:
        return tokens <= _MOST_FLOAT32_TOKENS
    return query.dtype == torch.bfloat16


def _without_causal(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    options: dict[str, Any],
) -> tuple[bool, torch.Tensor | None]:
    """Tell whether no query sees a token behind its own, and what else is added to the scores."""
    if mask is None:  # as transformers understands it
        causal = options.get("is_causal")
        return bool(getattr(module, "is_causal", True) if causal is None else causal), None
    added = _additive(mask, query.dtype)
    if added.shape[2] == 1:
        return False, added
    seen = added > torch.finfo(added.dtype).min / 2
    past = key.shape[2] - query.shape[2]
    if bool(seen.triu(past + 1).any()):
        return False, added
    only_causal = seen.shape[0] == 1 and torch.equal(seen, torch.ones_like(seen).tril(past))
    return True, None if only_causal and not bool(added[seen].any()) else added


def _additive(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Make a mask that is added to scores, no larger than what it tells."""
    if mask.stride(0) == 0:
        mask = mask[:1]
    if mask.stride(2) == 0:
        mask = mask[:, :, :1]
    if mask.dtype != torch.bool:
        # The least float32 becomes minus infinity in bfloat16: NaN where a query sees nothing.
        return mask.to(dtype).clamp(min=torch.finfo(dtype).min)
    return torch.zeros(mask.shape, dtype=dtype).masked_fill_(~mask, torch.finfo(dtype).min)


def _joined(
    first: tuple[torch.Tensor, torch.Tensor],
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Copy the shared states in front of each row's own."""
    rows, tokens = key.shape[0], first[0].shape[2]
    keys, values = (
        torch.cat([part.expand(rows, -1, -1, -1), own], 2)
        for part, own in zip(first, (key, value), strict=True)
    )
    return keys, values, None if mask is None else torch.nn.functional.pad(mask, (tokens, 0))
