"""Fine-tuning an embedder with in-batch and hard negatives, in the memory of a small batch.

The loss is sentence-transformers' CachedMultipleNegativesRankingLoss. The loop is ours, because a
resumed run must give the same weights: the plan of steps is fixed beforehand, and a checkpoint is
whole or absent.
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

__all__ = ["EmbedderPlan", "train_embedder"]

_MINI_BATCH = 16
"""Texts computed at once; the loss sees the whole batch all the same."""
_SCALE = 20.0


@dataclass(frozen=True)
class EmbedderPlan:
    """What decides the weights, beside the base model and the examples.

    Args:
        steps: Optimizer steps.
        batch_questions: Questions of a step.
        learning_rate: Peak rate, per step.
        max_tokens: Tokens of a text; the rest is cut.
        merge: Weight of the tuned model against its base in what is written.
        seed: Decides the order and the dropout.
        device: See :func:`domainsmith.model_io.device.pick_device`.
        dtype: Number type of the computation; the weights are kept in float32.
        threads: CPU threads; 0 takes the physical cores.
    """

    steps: int
    batch_questions: int = 64
    learning_rate: float = 5e-5
    max_tokens: int = 224
    merge: float = 0.7
    seed: int = 17
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0


def train_embedder(
    base: Path,
    examples: Sequence[RankingExample],
    plan: EmbedderPlan,
    checkpoints: Path,
    target: Path,
    *,
    stop: Callable[[], bool] = lambda: False,
    report: Callable[[StepProgress], None] = lambda _: None,
) -> bool:
    """Train, or go on from the newest checkpoint, and write the model.

    Args:
        base: Folder of a sentence-transformers model.
        examples: Each with its positive; the first negative is used, if there is one.
        plan: Steps and rates.
        checkpoints: Where checkpoints lie.
        target: Filled with the tuned model, as sentence-transformers stores it.
        stop: Asked between steps; True ends the run after a checkpoint.
        report: Told about each step.

    Returns:
        False if it was stopped before its end; ``target`` is untouched then.

    Raises:
        ModelError: The model has no weights that could be trained so (a static one).
        FloatingPointError: The loss is no longer a number.
    """
    from sentence_transformers import util
    from sentence_transformers.sentence_transformer.losses import (
        CachedMultipleNegativesRankingLoss,
    )

    set_threads(plan.threads)
    torch.manual_seed(plan.seed)
    device = pick_device(plan.device)
    model = _trainable(base, plan, device)

    def similarity(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return util.cos_sim(left.float(), right.float())

    loss_of = CachedMultipleNegativesRankingLoss(
        model, scale=_SCALE, similarity_fct=similarity, mini_batch_size=_MINI_BATCH
    )
    batches = question_batches(
        examples, size=plan.batch_questions, steps=plan.steps, seed=plan.seed
    )

    def backward(step: int) -> float:
        chosen = [examples[at] for at in batches[step]]
        columns = [[item.question for item in chosen], [item.positive for item in chosen]]
        if all(item.negatives for item in chosen):
            columns.append([item.negatives[0] for item in chosen])
        features = [_features(model, column, device) for column in columns]
        loss = loss_of(features, None)
        loss.backward()
        return float(loss.detach())

    named = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    optimizer = MasterAdamW(named, lr=plan.learning_rate)
    base_weights = [master.clone() for master in optimizer.masters]
    steps = PlannedSteps(plan.steps, plan.learning_rate, plan.seed, inputs_hash(examples, plan))
    if not run_steps(steps, optimizer, backward, checkpoints, stop=stop, report=report):
        return False
    _write(model, optimizer, base_weights, plan.merge, target)
    return True


def _trainable(base: Path, plan: EmbedderPlan, device: str) -> Any:
    """Load a sentence-transformers model to be trained."""
    from sentence_transformers import SentenceTransformer

    with quiet_transformers():
        model = SentenceTransformer(
            str(base), device=device, local_files_only=True, trust_remote_code=False
        )
    if not hasattr(model[0], "auto_model"):
        raise ModelError("This kind of embedding model cannot be tuned", where=base.name)
    model.max_seq_length = min(plan.max_tokens, model.get_max_seq_length() or plan.max_tokens)
    return model.to(pick_dtype(plan.dtype, device)).train()


def _features(model: Any, texts: Sequence[str], device: str) -> dict[str, torch.Tensor]:
    found = model.preprocess(list(texts))
    return {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in found.items()}


def _write(
    model: Any,
    optimizer: MasterAdamW,
    base_weights: Sequence[torch.Tensor],
    merge: float,
    target: Path,
) -> None:
    """Write the mean of tuned and base weights, in float32."""
    model.float().eval()
    with torch.no_grad():
        pairs = zip(optimizer.live, optimizer.masters, base_weights, strict=True)
        for parameter, tuned, before in pairs:
            mixed = before + merge * (tuned - before)
            if not math.isfinite(float(mixed.sum())):
                raise FloatingPointError("the weights are no longer numbers")
            parameter.copy_(mixed)
    shutil.rmtree(target, ignore_errors=True)
    with quiet_transformers():
        model.save(str(target), create_model_card=False, safe_serialization=True)
