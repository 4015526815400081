from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from domainsmith.model_io.engine import Engine
from domainsmith.model_io.packed_linear import pack_linear_layers


class Small(torch.nn.Module):
    """Two layers, one with a bias, as a transformers model shows itself."""

    device = torch.device("cpu")

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.plain = torch.nn.Linear(96, 64, bias=False, dtype=dtype)
        self.biased = torch.nn.Linear(96, 64, dtype=dtype)


needs_bfloat16 = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="the CPU knows no bfloat16"
)


@needs_bfloat16
def test_packed_layers_compute_the_same_bits() -> None:
    torch.manual_seed(0)
    model = Small(torch.bfloat16).requires_grad_(False)
    assert pack_linear_layers(model) == 2
    with torch.inference_mode():
        for shape in ((1, 96), (5, 1, 96), (3, 40, 96)):
            states = torch.randn(shape).bfloat16()
            for layer in (model.plain, model.biased):
                expected = functional.linear(states, layer.weight, layer.bias)
                assert torch.equal(layer(states), expected)


@needs_bfloat16
def test_gradients_take_the_plain_way() -> None:
    model = Small(torch.bfloat16)
    pack_linear_layers(model)
    model.plain(torch.ones(2, 96).bfloat16()).sum().backward()
    assert model.plain.weight.grad is not None


def test_float32_is_left_alone(exact_engine: Engine) -> None:
    assert pack_linear_layers(Small(torch.float32)) == 0
    assert not any("forward" in vars(module) for module in exact_engine.model.modules())


@needs_bfloat16
def test_the_engine_packs_all_layers(engine: Engine) -> None:
    layers = [part for part in engine.model.modules() if type(part) is torch.nn.Linear]
    assert layers
    assert all("forward" in vars(layer) for layer in layers)
