from __future__ import annotations

import pytest
import torch

from domainsmith.errors import InputInvalid
from domainsmith.model_io.engine import Engine


def reference(engine: Engine, prompt: str, completion: str) -> tuple[float, int]:
    encode = engine.tokenizer.encode
    left, right = (encode(text, add_special_tokens=False) for text in (prompt, completion))
    with torch.inference_mode():
        logits = engine.model(input_ids=torch.tensor([[*left, *right]])).logits[0].double()
    values = torch.log_softmax(logits, dim=-1)
    chosen = [values[len(left) - 1 + place, token] for place, token in enumerate(right)]
    return float(sum(chosen)), len(right)


def test_scores_equal_plain_transformers(exact_engine: Engine) -> None:
    long = "The warranty of the machine runs for three years from the day of purchase. " * 3
    pairs = [
        (long + "How long?", " Three years."),
        (long + "How long?", " Three hundred years, and then some more."),
        ("Hi", " there"),
        ("问题：天空是什么颜色？", "蓝色"),
        (long + "How long?", " No."),
    ]
    found = exact_engine.score(pairs)
    for (prompt, completion), value in zip(pairs, found, strict=True):
        total, tokens = reference(exact_engine, prompt, completion)
        assert value.tokens == tokens
        assert value.sum == pytest.approx(total, abs=1e-3)


def test_scores_keep_their_order_and_allow_empty_completions(engine: Engine) -> None:
    pairs = [("Paris is the capital of", " France"), ("a", ""), ("Paris is the capital of", " xyz")]
    first, empty, third = engine.score(pairs)
    assert first.sum > third.sum
    assert (empty.sum, empty.tokens, empty.mean) == (0.0, 0, 0.0)
    with pytest.raises(InputInvalid, match="empty"):
        engine.score([("", "x")])
    assert engine.score([]) == []


def test_what_all_prompts_begin_with_is_computed_once(
    exact_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = "Question and answer about the washing machine. " * 12
    pairs = [
        (start + "How long is the warranty?", " Three years."),
        (start + "How long is the warranty?", " No."),
        (start + "Which fuse? " * 12, " 13 A."),
        (start + "Which fuse? " * 12, " A slow one."),
        (start + "Who?", " Nobody."),
    ]
    forward = exact_engine._forward
    computed: list[int] = []
    plain = forward.hidden

    def counted(rows: list[list[int]], *others: object) -> object:
        computed.extend(len(row) for row in rows)
        return plain(rows, *others)

    monkeypatch.setattr(forward, "hidden", counted)
    found = exact_engine.score(pairs)
    monkeypatch.undo()
    for (prompt, completion), value in zip(pairs, found, strict=True):
        assert value.sum == pytest.approx(reference(exact_engine, prompt, completion)[0], abs=1e-3)
    whole = len(exact_engine.tokenizer.encode(start))
    assert sum(computed) < 2.5 * whole
    assert exact_engine.score([pairs[4]])[0].sum == pytest.approx(found[4].sum, abs=1e-3)


def test_beginnings_are_shared_at_every_depth_and_kept(exact_engine: Engine) -> None:
    system = "You answer questions about machines from their manuals. " * 4
    passages = [f"Manual {number}: " + f"Part {number} turns. " * 14 for number in range(3)]
    pairs = [
        (f"{system}{passage}Question {asked}: what turns?", f" Part {given}.")
        for passage in passages
        for asked in range(2)
        for given in range(2)
    ]
    exact_engine.prefix_cache.clear()
    statistics = exact_engine.statistics
    before = statistics.prefilled_tokens
    found = exact_engine.score(pairs)
    beginnings = statistics.prefilled_tokens - before
    count = exact_engine.count_tokens
    # The system text once, each passage once, each question once.
    assert beginnings < count(system) + sum(count(passage) + 2 * 12 for passage in passages) + 12
    for (prompt, completion), value in zip(pairs, found, strict=True):
        assert value.sum == pytest.approx(reference(exact_engine, prompt, completion)[0], abs=1e-3)
    before = statistics.prefilled_tokens, statistics.cached_tokens
    assert exact_engine.score(pairs) == found
    assert statistics.prefilled_tokens == before[0]
    assert statistics.cached_tokens - before[1] == beginnings
    exact_engine.prefix_cache.clear()
    assert exact_engine.score(pairs) == found


def test_many_prompts_that_continue_each_other(exact_engine: Engine) -> None:
    words = "The machine stops when the door is opened and starts again when it is shut. " * 3
    prompts = [words[: 9 * size] for size in range(2, 22)]
    pairs = [(prompt, " then") for prompt in prompts]
    for pair, value in zip(pairs, exact_engine.score(pairs), strict=True):
        assert value.sum == pytest.approx(reference(exact_engine, *pair)[0], abs=1e-3)
