from __future__ import annotations

import json
import random
import threading
from pathlib import Path

import pytest
import torch

from domainsmith.errors import (
    ContextOverflow,
    InputInvalid,
    ModelError,
    ResourceExhausted,
    WeightsMissing,
)
from domainsmith.model_io import decode
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import (
    Completion,
    Constraint,
    GenerationRequest,
    Generator,
    Scorer,
)
from domainsmith.model_io.messages import qa_messages
from domainsmith.records import Message

QUESTIONS = [
    "What is the capital of France?",
    "Name three colours and say where they are found in nature.",
    "Why?",
    "Tell me in one sentence what a washing machine does with the water after the rinse.",
    "为什么天空是蓝色的？",
    "Count from one to five.",
]
MANUAL = "The drum of the machine holds eight kilograms of laundry. " * 4


def ask(engine: Engine, question: str, context: str = "") -> str:
    return engine.render(qa_messages(question, context=context, language="en"))


def texts(completions: list[Completion]) -> list[str]:
    return [done.text for done in sorted(completions, key=lambda done: done.index)]


def alone(engine: Engine, requests: list[GenerationRequest]) -> list[str]:
    return [next(iter(engine.generate([request]))).text for request in requests]


def test_engine_satisfies_the_protocols(engine: Engine) -> None:
    assert isinstance(engine, Generator)
    assert isinstance(engine, Scorer)
    assert engine.context_length == 8192
    assert engine.count_tokens("<|im_start|>user") == 2


def test_batched_greedy_equals_single_and_transformers(exact_engine: Engine) -> None:
    requests = [
        GenerationRequest(ask(exact_engine, question), max_new_tokens=3 + number)
        for number, question in enumerate(QUESTIONS)
    ]
    batched = list(exact_engine.generate(requests, batch_size=3))
    assert sorted(done.index for done in batched) == list(range(len(QUESTIONS)))
    assert texts(batched) == alone(exact_engine, requests)
    inputs = exact_engine.tokenizer(
        requests[1].prompt, return_tensors="pt", add_special_tokens=False
    )
    with torch.inference_mode():
        reference = exact_engine.model.generate(**inputs, max_new_tokens=4, do_sample=False)
    new = reference[0, inputs["input_ids"].shape[1] :]
    decoded = exact_engine.tokenizer.decode(new, skip_special_tokens=True)
    assert texts(batched)[1] == decoded


def test_order_of_arrival_does_not_matter(engine: Engine) -> None:
    requests = [
        GenerationRequest(
            ask(engine, question), max_new_tokens=5, temperature=0.8, top_p=0.9, seed=number
        )
        for number, question in enumerate(QUESTIONS)
    ]
    order = list(range(len(requests)))
    random.Random(3).shuffle(order)
    first = texts(list(engine.generate(requests, batch_size=4)))
    again = texts(list(engine.generate(requests, batch_size=4)))
    shuffled = texts(list(engine.generate([requests[place] for place in order], batch_size=4)))
    assert first == again
    assert shuffled == [first[place] for place in order]


def test_shared_prefixes_are_computed_once_and_change_nothing(exact_engine: Engine) -> None:
    other = MANUAL.replace("eight", "nine")
    requests = [
        GenerationRequest(ask(exact_engine, question, context), max_new_tokens=4)
        for context in (MANUAL, other)
        for question in QUESTIONS[:3]
    ]
    before = exact_engine.statistics.prefilled_tokens
    shared = texts(list(exact_engine.generate(requests)))
    computed = exact_engine.statistics.prefilled_tokens - before
    exact_engine.share_prefix = False
    try:
        plain = texts(list(exact_engine.generate(requests)))
    finally:
        exact_engine.share_prefix = True
    assert shared == plain
    total = sum(exact_engine.count_tokens(request.prompt) for request in requests)
    assert computed < total / 2


def test_seeds_decide_samples(engine: Engine) -> None:
    prompt = ask(engine, "Write the name of any animal.")
    settings = {"max_new_tokens": 8, "temperature": 1.5}
    requests = [GenerationRequest(prompt, seed=seed, **settings) for seed in (1, 2, 1, 3)]
    found = texts(list(engine.generate(requests)))
    assert found[0] == found[2]
    assert len(set(found)) > 1


def test_top_k_of_one_is_greedy(engine: Engine) -> None:
    prompt = ask(engine, "Count to three.")
    greedy = GenerationRequest(prompt, max_new_tokens=8)
    narrow = GenerationRequest(prompt, max_new_tokens=8, temperature=1.0, top_k=1)
    nucleus = GenerationRequest(prompt, max_new_tokens=8, temperature=1.0, top_p=1e-6)
    assert len(set(texts(list(engine.generate([greedy, narrow, nucleus], batch_size=3))))) == 1


