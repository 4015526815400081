from __future__ import annotations

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from domainsmith.model_io.decode_attention import NAME, _applies, _attention
from domainsmith.model_io.engine import Engine

ROWS, GROUPS, HEADS, COLUMNS, WIDTH = 6, 3, 9, 50, 16


def states(number: torch.dtype) -> tuple[torch.Tensor, ...]:
    """A query a row, keys and values that are parts of larger buffers, and their mask."""
    torch.manual_seed(0)
    query = torch.randn(ROWS, HEADS, 1, WIDTH).to(number)
    buffers = [torch.randn(ROWS + 2, GROUPS, COLUMNS + 9, WIDTH).to(number) for _ in range(2)]
    key, value = (buffer[:ROWS, :, 4 : 4 + COLUMNS] for buffer in buffers)
    mask = torch.zeros(ROWS, 1, 1, COLUMNS).to(number)
    for row in range(ROWS):
        mask[row, ..., : 3 * row] = torch.finfo(mask.dtype).min
    return query, key, value, mask


@pytest.mark.parametrize("masked", [True, False])
def test_it_is_the_attention_that_torch_computes(masked: bool) -> None:
    query, key, value, mask = states(torch.bfloat16)
    given = mask if masked else None
    with torch.inference_mode():
        assert _applies(query, key, value, given, {"scaling": 0.3})
        found, weights = _attention(torch.nn.Identity(), query, key, value, given, scaling=0.3)
        exact = scaled_dot_product_attention(
            query.float(),
            key.float().repeat_interleave(HEADS // GROUPS, 1),
            value.float().repeat_interleave(HEADS // GROUPS, 1),
            attn_mask=mask.float() if masked else None,
            scale=0.3,
        ).transpose(1, 2)
    assert weights is None
    assert found.shape == exact.shape
    assert float((found.float() - exact).abs().max()) < 0.02


def test_everything_else_is_left_to_torch(engine: Engine) -> None:
    assert engine.model.config._attn_implementation == NAME
    query, key, value, mask = states(torch.bfloat16)
    with torch.inference_mode():
        assert not _applies(query[:2], key[:2], value[:2], mask[:2], {})
        assert not _applies(query.expand(-1, -1, 3, -1), key, value, mask, {})
        assert not _applies(query, key, value, mask > 0, {})
        assert not _applies(query, key, value, mask, {"softcap": 30.0})
        assert not _applies(query, key, value, mask, {"s_aux": torch.zeros(HEADS)})
        assert not _applies(*states(torch.float32), {})
        assert _applies(query, key, value, mask, {"softcap": None, "dropout": 0.0})
    assert not _applies(query, key, value, mask, {})  # a gradient may be wanted
