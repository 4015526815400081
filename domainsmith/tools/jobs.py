"""Tools that look after background jobs."""

from __future__ import annotations

from pydantic import Field

from domainsmith.counts import counted
from domainsmith.records import JobStatus
from domainsmith.tools.tool import NoArguments, Tool, ToolArguments, ToolContext, ToolResult, say

__all__ = ["CANCEL_JOB", "LIST_JOBS", "SHOW_JOB"]

_LISTED = 20


class JobId(ToolArguments):
    """Arguments of the tools about one job."""

    id: str = Field(pattern=r"^job_[0-9a-f]{4,64}$", description="Id of the job")


def _line(status: JobStatus) -> str:
    parts = [f"{status.job_id} {status.state}"]
    if status.total_steps:
        parts.append(f"{status.step}/{status.total_steps}")
    if status.loss is not None:
        parts.append(f"loss {status.loss:.3f}")
    if status.eta_seconds is not None and status.state == "running":
        parts.append(f"ETA {status.eta_seconds:.0f} s")
    if status.adapter_id:
        parts.append(status.adapter_id)
    if status.message:
        parts.append(status.message)
    return ", ".join(parts)


def _list_jobs(ctx: ToolContext, arguments: NoArguments) -> ToolResult:
    from domainsmith.storage.jobs import jobs as all_jobs
    from domainsmith.training.launch import adopt_jobs, status

    adopt_jobs(ctx.workspace)
    rows = reversed(all_jobs(ctx.workspace.db))  # the newest first: it is asked about most
    found = [status(ctx.workspace, row.id) for row in rows]
    head = say(ctx, f"{counted(len(found), 'job')}.", f"{len(found)} 个任务。")
    return ToolResult(
        ok=True,
        summary="\n".join([head, *(_line(s) for s in found[:_LISTED])]),
        artifact_ids=tuple(s.job_id for s in found),
        data={"jobs": [s.model_dump(mode="json") for s in found]},
    )


def _full_id(ctx: ToolContext, id: str) -> str:
    from domainsmith.tools.lineage import complete_id

    return complete_id(ctx, id)


def _show_job(ctx: ToolContext, arguments: JobId) -> ToolResult:
    from domainsmith.training.launch import adopt_jobs, status

    adopt_jobs(ctx.workspace)
    found = status(ctx.workspace, _full_id(ctx, arguments.id))
    return ToolResult(
        ok=True,
        summary=_line(found),
        artifact_ids=(found.job_id,),
        data={"job": found.model_dump(mode="json")},
    )


def _cancel_job(ctx: ToolContext, arguments: JobId) -> ToolResult:
    from domainsmith.training.launch import cancel, status

    id = _full_id(ctx, arguments.id)
    before = status(ctx.workspace, id)
    if before.state in {"succeeded", "failed", "cancelled"}:
        return ToolResult(
            ok=True,
            summary=say(ctx, f"Already ended: {_line(before)}", f"早已结束：{_line(before)}"),
            artifact_ids=(id,),
            data={"already_done": True, "job": before.model_dump(mode="json")},
        )
    cancel(ctx.workspace, id)
    after = status(ctx.workspace, id)
    return ToolResult(
        ok=after.state == "cancelled",
        summary=_line(after),
        artifact_ids=(id,),
        data={"already_done": False, "job": after.model_dump(mode="json")},
    )


LIST_JOBS = Tool(
    name="list_jobs",
    title={"en": "List jobs", "zh": "列出任务"},
    description={
        "en": "List the training jobs with their state and progress.",
        "zh": "列出所有训练任务及其状态和进度。",
    },
    arguments=NoArguments,
    run=_list_jobs,
)
SHOW_JOB = Tool(
    name="show_job",
    title={"en": "Show a job", "zh": "显示任务"},
    description={
        "en": "Show one job: state, step, loss, time left.",
        "zh": "显示一个任务：状态、步数、损失、剩余时间。",
    },
    arguments=JobId,
    run=_show_job,
)
CANCEL_JOB = Tool(
    name="cancel_job",
    title={"en": "Cancel a job", "zh": "取消任务"},
    description={
        "en": "Stop a running job; its checkpoints are kept and it can be resumed.",
        "zh": "停止正在运行的任务；检查点会保留，可以继续。",
    },
    arguments=JobId,
    run=_cancel_job,
    side_effect=True,
    writes=True,
)
