"""The real tools' shapes with bodies that only count: for tests of the agent, also as a process.

Run as ``python tests/agents/obedient_agent.py WORKSPACE THREAD REQUEST [TOOL]``: the process kills
itself with SIGKILL in the middle of TOOL.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from domainsmith.agents.analyst import build_analyst, run_request
from domainsmith.agents.planner import Planner
from domainsmith.agents.policy import Policy
from domainsmith.memory.conversations import open_checkpointer
from domainsmith.progress import ProgressEvent
from domainsmith.tools.tool import Tool, ToolContext, ToolResult
from domainsmith.tools.toolset import TOOLS
from domainsmith.workspace import Workspace

Run = Callable[[ToolContext, Any], ToolResult]


class NoModels:
    """No test of the agent may load a model."""

    def engine(self):
        raise AssertionError("a model was loaded")

    embedder = index = engine


def log_path(ctx: ToolContext) -> Path:
    """Where each body writes one line, outside the database: the ledger of real effects."""
    return ctx.workspace.root / "effects.log"


def counting(name: str, *, die: bool = False) -> Run:
    """A body that writes its name down; with ``die`` it is killed between start and end."""

    def run(ctx: ToolContext, arguments: Any) -> ToolResult:
        ctx.progress(ProgressEvent(name, 1, 2))
        with log_path(ctx).open("a", encoding="utf-8") as log:
            log.write(f"{name} {arguments.model_dump_json(exclude_none=True)}\n")
        if die:
            os.kill(os.getpid(), signal.SIGKILL)
        return ToolResult(ok=True, summary=f"{name} made 3 of 4 things, 1 failed.")

    return run


def tools_with(bodies: dict[str, Run] | None = None, *, die: str = "") -> dict[str, Tool[Any]]:
    """All tools with counting bodies and no estimates; some bodies replaced."""
    return {
        name: replace(
            tool, run=(bodies or {}).get(name, counting(name, die=name == die)), estimate=None
        )
        for name, tool in TOOLS.items()
    }


def context(workspace: Workspace) -> ToolContext:
    """A context without models."""
    return ToolContext(workspace=workspace, models=NoModels())


def ask(
    workspace: Workspace,
    request: str,
    *,
    thread: str = "t",
    tools: dict[str, Tool[Any]] | None = None,
    policy: Policy | None = None,
    approve: Callable[[Any], bool] = lambda request: True,
    on_event: Callable[[Any], None] = lambda event: None,
):
    """Run one request on the obedient tools, planned without sentence vectors."""
    tools = tools or tools_with()
    with open_checkpointer(workspace.threads_path) as checkpointer:
        graph = build_analyst(
            context(workspace), checkpointer, policy=policy, planner=Planner(tools), tools=tools
        )
        return run_request(graph, request, thread, approve, on_event)


def main() -> None:
    """Run one request in this process."""
    root, thread, request, *rest = sys.argv[1:]
    with Workspace.create(Path(root)) as workspace:
        result = ask(workspace, request, thread=thread, tools=tools_with(die="".join(rest)))
    sys.stdout.write(result.text)


if __name__ == "__main__":
    main()
