"""Weights of linear layers in the layout in which a CPU multiplies few rows fastest.

At a decoding step a matrix of weights meets 1 to 32 rows. torch then spends a third to a half of
the time on bringing the weights into oneDNN's blocked layout, at every call. Here that is done
once. The products are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

__all__ = ["pack_linear_layers"]

_MOST_BYTES = 2 << 30
"""The packed copy stands beside the plain weights (training, adapters and saving need those)."""


def pack_linear_layers(model: Any) -> int:
    """Let the linear layers of a model compute with packed copies of their weights.

    Called again, it packs the layers that have come since, those of adapters.

    Only bfloat16 weights on a CPU of at most 2 GB are packed. The layers stay what they are for
    whoever looks at them (peft wraps them as before), but their weights must not be changed
    afterwards.

    Args:
        model: In evaluation mode, on its device.

    Returns:
        Number of layers that were packed; 0 where it does not apply.
    """
    layers: list[Any] = [
        module
        for module in model.modules()
        if type(module) is torch.nn.Linear
        and module.weight.dtype == torch.bfloat16
        and "forward" not in vars(module)  # packed before
    ]
    size = sum(layer.weight.numel() * layer.weight.element_size() for layer in layers)
    if model.device.type != "cpu" or size > _MOST_BYTES or not _is_supported():
        return 0
    for layer in layers:
        layer.forward = _packed_forward(layer)
    return len(layers)


def _packed_forward(layer: torch.nn.Linear) -> Callable[[torch.Tensor], torch.Tensor]:
    weight = layer.weight
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), None)

    def forward(states: torch.Tensor) -> torch.Tensor:
        if states.dtype != torch.bfloat16 or torch.is_grad_enabled():
            return functional.linear(states, weight, layer.bias)
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            states, packed, layer.bias, "none", [], ""
        )
        return product

    return forward


def _is_supported() -> bool:
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):
        return False  # this build of torch has no oneDNN
