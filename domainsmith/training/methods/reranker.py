"""Training a small cross-encoder from an embedder's own transformer.

Question and passage are read together. The loss is listwise: a softmax over the positive and the
mined negatives of a question.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from domainsmith.errors import ModelError
from domainsmith.model_io.device import pick_device, pick_dtype, set_threads
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.training.methods.master_weights import MasterAdamW
from domainsmith.training.methods.planned_steps import PlannedSteps, StepProgress, run_steps
from domainsmith.training.retrieval.examples import (
    RankingExample,
    inputs_hash,
    question_batches,
)

__all__ = ["RerankerPlan", "train_reranker"]

_MINI_BATCH = 16
"""Pairs computed at once."""


@dataclass(frozen=True)
class RerankerPlan:
    """What decides the weights, beside the base model and the examples.

    Args:
        steps: Optimizer steps.
        batch_questions: Questions of a step.
        negatives: Passages beside the positive, at most.
        learning_rate: Peak rate, per step.
        max_tokens: Tokens of question and passage together; the rest of the passage is cut.
        layers: Layers that are kept of the base, at most.
        seed: Decides the order, the new head and the dropout.
        device: See :func:`domainsmith.model_io.device.pick_device`.
        dtype: Number type of the computation; the weights are kept in float32.
        threads: CPU threads; 0 takes the physical cores.
    """

    steps: int
    batch_questions: int = 8
    negatives: int = 6
    learning_rate: float = 1e-4
    max_tokens: int = 224
    layers: int = 6
    seed: int = 17
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0


def train_reranker(
    base: Path,
    examples: Sequence[RankingExample],
    plan: RerankerPlan,
    checkpoints: Path,
    target: Path,
    *,
    stop: Callable[[], bool] = lambda: False,
    report: Callable[[StepProgress], None] = lambda _: None,
) -> bool:
    """Train, or go on from the newest checkpoint, and write the model.

    Args:
        base: Folder of the embedder whose transformer it starts from.
        examples: Each with at least one negative.
        plan: Steps and rates.
        checkpoints: Where checkpoints lie.
        target: Filled with the model, as a cross-encoder of sentence-transformers.
        stop: Asked between steps; True ends the run after a checkpoint.
        report: Told about each step.

    Returns:
        False if it was stopped before its end; ``target`` is untouched then.

    Raises:
        ModelError: The embedder has no transformer to start from.
        FloatingPointError: The loss is no longer a number.
    """
    set_threads(plan.threads)
    torch.manual_seed(plan.seed)
    device = pick_device(plan.device)
    model, tokenizer = _load(base, plan.layers)
    model.to(device=device, dtype=pick_dtype(plan.dtype, device)).train()
    batches = question_batches(
        examples, size=plan.batch_questions, steps=plan.steps, seed=plan.seed
    )

    def backward(step: int) -> float:
        chosen = [examples[at] for at in batches[step]]
        return _backward(model, tokenizer, chosen, plan, device)

    named = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    optimizer = MasterAdamW(named, lr=plan.learning_rate)
    steps = PlannedSteps(plan.steps, plan.learning_rate, plan.seed, inputs_hash(examples, plan))
    if not run_steps(steps, optimizer, backward, checkpoints, stop=stop, report=report):
        return False
    _write(model, tokenizer, optimizer, plan.max_tokens, target)
    return True


def _load(base: Path, layers: int) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    folder = base if (base / "config.json").is_file() else base / "0_Transformer"
    try:
        with quiet_transformers():
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
            config.num_labels = 1
            config.num_hidden_layers = min(layers, int(config.num_hidden_layers))
            model = AutoModelForSequenceClassification.from_pretrained(
                folder, config=config, local_files_only=True, use_safetensors=True
            )
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, AttributeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"No reranker can be made from this embedding model ({reason})", where=base.name
        ) from error
    return model, tokenizer


def _backward(
    model: Any,
    tokenizer: Any,
    examples: Sequence[RankingExample],
    plan: RerankerPlan,
    device: str,
) -> float:
    """Add the gradients of one step; returns the mean loss.

    Scores are computed a few questions at a time, so that memory does not grow with the batch.
    """
    total = sum(item.weight for item in examples)
    lost = 0.0
    group = max(1, _MINI_BATCH // (1 + plan.negatives))
    order = sorted(examples, key=lambda item: len(item.positive))
    for start in range(0, len(order), group):
        part = order[start : start + group]
        texts = [[item.positive, *item.negatives[: plan.negatives]] for item in part]
        pairs = [
            (item.question, text) for item, row in zip(part, texts, strict=True) for text in row
        ]
        scores = model(**_tensors(tokenizer, pairs, plan.max_tokens, device)).logits[:, 0].float()
        losses = []
        for item, row in zip(part, texts, strict=True):
            mine, scores = scores[: len(row)], scores[len(row) :]
            losses.append((torch.logsumexp(mine, 0) - mine[0]) * item.weight)
        loss = torch.stack(losses).sum() / total
        loss.backward()
        lost += float(loss.detach())
    return lost


def _tensors(tokenizer: Any, pairs: Sequence[tuple[str, str]], limit: int, device: str) -> Any:
    left, right = [list(side) for side in zip(*pairs, strict=True)]
    return tokenizer(
        left,
        right,
        padding=True,
        truncation="longest_first",
        max_length=limit,
        return_tensors="pt",
    ).to(device)


def _write(
    model: Any, tokenizer: Any, optimizer: MasterAdamW, max_tokens: int, target: Path
) -> None:
    model.float().eval()
    with torch.no_grad():
        for parameter, master in zip(optimizer.live, optimizer.masters, strict=True):
            if not math.isfinite(float(master.sum())):
                raise FloatingPointError("the weights are no longer numbers")
            parameter.copy_(master)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    tokenizer.model_max_length = max_tokens
    with quiet_transformers():
        model.save_pretrained(target, safe_serialization=True)
        tokenizer.save_pretrained(target)
