from __future__ import annotations

from pathlib import Path

import pytest
import torch

from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Completion, GenerationRequest
from domainsmith.model_io.kv_cache import States
from domainsmith.model_io.messages import qa_messages
from domainsmith.model_io.prefix_cache import PIECE_TOKENS, PrefixCache, cut

MANUAL = "".join(
    f"Program {number} of the washing machine runs for {number * 7 % 60 + 20} minutes. "
    for number in range(1, 16)
)
QUESTIONS = ["How long does program 3 run?", "Which program is the longest?", "Why?"]


@pytest.fixture
def fresh(exact_engine: Engine) -> Engine:
    exact_engine.prefix_cache.clear()
    return exact_engine


def request(engine: Engine, question: str, context: str = MANUAL) -> GenerationRequest:
    prompt = engine.render(qa_messages(question, context=context, language="en"))
    return GenerationRequest(prompt, max_new_tokens=6)


def texts(completions: list[Completion]) -> list[str]:
    return [done.text for done in sorted(completions, key=lambda done: done.index)]


def states_of(tokens: int, value: float = 0.0) -> States:
    column = torch.arange(float(tokens))[None, None, :, None] + value
    return [(column.expand(1, 2, -1, 4), column.expand(1, 2, -1, 4) + 0.5)]


def pieces_of(tokens: list[int]) -> list[list[int]]:
    return [tokens[start:end] for start, end in cut(0, len(tokens))]


def test_cut_is_at_multiples_whatever_the_start() -> None:
    assert cut(0, 0) == cut(5, 5) == []
    assert cut(0, 256) == [(0, 256)]
    assert cut(0, 520) == [(0, 256), (256, 512), (512, 520)]
    assert cut(256, 520) == [(256, 512), (512, 520)]
    assert cut(200, 260) == [(200, 256), (256, 260)]


def test_the_longest_kept_beginning_is_found_with_its_states() -> None:
    cache = PrefixCache(1 << 20)
    tokens = list(range(400))
    kept = cache.keep(None, cache.root(None), pieces_of(tokens), states_of(400))
    assert kept.tokens == 400
    other = [*tokens[:300], *range(1000, 1100)]
    found = cache.find(cache.root(None), pieces_of(other))
    assert found.tokens == 256
    assert found.states is not None
    assert torch.equal(found.states[0][0], states_of(256)[0][0])
    assert torch.equal(found.states[0][1], states_of(256)[0][1])
    further = cache.find(found, [tokens[256:]])
    assert further.tokens == 400
    assert further.key == kept.key
    assert cache.find(cache.root("lora"), pieces_of(tokens)).tokens == 0
    assert cache.find(cache.root(None), pieces_of(tokens[1:])).tokens == 0


def test_the_bound_is_kept_and_the_least_recently_used_goes() -> None:
    piece = 2 * 2 * 4 * 4 * PIECE_TOKENS
    cache = PrefixCache(4 * piece)
    prompts = [list(range(start, start + 2 * PIECE_TOKENS)) for start in (0, 1000, 2000)]
    for prompt in prompts[:2]:
        cache.keep(None, cache.root(None), pieces_of(prompt), states_of(len(prompt)))
    assert cache.size == 4 * piece
    assert cache.find(cache.root(None), pieces_of(prompts[0])).tokens == 2 * PIECE_TOKENS
    cache.keep(None, cache.root(None), pieces_of(prompts[2]), states_of(2 * PIECE_TOKENS))
    assert cache.size == 4 * piece
    left = [cache.find(cache.root(None), pieces_of(prompt)).tokens for prompt in prompts]
    assert left == [2 * PIECE_TOKENS, 0, 2 * PIECE_TOKENS]
    # A prefix larger than the bound is kept as far as it fits: its beginning.
    long = list(range(5000, 5000 + 6 * PIECE_TOKENS))
    whole = cache.keep(None, cache.root(None), pieces_of(long), states_of(len(long)))
    assert whole.tokens == len(long)
    assert cache.size == 4 * piece
    assert cache.find(cache.root(None), pieces_of(long)).tokens == 4 * PIECE_TOKENS


def test_a_cache_of_no_bytes_keeps_nothing() -> None:
    cache = PrefixCache(0)
    tokens = list(range(100))
    assert cache.keep(None, cache.root(None), pieces_of(tokens), states_of(100)).tokens == 100
    assert cache.size == 0
    assert cache.find(cache.root(None), pieces_of(tokens)).tokens == 0


