from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from domainsmith.model_io import cpu_attention, tiled_attention
from domainsmith.model_io.adapters import Adapters
from domainsmith.model_io.cpu_attention import NAME, _attention, common_states
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.forward import Forward
from domainsmith.model_io.generation import GenerationRequest

ROWS, GROUPS, HEADS, COLUMNS, WIDTH = 6, 3, 9, 50, 16
BFLOAT16, FLOAT32 = torch.bfloat16, torch.float32
CLOSE = {BFLOAT16: 0.03, FLOAT32: 3e-6}


def states(number: torch.dtype, queries: int = 1) -> tuple[torch.Tensor, ...]:
    """Queries, keys and values that are parts of larger buffers, and a mask of one query."""
    torch.manual_seed(0)
    query = torch.randn(ROWS, queries, HEADS, WIDTH).transpose(1, 2).to(number)
    buffers = [torch.randn(ROWS + 2, GROUPS, COLUMNS + 9, WIDTH).to(number) for _ in range(2)]
    key, value = (buffer[:ROWS, :, 4 : 4 + COLUMNS] for buffer in buffers)
    mask = torch.zeros(ROWS, 1, 1, COLUMNS).to(number)
    for row in range(ROWS):
        mask[row, ..., : 3 * row] = torch.finfo(mask.dtype).min
    return query, key, value, mask


