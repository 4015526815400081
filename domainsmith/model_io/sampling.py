"""Chooses the next token of each row of a batch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

import torch

from domainsmith.errors import ModelError

__all__ = ["Sampled", "pick_tokens"]

_HEAD = 1024
"""Most likely tokens that are sorted first for top-p; nearly always enough."""


class Sampled(Protocol):
    """What sampling needs to know of a row."""

    @property
    def temperature(self) -> float:
        """0 takes the most likely token."""
        ...

    @property
    def top_p(self) -> float:
        """Sum of probabilities that is kept."""
        ...

    @property
    def top_k(self) -> int:
        """Most likely tokens that are kept; 0 for all."""
        ...

    @property
    def dice(self) -> random.Random:
        """Of this row alone."""
        ...


def pick_tokens(logits: torch.Tensor, rows: Sequence[Sampled]) -> list[int]:
    """Choose one token a row.

    Args:
        logits: Shape (rows, vocabulary), float32; forbidden tokens are minus infinity.
        rows: Their sampling settings. Each draws from its own dice, once a token, so that the
            other rows do not influence it.

    Returns:
        Token ids.

    Raises:
        ModelError: A row's logits are not numbers.
    """
    best = logits.max(dim=-1)
    if not bool(torch.isfinite(best.values).all()):
        raise ModelError(
            "The model computed values that are not numbers (NaN or infinity)",
            fix="Use dtype float32, or train the adapter again with a lower learning rate.",
        )
    tokens: list[int] = best.indices.tolist()
    for row, settings in enumerate(rows):
        if settings.temperature > 0.0:
            tokens[row] = _sample(logits[row], settings)
    return tokens


def _sample(logits: torch.Tensor, settings: Sampled) -> int:
    scaled = logits / settings.temperature
    draw = settings.dice.random()
    if settings.top_k:
        values, ids = torch.topk(scaled, min(settings.top_k, scaled.numel()))
        return _draw(torch.softmax(values, dim=-1), ids, settings.top_p, draw)
    weights = torch.softmax(scaled, dim=-1)
    if settings.top_p >= 1.0:
        return _draw(weights, None, 1.0, draw)
    head, ids = torch.topk(weights, min(_HEAD, weights.numel()))
    if float(head.sum()) < settings.top_p:
        head, ids = torch.sort(weights, descending=True, stable=True)
    return _draw(head, ids, settings.top_p, draw)


def _draw(weights: torch.Tensor, ids: torch.Tensor | None, top_p: float, draw: float) -> int:
    """Invert the cumulative distribution at ``draw``, 0 to 1."""
    sums = torch.cumsum(weights.double(), dim=-1)
    if top_p < 1.0:
        # The token that crosses the bound is kept, so at least one remains.
        kept = int(torch.searchsorted(sums, top_p)) + 1
        sums = sums[:kept]
    place = int(torch.searchsorted(sums, draw * float(sums[-1]), right=True))
    place = min(place, sums.numel() - 1)
    return place if ids is None else int(ids[place])