def test_what_is_kept_does_not_hold_the_whole_prompt() -> None:
    cache = PrefixCache(1 << 20)
    states = states_of(2 * PIECE_TOKENS)
    cache.keep(None, cache.root(None), pieces_of(list(range(2 * PIECE_TOKENS))), states)
    (first, _) = cache.find(cache.root(None), [list(range(PIECE_TOKENS))]).states[0]
    assert first.untyped_storage().nbytes() == first.numel() * first.element_size()


def test_a_replaced_adapter_is_forgotten_even_by_calls_under_way() -> None:
    cache = PrefixCache(1 << 20)
    tokens = list(range(100))
    old = cache.root("lora")
    cache.keep("lora", old, pieces_of(tokens), states_of(100))
    cache.keep(None, cache.root(None), pieces_of(tokens), states_of(100))
    cache.forget("lora")
    assert cache.find(old, pieces_of(tokens)).tokens == 0
    cache.keep("lora", old, pieces_of(tokens), states_of(100))
    assert cache.find(cache.root("lora"), pieces_of(tokens)).tokens == 0
    assert cache.find(cache.root(None), pieces_of(tokens)).tokens == 100


def test_hits_change_no_token_and_are_counted(fresh: Engine) -> None:
    requests = [request(fresh, question) for question in QUESTIONS]
    fresh.share_prefix = False
    try:
        plain = texts(list(fresh.generate(requests)))
    finally:
        fresh.share_prefix = True
    assert fresh.prefix_cache.size == 0
    cached, computed = fresh.statistics.cached_tokens, fresh.statistics.prefilled_tokens
    first = texts(list(fresh.generate(requests)))
    assert fresh.statistics.cached_tokens == cached
    missed = fresh.statistics.prefilled_tokens - computed
    assert 0 < fresh.prefix_cache.size <= fresh.prefix_cache.max_bytes
    computed = fresh.statistics.prefilled_tokens
    again = texts(list(fresh.generate(requests)))
    assert plain == first == again
    saved = fresh.statistics.cached_tokens - cached
    assert saved > PIECE_TOKENS
    assert fresh.statistics.prefilled_tokens - computed == missed - saved


def test_a_conversation_computes_only_what_is_new(fresh: Engine) -> None:
    first = request(fresh, QUESTIONS[0])
    (answer,) = fresh.generate([first])
    longer = GenerationRequest(
        first.prompt + answer.text + "<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\n",
        max_new_tokens=6,
    )
    before = fresh.statistics.prefilled_tokens
    (reply,) = fresh.generate([longer])
    computed = fresh.statistics.prefilled_tokens - before
    assert computed < 2 * PIECE_TOKENS
    assert answer.cached_tokens == 0
    assert reply.cached_tokens == reply.prompt_tokens - computed
    assert "".join(fresh.stream(longer)) == reply.text
    fresh.prefix_cache.clear()
    assert next(fresh.generate([longer])).text == reply.text


def test_hit_and_miss_are_equal_bit_by_bit_in_bfloat16(engine: Engine) -> None:
    engine.prefix_cache.clear()
    row = engine._rows.row(0, request(engine, QUESTIONS[0]))
    states = []
    for _ in range(2):
        run = engine._decode_run([engine._rows.row(0, row.request)], 1)
        with torch.inference_mode():
            run.advance()
        states.append([keys for keys, _ in run._cache.gather([0])])
    assert engine.prefix_cache.size > 0
    assert all(torch.equal(one, other) for one, other in zip(*states, strict=True))


def test_adapters_have_prefixes_of_their_own(fresh: Engine, adapter_folder: Path) -> None:
    base = request(fresh, QUESTIONS[0])
    tuned = GenerationRequest(base.prompt, max_new_tokens=6, adapter="tuned")
    expected = next(fresh.generate([base])).text
    fresh.add_adapter("tuned", adapter_folder)
    try:
        cached = fresh.statistics.cached_tokens
        changed = next(fresh.generate([tuned])).text
        assert fresh.statistics.cached_tokens == cached
        assert changed != expected
        assert next(fresh.generate([tuned])).text == changed
        assert fresh.statistics.cached_tokens > cached
        fresh.add_adapter("tuned", adapter_folder)
        cached = fresh.statistics.cached_tokens
        assert next(fresh.generate([tuned])).text == changed
        assert fresh.statistics.cached_tokens == cached
        assert next(fresh.generate([base])).text == expected
        size = fresh.prefix_cache.size
    finally:
        fresh.remove_adapter("tuned")
    assert fresh.prefix_cache.size < size
