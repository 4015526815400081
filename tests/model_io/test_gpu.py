"""What only a GPU can show: ``pytest -m gpu`` on a machine with CUDA; skipped elsewhere.

Float32 is computed exactly (TF32 off), so batches, kept prefixes and plain transformers must agree.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from domainsmith.errors import InputInvalid, ResourceExhausted
from domainsmith.model_io.device import pick_device, pick_dtype
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Completion, Constraint, GenerationRequest

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
]

MANUAL = "The drum of the machine holds eight kilograms of laundry. " * 20
QUESTIONS = [
    "How much does it hold?",
    "Why?",
    "为什么天空是蓝色的？",
    "Count to five.",
    "Name a fuse.",
]
PROMPTS = [*(f"{MANUAL}\n{question}\n" for question in QUESTIONS[:3]), *QUESTIONS]


@pytest.fixture(scope="module")
def exact(chat_model_path: Path) -> Iterator[Engine]:
    """The embedded model in float32 on CUDA, without TF32."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    yield Engine.load(chat_model_path, device="cuda", dtype="float32")
    torch.backends.cuda.matmul.allow_tf32 = before


@pytest.fixture(scope="module")
def fast(chat_model_path: Path) -> Engine:
    """The embedded model as it runs by default."""
    return Engine.load(chat_model_path)


def texts(completions: Any) -> list[str]:
    done: list[Completion] = sorted(completions, key=lambda one: one.index)
    return [one.text for one in done]


def requests(tokens: int = 12, **settings: Any) -> list[GenerationRequest]:
    return [GenerationRequest(prompt, max_new_tokens=tokens, **settings) for prompt in PROMPTS]


def test_auto_takes_the_gpu(fast: Engine) -> None:
    assert pick_device("auto") == "cuda"
    assert fast.model.device.type == "cuda"
    assert fast.model.dtype == pick_dtype("auto", "cuda")
    with pytest.raises(InputInvalid, match="no such device"):
        pick_device("cuda:99")


def test_batches_equal_single_rows_and_transformers(exact: Engine) -> None:
    batched = texts(exact.generate(requests(), batch_size=3))
    assert batched == [texts(exact.generate([request]))[0] for request in requests()]
    for prompt, text in zip(PROMPTS, batched, strict=True):
        inputs = exact.tokenizer(prompt, return_tensors="pt", add_special_tokens=False).to("cuda")
        with torch.inference_mode():
            whole = exact.model.generate(**inputs, max_new_tokens=12, do_sample=False)
        new = whole[0, inputs["input_ids"].shape[1] :]
        assert text == exact.tokenizer.decode(new, skip_special_tokens=True)


def test_scores_equal_plain_transformers(exact: Engine) -> None:
    pairs = [(prompt, " It holds eight kilograms.") for prompt in PROMPTS]
    for (prompt, completion), found in zip(pairs, exact.score(pairs), strict=True):
        ids = [exact.tokenizer.encode(text) for text in (prompt, completion)]
        with torch.inference_mode():
            logits = exact.model(torch.tensor([ids[0] + ids[1]], device="cuda")).logits[0].double()
        chosen = logits.log_softmax(-1)[len(ids[0]) - 1 : -1]
        wanted = sum(float(row[token]) for row, token in zip(chosen, ids[1], strict=True))
        assert found.sum == pytest.approx(wanted, abs=1e-3)


def test_kept_prefixes_change_nothing(exact: Engine) -> None:
    exact.prefix_cache.clear()
    first = texts(exact.generate(requests()))
    cached = exact.statistics.cached_tokens
    assert texts(exact.generate(requests())) == first
    assert exact.statistics.cached_tokens > cached
    exact.share_prefix = False
    try:
        assert texts(exact.generate(requests())) == first
    finally:
        exact.share_prefix = True


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.9, "top_p": 0.9}, {"temperature": 1.2}])
def test_the_same_requests_give_the_same_texts(fast: Engine, settings: dict[str, Any]) -> None:
    wanted = texts(fast.generate(requests(seed=5, **settings)))
    order = list(range(len(PROMPTS)))
    random.Random(1).shuffle(order)
    rows = requests(seed=5, **settings)
    again = texts(fast.generate([rows[place] for place in order]))
    assert again == [wanted[place] for place in order]


def test_a_stream_equals_its_completion(exact: Engine) -> None:
    for request in requests(temperature=0.7, seed=3)[2:5]:
        assert "".join(exact.stream(request)) == texts(exact.generate([request]))[0]


def test_constraints_hold(fast: Engine) -> None:
    rule = Constraint.json_schema(
        {
            "type": "object",
            "properties": {"part": {"enum": ["drum", "fuse"]}, "count": {"type": "integer"}},
            "required": ["part", "count"],
            "additionalProperties": False,
        }
    )
    forced = fast.statistics.forced_tokens
    for temperature in (0.0, 1.0):
        rows = requests(40, constraint=rule, temperature=temperature)
        for text in texts(fast.generate(rows)):
            assert set(json.loads(text)) == {"part", "count"}
    assert fast.statistics.forced_tokens > forced


def test_adapters_switch_and_leave_no_trace(exact: Engine, adapter_folder: Path) -> None:
    base = texts(exact.generate(requests()))
    exact.add_adapter("tuned", adapter_folder)
    try:
        tuned = texts(exact.generate(requests(adapter="tuned")))
        assert tuned != base
        rows = [
            GenerationRequest(prompt, 12, adapter="tuned" if place % 2 else None)
            for place, prompt in enumerate(PROMPTS)
        ]
        mixed = texts(exact.generate(rows))
        assert mixed == [(tuned if place % 2 else base)[place] for place in range(len(PROMPTS))]
    finally:
        exact.remove_adapter("tuned")
    assert texts(exact.generate(requests())) == base


def test_memory_that_runs_out_halves_the_batch(
    exact: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = texts(exact.generate(requests()))
    real = exact._forward.step

    def narrow(tokens: list[int], *rest: Any) -> Any:
        if len(tokens) > 2:
            torch.empty(1 << 44, dtype=torch.float32, device="cuda")  # 64 TiB
        return real(tokens, *rest)

    halvings = exact.statistics.halvings
    monkeypatch.setattr(exact._forward, "step", narrow)
    assert texts(exact.generate(requests())) == wanted
    assert exact.statistics.halvings > halvings
    monkeypatch.setattr(
        exact._forward,
        "step",
        lambda *rest: torch.empty(1 << 44, dtype=torch.float32, device="cuda"),
    )
    with pytest.raises(ResourceExhausted):
        list(exact.generate(requests()))
    monkeypatch.undo()
    assert texts(exact.generate(requests())) == wanted


@pytest.mark.parametrize("quantization", ["8bit", "4bit"])
@pytest.mark.filterwarnings("ignore:MatMul8bitLt:UserWarning")
def test_quantised_weights_answer(chat_model_path: Path, quantization: Any) -> None:
    pytest.importorskip("bitsandbytes")
    engine = Engine.load(chat_model_path, device="cuda", quantization=quantization)
    plain = Engine.load(chat_model_path, device="cuda")
    assert engine.model.get_memory_footprint() < 0.9 * plain.model.get_memory_footprint()
    prompt = engine.render([{"role": "user", "content": "What is the capital of France?"}])
    (done,) = engine.generate([GenerationRequest(prompt, 16)])
    assert "Paris" in done.text
    pair = [(prompt, "The capital of France is Paris.")]
    assert engine.score(pair)[0].mean == pytest.approx(plain.score(pair)[0].mean, abs=0.5)