def test_stop_texts_end_and_are_cut(engine: Engine) -> None:
    prompt = ask(engine, "What is the capital of France?")
    request = GenerationRequest(prompt, max_new_tokens=40, stop=("of Fr", "zzz"))
    (done,) = engine.generate([request])
    assert done.finish_reason == "stop"
    assert done.text
    assert "of Fr" not in done.text
    streamed = "".join(engine.stream(request))
    assert streamed == done.text


def test_stream_equals_generate_and_returns_the_completion(exact_engine: Engine) -> None:
    request = GenerationRequest(ask(exact_engine, "用中文说你好"), max_new_tokens=10)
    pieces, stream = [], exact_engine.stream(request)
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            completed = end.value
            break
    (done,) = exact_engine.generate([request])
    assert "".join(pieces) == done.text == completed.text
    assert completed == done


def test_cancel_ends_within_one_token(engine: Engine) -> None:
    cancel = threading.Event()
    requests = [
        GenerationRequest(ask(engine, "Tell a long story."), max_new_tokens=600),
        GenerationRequest(ask(engine, "Say yes."), max_new_tokens=1),
        GenerationRequest(ask(engine, "Tell another long story."), max_new_tokens=600),
    ]
    found = []
    for done in engine.generate(requests, batch_size=3, cancel=cancel):
        found.append(done)
        cancel.set()
    assert sorted(done.index for done in found) == [0, 1, 2]
    stopped = [done for done in found if done.finish_reason == "cancelled"]
    assert len(stopped) == 2
    assert all(done.completion_tokens <= 2 for done in stopped)


def test_cancelled_stream_keeps_its_text(engine: Engine) -> None:
    cancel = threading.Event()
    pieces = []
    for piece in engine.stream(
        GenerationRequest(ask(engine, "Tell a story."), max_new_tokens=200), cancel
    ):
        pieces.append(piece)
        if len(pieces) == 3:
            cancel.set()
    assert 3 <= len(pieces) <= 4


def test_finished_rows_leave_the_batch(engine: Engine) -> None:
    requests = [
        GenerationRequest(ask(engine, f"Tell story number {number}."), max_new_tokens=bound)
        for number, bound in enumerate((2, 2, 2, 2, 2, 2, 2, 6))
    ]
    steps = engine.statistics.steps
    list(engine.generate(requests, batch_size=4))
    # Two rounds of four, one of them with the long row; refilling makes the rounds overlap.
    assert engine.statistics.steps - steps <= 7


def test_context_overflow_tells_by_how_much(engine: Engine) -> None:
    with pytest.raises(ContextOverflow, match="more than the model's context of 8,192") as caught:
        list(engine.generate([GenerationRequest("word " * 9000, max_new_tokens=10)]))
    prompt = engine.count_tokens("word " * 9000)
    assert f"{prompt + 10 - 8192:,}" in str(caught.value)


@pytest.mark.parametrize(
    "bad", [{"max_new_tokens": 0}, {"temperature": -1.0}, {"top_p": 0.0}, {"stop": ("",)}]
)
def test_bad_requests_are_refused(bad: dict) -> None:
    with pytest.raises(InputInvalid):
        GenerationRequest("x", **bad)


def test_unknown_adapter_and_empty_prompt_are_refused(engine: Engine) -> None:
    with pytest.raises(InputInvalid, match="No such adapter"):
        list(engine.generate([GenerationRequest("x", adapter="nope")]))
    with pytest.raises(InputInvalid, match="empty"):
        list(engine.generate([GenerationRequest("")]))
    assert list(engine.generate([])) == []


def test_nan_is_an_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = engine._forward.logits
    monkeypatch.setattr(engine._forward, "logits", lambda hidden: broken(hidden) * float("nan"))
    with pytest.raises(ModelError, match="not numbers"):
        list(engine.generate([GenerationRequest("Hello", max_new_tokens=2)]))


def test_out_of_memory_halves_the_batch(
    exact_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [
        GenerationRequest(ask(exact_engine, question), max_new_tokens=3) for question in QUESTIONS
    ]
    expected = texts(list(exact_engine.generate(requests)))
    real = exact_engine._forward.step

    def narrow(tokens: list[int], *rest: object) -> torch.Tensor:
        if len(tokens) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")
        return real(tokens, *rest)

    monkeypatch.setattr(exact_engine._forward, "step", narrow)
    before = exact_engine.statistics.halvings
    assert texts(list(exact_engine.generate(requests, batch_size=6))) == expected
    assert exact_engine.statistics.halvings - before == 2

    def never(*rest: object) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(exact_engine._forward, "step", never)
    with pytest.raises(ResourceExhausted):
        list(exact_engine.generate(requests, batch_size=2))


def test_render_never_lets_the_template_speak(engine: Engine) -> None:
    plain = engine.render([Message(role="user", content="Hi")])
    assert "SmolLM, trained by" not in plain
    assert plain == (
        "<|im_start|>system\n<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}]
    template = engine.tokenizer.apply_chat_template
    assert engine.render(messages) == template(messages, tokenize=False, add_generation_prompt=True)
    with pytest.raises(InputInvalid):
        engine.render([])


def test_a_tokenizer_without_a_template_is_refused_with_a_fix(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.tokenizer, "chat_template", None)
    with pytest.raises(InputInvalid, match="no chat template") as caught:
        engine.render([Message(role="user", content="Hi")])
    assert caught.value.fix


def test_render_moves_the_system_text_where_the_template_has_no_system_role(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        engine.tokenizer,
        "chat_template",
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for m in messages %}{{ m['role'] + ':' + m['content'] + ';' }}{% endfor %}",
    )
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}]
    assert engine.render(messages) == "user:S\n\nHi;"


