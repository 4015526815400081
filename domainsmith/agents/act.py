"""Run one step under the policy; whatever happens comes back as a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from domainsmith.agents.policy import Policy, approval_token
from domainsmith.agents.state import StepTask
from domainsmith.agents.wording import sentence
from domainsmith.errors import ApprovalDenied, DomainSmithError, InternalError
from domainsmith.memory import conversations
from domainsmith.progress import ProgressEvent
from domainsmith.records import Step
from domainsmith.storage import effects
from domainsmith.tools.tool import Tool, ToolContext, ToolResult

__all__ = ["run_step"]

_EFFECT_WAIT_S = 5.0
"""Seconds to wait for another process that does the same effect now."""
_HISTORY = 6


def run_step(
    ctx: ToolContext,
    tool: Tool[Any],
    step: Step,
    task: StepTask,
    *,
    thread_id: str,
    policy: Policy,
    tell: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Run a step.

    Args:
        ctx: What the tool works on.
        tool: The tool.
        step: The step.
        task: Its plan, language and the person's decisions.
        thread_id: The conversation.
        policy: Checked right before the tool runs, with the arguments that it will get.
        tell: Given each report of progress as plain data.

    Returns:
        The tool's result as plain data with a ``status``: done, failed or denied.
    """

    def progress(event: ProgressEvent) -> None:
        tell(asdict(event))

    turns = conversations.turns(ctx.workspace.threads_path, thread_id)
    own = replace(
        ctx,
        progress=progress,
        language=task["language"],
        history=tuple((t.question, t.answer) for t in turns if t.answer_id)[-_HISTORY:],
    )
    try:
        token = approval_token(tool, step, thread_id=thread_id, plan_id=task["plan_id"])
        policy.check(tool, token, task["decisions"])
        result = _perform(own, tool, step, token)
        return {**result, "status": "done" if result["ok"] else "failed"}
    except ApprovalDenied:
        words = sentence("denied", task["language"], number=step.number, tool=step.tool)
        return {**ToolResult(ok=False, summary=words).as_dict(), "status": "denied"}
    except DomainSmithError as error:
        return _failure(error)
    except Exception as error:  # noqa: BLE001 - the border: a defect ends the step, not the agent
        return _failure(InternalError(f"{type(error).__name__}: {error}", where=tool.name))


class _NotDone(Exception):
    """A side effect's tool came back without having done it."""

    def __init__(self, result: ToolResult) -> None:
        super().__init__(result.summary)
        self.result = result


def _perform(ctx: ToolContext, tool: Tool[Any], step: Step, token: str) -> dict[str, Any]:
    if not tool.side_effect:
        return tool.call(ctx, step.arguments).as_dict()

    def run() -> dict[str, Any]:
        result = tool.call(ctx, step.arguments)
        if not result.ok:
            raise _NotDone(result)  # so that it is not kept as done, and may be tried again
        return result.as_dict()

    try:
        # The approval's token is the effect's key: one approval, one effect, also after a kill.
        done = effects.once(ctx.workspace.db, token, kind=tool.name, run=run, wait_s=_EFFECT_WAIT_S)
        result, repeated = done.result, done.repeated
        if repeated and tool.holds is not None and not tool.holds(ctx, result["data"]):
            # What was done is undone since (a server has ended): such tools are repeatable.
            result, repeated = run(), False
    except _NotDone as outcome:
        return outcome.result.as_dict()
    return {**result, "data": {**result["data"], "repeated": repeated}}


def _failure(error: DomainSmithError) -> dict[str, Any]:
    data = {"error": type(error).__name__, "exit_code": error.exit_code}
    return {**ToolResult(ok=False, summary=str(error), data=data).as_dict(), "status": "failed"}
