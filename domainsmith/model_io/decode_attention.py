"""Attention of a decoding step on a CPU, where each row asks with a single token.

torch's fused attention is made for many queries: with one a row it reaches a fraction of the speed
of memory. From a few rows on, two batched products with a softmax between them take half its time.
The keys are copied first, because a product with keys that are parts of larger buffers takes
several times as long as the copy and the product together. The products round to bfloat16 and the
softmax is computed in float32, as in transformers' own attention in Python ("eager"); in float32,
which is chosen for exactness and not for speed, everything stays as it was.

Rows that begin with the same tokens may share the states of these (:func:`common_states`): all
their queries meet them in one product, and one softmax runs over both parts, as in Hydragen
(arXiv 2402.05099, section 3) without its rescaling, which one softmax makes needless.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from domainsmith.model_io.kv_cache import States

__all__ = ["NAME", "common_states", "use_decode_attention"]

NAME = "sdpa_decode"
_MIN_ROWS = 4
_COMMON: ContextVar[States | None] = ContextVar("common_states", default=None)
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
    if not _applies(query, key, value, attention_mask, options, shared=first is not None):
        if first is not None:
            key, value, attention_mask = _joined(first, key, value, attention_mask)
        if attention_mask is not None and _folds(query, key, attention_mask, options):
            return _folded(query, key, value, attention_mask, options.get("scaling")), None
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
    if first is not None:
        found = torch.cat([_common_scores(query, first[0]).float() * scale, found], -1)
    shares = found.softmax(-1).to(value.dtype)
    output = torch.bmm(shares[..., -columns:], value.reshape(rows * groups, columns, width))
    if first is not None:
        output = output + _common_values(shares[..., :-columns], first[1], rows)
    return output.reshape(rows, 1, heads, width), None


def _common_scores(query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """Multiply all rows' queries with the keys that they share.

    Args:
        query: Shape (rows, heads, 1, width).
        keys: Shape (1, groups, tokens, width).

    Returns:
        Shape (rows * groups, heads a group, tokens).
    """
    rows, heads, _, width = query.shape
    _, groups, tokens, _ = keys.shape
    asked = query.reshape(rows, groups, heads // groups, width).transpose(0, 1)
    found = torch.bmm(asked.reshape(groups, -1, width), keys[0].transpose(1, 2))
    by_row = found.reshape(groups, rows, heads // groups, tokens).transpose(0, 1)
    return by_row.reshape(rows * groups, heads // groups, tokens)


def _common_values(shares: torch.Tensor, values: torch.Tensor, rows: int) -> torch.Tensor:
    """Sum the shared values by each row's shares, shape (rows * groups, heads a group, tokens)."""
    _, groups, tokens, width = values.shape
    by_group = shares.reshape(rows, groups, -1, tokens).transpose(0, 1)
    found = torch.bmm(by_group.reshape(groups, -1, tokens), values[0])
    return found.reshape(groups, rows, -1, width).transpose(0, 1).reshape(rows * groups, -1, width)


def _folds(
    query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor, options: dict[str, Any]
) -> bool:
    """Tell whether a prompt's queries after a past may be folded: see :func:`_folded`."""
    return (
        query.shape[1] > key.shape[1]
        and mask.shape[1] == 1
        and mask.shape[2] == query.shape[2]
        and _is_plain(query, key, options)
    )


def _folded(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    scale: float | None,
) -> torch.Tensor:
    """Let the heads of a group ask as further queries of one head.

    torch would be given a copy of the keys and values for each head. The sums are the same, bit by
    bit; eight questions after a passage of 640 tokens take 0.6 of the time.
    """
    rows, heads, tokens, width = query.shape
    groups = key.shape[1]
    each = heads // groups
    output = torch.nn.functional.scaled_dot_product_attention(
        query.reshape(rows, groups, each * tokens, width),
        key,
        value,
        attn_mask=mask.repeat(1, 1, each, 1),
        scale=scale,
    )
    return output.reshape(rows, heads, tokens, width).transpose(1, 2).contiguous()


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


def _applies(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    options: dict[str, Any],
    *,
    shared: bool = False,
) -> bool:
    masked = mask is None or (mask.is_floating_point() and mask.shape[1:3] == (1, 1))
    return (
        query.shape[2] == 1
        and (shared or query.shape[0] >= _MIN_ROWS)
        and query.dtype == torch.bfloat16
        and masked
        and value.shape[-1] == query.shape[-1]
        and _is_plain(query, key, options)
    )


def _is_plain(query: torch.Tensor, key: torch.Tensor, options: dict[str, Any]) -> bool:
    """Tell whether nothing but a scale and a mask goes into the sums."""
    # What changes the sum (sinks, caps, biases) comes under a name of its own, known here or not.
    plain = all(options[name] is None for name in set(options) - _NEUTRAL)
    return (
        plain
        and not options.get("dropout")
        and not torch.is_grad_enabled()
        and query.shape[1] % key.shape[1] == 0
    )
