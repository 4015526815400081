"""Supervised fine-tuning: a LoRA adapter on all linear layers, through trl and peft.

trl's trainer drives the loop; four things are ours: which records a step sees is planned before
(so a resumed run takes the same steps), a beginning that records share is computed once (half of
the tokens of records made from documents), the vocabulary head runs on answer tokens only (trl
does that on Triton devices alone; on a CPU it is a fifth of the work), and the state of a
checkpoint is safetensors and JSON, never pickle.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import PrinterCallback
from trl.trainer.sft_config import SFTConfig

from domainsmith.counts import counted
from domainsmith.model_io.device import pick_device, set_threads
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.records import Record, TrainingJob
from domainsmith.training.checkpoint import newest_checkpoint
from domainsmith.training.dataset import (
    TokenizedDataset,
    TokenizedRecord,
    chat_template_sha256,
    micro_tokens,
    split_validation,
    tokenize_records,
)
from domainsmith.training.methods.adapter_model import load_model, quiet_warnings, save_adapter
from domainsmith.training.methods.batch_tensors import mean_loss, sharing_is_exact
from domainsmith.training.methods.master_weights import MasterAdamW
from domainsmith.training.methods.planned_trainer import PlannedTrainer, StepCollator
from domainsmith.training.methods.step_watcher import RunProgress, StepReport, StepWatcher
from domainsmith.training.step_plan import StepPlan, can_share_prefixes, plan_steps

__all__ = ["SftResult", "train"]

_NOT_SHARED = "this model cannot share beginnings of records; each is computed whole"


@dataclass(frozen=True)
class SftResult:
    """How a run ended.

    Args:
        finished: False if it was asked to stop; then a checkpoint holds its state.
        step: Steps done.
        final_loss: Mean training loss per completion token over the last ten steps, nats.
        validation_loss: The same on records set aside, or None if there are none.
        trained_tokens: Tokens of all steps, padding not counted.
        seconds: Of training in all processes that took part.
        chat_template_sha256: The template that it was trained in.
        refused: Records that were not trained on.
    """

    finished: bool
    step: int
    final_loss: float
    validation_loss: float | None
    trained_tokens: int
    seconds: float
    chat_template_sha256: str
    refused: int


def train(
    job: TrainingJob,
    records: Sequence[Record],
    base_folder: Path,
    folder: Path,
    adapter_folder: Path,
    *,
    stop: Callable[[], bool],
    report: Callable[[StepReport], None],
) -> SftResult:
    """Train an adapter, going on from the newest whole checkpoint.

    Args:
        job: All that decides the result.
        records: The dataset.
        base_folder: Weights, configuration and tokenizer of the base model.
        folder: The job's folder; checkpoints go below it.
        adapter_folder: Gets ``adapter_model.safetensors`` and ``adapter_config.json``.
        stop: Asked after each step; True stores a checkpoint and ends the run.
        report: Called after each step and for events.

    Returns:
        How it ended. Equal jobs on equal machines give equal adapters, resumed or not (CPU).

    Raises:
        InputEmpty: No record can be trained on.
        WeightsMissing: The base folder cannot be loaded.
        ResourceExhausted: The disk is full.
    """
    device = pick_device(job.device)
    set_threads(job.threads)
    tokenizer, model = load_model(job, base_folder, device)
    data = tokenize_records(records, tokenizer, max_length=job.max_length, system=job.system_prompt)
    train_part, held = split_validation(data.records, share=job.validation_share, seed=job.seed)
    micro = micro_tokens(job, device)
    wanted = job.share_prefixes and can_share_prefixes(base_folder)
    plan = _plan(job, train_part, micro, share=wanted)
    rows = [row for step in plan for batch in step for row in batch]
    share = wanted and sharing_is_exact(model, train_part, rows, tokenizer.eos_token_id)
    if share != wanted:
        plan = _plan(job, train_part, micro, share=False)
    notes = [] if share == wanted else [_NOT_SHARED]
    collate = StepCollator(train_part, plan, tokenizer.eos_token_id)
    optimizer = MasterAdamW(
        ((n, p) for n, p in model.named_parameters() if p.requires_grad), lr=job.learning_rate
    )
    progress = _resume(
        folder / "checkpoints", optimizer, report, data, len(plan), share=share, notes=notes
    )
    if progress.step < len(plan):
        _run(job, model, tokenizer, optimizer, collate, progress, folder, device, stop, report)
    validation = None
    if progress.step >= len(plan):
        validation = mean_loss(model, held, micro, tokenizer.eos_token_id, share=share)
        save_adapter(model, job, adapter_folder)
    return SftResult(
        finished=progress.step >= len(plan),
        step=progress.step,
        final_loss=round(progress.loss, 8),
        validation_loss=None if validation is None else round(validation, 8),
        trained_tokens=progress.tokens,
        seconds=progress.seconds,
        chat_template_sha256=chat_template_sha256(tokenizer),
        refused=len(data.refused),
    )


def _plan(
    job: TrainingJob, records: Sequence[TokenizedRecord], micro: int, *, share: bool
) -> list[StepPlan]:
    return plan_steps(
        records,
        epochs=job.epochs,
        batch_tokens=job.batch_tokens,
        micro_tokens=micro,
        seed=job.seed,
        max_steps=job.max_steps,
        share=share,
    )


def _resume(
    checkpoints: Path,
    optimizer: MasterAdamW,
    report: Callable[[StepReport], None],
    data: TokenizedDataset,
    total: int,
    *,
    share: bool,
    notes: Sequence[str],
) -> RunProgress:
    found = newest_checkpoint(checkpoints)
    progress = RunProgress()
    if found.checkpoint is not None:
        optimizer.restore(found.checkpoint.folder)
        progress = RunProgress(**found.checkpoint.state)
    line: dict[str, Any] = {
        "event": "resumed" if progress.step else "started",
        "step": progress.step,
        "total_steps": total,
        "records": len(data.records),
        "refused": [[item.record_id, item.reason] for item in data.refused],
        "tokens": data.tokens,
        "completion_tokens": data.completion_tokens,
        "shared_prefixes": share,
        "skipped_checkpoints": list(found.skipped),
    }
    parts = [f"resumed from step {progress.step}"] if progress.step else ["training"]
    parts += [*found.skipped, *notes]
    if data.refused:
        parts.append(f"{counted(len(data.refused), 'record')} refused ({data.refused[0].reason})")
    report(StepReport(progress.step, total, line, message="; ".join(parts)))
    return progress


def _run(
    job: TrainingJob,
    model: PeftModel,
    tokenizer: Any,
    optimizer: MasterAdamW,
    collate: StepCollator,
    progress: RunProgress,
    folder: Path,
    device: str,
    stop: Callable[[], bool],
    report: Callable[[StepReport], None],
) -> None:
    plan, start = collate.plan, progress.step
    warmup = max(1, round(job.warmup_share * len(plan)))

    def factor(local_step: int) -> float:
        step = start + local_step
        rise = (step + 1) / warmup
        return min(rise, 0.5 * (1 + math.cos(math.pi * min(1.0, step / len(plan)))))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    arguments = _arguments(job, folder, device, len(plan) - start)
    watcher = StepWatcher(job, folder / "checkpoints", optimizer, progress, collate, stop, report)
    with quiet_transformers(), quiet_warnings():
        trainer = PlannedTrainer(
            model=model,
            args=arguments,
            data_collator=collate,
            train_dataset=Dataset.from_dict({"step": list(range(start, len(plan)))}),
            processing_class=tokenizer,
            optimizers=(optimizer, scheduler),
            callbacks=[watcher],
        )
        trainer.masters, trainer.first_step, trainer.run_seed = optimizer, start, job.seed
        trainer.remove_callback(PrinterCallback)
        model.train()
        watcher.trainer = trainer
        watcher.clock = time.perf_counter()
        trainer.train()


def _arguments(job: TrainingJob, folder: Path, device: str, steps: int) -> SFTConfig:
    with quiet_warnings():
        return SFTConfig(
            output_dir=str(folder / "checkpoints"),
            per_device_train_batch_size=1,
            gradient_accumulation_steps=1,
            max_steps=steps,
            max_grad_norm=0.0,
            use_cpu=device == "cpu",
            bf16=False,
            gradient_checkpointing=False,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            dataset_kwargs={"skip_prepare_dataset": True},
            dataloader_pin_memory=False,
            shuffle_dataset=False,
            seed=job.seed,
        )
