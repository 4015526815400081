"""Speed of LoRA training on records made from documents, against trl's own trainer.

The same records, base model, number type, adapter and threads, in turn, for several rounds.
Tokens are those of the records, padding not counted: who computes a shared beginning once, or
pads less, is faster, not credited with more tokens. trl pads batches of records in random order,
as its users get it (its packing needs FlashAttention to keep records apart). First the summed
loss over some records is computed in all three ways: shared beginnings, separate records and
transformers' own loss over a padded batch must agree, or the exit code is 1.

Usage: python -m benchmarks.training DATASET_FOLDER [--rounds 3] [--steps 4] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import transformers
import trl
from datasets import Dataset
from transformers import TrainerCallback
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from domainsmith.model_io.catalog import chat_model_folder
from domainsmith.model_io.device import set_threads
from domainsmith.records import TrainingJob
from domainsmith.training.dataset import TokenizedRecord, tokenize_records
from domainsmith.training.dataset_folder import read_dataset
from domainsmith.training.methods.adapter_model import load_model, quiet_warnings
from domainsmith.training.methods.batch_tensors import batch_tensors, summed_loss
from domainsmith.training.methods.master_weights import MasterAdamW
from domainsmith.training.methods.planned_trainer import StepCollator
from domainsmith.training.step_plan import Row, StepPlan, plan_steps

TRL_BATCH = 8
"""Records of one of trl's batches: about as many tokens as one of our steps."""
IGNORED = -100

Items = list[TokenizedRecord]


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("dataset", type=Path, help="a dataset's folder, as select writes it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="timed steps of a round")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    threads = set_threads(0)
    base = chat_model_folder()
    job = TrainingJob(base_model="default", base_sha256="", dataset_id="", dataset_sha256="")
    tokenizer, model = load_model(job, base, "cpu")
    records = read_dataset(arguments.dataset)
    items = list(tokenize_records(records, tokenizer, max_length=job.max_length).records)
    losses = compare_losses(model, items, job, tokenizer.eos_token_id)
    speeds: dict[str, list[float]] = {"trl": [], "separate": [], "shared": []}
    for number in range(arguments.rounds):
        speeds["trl"].append(trl_speed(job, base, items, arguments.steps, seed=number))
        for name in ("separate", "shared"):
            speed = our_speed(job, base, items, arguments.steps, name == "shared", seed=number)
            speeds[name].append(speed)
    show(arguments, speeds, losses, f"{threads} threads, {len(items)} records")
    spread = max(losses.values()) - min(losses.values())
    return 0 if spread <= 0.01 * max(losses.values()) else 1


def compare_losses(model: Any, items: Items, job: TrainingJob, pad: int) -> dict[str, float]:
    """Return the summed loss of some records, computed in each way."""
    some = items[:24]
    (step,) = plan(job, some, 1 << 40, share=True, seed=0)
    single = [(Row((at,), (0,), item.length - 1),) for at, item in enumerate(some)]
    batch = padded(some, pad)
    count = int((batch["labels"][:, 1:] != IGNORED).sum())
    model.eval()
    with torch.no_grad():
        return {
            "trl": float(model(**batch).loss) * count,
            "separate": sum(float(summed_loss(model, batch_tensors(some, m, pad))) for m in single),
            "shared": sum(float(summed_loss(model, batch_tensors(some, m, pad))) for m in step),
        }


def padded(items: Items, pad: int) -> dict[str, torch.Tensor]:
    """Lay records into one padded batch with a mask, as trl's collator does."""
    longest = max(item.length for item in items)
    ids = torch.full((len(items), longest), pad)
    labels, mask = torch.full_like(ids, IGNORED), torch.zeros_like(ids)
    for row, item in enumerate(items):
        ids[row, : item.length] = torch.tensor(item.input_ids)
        labels[row, item.prompt_length : item.length] = ids[row, item.prompt_length : item.length]
        mask[row, : item.length] = 1
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def plan(
    job: TrainingJob, items: Items, batch_tokens: int, *, share: bool, seed: int
) -> list[StepPlan]:
    """Plan an epoch on a CPU."""
    return plan_steps(
        items, epochs=1, batch_tokens=batch_tokens, micro_tokens=1024, seed=seed, share=share
    )


def our_speed(
    job: TrainingJob, base: Path, items: Items, steps: int, share: bool, *, seed: int
) -> float:
    """Return record tokens a second of our steps, optimizer included."""
    tokenizer, model = load_model(job, base, "cpu")
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    optimizer = MasterAdamW(named, lr=job.learning_rate)
    epoch = plan(job, items, job.batch_tokens, share=share, seed=seed)
    collate = StepCollator(items, epoch, tokenizer.eos_token_id)
    model.train()
    tokens, seconds = 0, 0.0
    for number in range(min(steps + 1, len(epoch))):
        began = time.perf_counter()
        for batch in collate([{"step": number}])["micros"]:
            summed_loss(model, batch).backward()  # type: ignore[no-untyped-call]
            optimizer.absorb()
        optimizer.step()
        if number:  # the first step pays for set-up
            tokens += collate.tokens(number)[0]
            seconds += time.perf_counter() - began
    return tokens / seconds


class _Clock(TrainerCallback):
    """Sums the time of all steps but the first."""

    def __init__(self) -> None:
        self.began, self.seconds, self.steps = 0.0, 0.0, 0

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.began = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.steps += 1
        if self.steps > 1:
            self.seconds += time.perf_counter() - self.began


def trl_speed(job: TrainingJob, base: Path, items: Items, steps: int, *, seed: int) -> float:
    """Return record tokens a second of trl's trainer on the same token ids."""
    tokenizer, model = load_model(job, base, "cpu")
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(seed)).tolist()
    chosen = [items[at] for at in order][: (steps + 1) * TRL_BATCH]
    rows = {
        "input_ids": [list(item.input_ids) for item in chosen],
        "completion_mask": [
            [0] * item.prompt_length + [1] * item.completion_length for item in chosen
        ],
    }
    clock = _Clock()
    with tempfile.TemporaryDirectory() as folder, quiet_warnings():
        config = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=TRL_BATCH,
            max_steps=len(chosen) // TRL_BATCH,
            learning_rate=job.learning_rate,
            use_cpu=True,
            bf16=False,  # the model is in bfloat16 already
            gradient_checkpointing=False,
            completion_only_loss=True,
            max_length=job.max_length,
            shuffle_dataset=False,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        trainer = SFTTrainer(
            model=model,
            args=config,
            train_dataset=Dataset.from_dict(rows),
            processing_class=tokenizer,
            callbacks=[clock],
        )
        trainer.train()
    return sum(item.length for item in chosen[TRL_BATCH:]) / clock.seconds


def show(
    arguments: argparse.Namespace,
    speeds: dict[str, list[float]],
    losses: dict[str, float],
    setting: str,
) -> None:
    """Print medians, their ratios to trl, and the losses."""
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    ratios = {name: median / medians["trl"] for name, median in medians.items()}
    if arguments.json:
        print(json.dumps({"tokens_per_second": speeds, "ratio": ratios, "loss": losses}))
        return
    load = os.getloadavg()[0]
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, ", end="")
    print(f"trl {trl.__version__}, {setting}, load {load:.1f}, {arguments.rounds} rounds")
    print(f"{'':10} {'tokens/s':>9} {'of trl':>7} {'summed loss':>12}")
    for name, median in medians.items():
        print(f"{name:10} {median:9.0f} {ratios[name]:6.2f}x {losses[name]:12.2f}")


if __name__ == "__main__":
    sys.exit(main())
