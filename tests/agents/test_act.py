"""One step: what counts as done, and what must be done again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from obedient_agent import context

from domainsmith.agents.act import run_step
from domainsmith.agents.policy import Policy
from domainsmith.records import Step
from domainsmith.tools.tool import ToolResult
from domainsmith.tools.toolset import TOOLS
from domainsmith.workspace import Workspace

TASK = {"step": {}, "plan_id": "plan_1", "language": "en", "decisions": {}}


@pytest.fixture
def act(tmp_path):
    """Runs the one approved step, again and again, with the tool that it is given."""
    with Workspace.create(tmp_path / "w") as workspace:

        def run(tool):
            return run_step(
                context(workspace),
                tool,
                Step(number=1, tool=tool.name, arguments={}),
                TASK,
                thread_id="t",
                policy=Policy(allow=(tool.name,)),
                tell=lambda data: None,
            )

        yield run


def _tool(name, outcomes, **changes):
    """A tool that gives one outcome after another."""
    rest = iter(outcomes)

    def run(ctx, arguments):
        ok = next(rest)
        return ToolResult(ok=ok, summary="done" if ok else "not yet", data={"n": 1})

    return replace(TOOLS[name], run=run, **changes)


def test_an_effect_that_was_not_done_is_tried_again(act):
    tool = _tool("cancel_job", [False, True], arguments=TOOLS["train_model"].arguments)
    first, second, third = act(tool), act(tool), act(tool)
    assert (first["status"], first["summary"]) == ("failed", "not yet")
    assert (second["status"], second["data"]["repeated"]) == ("done", False)
    assert (third["status"], third["data"]["repeated"]) == ("done", True)


def test_an_effect_that_no_longer_holds_is_done_again(act):
    alive = [False]
    tool = _tool("serve_model", [True, True, False], holds=lambda ctx, data: alive.pop())
    assert act(tool)["data"]["repeated"] is False
    assert act(tool)["data"]["repeated"] is False, "the server had ended"
    alive.append(True)
    assert act(tool)["data"]["repeated"] is True
    alive.append(False)
    assert act(tool)["status"] == "failed"
