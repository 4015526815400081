"""All tools in one place, and their form for LangChain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from domainsmith.errors import ApprovalDenied, DomainSmithError, InputNotFound
from domainsmith.tools.curation import CURATE_DATA
from domainsmith.tools.data import GENERATE_DATA
from domainsmith.tools.evaluation import EVALUATE_MODEL
from domainsmith.tools.jobs import CANCEL_JOB, LIST_JOBS, SHOW_JOB
from domainsmith.tools.knowledge import ADD_DOCUMENTS, ANSWER_QUESTION, SEARCH_DOCUMENTS
from domainsmith.tools.lineage import TRACE_LINEAGE, WORKSPACE_STATUS
from domainsmith.tools.retrieval import TUNE_RETRIEVAL
from domainsmith.tools.selection import SELECT_DATA
from domainsmith.tools.serving import SERVE_MODEL
from domainsmith.tools.tool import Tool, ToolContext, ToolOptions, ToolResult
from domainsmith.tools.training import TRAIN_MODEL

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool

__all__ = [
    "TOOLS",
    "Tool",
    "ToolContext",
    "ToolOptions",
    "ToolResult",
    "as_langchain",
    "langchain_tools",
    "tool_named",
]

TOOLS: Mapping[str, Tool[Any]] = {
    tool.name: tool
    for tool in (
        ADD_DOCUMENTS,
        SEARCH_DOCUMENTS,
        ANSWER_QUESTION,
        GENERATE_DATA,
        SELECT_DATA,
        CURATE_DATA,
        TRAIN_MODEL,
        TUNE_RETRIEVAL,
        EVALUATE_MODEL,
        SERVE_MODEL,
        TRACE_LINEAGE,
        LIST_JOBS,
        SHOW_JOB,
        CANCEL_JOB,
        WORKSPACE_STATUS,
    )
}


def tool_named(name: str) -> Tool[Any]:
    """Return a tool.

    Args:
        name: Its name.

    Raises:
        InputNotFound: There is no such tool.
    """
    if name not in TOOLS:
        raise InputNotFound("There is no such tool", where=name, fix=f"Use one of {list(TOOLS)}.")
    return TOOLS[name]


def as_langchain(
    tool: Tool[Any],
    ctx: ToolContext,
    *,
    approve: Callable[[str, dict[str, Any]], bool] | None = None,
) -> StructuredTool:
    """Wrap a tool for LangChain's agents.

    Args:
        tool: The tool.
        ctx: What it works on.
        approve: Asked with name and arguments before a side effect; None refuses all of them.

    Returns:
        A tool whose result is the summary, with the :class:`ToolResult` as artifact. Errors of
        this package come back as text that the model can act on.
    """
    from langchain_core.tools import StructuredTool

    def run(**arguments: Any) -> tuple[str, ToolResult]:
        given = {k: v for k, v in arguments.items() if v is not None}
        try:
            if tool.side_effect and not (approve and approve(tool.name, given)):
                raise ApprovalDenied("This side effect was not approved", where=tool.name)
            result = tool.call(ctx, given)
        except DomainSmithError as error:
            result = ToolResult(ok=False, summary=f"{type(error).__name__}: {error}")
        return result.summary, result

    return StructuredTool.from_function(
        run,
        name=tool.name,
        description=tool.description[ctx.language],
        args_schema=tool.arguments,
        response_format="content_and_artifact",
    )


def langchain_tools(
    ctx: ToolContext, *, approve: Callable[[str, dict[str, Any]], bool] | None = None
) -> list[StructuredTool]:
    """Wrap all tools, for ``langchain.agents.create_agent``.

    Args:
        ctx: What they work on.
        approve: Asked before each side effect; None refuses all of them.

    Returns:
        The tools in a fixed order.
    """
    return [as_langchain(tool, ctx, approve=approve) for tool in TOOLS.values()]
