"""The tool that tunes search on the documents, and the way back."""

from __future__ import annotations

from pydantic import Field

from domainsmith.counts import counted
from domainsmith.errors import InputEmpty, InputInvalid, JobFailed
from domainsmith.progress import ProgressEvent
from domainsmith.records import JobStatus, RetrievalSettings, TrainingJob
from domainsmith.tools.knowledge import resolve_path
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say
from domainsmith.training.retrieval.question_set import QuestionSet

__all__ = ["TUNE_RETRIEVAL", "make_questions_and_job", "make_tuning_job", "tuning_result"]

_MOST_QUESTIONS = 6000
_LEARNING_RATE = 5e-5
_ENOUGH = 40
"""People's questions about held-out documents that decide without made ones."""


class TuneRetrieval(ToolArguments):
    """Arguments of ``tune_retrieval``."""

    questions: str | None = Field(
        default=None, min_length=1, description="JSONL file of questions to learn from as well"
    )
    minutes: float | None = Field(
        default=None, gt=0, le=600, description="Minutes of training at most"
    )


def make_questions_and_job(
    ctx: ToolContext,
    questions: str | None,
    settings: RetrievalSettings,
    *,
    limit: int = _MOST_QUESTIONS,
) -> tuple[QuestionSet, TrainingJob]:
    """Make the questions from the documents and describe the job.

    Args:
        ctx: What the tool works on.
        questions: The user's file, or None.
        settings: What is tuned, and for how long.
        limit: Most questions made from the documents.

    Returns:
        The stored questions and the job; equal inputs give equal ids.

    Raises:
        InputInvalid: The embedding model is a remote one.
        InputEmpty: There are no documents, or no question can be made.
    """
    if ctx.options.embed_model.startswith("openai:"):
        raise InputInvalid(
            "A remote embedding model cannot be tuned here",
            where=ctx.options.embed_model,
            fix="Set embed_model to `default` or to a local path.",
        )
    path = None if questions is None else resolve_path(ctx, questions)
    from domainsmith.tools.retrieval_questions import gather_questions

    made = gather_questions(ctx, path, limit=limit)
    return made, make_tuning_job(ctx, made, settings)


def make_tuning_job(
    ctx: ToolContext, questions: QuestionSet, settings: RetrievalSettings
) -> TrainingJob:
    """Describe the tuning of search with some questions.

    Args:
        ctx: Its options name the embedding model, which is tuned anew each time: a tuned model is
            never the base of another.
        questions: What to learn from.
        settings: What is tuned, and for how long.
    """
    from domainsmith.model_io.catalog import embedder_folder, weights_sha256

    return TrainingJob(
        method="retrieval",
        base_model=ctx.options.embed_model,
        base_sha256=weights_sha256(embedder_folder(ctx.options.embed_model)),
        dataset_id=questions.id,
        dataset_sha256=questions.sha256,
        learning_rate=_LEARNING_RATE,
        device=ctx.options.device,
        dtype=ctx.options.dtype,
        threads=ctx.options.threads,
        seed=ctx.options.seed,
        retrieval=settings,
    )


def _tune_retrieval(ctx: ToolContext, arguments: TuneRetrieval) -> ToolResult:
    from domainsmith.training import launch as jobs

    if not ctx.workspace.db.read().execute("SELECT 1 FROM passages LIMIT 1").fetchone():
        raise InputEmpty(
            "There are no documents to tune search on",
            where=ctx.workspace.root,
            fix="Add documents first.",
        )
    settings = RetrievalSettings()
    if arguments.minutes:
        settings = settings.model_copy(update={"minutes": arguments.minutes})
    made, job = make_questions_and_job(ctx, arguments.questions, settings)
    job_id = jobs.launch(ctx.workspace, job, dataset=made.path)

    def tell(status: JobStatus) -> None:
        ctx.progress(
            ProgressEvent("tuning", status.step, status.total_steps or None, status.message)
        )

    result = tuning_result(ctx, made, jobs.wait(ctx.workspace, job_id, progress=tell))
    ctx.models.refresh_search()
    return result


def tuning_result(ctx: ToolContext, made: QuestionSet, status: JobStatus) -> ToolResult:
    """Say what a finished job did.

    Args:
        ctx: Its language.
        made: The questions.
        status: The job's last status.

    Returns:
        Ok also if nothing was better, since that is an answer; ``data["kept"]`` tells.

    Raises:
        JobFailed: The job was cancelled.
    """
    if status.state != "succeeded":
        raise JobFailed(
            f"The tuning ended as {status.state}: {status.message or 'no message'}",
            where=status.job_id,
            fix="Run the same again to go on.",
        )
    return ToolResult(
        ok=True,
        summary=_tuned(ctx, made, status),
        artifact_ids=(*status.model_ids, status.job_id, made.id),
        data={
            "job_id": status.job_id,
            "questions_id": made.id,
            "questions": dict(made.routes),
            "kept": list(status.model_ids),
            "verdict": status.message,
        },
    )


def _tuned(ctx: ToolContext, made: QuestionSet, status: JobStatus) -> str:
    routes = ", ".join(f"{name} {count}" for name, count in made.routes.items())
    hint = ""
    if status.model_ids:
        used = say(
            ctx,
            "Search uses what was kept from now on; `tune-retrieval --undo` goes back.",
            "今后的检索使用保留的模型；`tune-retrieval --undo` 可以撤销。",
        )
    else:
        used = say(
            ctx,
            "Not better, not kept: search stays as it was.",
            "没有变好，因此不保留：检索保持原样。",
        )
        # Made questions share words with their passages, which favours BM25 over any model.
        if made.routes.get("given", 0) + made.routes.get("feedback", 0) < _ENOUGH:
            hint = say(
                ctx,
                f" Questions of your own ({_ENOUGH} or more about documents that are held out, "
                "with --questions) judge better than made ones.",
                f"自己的问题（用 --questions 给出，留出文档至少 {_ENOUGH} 个）"
                "比生成的问题更能判断好坏。",
            )
    return say(
        ctx,
        f"{counted(made.size, 'question')} ({routes}). {status.message}. {used}{hint}",
        f"{made.size} 个问题（{routes}）。{status.message}。{used}{hint}",
    )


TUNE_RETRIEVAL = Tool(
    name="tune_retrieval",
    title={"en": "Tune search", "zh": "调优检索"},
    description={
        "en": "Teach search the documents' words: fine-tune the embedding model and a reranker on "
        "questions made from the documents; each is kept only if it is better on held-out "
        "documents.",
        "zh": "让检索学会文档的用词：用文档生成的问题微调向量模型和重排模型；"
        "只有在留出的文档上更好才会保留。",
    },
    arguments=TuneRetrieval,
    run=_tune_retrieval,
    side_effect=True,
    writes=True,
    requires=("passages",),
)
