"""The ways of answering: a pipeline, static batches, the engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest

__all__ = [
    "EXACT_PROMPTS",
    "Answers",
    "by_engine",
    "by_pipeline",
    "by_static_batches",
    "equal_in_float32",
    "useful_tokens",
    "warm_up",
]

PIPELINE_BATCH, STATIC_BATCH = 4, 16
"""The default of langchain-huggingface, and a usual choice by hand."""
EXACT_PROMPTS = 8

Answers = list[tuple[str, int]]
"""Text and number of useful tokens of each prompt."""


def warm_up(engine: Engine, plain: Any) -> None:
    """Let every way compute a little, so that none pays for set-up."""
    texts = [engine.render([{"role": "user", "content": "Say yes."}])] * 2
    by_pipeline(engine, plain, texts, 2, 2)
    by_static_batches(engine, plain, texts, 2)
    by_engine(engine, texts, 2)


def by_pipeline(
    engine: Engine, model: Any, prompts: Sequence[str], tokens: int, batch: int
) -> Answers:
    """Generate as HuggingFacePipeline does: chunks of 4 prompts through a pipeline."""
    pipe = transformers.pipeline(
        "text-generation",
        model=model,
        tokenizer=engine.tokenizer,
        max_new_tokens=tokens,
        do_sample=False,
        batch_size=batch,
    )
    found: Answers = []
    for start in range(0, len(prompts), PIPELINE_BATCH):
        chunk = list(prompts[start : start + PIPELINE_BATCH])
        for answer in pipe(chunk, return_tensors=True, add_special_tokens=False):
            ids = answer[0]["generated_token_ids"]
            prompt = engine.tokenizer.encode(chunk[len(found) - start], add_special_tokens=False)
            found.append(answer_of(engine, without_prompt(engine, ids, len(prompt))))
    return found


def without_prompt(engine: Engine, ids: list[int], prompt: int) -> list[int]:
    """Return the new tokens of a row that is padded on the left."""
    pad = engine.tokenizer.pad_token_id
    begin = next((at for at, token in enumerate(ids) if token != pad), 0)
    return ids[begin + prompt :]


def answer_of(engine: Engine, ids: list[int]) -> tuple[str, int]:
    """Cut new tokens behind the first end token."""
    ends = [at for at, token in enumerate(ids) if token == engine.tokenizer.eos_token_id]
    ids = ids[: ends[0] + 1] if ends else ids
    return str(engine.tokenizer.decode(ids, skip_special_tokens=True)), len(ids)


def useful_tokens(answers: Answers) -> int:
    """Sum up."""
    return sum(tokens for _, tokens in answers)


def by_static_batches(engine: Engine, model: Any, prompts: Sequence[str], tokens: int) -> Answers:
    """Generate with transformers, left-padded batches in the given order."""
    found: Answers = []
    for start in range(0, len(prompts), STATIC_BATCH):
        inputs = engine.tokenizer(
            list(prompts[start : start + STATIC_BATCH]),
            return_tensors="pt",
            padding=True,
            padding_side="left",
            add_special_tokens=False,
        )
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
        new = output[:, inputs["input_ids"].shape[1] :]
        found.extend(answer_of(engine, row.tolist()) for row in new)
    return found


def by_engine(engine: Engine, prompts: Sequence[str], tokens: int) -> Answers:
    """Generate with the engine, in one call."""
    requests = [GenerationRequest(prompt, max_new_tokens=tokens) for prompt in prompts]
    done = sorted(engine.generate(requests), key=lambda answer: answer.index)
    return [(answer.text, answer.completion_tokens) for answer in done]


def equal_in_float32(folder: Path, prompts: Sequence[str], tokens: int) -> int:
    """Return how many of 8 prompts get the same text from the engine's batch and from generate."""
    engine = Engine.load(folder, device="cpu", dtype="float32")
    step = max(1, len(prompts) // EXACT_PROMPTS)
    chosen = list(prompts[::step][:EXACT_PROMPTS])
    bound = min(tokens, 32)
    requests = [GenerationRequest(prompt, max_new_tokens=bound) for prompt in chosen]
    texts = {done.index: done.text for done in engine.generate(requests)}
    equal = 0
    for number, prompt in enumerate(chosen):
        inputs = engine.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
        with torch.inference_mode():
            output = engine.model.generate(**inputs, max_new_tokens=bound, do_sample=False)
        new = output[0, inputs["input_ids"].shape[1] :]
        equal += texts[number] == engine.tokenizer.decode(new, skip_special_tokens=True)
    return equal