def exact(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """What torch computes in float64, shape (rows, queries, heads, width)."""
    if mask is not None and mask.dtype != torch.bool:
        mask = mask > torch.finfo(mask.dtype).min / 2
    each = query.shape[1] // key.shape[1]
    return scaled_dot_product_attention(
        query.double(),
        key.double().repeat_interleave(each, 1),
        value.double().repeat_interleave(each, 1),
        attn_mask=mask,
        scale=0.3,
    ).transpose(1, 2)


def layer(*, causal: bool = True) -> torch.nn.Module:
    module = torch.nn.Identity()
    module.layer_idx, module.num_key_value_groups, module.is_causal = 1, HEADS // GROUPS, causal
    return module


@pytest.fixture
def left_to_torch(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Collects the queries that torch's own attention gets."""
    found: list[torch.Tensor] = []
    original = cpu_attention.sdpa_attention_forward

    def counted(module: Any, query: torch.Tensor, *states: Any, **options: Any) -> Any:
        found.append(query)
        return original(module, query, *states, **options)

    monkeypatch.setattr(cpu_attention, "sdpa_attention_forward", counted)
    return found


@pytest.mark.parametrize("rows", [1, 2, ROWS])
@pytest.mark.parametrize("masked", [True, False])
def test_a_query_a_row_is_what_torch_computes(
    masked: bool, rows: int, left_to_torch: list[torch.Tensor]
) -> None:
    query, key, value, mask = (part[:rows] for part in states(BFLOAT16))
    given = mask if masked else None
    with torch.inference_mode():
        found, weights = _attention(layer(), query, key, value, given, scaling=0.3)
    assert weights is None
    wanted = exact(query, key, value, given)
    assert found.shape == wanted.shape
    assert float((found - wanted).abs().max()) < CLOSE[BFLOAT16]
    assert not left_to_torch


def masks(queries: int) -> dict[str, torch.Tensor]:
    """Masks as transformers makes them for prompts after a past: True where a query sees."""
    past = COLUMNS - queries
    causal = torch.ones(1, 1, queries, COLUMNS, dtype=torch.bool).tril(past)
    window = causal & ~causal.tril(-9 + past)
    left = torch.ones(ROWS, 1, queries, COLUMNS, dtype=torch.bool).tril(past)
    for row in range(ROWS):
        left[row, ..., :row] = False
    numbers = torch.zeros(left.shape).masked_fill_(~left, torch.finfo(FLOAT32).min)
    ahead = causal.clone()
    ahead[..., :7] = True
    return {
        "causal": causal.expand(ROWS, -1, -1, -1),
        "window": window.expand(ROWS, -1, -1, -1),
        "left": left,
        "numbers": numbers,
        "beginning seen by all": ahead,
    }


@pytest.mark.parametrize("number", [BFLOAT16, FLOAT32])
@pytest.mark.parametrize("queries", [2, 17, 40])
@pytest.mark.parametrize("kind", list(masks(2)))
@pytest.mark.parametrize("size", [(96, 3 << 20), (16, 1)])
def test_prompts_after_a_past_are_what_torch_computes(
    kind: str,
    queries: int,
    number: torch.dtype,
    size: tuple[int, int],
    left_to_torch: list[torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiled_attention, "_CAUSAL_TILE", size[0])
    monkeypatch.setattr(tiled_attention, "_TILE", size[0])
    monkeypatch.setattr(tiled_attention, "_TILE_BYTES", size[1])
    query, key, value, _ = states(number, queries)
    mask = masks(queries)[kind]
    if mask.dtype != torch.bool:
        mask = mask.to(number)
    with torch.inference_mode():
        found, _ = _attention(layer(), query, key, value, mask, scaling=0.3)
    assert float((found - exact(query, key, value, mask)).abs().max()) < CLOSE[number]
    assert not left_to_torch


@pytest.mark.parametrize("number", [BFLOAT16, FLOAT32])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("queries", [2, 31, 64, 97, 130])
def test_whole_texts_are_what_torch_computes(
    queries: int, causal: bool, number: torch.dtype, left_to_torch: list[torch.Tensor]
) -> None:
    torch.manual_seed(1)
    query = torch.randn(3, queries, HEADS, WIDTH).transpose(1, 2).to(number)
    key, value = (torch.randn(3, queries, GROUPS, WIDTH).transpose(1, 2).to(number) for _ in "kv")
    with torch.inference_mode():
        found, _ = _attention(layer(causal=causal), query, key, value, None, scaling=0.3)
    seen = torch.ones(queries, queries, dtype=torch.bool)
    wanted = exact(query, key, value, seen.tril() if causal else seen)
    assert float((found - wanted).abs().max()) < CLOSE[number]
    assert not left_to_torch


def test_a_call_may_say_that_its_text_is_seen_whole() -> None:
    query, key, value = (torch.randn(2, HEADS, 20, WIDTH) for _ in "qkv")
    seen = torch.ones(20, 20, dtype=torch.bool)
    with torch.inference_mode():  # a decoder that was trained to embed
        found, _ = _attention(layer(), query, key, value, None, scaling=0.3, is_causal=False)
    assert float((found - exact(query, key, value, seen)).abs().max()) < CLOSE[FLOAT32]


def test_without_a_mask_texts_of_other_lengths_are_left_to_torch(
    left_to_torch: list[torch.Tensor],
) -> None:
    query, key, value, _ = states(FLOAT32, 20)
    with torch.inference_mode():
        _attention(layer(), query, key, value, None)
    assert len(left_to_torch) == 1


@pytest.mark.parametrize("least", [-torch.inf, torch.finfo(FLOAT32).min])
@pytest.mark.parametrize("queries", [1, 20])
def test_a_query_that_sees_nothing_is_a_number(queries: int, least: float) -> None:
    query, key, value, _ = states(BFLOAT16, queries)
    mask = torch.zeros(ROWS, 1, queries, COLUMNS)
    mask[2] = least
    with torch.inference_mode():
        found, _ = _attention(layer(), query, key, value, mask)
    assert bool(found.isfinite().all())


@pytest.mark.parametrize("each", [1, 20])
def test_a_mask_may_weigh_what_it_does_not_hide(each: int) -> None:
    query, key, value, _ = states(FLOAT32, 20)
    mask = torch.zeros(1, 1, each, COLUMNS)
    mask[..., 7] = 1.5
    if each > 1:
        ahead = torch.ones(1, 1, each, COLUMNS, dtype=torch.bool).triu(COLUMNS - 19)
        mask = mask.masked_fill(ahead, torch.finfo(FLOAT32).min)
    with torch.inference_mode():
        found, _ = _attention(layer(), query, key, value, mask, scaling=0.3)
    wanted = scaled_dot_product_attention(
        query.double(),
        key.double().repeat_interleave(HEADS // GROUPS, 1),
        value.double().repeat_interleave(HEADS // GROUPS, 1),
        attn_mask=mask.double(),
        scale=0.3,
    ).transpose(1, 2)
    assert float((found - wanted).abs().max()) < CLOSE[FLOAT32]


@pytest.mark.parametrize("number", [BFLOAT16, FLOAT32])
@pytest.mark.parametrize("lengths", [[50, 50, 50], [50, 49, 44], [50, 1, 50]])
def test_texts_of_an_embedder_do_not_see_padding(lengths: list[int], number: torch.dtype) -> None:
    torch.manual_seed(2)
    query, key, value = (torch.randn(3, HEADS, COLUMNS, WIDTH).to(number) for _ in "qkv")
    padding = torch.arange(COLUMNS)[None] < torch.tensor(lengths)[:, None]
    given = cpu_attention._mask(
        3,
        COLUMNS,
        COLUMNS,
        mask_function=cpu_attention.bidirectional_mask_function,
        attention_mask=padding,
        allow_is_bidirectional_skip=True,
        allow_is_causal_skip=False,
    )
    assert (given is None) == (min(lengths) == COLUMNS)
    assert given is None or given.shape == (3, 1, 1, COLUMNS)  # no row for each query
    with torch.inference_mode():
        found, _ = _attention(layer(causal=False), query, key, value, given, scaling=0.3)
    wanted = exact(query, key, value, padding[:, None, None, :].expand(-1, -1, COLUMNS, -1))
    assert float((found - wanted).abs().max()) < CLOSE[number]


def test_everything_else_is_left_to_torch(
    engine: Engine, left_to_torch: list[torch.Tensor]
) -> None:
    assert engine.model.config._attn_implementation == NAME
    query, key, value, mask = states(BFLOAT16)
    many, keys, values, _ = states(BFLOAT16, 20)
    each = mask.expand(-1, HEADS, -1, -1)
    with torch.inference_mode():
        _attention(layer(), query, key, value, mask, softcap=None, dropout=0.0)
        assert not left_to_torch
        _attention(layer(), query, key, value, mask, bias=torch.zeros(HEADS))
        _attention(layer(), many, keys, values, None, sinks=torch.zeros(HEADS))
        _attention(layer(), query, key, value, each)  # a mask of its own for each head
        _attention(layer(), *states(FLOAT32))
    _attention(layer(), query, key, value, mask)  # a gradient may be wanted
    assert len(left_to_torch) == 5


@pytest.mark.parametrize("number", [BFLOAT16, FLOAT32])
def test_states_that_rows_share_may_stand_apart(number: torch.dtype) -> None:
    query, key, value, mask = states(number)
    common = 20
    key[:, :, :common], value[:, :, :common] = key[:1, :, :common], value[:1, :, :common]
    mask[..., :common] = 0
    mask[1, ..., common : common + 7] = torch.finfo(number).min
    first = (key[:1, :, :common].contiguous(), value[:1, :, :common].contiguous())
    with torch.inference_mode():
        whole, _ = _attention(layer(), query, key, value, mask)
        with common_states([first, first]):
            apart, _ = _attention(
                layer(), query, key[:, :, common:], value[:, :, common:], mask[..., common:]
            )
    assert float((whole.float() - apart.float()).abs().max()) < CLOSE[number]


def test_a_batch_holds_once_what_its_rows_share(engine: Engine) -> None:
    forward = Forward(engine.model, engine.tokenizer, Adapters(engine.model))
    assert forward.shares_states
    rows = [[5, 9, 700], [5, 11], [8, 9, 10, 12], [3]]
    begin = list(range(300, 380))
    with torch.inference_mode():
        past, _ = forward.prefill([begin], None, None)
        states, _ = forward.prefill(rows, past, None)
        lengths = [len(begin) + len(row) for row in rows]
        plain, apart = forward.new_cache(), forward.new_cache()
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
