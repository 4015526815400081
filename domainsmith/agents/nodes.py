"""The analyst's nodes. Each returns its own keys only; what they decide is plain data.

Imports LangGraph, so only ``analyst.py`` imports this module.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer
from langgraph.types import Send, interrupt

from domainsmith.agents.act import run_step
from domainsmith.agents.approvals import approval_request, skipped_steps, undecided_steps
from domainsmith.agents.error_words import reason_in
from domainsmith.agents.planner import Planner
from domainsmith.agents.policy import Policy, budget_excess
from domainsmith.agents.replan import insert_producers, lacking_step
from domainsmith.agents.state import AnalystState, StepTask
from domainsmith.agents.summary import summarise
from domainsmith.agents.wording import sentence
from domainsmith.data_connection.language import detect_language
from domainsmith.memory import conversations
from domainsmith.records import Language, Plan, Step, content_hash
from domainsmith.tools.tool import Tool, ToolContext

__all__ = ["AnalystNodes"]


class AnalystNodes:
    """The nodes over one context.

    Args:
        ctx: What the tools work on.
        policy: What needs approval, and budgets.
        planner: Turns requests into plans.
        tools: The tools by name.
    """

    def __init__(
        self, ctx: ToolContext, policy: Policy, planner: Planner, tools: Mapping[str, Tool[Any]]
    ) -> None:
        self._ctx = ctx
        self._policy = policy
        self._planner = planner
        self._tools = tools

    def understand(self, state: AnalystState) -> dict[str, Any]:
        """Begin a turn: detect the language, forget the turn before."""
        return {
            "turn": state.get("turn", 0) + 1,
            "language": detect_language(state["request"]),
            "decisions": {},
            "results": None,
            "replanned": "",
            "stop": "",
            "answer": "",
        }

    def plan(self, state: AnalystState, config: RunnableConfig) -> dict[str, Any]:
        """Plan the request; its words, and what there is already, are all that is looked at."""
        asked, language = state.get("asked", ""), state["language"]
        if asked:
            plan = self._planner.plan_reply(asked, state["request"])
            if plan.request != state["request"]:  # the reply completed what was asked before
                language = detect_language(asked)
        else:
            plan = self._planner.plan(state["request"], language=language)
        again = asked and plan.question == self._planner.plan(asked).question
        asked_next = (asked if again else plan.request) if plan.question else ""
        plan, words = self._prepared(plan, language)
        if words:
            get_stream_writer()(_event("replanned", data={"text": words}))
        get_stream_writer()(_event("plan", data=plan.model_dump(mode="json")))
        return {
            "plan": plan.model_dump(mode="json"),
            "plan_id": _plan_id(plan, _thread(config), state["turn"]),
            "replanned": words,
            "language": language,
            "asked": asked_next,
        }

    def approve(self, state: AnalystState, config: RunnableConfig) -> dict[str, Any]:
        """Ask about all side effects of the plan at once.

        Runs from its beginning again when the answer comes: up to the interrupt it only reads.
        """
        thread = _thread(config)
        requests = [
            approval_request(self._ctx, self._tools[step.tool], step, state, thread_id=thread)
            for step in self._undecided(state, thread)
        ]
        if not requests:
            return {}
        given: Mapping[str, bool] = interrupt([asdict(request) for request in requests])
        fresh = {request.token: given.get(request.token) is True for request in requests}
        return {"decisions": {**state["decisions"], **fresh}}

    def next_steps(self, state: AnalystState) -> list[Send] | Literal["answer"]:
        """Send the next steps to ``act``: one that writes, or all that only read in a row."""
        if state["stop"]:
            return "answer"
        batch = self._next_batch(state)
        tasks = [
            StepTask(
                step=step.model_dump(mode="json"),
                plan_id=state["plan_id"],
                language=state["language"],
                decisions=state["decisions"],
                steps=len(state["plan"]["steps"]),
            )
            for step in batch
        ]
        return [Send("act", task) for task in tasks] or "answer"

    def after_observing(
        self, state: AnalystState, config: RunnableConfig
    ) -> list[Send] | Literal["answer", "approve"]:
        """Go on; a changed plan is approved first."""
        if not state["stop"] and self._undecided(state, _thread(config)):
            return "approve"
        return self.next_steps(state)

    def act(self, state: StepTask, config: RunnableConfig) -> dict[str, Any]:
        """Run one step."""
        step = Step.model_validate(state["step"])
        write = get_stream_writer()
        write(_event("step_started", step, {"arguments": step.arguments}))
        begin = time.monotonic()

        def tell(data: dict[str, Any]) -> None:
            write(_event("progress", step, data))

        result = run_step(
            self._ctx,
            self._tools[step.tool],
            step,
            state,
            thread_id=_thread(config),
            policy=self._policy,
            tell=tell,
        )
        row = {"tool": step.tool, **result, "seconds": round(time.monotonic() - begin, 3)}
        write(_event("step_finished", step, {**row, "steps": state.get("steps", 1)}))
        return {"results": {str(step.number): row}}

    def observe(self, state: AnalystState, config: RunnableConfig) -> dict[str, Any]:
        """Look at the results: go on, stop with an explanation, or replan once."""
        plan, results = Plan.model_validate(state["plan"]), state["results"]
        failed = next((s for s in plan.steps if _status(results, s) == "failed"), None)
        if failed is None:
            skipped = skipped_steps(plan, results, state["language"])
            excess = budget_excess(self._policy.budget, results)
            if excess and len(results) + len(skipped) < len(plan.steps):
                return {"stop": sentence("budget", state["language"], reason=excess)}
            return {"results": skipped}
        changed = None
        if not state["replanned"]:
            changed = insert_producers(plan, failed, self._tools, self._ctx)
        if changed is None:
            reason = reason_in(str(results[str(failed.number)]["summary"]), state["language"])
            return {
                "stop": sentence(
                    "failed",
                    state["language"],
                    number=failed.number,
                    tool=failed.tool,
                    reason=reason,
                )
            }
        new_plan, added = changed
        words = sentence(
            "replanned",
            state["language"],
            number=failed.number,
            tool=failed.tool,
            added=" + ".join(added),
        )
        get_stream_writer()(_event("replanned", failed, {"text": words}))
        get_stream_writer()(_event("plan", data=new_plan.model_dump(mode="json")))
        return {
            "plan": new_plan.model_dump(mode="json"),
            "plan_id": _plan_id(new_plan, _thread(config), state["turn"]),
            "replanned": words,
            "results": {str(failed.number): None},
        }

    def answer(self, state: AnalystState, config: RunnableConfig) -> dict[str, Any]:
        """Sum up, and keep the turn. Saving it twice is the same as once."""
        text = summarise(
            Plan.model_validate(state["plan"]),
            state["results"],
            state["language"],
            stop=state["stop"],
            replanned=state["replanned"],
        )
        made = [i for row in state["results"].values() for i in row["artifact_ids"]]
        answers = [i for i in made if i.startswith("answer_")]
        conversations.save_turn(
            self._ctx.workspace.threads_path,
            _thread(config),
            conversations.Turn(
                state["turn"], state["request"], text, answers[-1] if answers else None
            ),
        )
        return {"answer": text}

    def _prepared(self, plan: Plan, language: Language) -> tuple[Plan, str]:
        """Repair a plan before anything is approved or run, where that needs no question."""
        lacking = lacking_step(plan, self._tools, self._ctx)
        changed = None
        if lacking is not None:
            step, made = lacking
            changed = insert_producers(plan, step, self._tools, self._ctx, made=made)
        if lacking is None or changed is None:
            return plan, ""
        added = " + ".join(changed[1])
        step = lacking[0]
        words = sentence("prepared", language, number=step.number, tool=step.tool, added=added)
        return changed[0], words

    def _undecided(self, state: AnalystState, thread_id: str) -> list[Step]:
        return undecided_steps(state, self._tools, self._policy, thread_id=thread_id)

    def _next_batch(self, state: AnalystState) -> list[Step]:
        results = state["results"]
        batch: list[Step] = []
        for step in Plan.model_validate(state["plan"]).steps:
            if str(step.number) in results:
                continue
            if self._tools[step.tool].writes:
                return batch or [step]
            if any(str(n) not in results for n in step.needs):
                break
            batch.append(step)
        return batch


def _plan_id(plan: Plan, thread_id: str, turn: int) -> str:
    # The turn is in it: the same words asked again are a new plan and need a new approval.
    steps = [step.model_dump(mode="json") for step in plan.steps]
    return f"plan_{content_hash([steps, thread_id, turn])[:16]}"


def _thread(config: RunnableConfig) -> str:
    return str(config["configurable"]["thread_id"])


def _status(results: Mapping[str, Mapping[str, Any]], step: Step) -> str:
    row = results.get(str(step.number))
    return "" if row is None else str(row["status"])


def _event(
    kind: str, step: Step | None = None, data: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "step": None if step is None else step.number,
        "tool": "" if step is None else step.tool,
        "data": dict(data or {}),
    }
