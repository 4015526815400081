"""``domainsmith tune-retrieval``."""

from __future__ import annotations

from pathlib import Path

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.errors import InputInvalid

__all__ = ["command"]


@click.command("tune-retrieval", cls=AppCommand)
@click.option(
    "--questions",
    type=click.Path(path_type=Path),
    help="JSONL of your own questions with their gold quotes, to learn from as well.",
)
@click.option(
    "--budget-minutes",
    "--minutes",
    "minutes",
    type=click.FloatRange(0.1, 600),
    default=10.0,
    show_default=True,
    help="Minutes of training at most, both models together.",
)
@click.option(
    "--max-questions",
    type=click.IntRange(10),
    default=6000,
    show_default=True,
    help="Questions made from the documents at most.",
)
@click.option("--no-embedder", is_flag=True, help="Leave the embedding model as it is.")
@click.option("--no-reranker", is_flag=True, help="Train no reranker.")
@click.option(
    "--rerank-seconds",
    type=click.FloatRange(0.01),
    default=1.0,
    show_default=True,
    help="Seconds that reranking one question may take on this machine.",
)
@click.option("--detach", is_flag=True, help="Print the job's id at once and leave it running.")
@click.option("--undo", is_flag=True, help="Go back to the search models used before.")
@click.option("--show", is_flag=True, help="Show which tuned models search uses.")
@click.option("--require-better", is_flag=True, help="Exit with 1 unless a model was kept.")
def command(
    app: App,
    questions: Path | None,
    minutes: float,
    max_questions: int,
    no_embedder: bool,
    no_reranker: bool,
    rerank_seconds: float,
    detach: bool,
    undo: bool,
    show: bool,
    require_better: bool,
) -> Outcome:
    """Teach search the words of your documents, as a background job.

    Questions are made from the documents; the embedding model and a small reranker learn from
    them and from passages that look right and are not. Each is measured on documents that it has
    not seen and kept only if it is better there. The job survives Ctrl-C and a closed terminal,
    `jobs` looks after it, and the same command again finds it or goes on with it.
    """
    if undo or show:
        return _undo(app) if undo else _show(app)
    if no_embedder and no_reranker:
        raise InputInvalid(
            "There is nothing left to tune", fix="Leave --no-embedder or --no-reranker out."
        )
    from domainsmith.apps.cli.jobs import follow
    from domainsmith.records import RetrievalSettings
    from domainsmith.tools.retrieval import make_questions_and_job, tuning_result
    from domainsmith.training import launch as jobs

    app.workspace()
    settings = RetrievalSettings(
        embedder=not no_embedder,
        reranker=not no_reranker,
        minutes=minutes,
        rerank_seconds=rerank_seconds,
    )
    with app.console.progress() as progress:
        context = app.assembly().context(progress=progress)
        made, job = make_questions_and_job(
            context, None if questions is None else str(questions), settings, limit=max_questions
        )
    app.console.table(["route", "questions#"], list(made.routes.items()), to_stderr=True)
    job_id = jobs.launch(app.workspace(), job, dataset=made.path)
    if detach:
        app.console.data(job_id)
        app.console.note(f"`domainsmith jobs logs -f {job_id}` follows it")
        return Outcome({"job_id": job_id, "questions_id": made.id, "questions": dict(made.routes)})
    app.console.note(f"{job_id}: Ctrl-C leaves it running.")
    result = tuning_result(context, made, follow(app, job_id))
    app.console.data(result.summary)
    return Outcome(result.data, ok=bool(result.data["kept"]) or not require_better)


def _undo(app: App) -> Outcome:
    from domainsmith.training.retrieval.registry import undo

    before, now = undo(app.workspace())
    app.console.data(
        f"no longer used: {', '.join(before)}; used now: {', '.join(now) or 'no tuned model'}"
    )
    return Outcome({"before": before, "now": now})


def _show(app: App) -> Outcome:
    from domainsmith.training.retrieval.registry import in_use, retrievers

    workspace = app.workspace()
    used = {entry.id for entry in in_use(workspace).values()}
    rows = []
    for entry in retrievers(workspace):
        measured = entry.facts.measure
        gain = (
            f"{measured.before['mrr@10']:.3f} -> {measured.after['mrr@10']:.3f}" if measured else ""
        )
        rows.append([entry.id, entry.facts.role, gain, "in use" if entry.id in used else ""])
    app.console.table(["model", "role", "MRR@10", ""], rows)
    return Outcome(
        [
            {**e.facts.model_dump(mode="json"), "id": e.id, "in_use": e.id in used}
            for e in retrievers(workspace)
        ]
    )
