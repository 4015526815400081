"""Tools that tell where things come from and what there is."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import Field

from domainsmith.counts import counted
from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.storage import documents as document_store
from domainsmith.storage import jobs as job_store
from domainsmith.storage import lineage
from domainsmith.storage import passages as passage_store
from domainsmith.tools.tool import NoArguments, Tool, ToolArguments, ToolContext, ToolResult, say

__all__ = ["TRACE_LINEAGE", "WORKSPACE_STATUS", "complete_id"]

_LISTED = 12


class ArtifactId(ToolArguments):
    """Arguments of ``trace_lineage``."""

    id: str = Field(pattern=r"^[a-z]+_[0-9a-f]{4,64}$", description="Id of an artifact")


def complete_id(ctx: ToolContext, id: str) -> str:
    """Complete an abbreviated id.

    Args:
        ctx: Where to look.
        id: The beginning of an id.

    Returns:
        The full id.

    Raises:
        InputNotFound: Nothing begins so.
        InputInvalid: Several do.
    """
    found = lineage.find(ctx.workspace.db, id)
    found = found or [r.id for r in job_store.jobs(ctx.workspace.db) if r.id.startswith(id)]
    if not found:
        raise InputNotFound(
            "There is nothing with this id",
            where=id,
            fix="Check the id; `domainsmith jobs` and the workspace's status name those there are.",
        )
    if len(found) > 1 and id not in found:
        raise InputInvalid(
            f"{len(found)} things begin with this id", where=id, fix="Give more of its digits."
        )
    return id if id in found else found[0]


def _trace_lineage(ctx: ToolContext, arguments: ArtifactId) -> ToolResult:
    db = ctx.workspace.db
    id = complete_id(ctx, arguments.id)
    up = lineage.ancestors(db, id)
    down = lineage.descendants(db, id)
    above = sorted({edge.parent for edge in up})
    below = sorted({edge.child for edge in down})
    lines = [id]
    for title, ids in (
        (say(ctx, "made from", "来自"), above),
        (say(ctx, "used in", "用于"), below),
    ):
        kinds = Counter(i.split("_")[0] for i in ids)
        counts = ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())) or "-"
        lines.append(f"{title}: {counts}")
    documents = [i for i in [*above, id] if i.startswith("document_")]
    for document_id in documents[:_LISTED]:
        lines.append(f"  {document_id} {document_store.document(db, document_id).path}")
    return ToolResult(
        ok=True,
        summary="\n".join(lines),
        artifact_ids=(id, *above[:_LISTED], *below[:_LISTED]),
        data={
            "id": id,
            "ancestors": [[e.child, e.parent, e.depth] for e in up],
            "descendants": [[e.child, e.parent, e.depth] for e in down],
        },
    )


def _workspace_status(ctx: ToolContext, arguments: NoArguments) -> ToolResult:
    from domainsmith.training.gate import promoted_adapter

    db = ctx.workspace.db
    paths = list(document_store.document_paths(db).values())
    jobs = job_store.jobs(db)
    data: dict[str, Any] = {
        "documents": len(paths),
        "passages": passage_store.count_passages(db),
        "datasets": lineage.artifact_ids(db, "dataset"),
        "jobs": dict(sorted(Counter(row.state for row in jobs).items())),
        "adapters": lineage.artifact_ids(db, "adapter"),
        "reports": lineage.artifact_ids(db, "report"),
        "promoted": promoted_adapter(ctx.workspace),
        "paths": paths,
    }
    names = ", ".join(paths[:_LISTED])
    more = "" if len(paths) <= _LISTED else ", ..."
    listed = say(ctx, f" ({names}{more})", f"（{names}{more}）") if paths else ""
    summary = say(
        ctx,
        f"{counted(len(paths), 'document')}{listed}, {counted(data['passages'], 'passage')}, "
        f"{counted(len(data['datasets']), 'dataset')}, {counted(len(jobs), 'job')}, "
        f"{counted(len(data['adapters']), 'adapter')}, "
        f"{counted(len(data['reports']), 'report')}; promoted: {data['promoted'] or 'none'}.",
        f"{len(paths)} 篇文档{listed}，{data['passages']} 个段落，"
        f"{len(data['datasets'])} 个数据集，{len(jobs)} 个任务，{len(data['adapters'])} 个适配器，"
        f"{len(data['reports'])} 份报告；当前采用：{data['promoted'] or '无'}。",
    )
    return ToolResult(ok=True, summary=summary, data=data)


TRACE_LINEAGE = Tool(
    name="trace_lineage",
    title={"en": "Trace lineage", "zh": "追溯来源"},
    description={
        "en": "Show what an answer, record, dataset, adapter or document was made from and what "
        "was made from it.",
        "zh": "显示一个答案、记录、数据集、适配器或文档由什么产生，又产生了什么。",
    },
    arguments=ArtifactId,
    run=_trace_lineage,
)
WORKSPACE_STATUS = Tool(
    name="workspace_status",
    title={"en": "Workspace status", "zh": "工作区状态"},
    description={
        "en": "Say what the workspace holds: documents, passages, datasets, jobs, adapters.",
        "zh": "说明工作区里有什么：文档、段落、数据集、任务、适配器。",
    },
    arguments=NoArguments,
    run=_workspace_status,
)
