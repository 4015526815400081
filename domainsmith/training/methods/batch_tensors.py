"""Rows of records as tensors, and the loss over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft import PeftModel

from domainsmith.training.dataset import TokenizedRecord
from domainsmith.training.step_plan import MicroBatch, Row, plan_steps

__all__ = ["batch_tensors", "mean_loss", "sharing_is_exact", "summed_loss"]

_TOLERANCE = {torch.float32: 1e-3}
_LOW_PRECISION_TOLERANCE = 0.1
"""How far hidden states of a shared row may be from those of separate rows, as a share of their
size: rounding, nothing else. In bfloat16 that is 0.01; an ignored mask gives 0.3."""


def batch_tensors(
    records: Sequence[TokenizedRecord], batch: MicroBatch, pad: int
) -> dict[str, torch.Tensor]:
    """Lay rows into tensors, padded on the right.

    Args:
        records: All records.
        batch: Rows of their positions.
        pad: Token id to pad with.

    Returns:
        ``input_ids`` of shape (rows, longest); ``sources``, the flat places whose hidden states
        predict, and ``targets``, the tokens that they should predict, both of shape (completion
        tokens,). If a row holds several records also ``position_ids`` of shape (rows, longest)
        and ``visible`` of shape (rows, 1, longest, longest), true where a token sees another;
        otherwise there is no mask: attention is causal, so no token sees the padding behind it.
    """
    longest = max(row.length for row in batch)
    ids = torch.full((len(batch), longest), pad, dtype=torch.long)
    sources: list[int] = []
    targets: list[int] = []
    tree = any(len(row.records) > 1 for row in batch)
    positions = torch.zeros_like(ids)
    visible = torch.zeros((len(batch), 1, longest, longest) if tree else 0, dtype=torch.bool)
    for number, row in enumerate(batch):
        at = 0
        path: list[int] = []
        for position, shared in zip(row.records, row.shared, strict=True):
            item = records[position]
            new = list(range(at, at + item.length - 1 - shared))
            ids[number, new] = torch.tensor(item.input_ids[shared:-1])
            if tree:
                positions[number, new] = torch.arange(shared, item.length - 1)
                visible[number, 0, at : at + len(new), path[:shared]] = True
                own = torch.ones((len(new), len(new)), dtype=torch.bool).tril()
                visible[number, 0, at : at + len(new), at : at + len(new)] = own
            path = path[:shared] + new
            at += len(new)
            sources += [number * longest + path[i - 1] for i in _answer(item)]
            targets += item.input_ids[item.prompt_length :]
        if tree:
            visible[number, 0, at:, 0] = True  # padding must see something, or it becomes NaN
    tensors = {
        "input_ids": ids,
        "sources": torch.tensor(sources),
        "targets": torch.tensor(targets),
    }
    return tensors | ({"position_ids": positions, "visible": visible} if tree else {})


def _answer(item: TokenizedRecord) -> range:
    return range(item.prompt_length, item.length)


def summed_loss(model: PeftModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Sum the loss over a micro-batch's completion tokens, with the head on those alone.

    Args:
        model: The base model with its adapter.
        batch: From :func:`batch_tensors`, on the model's device.

    Returns:
        Scalar, nats.
    """
    inner: Any = model.get_base_model()
    logits = inner.get_output_embeddings()(_predicting(model, batch))  # (tokens, vocabulary)
    return torch.nn.functional.cross_entropy(logits.float(), batch["targets"], reduction="sum")


def _predicting(model: PeftModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the hidden states that predict completion tokens, shape (completion tokens, width)."""
    inner: Any = model.get_base_model()
    more: dict[str, torch.Tensor] = {}
    if "visible" in batch:
        blocked = torch.zeros(batch["visible"].shape, dtype=inner.dtype, device=inner.device)
        blocked.masked_fill_(~batch["visible"], torch.finfo(inner.dtype).min)
        more = {"attention_mask": blocked, "position_ids": batch["position_ids"]}
    decoder = inner.get_decoder()
    hidden = decoder(input_ids=batch["input_ids"], use_cache=False, **more).last_hidden_state
    predicting: torch.Tensor = hidden.flatten(0, 1)[batch["sources"]]
    return predicting


@torch.no_grad()
def sharing_is_exact(
    model: PeftModel, records: Sequence[TokenizedRecord], rows: Sequence[Row], pad: int
) -> bool:
    """Check on one row that a shared beginning gives the states of separate rows.

    Args:
        model: The base model with its adapter; not every architecture honours positions and
            masks that are given to it.
        records: All records.
        rows: Planned rows; the shortest of several records is computed both ways.
        pad: Token id to pad with.

    Returns:
        True if it does, or if no row holds several records.
    """
    shared = [row for row in rows if len(row.records) > 1]
    if not shared:
        return True
    row = min(shared, key=lambda item: (item.length, item.records))
    lengths = [records[at].length - 1 for at in row.records]
    alone = [Row((at,), (0,), size) for at, size in zip(row.records, lengths, strict=True)]
    training = model.training
    model.eval()
    states = [
        _predicting(model, _on(model, batch_tensors(records, (one,), pad))).float()
        for one in [row, *alone]
    ]
    model.train(training)
    together, separate = states[0], torch.cat(states[1:])
    allowed = _TOLERANCE.get(model.dtype, _LOW_PRECISION_TOLERANCE)
    return float((together - separate).norm()) <= allowed * float(separate.norm())


@torch.no_grad()
def mean_loss(
    model: PeftModel,
    records: Sequence[TokenizedRecord],
    micro_tokens: int,
    pad: int,
    *,
    share: bool = False,
) -> float | None:
    """Measure the loss on records without training on them.

    Args:
        model: The base model with its adapter.
        records: What to measure on.
        micro_tokens: Padded tokens of a forward pass.
        pad: Token id to pad with.
        share: Compute a beginning that records share once.

    Returns:
        Mean loss per completion token in nats, or None without records.
    """
    if not records:
        return None
    model.eval()
    (whole,) = plan_steps(
        records, epochs=1, batch_tokens=1 << 40, micro_tokens=micro_tokens, seed=0, share=share
    )
    total, count = 0.0, 0
    for batch in whole:
        tensors = batch_tensors(records, batch, pad)
        total += float(summed_loss(model, _on(model, tensors)))
        count += len(tensors["targets"])
    return total / max(1, count)


def _on(model: PeftModel, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.to(model.device) for name, tensor in tensors.items()}
