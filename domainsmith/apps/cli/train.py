"""``domainsmith train``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_datasets
from domainsmith.errors import InputNotFound

if TYPE_CHECKING:
    from domainsmith.records import TrainingJob
    from domainsmith.tools.tool import ToolContext
    from domainsmith.training.dataset_folder import DatasetInfo

__all__ = ["command"]


@click.command("train", cls=AppCommand)
@click.option(
    "--dataset",
    metavar="ID",
    shell_complete=complete_datasets,
    help="The newest selected dataset if absent.",
)
@click.option("--epochs", type=float, help="Passes over the data (the setting epochs).")
@click.option("--learning-rate", type=float, help="Peak rate (the setting learning_rate).")
@click.option("--lora-rank", type=click.IntRange(1, 512), help="The setting lora_rank.")
@click.option("--max-steps", type=click.IntRange(1), help="Optimizer steps instead of epochs.")
@click.option("--detach", is_flag=True, help="Print the job's id at once and leave it running.")
@click.option("--dry-run", is_flag=True, help="Only estimate time, memory and disk.")
def command(
    app: App,
    dataset: str | None,
    epochs: float | None,
    learning_rate: float | None,
    lora_rank: int | None,
    max_steps: int | None,
    detach: bool,
    dry_run: bool,
) -> Outcome:
    """Fine-tune the model on a dataset, as a background job.

    The job is a process of its own: Ctrl-C and a closed terminal leave it running, `jobs` looks
    after it, and the same command again finds it or resumes it from its last checkpoint.
    """
    from domainsmith.apps.cli.jobs import follow
    from domainsmith.tools.current import note_latest
    from domainsmith.tools.training import make_job
    from domainsmith.training import launch as training_jobs

    app.override(epochs=epochs, learning_rate=learning_rate, lora_rank=lora_rank)
    context = app.assembly().context(max_steps=max_steps)
    info = _dataset(app, context, dataset)
    job = make_job(context, info, epochs)
    estimate = _estimate(app, job, info)
    app.console.table(["estimate", "value#"], list(estimate.items()), to_stderr=True)
    if dry_run:
        return Outcome({"dataset_id": info.id, "job_id": job.id, "estimate": estimate})
    job_id = training_jobs.launch(app.workspace(), job, dataset=info.path, estimate=estimate)
    if info.card.get("stage") == "selected":
        note_latest(app.workspace(), "selected", info.id)
    app.console.data(job_id)
    if detach:
        finished = training_jobs.status(app.workspace(), job_id).adapter_id
        if finished:  # an equal job had ended before
            note_latest(app.workspace(), "adapter", finished)
        app.console.note(f"`domainsmith jobs logs -f {job_id}` follows it")
        return Outcome({"job_id": job_id, "dataset_id": info.id, "estimate": estimate})
    app.console.note("Ctrl-C leaves the job running.")
    status = follow(app, job_id)
    app.console.data(str(status.adapter_id))
    return Outcome({**status.model_dump(mode="json"), "dataset_id": info.id, "estimate": estimate})


def _dataset(app: App, context: ToolContext, prefix: str | None) -> DatasetInfo:
    from domainsmith.apps.cli.export import dataset_folder
    from domainsmith.tools.data import newest_dataset
    from domainsmith.training.dataset_folder import dataset_info

    if prefix is not None:
        return dataset_info(dataset_folder(app, prefix))
    found = newest_dataset(context, "selected")
    if found is None:
        raise InputNotFound(
            "There is no selected dataset to train on",
            where=app.workspace().root,
            fix="Run `domainsmith generate` and `domainsmith select` first.",
        )
    return found


def _estimate(app: App, job: TrainingJob, dataset: DatasetInfo) -> dict[str, Any]:
    from domainsmith.model_io.catalog import chat_model_folder
    from domainsmith.training.dataset_folder import read_dataset
    from domainsmith.training.estimate import estimate

    base = chat_model_folder(job.base_model)
    return dict(estimate(app.workspace(), job, read_dataset(dataset.path), base).as_dict())