def test_engine_calls_may_be_nested(engine: Engine) -> None:
    requests = [
        GenerationRequest(ask(engine, question), max_new_tokens=4) for question in QUESTIONS[:2]
    ]
    for done in engine.generate(requests, batch_size=1):
        assert engine.score([(requests[done.index].prompt, done.text or "x")])[0].tokens > 0


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="domainsmith models pull"):
        Engine.load(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "nosucharchitecture"}')
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(WeightsMissing, match="architecture is not known"):
        Engine.load(tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="only without CUDA")
def test_quantised_weights_need_cuda(chat_model_path: Path) -> None:
    with pytest.raises(InputInvalid, match="CUDA"):
        Engine.load(chat_model_path, device="cpu", quantization="4bit")


TOOL_CALL = Constraint.json_schema(
    {
        "type": "object",
        "properties": {
            "name": {"enum": ["search_documents", "count_documents", "start_training"]},
            "arguments": {
                "type": "object",
                "properties": {
                    "question": {"type": "string", "maxLength": 12},
                    "language": {"enum": ["english", "chinese"]},
                    "sort_by_relevance": {"type": "boolean"},
                    "include_page_numbers": {"type": "boolean"},
                },
                "required": ["question", "language", "sort_by_relevance", "include_page_numbers"],
                "additionalProperties": False,
            },
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }
)


def test_forced_tokens_are_appended_in_chunks(
    exact_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [
        GenerationRequest(ask(exact_engine, question), max_new_tokens=90, constraint=TOOL_CALL)
        for question in QUESTIONS[:2]
    ]
    statistics = exact_engine.statistics
    before = statistics.steps, statistics.decoded_tokens, statistics.forced_tokens
    chunked = list(exact_engine.generate(requests[:1]))
    steps, sampled, forced = (
        now - then
        for now, then in zip(
            (statistics.steps, statistics.decoded_tokens, statistics.forced_tokens),
            before,
            strict=True,
        )
    )
    assert set(json.loads(chunked[0].text)) == {"name", "arguments"}
    assert sampled + forced == chunked[0].completion_tokens
    before_plain = statistics.steps
    monkeypatch.setattr(exact_engine, "force_tokens", False)
    (plain,) = exact_engine.generate(requests[:1])
    assert statistics.steps - before_plain == plain.completion_tokens - 1
    assert steps * 3 <= statistics.steps - before_plain
    monkeypatch.undo()
    # The same tokens, computed one by one, lead to the same choices.
    both = texts(list(exact_engine.generate(requests)))
    assert both[0] == chunked[0].text
    monkeypatch.setattr(decode, "_CHUNK_TOKENS", 1 << 20)
    assert texts(list(exact_engine.generate(requests))) == both


def test_rows_with_and_without_forced_tokens_share_a_batch(exact_engine: Engine) -> None:
    requests = [
        GenerationRequest(
            ask(exact_engine, question),
            max_new_tokens=90 if number % 2 else 12,
            constraint=TOOL_CALL if number % 2 else None,
        )
        for number, question in enumerate(QUESTIONS[:4])
    ]
    single = alone(exact_engine, requests)
    for batch_size in (2, 4):
        batched = list(exact_engine.generate(requests, batch_size=batch_size))
        assert texts(batched) == single


def test_what_has_no_choice_is_not_computed(exact_engine: Engine) -> None:
    steps, tokens = exact_engine.statistics.steps, exact_engine.statistics.decoded_tokens
    prompt = ask(exact_engine, "Yes?")
    only = GenerationRequest(prompt, constraint=Constraint.choice(["certainly not"]))
    free = GenerationRequest(prompt, constraint=Constraint.choice(["yes", "yes indeed"]))
    assert texts(list(exact_engine.generate([only, only]))) == ["certainly not"] * 2
    assert exact_engine.statistics.steps == steps
    assert exact_engine.statistics.decoded_tokens == tokens
    found = list(exact_engine.generate([only, free]))
    assert texts(found)[0] == "certainly not"
    assert texts(found)[1] in ("yes", "yes indeed")
    assert exact_engine.statistics.decoded_tokens > tokens
