"""The tool that tunes the model on the selected data."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from domainsmith.counts import counted
from domainsmith.errors import ArtifactCorrupt, InputEmpty, JobFailed
from domainsmith.progress import ProgressEvent
from domainsmith.records import JobStatus, TrainingJob
from domainsmith.tools.current import note_latest
from domainsmith.tools.data import newest_dataset
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say
from domainsmith.training.dataset_folder import DatasetInfo, read_dataset

__all__ = ["TRAIN_MODEL", "make_job"]

_TOKENS_PER_RECORD = 240
"""Assumed for an estimate while the dataset does not exist yet."""
_COMPUTED_SHARE = 0.6
"""Part of a dataset's tokens that is computed where shared beginnings are computed once; assumed
too."""
_START_SECONDS = 12.0
_MAKE_DATA = frozenset({"generate_data", "select_data"})
_MADE_PER_ASKED = 2
"""Records that generation makes for each that is asked for, so that a selection has a choice."""


class TrainModel(ToolArguments):
    """Arguments of ``train_model``."""

    epochs: float | None = Field(default=None, gt=0, le=100, description="Passes over the data")


def make_job(ctx: ToolContext, dataset: DatasetInfo, epochs: float | None) -> TrainingJob:
    """Describe the training of a dataset.

    Args:
        ctx: Its options decide everything that is not given.
        dataset: What to train on.
        epochs: Passes over the data; the options' if None.

    Returns:
        The job; equal inputs give an equal id.
    """
    from domainsmith.model_io.catalog import chat_model_folder, weights_sha256

    return TrainingJob(
        base_model=ctx.options.chat_model,
        base_sha256=weights_sha256(chat_model_folder(ctx.options.chat_model)),
        dataset_id=dataset.id,
        dataset_sha256=dataset.sha256,
        lora_rank=ctx.options.lora_rank,
        lora_alpha=2 * ctx.options.lora_rank,
        learning_rate=ctx.options.learning_rate,
        epochs=ctx.options.epochs if epochs is None else epochs,
        max_steps=ctx.options.max_steps,
        device=ctx.options.device,
        dtype=ctx.options.dtype,
        threads=ctx.options.threads,
        seed=ctx.options.seed,
    )


def _estimate(ctx: ToolContext, arguments: TrainModel) -> dict[str, Any]:
    """Tell what the training will cost, before it is approved."""
    dataset = newest_dataset(ctx, "selected")
    rough = dataset is None or any(name in _MAKE_DATA for name, _ in ctx.ahead)
    if dataset is None or rough:
        cost = _rough_estimate(ctx, arguments)
        exact = say(ctx, "rough: the dataset does not exist yet", "粗略：数据集尚不存在")
    else:
        cost = _job_estimate(ctx, make_job(ctx, dataset, arguments.epochs), dataset)
        exact = say(ctx, "the newest selected dataset", "最新筛选的数据集")
    cost["rough"] = rough
    memory = cost.get("peak_memory_bytes")
    cost["summary"] = say(
        ctx,
        f"about {cost['seconds'] / 60:.1f} min, {counted(cost['records'], 'record')}, "
        f"{counted(cost['tokens'], 'token')}"
        f"{f', {memory / 1e9:.1f} GB memory' if memory else ''} ({exact})",
        f"约 {cost['seconds'] / 60:.1f} 分钟，{cost['records']} 条记录，{cost['tokens']} 个词元"
        f"{f'，{memory / 1e9:.1f} GB 内存' if memory else ''}（{exact}）",
    )
    return cost


def _rough_estimate(ctx: ToolContext, arguments: TrainModel) -> dict[str, Any]:
    """Estimate from how many records the plan will select; their length is a typical one."""
    from domainsmith.model_io.catalog import chat_model_folder
    from domainsmith.training.machine_speed import machine_speed, model_shape
    from domainsmith.training.step_plan import can_share_prefixes

    job = TrainingJob(
        base_model=ctx.options.chat_model,
        base_sha256="",
        dataset_id="",
        dataset_sha256="",
        lora_rank=ctx.options.lora_rank,
        device=ctx.options.device,
        dtype=ctx.options.dtype,
        threads=ctx.options.threads,
    )
    records = _planned_records(ctx)
    tokens = int(records * _TOKENS_PER_RECORD * (arguments.epochs or ctx.options.epochs))
    if ctx.options.max_steps:
        tokens = min(tokens, ctx.options.max_steps * job.batch_tokens)
    base = chat_model_folder(ctx.options.chat_model)
    shape = model_shape(base)
    computed = _COMPUTED_SHARE if can_share_prefixes(base) else 1.0
    speed = machine_speed(ctx.workspace, job, shape).tokens_per_second / computed
    return {
        "records": records,
        "tokens": tokens,
        "seconds": round(_START_SECONDS + tokens / speed, 1),
        "tokens_per_second": round(speed, 1),
        "trainable_parameters": shape.trainable(ctx.options.lora_rank),
    }


def _planned_records(ctx: ToolContext) -> int:
    """Return how many records the plan will train on, as far as its arguments say so."""
    counts = {name: arguments.get("count") for name, arguments in ctx.ahead}
    asked = counts.get("select_data")
    if "generate_data" not in counts:
        wanted, raw = int(asked or ctx.options.records), newest_dataset(ctx, "raw")
        return wanted if raw is None else min(wanted, raw.records)
    if asked:
        return int(asked)
    generated = counts["generate_data"]
    return min(ctx.options.records, _MADE_PER_ASKED * int(generated or ctx.options.records))


def _job_estimate(ctx: ToolContext, job: TrainingJob, dataset: DatasetInfo) -> dict[str, Any]:
    from domainsmith.model_io.catalog import chat_model_folder
    from domainsmith.training.estimate import estimate

    base = chat_model_folder(ctx.options.chat_model)
    return estimate(ctx.workspace, job, read_dataset(dataset.path), base).as_dict()


def _train_model(ctx: ToolContext, arguments: TrainModel) -> ToolResult:
    from domainsmith.training import launch as jobs

    dataset = newest_dataset(ctx, "selected")
    if dataset is None:
        raise InputEmpty(
            "There is no selected dataset to train on",
            where=ctx.workspace.datasets_dir,
            fix="Generate training data and select from it first.",
        )
    job = make_job(ctx, dataset, arguments.epochs)
    status = _known_status(ctx, job.id)
    done = status is not None and status.state == "succeeded"
    if status is None:
        jobs.launch(ctx.workspace, job, estimate=_job_estimate(ctx, job, dataset))
    elif status.state not in {"running", "succeeded"}:
        jobs.launch(ctx.workspace, job)
    if not done:
        status = jobs.wait(ctx.workspace, job.id, progress=lambda s: _tell(ctx, s))
    assert status is not None
    if status.state != "succeeded" or status.adapter_id is None:
        raise JobFailed(
            f"The training ended as {status.state}: {status.message or 'no message'}",
            where=job.id,
            fix=f"Read `domainsmith jobs logs {job.id}`, then run the same again to resume.",
        )
    return _report(ctx, dataset, job, status, done=done)


def _known_status(ctx: ToolContext, job_id: str) -> JobStatus | None:
    from domainsmith.storage import jobs as job_store
    from domainsmith.training import launch as jobs

    known = any(row.id == job_id for row in job_store.jobs(ctx.workspace.db))
    return jobs.status(ctx.workspace, job_id) if known else None


def _tell(ctx: ToolContext, status: JobStatus) -> None:
    loss = "" if status.loss is None else f"loss {status.loss:.3f}"
    speed = "" if not status.tokens_per_second else f", {status.tokens_per_second:.0f} tok/s"
    ctx.progress(
        ProgressEvent("training", status.step, status.total_steps or None, f"{loss}{speed}")
    )


def _report(
    ctx: ToolContext, dataset: DatasetInfo, job: TrainingJob, status: JobStatus, *, done: bool
) -> ToolResult:
    from domainsmith.training.registry import adapter

    manifest = adapter(ctx.workspace, str(status.adapter_id)).manifest
    if manifest is None:
        raise ArtifactCorrupt("The adapter has no manifest", where=status.adapter_id)
    note_latest(ctx.workspace, "adapter", str(status.adapter_id))
    check = "" if manifest.validation_loss is None else f" / {manifest.validation_loss:.3f}"
    summary = say(
        ctx,
        f"{'Already done: ' if done else ''}{status.adapter_id} trained on "
        f"{counted(dataset.records, 'record')} in {counted(manifest.steps, 'step')}, "
        f"{counted(manifest.trained_tokens, 'token')}; loss (training"
        f"{' / validation' if check else ''}) {manifest.final_loss:.3f}{check}.",
        f"{'已经完成：' if done else ''}{status.adapter_id} 用 {dataset.records} 条记录训练了 "
        f"{manifest.steps} 步，{manifest.trained_tokens} 个词元；损失（训练"
        f"{' / 验证' if check else ''}）{manifest.final_loss:.3f}{check}。",
    )
    return ToolResult(
        ok=True,
        summary=summary,
        artifact_ids=(str(status.adapter_id), job.id, dataset.id),
        data={
            "already_done": done,
            "job_id": job.id,
            "adapter_id": status.adapter_id,
            "records": dataset.records,
            "steps": manifest.steps,
            "tokens": manifest.trained_tokens,
            "final_loss": manifest.final_loss,
            "validation_loss": manifest.validation_loss,
            "seconds": manifest.seconds,
        },
    )


TRAIN_MODEL = Tool(
    name="train_model",
    title={"en": "Train the model", "zh": "训练模型"},
    description={
        "en": "Fine-tune the chat model (LoRA) on the newest selected dataset, as a process of "
        "its own.",
        "zh": "用最新筛选的数据集微调聊天模型（LoRA），在独立进程中运行。",
    },
    arguments=TrainModel,
    run=_train_model,
    side_effect=True,
    writes=True,
    requires=("selected_dataset",),
    produces=("adapter",),
    estimate=_estimate,
)
