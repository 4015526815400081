"""Attention of a decoding step on a CPU, where each row asks with a single token.

torch's fused attention is made for many queries: with one a row it reaches a fraction of the speed
of memory. From a few rows on, two batched products with a softmax between them take half its time.
The keys are copied first, because a product with keys that are parts of larger buffers takes
several times as long as the copy and the product together. The products round to bfloat16 and the
softmax is computed in float32, as in transformers' own attention in Python ("eager"); in float32,
which is chosen for exactness and not for speed, everything stays as it was.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

__all__ = ["NAME", "use_decode_attention"]

NAME = "sdpa_decode"
_MIN_ROWS = 4
_NEUTRAL = {
    "cache_position",
    "dropout",
    "is_causal",
    "position_ids",
    "scaling",
    "sliding_window",
    "use_cache",
}
"""Options that say nothing to a single query which the mask and the positions have not said."""


def use_decode_attention(model: Any) -> bool:
    """Let a model on a CPU compute its decoding steps this way; all else stays as it was.

    Args:
        model: Loaded with torch's fused attention (``sdpa``), in evaluation mode.

    Returns:
        Whether it applies.
    """
    if model.device.type != "cpu" or model.config._attn_implementation != "sdpa":
        return False
    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
    return True


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Compute the attention of one layer; the shapes are transformers'."""
    if not _applies(query, key, value, attention_mask, options):
        output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return output, None
    rows, heads, _, width = query.shape
    groups, columns = key.shape[1], key.shape[2]
    shape = (rows * groups, heads // groups, width)
    scale = options.get("scaling") or width**-0.5
    keys = key.reshape(rows * groups, columns, width).contiguous()
    found = torch.bmm(query.reshape(shape), keys.transpose(1, 2)).float()
    if attention_mask is not None:
        # (rows * groups, heads a group, columns) + (rows, 1, 1, columns)
        mask = attention_mask[:, 0].float().repeat_interleave(groups, 0)
        found = torch.add(mask, found, alpha=scale)
    else:
        found = found * scale
    shares = found.softmax(-1).to(value.dtype)
    output = torch.bmm(shares, value.reshape(rows * groups, columns, width))
    return output.reshape(rows, 1, heads, width), None


def _applies(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    options: dict[str, Any],
) -> bool:
    # What changes the sum (sinks, caps, biases) comes under a name of its own, known here or not.
    plain = all(options[name] is None for name in set(options) - _NEUTRAL)
    masked = mask is None or (mask.is_floating_point() and mask.shape[1:3] == (1, 1))
    return (
        query.shape[2] == 1
        and query.shape[0] >= _MIN_ROWS
        and query.dtype == torch.bfloat16
        and plain
        and masked
        and not options.get("dropout")
        and not torch.is_grad_enabled()
        and value.shape[-1] == query.shape[-1]
        and query.shape[1] % key.shape[1] == 0
    )
