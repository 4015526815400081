"""Attention of a decoding step on a CPU, where each row asks with a single token.

torch's fused attention is made for many queries: with one a row it reaches a tenth of the speed of
memory. Two batched products with a softmax between them read the states at that speed, where the
states are whole buffers: a product with parts of larger ones takes several times as long. The
scores are rounded to bfloat16 and the softmax is computed in float32, as in transformers' own
attention in Python ("eager").

Rows that begin with the same tokens may share the states of these: all their queries meet them in
one product, and one softmax runs over both parts, as in Hydragen (arXiv 2402.05099, section 3)
without its rescaling, which one softmax makes needless.
"""

from __future__ import annotations

import torch

__all__ = ["single_query_attention"]


def single_query_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    scale: float,
    common: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> torch.Tensor:
    """Compute the attention of one query a row.

    Args:
        query: Shape (rows, heads, 1, width), bfloat16.
        key: Shape (rows, groups, columns, width); each group serves ``heads / groups`` heads.
        value: As ``key``.
        mask: What is added to the scores, shape (rows or 1, 1, 1, columns); None for nothing.
        scale: Of the scores.
        common: Keys and values, one row, of tokens that stand before those of all rows.

    Returns:
        Shape (rows, 1, heads, width).
    """
    rows, heads, _, width = query.shape
    groups, columns = key.shape[1], key.shape[2]
    asked = (query * scale).reshape(rows * groups, heads // groups, width)
    keys = key.reshape(rows * groups, columns, width).contiguous()
    scores = torch.bmm(asked, keys.transpose(1, 2))
    if mask is not None:
        scores.view(rows, heads, columns).add_(mask[:, 0])
    if common is not None:
        scores = torch.cat([_common_scores(asked, common[0], rows), scores], -1)
    shares = scores.softmax(-1)
    values = value.reshape(rows * groups, columns, width)
    output = torch.bmm(shares[..., -columns:], values)
    if common is not None:
        output = output + _common_values(shares[..., :-columns], common[1], rows)
    return output.reshape(rows, 1, heads, width)


def _common_scores(asked: torch.Tensor, keys: torch.Tensor, rows: int) -> torch.Tensor:
    """Multiply all rows' queries with the keys that they share.

    Args:
        asked: Shape (rows * groups, heads a group, width).
        keys: Shape (1, groups, tokens, width).
        rows: Their number.

    Returns:
        Shape (rows * groups, heads a group, tokens).
    """
    _, groups, tokens, width = keys.shape
    by_group = asked.reshape(rows, groups, -1, width).transpose(0, 1).reshape(groups, -1, width)
    found = torch.bmm(by_group, keys[0].transpose(1, 2))
    by_row = found.reshape(groups, rows, -1, tokens).transpose(0, 1)
    return by_row.reshape(rows * groups, -1, tokens)


def _common_values(shares: torch.Tensor, values: torch.Tensor, rows: int) -> torch.Tensor:
    """Sum the shared values by each row's shares, shape (rows * groups, heads a group, tokens)."""
    _, groups, tokens, width = values.shape
    by_group = shares.reshape(rows, groups, -1, tokens).transpose(0, 1)
    found = torch.bmm(by_group.reshape(groups, -1, tokens), values[0])
    return found.reshape(groups, rows, -1, width).transpose(0, 1).reshape(rows * groups, -1, width)
