"""The plan of an epoch, and that computing a shared beginning once changes no loss or gradient."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from domainsmith.records import Record
from domainsmith.training.dataset import TokenizedRecord, tokenize_records
from domainsmith.training.methods.batch_tensors import (
    batch_tensors,
    mean_loss,
    sharing_is_exact,
    summed_loss,
)
from domainsmith.training.step_plan import Row, StepPlan, can_share_prefixes, plan_steps

from .records_for_tests import small_records

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # peft and transformers


def _items(lengths: list[int]) -> list[TokenizedRecord]:
    """Records that share nothing."""
    return [
        TokenizedRecord(str(at), tuple(range(at, at + length)), length - 3)
        for at, length in enumerate(lengths)
    ]


def _records(step: StepPlan) -> list[int]:
    return [at for batch in step for row in batch for at in row.records]


def _single(items: list[TokenizedRecord]) -> tuple[Row, ...]:
    return tuple(Row((at,), (0,), item.length - 1) for at, item in enumerate(items))


def _family_records(passages: int, questions: int) -> list[Record]:
    """Several questions about each of some passages, and as many without a passage."""
    records = []
    for passage in range(passages):
        text = f"[1] Manual\nPart {passage} " + "is cleaned with a brush and warm water. " * 6
        for number in range(questions):
            for context in (text, ""):
                records.append(
                    Record(
                        instruction=f"What is step {number} for part {passage}?",
                        input=context,
                        output=f"Step {number} is brushing part {passage}.",
                        language="en",
                        method="self_qa/pattern",
                        model="code",
                    )
                )
    return records


@pytest.fixture
def model(tiny_model: Path) -> PeftModel:
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    torch.manual_seed(1)
    model = get_peft_model(base, LoraConfig(r=4, target_modules="all-linear"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zeros would hide the gradients of A
            torch.nn.init.normal_(parameter, std=0.05)
    assert isinstance(model, PeftModel)
    return model


def test_plan_covers_each_epoch_once_within_its_bounds() -> None:
    lengths = [10 + (number * 37) % 90 for number in range(50)]
    items = _items(lengths)
    plan = plan_steps(items, epochs=2, batch_tokens=400, micro_tokens=200, seed=3)
    assert sorted(at for step in plan for at in _records(step)) == sorted([*range(50), *range(50)])
    half = len(plan) // 2
    assert sorted(at for step in plan[:half] for at in _records(step)) == list(range(50))
    for step in plan:
        for batch in step:
            assert len(batch) * max(row.length for row in batch) <= 200
            assert all(row.length == lengths[row.records[0]] - 1 for row in batch)
        assert abs(sum(lengths[at] for at in _records(step)) - 400) < 150
    assert plan == plan_steps(items, epochs=2, batch_tokens=400, micro_tokens=200, seed=3)
    assert plan != plan_steps(items, epochs=2, batch_tokens=400, micro_tokens=200, seed=4)


def test_plan_with_fractions_and_step_limits() -> None:
    items = _items([20] * 40)
    options: dict[str, Any] = {"batch_tokens": 200, "micro_tokens": 100, "seed": 1}
    assert len(plan_steps(items, epochs=1, **options)) == 4
    assert len(plan_steps(items, epochs=1.5, **options)) == 6
    assert len(plan_steps(items, epochs=1, max_steps=3, **options)) == 3
    assert len(plan_steps(items, epochs=1, max_steps=11, **options)) == 11
    assert plan_steps(_items([5000]), epochs=1, **options) == [((Row((0,), (0,), 4999),),)]
    shared = plan_steps(_items([5000]), epochs=1, **options, share=True)
    assert shared == [((Row((0,), (0,), 4999),),)]


def test_sharing_keeps_every_record_and_computes_beginnings_once(tokenizer: Any) -> None:
    items = tokenize_records(_family_records(6, 4), tokenizer, max_length=512).records
    options: dict[str, Any] = {"epochs": 2, "batch_tokens": 900, "micro_tokens": 600, "seed": 3}
    plain = plan_steps(items, **options)
    shared = plan_steps(items, **options, share=True)
    assert sorted(at for step in shared for at in _records(step)) == sorted(2 * [*range(48)])
    assert shared == plan_steps(items, **options, share=True)

    def computed(plan: list[StepPlan]) -> int:
        return sum(row.length for step in plan for batch in step for row in batch)

    assert computed(shared) < 0.55 * computed(plain)
    for step in shared:
        passages = {at // 8 for at in _records(step)}
        assert len(passages) > 1  # no step sees one passage only
        for batch in step:
            assert len(batch) == 1 or len(batch) * batch[0].length <= 600


@pytest.mark.parametrize("micro_tokens", [300, 4000])
def test_shared_beginnings_give_the_loss_and_gradients_of_separate_records(
    model: PeftModel, tokenizer: Any, micro_tokens: int
) -> None:
    items = list(tokenize_records(_family_records(3, 3), tokenizer, max_length=512).records)
    items += tokenize_records(small_records(5), tokenizer, max_length=512).records
    (step,) = plan_steps(
        items, epochs=1, batch_tokens=1 << 20, micro_tokens=micro_tokens, seed=1, share=True
    )
    assert any(len(row.records) > 3 for batch in step for row in batch)

    def run(batches: StepPlan) -> tuple[float, list[torch.Tensor]]:
        model.zero_grad()
        total = 0.0
        for batch in batches:
            loss = summed_loss(model, batch_tensors(items, batch, 2))
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total, [p.grad.clone() for p in model.parameters() if p.grad is not None]

    together, gradients = run(step)
    alone, wanted = run(tuple((row,) for row in _single(items)))
    assert together == pytest.approx(alone, rel=1e-5)
    for gradient, other in zip(gradients, wanted, strict=True):
        assert torch.allclose(gradient, other, rtol=1e-3, atol=1e-5)
    rows = [row for batch in step for row in batch]
    assert sharing_is_exact(model, items, rows, 2)


def test_padded_batches_have_the_loss_of_single_records_under_the_full_head(
    model: PeftModel, tokenizer: Any
) -> None:
    items = list(tokenize_records(small_records(7), tokenizer, max_length=512).records)
    together = summed_loss(model, batch_tensors(items, _single(items), 2)).detach()
    alone = 0.0
    for item in items:
        ids = torch.tensor([item.input_ids])
        labels = ids.clone()
        labels[:, : item.prompt_length] = -100
        # transformers' own loss: all positions through the head, mean over the answer.
        loss = model(input_ids=ids, labels=labels).loss.detach()
        alone += float(loss) * item.completion_length
    assert float(together) == pytest.approx(alone, rel=1e-5)
    total = sum(item.completion_length for item in items)
    for share in (False, True):
        mean = mean_loss(model, items, 300, 2, share=share)
        assert mean == pytest.approx(alone / total, rel=1e-5)
    assert mean_loss(model, [], 300, 2) is None


def test_a_model_that_ignores_masks_is_found_out(model: PeftModel, tokenizer: Any) -> None:
    items = list(tokenize_records(_family_records(2, 3), tokenizer, max_length=512).records)
    (step,) = plan_steps(
        items, epochs=1, batch_tokens=1 << 20, micro_tokens=4000, seed=1, share=True
    )
    rows = [row for batch in step for row in batch]
    decoder: Any = model.get_base_model().get_decoder()
    honest = decoder.forward

    def careless(**arguments: Any) -> Any:
        return honest(**{k: v for k, v in arguments.items() if k != "attention_mask"})

    decoder.forward = careless
    try:
        assert not sharing_is_exact(model, items, rows, 2)
    finally:
        decoder.forward = honest
    assert sharing_is_exact(model, items, list(_single(items)), 2)


@pytest.mark.parametrize(
    ("config", "shares"),
    [
        ({"rope_theta": 1e4}, True),
        ({"rope_parameters": {"rope_theta": 1e4}, "layer_types": ["full_attention"] * 2}, True),
        ({"text_config": {"rope_theta": 1e4}}, True),
        ({"rope_theta": 1e4, "sliding_window": 4096, "use_sliding_window": False}, True),
        ({"rope_theta": 1e4, "sliding_window": 4096}, False),
        ({"rope_theta": 1e4, "layer_types": ["full_attention", "linear_attention"]}, False),
        ({"n_positions": 1024}, False),
    ],
)
def test_which_models_share_beginnings(
    tmp_path: Path, config: dict[str, Any], shares: bool
) -> None:
    assert not can_share_prefixes(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert can_share_prefixes(tmp_path) is shares
