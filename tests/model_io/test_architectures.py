"""Batches, kept prefixes and windows against transformers' own ``generate``, token by token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import tiny_model

from domainsmith.errors import InputInvalid
from domainsmith.model_io import decode
from domainsmith.model_io.adapters import Adapters
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.forward import Forward
from domainsmith.model_io.generation import Completion, Constraint, GenerationRequest
from domainsmith.model_io.kv_cache import SlotCache
from domainsmith.model_io.loading import load_model

WINDOW = {"sliding_window": 8}
MIXED = {**WINDOW, "layer_types": ["sliding_attention", "full_attention"]}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "gpt2": ("gpt2", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512}),
    "mistral": ("mistral", WINDOW),
    "phi3": ("phi3", WINDOW),
    "qwen3": ("qwen3", {**MIXED, "use_sliding_window": True}),
    "gemma3": (
        "gemma3_text",
        {**MIXED, "query_pre_attn_scalar": 8, "tie_word_embeddings": False},
    ),
    "gpt_oss": ("gpt_oss", {**MIXED, "num_local_experts": 4, "num_experts_per_tok": 2}),
}
SHARED = "The quick brown fox jumps over the lazy dog and then over another one. "
PROMPTS = [
    *(f"{SHARED}Now {number}: {'abc def ' * number}" for number in range(3)),
    "x",
    SHARED * 2 + "y",
]
FORCED = Constraint.regex("(ab|ba) then forced text (xy|zy) and more [a-z]{2}")


@pytest.fixture(scope="module", params=KINDS)
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    kind, changes = KINDS[request.param]
    folder = tiny_model(tmp_path_factory.mktemp(request.param), kind, **changes)
    return Engine.load(folder, device="cpu", dtype="float32")


def texts(completions: list[Completion]) -> list[str]:
    return [done.text for done in sorted(completions, key=lambda done: done.index)]


def test_decoding_equals_transformers_generate(tiny: Engine) -> None:
    wanted = []
    for prompt in PROMPTS:
        ids = tiny.tokenizer(prompt, return_tensors="pt", add_special_tokens=False).input_ids
        with torch.inference_mode():
            whole = tiny.model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=9, do_sample=False
            )
        wanted.append(tiny.tokenizer.decode(whole[0, ids.shape[1] :], skip_special_tokens=True))
    assert len(set(wanted)) > 3
    requests = [GenerationRequest(prompt, max_new_tokens=9) for prompt in PROMPTS]
    for batch_size in (3, 1, 8):  # with refills, with prefixes kept from the call before, at once
        assert texts(list(tiny.generate(requests, batch_size=batch_size))) == wanted
    assert "".join(tiny.stream(requests[2])) == wanted[2]


def test_forced_chunks_change_nothing(tiny: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [
        GenerationRequest(prompt, max_new_tokens=34, constraint=FORCED if at % 3 else None)
        for at, prompt in enumerate(PROMPTS[:4])
    ]
    steps = tiny.statistics.steps
    chunked = texts(list(tiny.generate(requests[1:3])))
    steps = tiny.statistics.steps - steps
    assert steps < len(chunked[0]) * 2 / 3
    monkeypatch.setattr(tiny, "force_tokens", False)
    wanted = texts(list(tiny.generate(requests, batch_size=1)))
    monkeypatch.undo()
    assert wanted[1:3] == chunked
    assert texts(list(tiny.generate(requests, batch_size=4))) == wanted
    monkeypatch.setattr(decode, "_CHUNK_SHARE", 100)  # a chunk whenever any row could take one
    assert texts(list(tiny.generate(requests, batch_size=4))) == wanted


def test_scores_equal_plain_transformers(tiny: Engine) -> None:
    pairs = [(prompt, " ends well.") for prompt in PROMPTS] + [(PROMPTS[0], " no")]
    for (prompt, completion), found in zip(pairs, tiny.score(pairs), strict=True):
        ids = [tiny.tokenizer.encode(text) for text in (prompt, completion)]
        with torch.inference_mode():
            logits = tiny.model(torch.tensor([[*ids[0], *ids[1]]])).logits[0].double()
        chosen = logits.log_softmax(-1)[len(ids[0]) - 1 : -1]
        wanted = sum(float(row[token]) for row, token in zip(chosen, ids[1], strict=True))
        assert found.sum == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_nothing_is_computed_beside_the_models_device(
    kind: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    model_type, changes = KINDS[kind]
    folder = tiny_model(tmp_path, model_type, **changes)
    model, tokenizer = load_model(folder, "cpu", torch.float32)
    # On this device there are no values, and what mixes it with another one is an error.
    model = model.to(device="meta", dtype=dtype)
    forward = Forward(model, tokenizer, Adapters(model))
    with torch.inference_mode():
        states, hidden = forward.prefill([[5] * 20, [6] * 9], None, None)
        past = [(keys[:1, :, :4], values[:1, :, :4]) for keys, values in states]
        forward.prefill([[5] * 3, [6] * 9], past, None)
        cache = SlotCache()
        cache.admit(states, [20, 9])
        cache.make_room()
        hidden = forward.step([5, 6], [20, 9], cache, [None] * 2)
        cache.advance()
        hidden = forward.chunk([[5, 6, 7], [8]], [0, 1], [21, 10], cache, [None] * 2)
        logits = forward.logits(hidden)
    assert (logits.device.type, logits.dtype) == ("meta", torch.float32)
    assert hidden.dtype == dtype


LINEAR = {
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "layer_types": ["linear_attention", "full_attention"],
    "num_experts": 2,
    "num_experts_per_tok": 1,
}
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "state space": ("mamba", {}, "other states than keys and values"),
    "hybrid": ("qwen3_next", LINEAR, r"linear_attention.* cannot be batched"),
    "encoder": ("bert", {}, "read in both directions"),
    "chunked attention": (
        "llama4_text",
        {"attention_chunk_size": 8, "num_local_experts": 2, "intermediate_size_mlp": 32},
        r"chunked_attention.* cannot be batched",
    ),
    "positions that depend on the batch": ("bloom", {"n_layer": 2, "n_head": 4}, "bloom"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_computed_wrongly_is_refused(case: str, tmp_path: Path) -> None:
    kind, changes, words = REFUSED[case]
    tiny_model(tmp_path, kind, **changes)
    with pytest.raises(InputInvalid, match=words) as caught:
        Engine.load(tmp_path, device="cpu", dtype="float32")
    assert "openai:URL#MODEL" in str(caught.value.fix)
    assert caught.value.where == str(tmp_path)
