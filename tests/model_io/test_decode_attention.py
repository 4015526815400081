from __future__ import annotations

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from domainsmith.model_io.adapters import Adapters
from domainsmith.model_io.decode_attention import NAME, _applies, _attention, common_states
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.forward import Forward
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.model_io.kv_cache import SlotCache

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


@pytest.mark.parametrize("number", [torch.bfloat16, torch.float32])
def test_states_that_rows_share_may_stand_apart(number: torch.dtype) -> None:
    query, key, value, mask = states(number)
    common = 20
    key[:, :, :common], value[:, :, :common] = key[:1, :, :common], value[:1, :, :common]
    mask[..., :common] = 0
    mask[1, ..., common : common + 7] = torch.finfo(number).min
    layer = torch.nn.Identity()
    layer.layer_idx, layer.num_key_value_groups, layer.is_causal = 1, HEADS // GROUPS, True
    first = (key[:1, :, :common].contiguous(), value[:1, :, :common].contiguous())
    with torch.inference_mode():
        whole, _ = _attention(layer, query, key, value, mask)
        with common_states([first, first]):
            apart, _ = _attention(
                layer, query, key[:, :, common:], value[:, :, common:], mask[..., common:]
            )
    assert float((whole.float() - apart.float()).abs().max()) < {2: 0.02, 4: 1e-6}[number.itemsize]


def test_a_batch_holds_once_what_its_rows_share(engine: Engine) -> None:
    forward = Forward(engine.model, engine.tokenizer, Adapters(engine.model))
    assert forward.shares_states
    rows = [[5, 9, 700], [5, 11], [8, 9, 10, 12], [3]]
    begin = list(range(300, 380))
    with torch.inference_mode():
        past, _ = forward.prefill([begin], None, None)
        states, _ = forward.prefill(rows, past, None)
        lengths = [len(begin) + len(row) for row in rows]
        plain, apart = SlotCache(), SlotCache()
        plain.admit(states, lengths)
        apart.admit(states, lengths, common=past)
        assert apart.common is past
        assert apart.end - apart.low == max(len(row) for row in rows)
        for _ in range(2):
            hidden = []
            for cache in (plain, apart):
                cache.make_room()
                hidden.append(forward.step([40] * len(rows), lengths, cache, [None] * len(rows)))
                cache.advance()
            assert torch.cosine_similarity(hidden[0].float(), hidden[1].float()).min() > 0.99
            lengths = [length + 1 for length in lengths]
        for cache in (plain, apart):
            cache.drop(1)
            cache.admit(states, [len(begin) + len(row) for row in rows])  # of another beginning
    assert apart.common is None
    assert apart.starts == plain.starts
    for ours, theirs in zip(apart.gather([0, 1, 2, 3]), plain.gather([0, 1, 2, 3]), strict=True):
        assert (
            torch.cosine_similarity(ours[0].float().flatten(1), theirs[0].float().flatten(1)).min()
            > 0.99
        )


def test_a_batch_that_shares_a_beginning_answers_as_alone(engine: Engine) -> None:
    begin = "A washer of the type 610 holds 58 litres and weighs 66 kilograms. " * 9
    requests = [
        GenerationRequest(begin + question, max_new_tokens=12)
        for question in ("How heavy", "How much", "What type", "Who", "The 610 weighs", "It holds")
    ]
    engine.prefix_cache.clear()
    together = {done.index: done.text for done in engine.generate(requests)}
    alone = [next(iter(engine.generate([request]))).text for request in requests]
    same = [together[place] == text for place, text in enumerate(alone)]
    assert sum(same) >= len(same) - 1, (together, alone)  # rounding may turn one close choice
