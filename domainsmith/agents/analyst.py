"""The analyst: understand -> plan -> approve -> act -> observe -> answer, checkpointed.

Each step is on the disk before the next begins (``durability="sync"``). A side effect goes
through the effects table, so a step that a kill interrupted is taken up and not done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

# isort: off
# First of all heavy imports: it switches strict reading of checkpoints on.
from domainsmith.memory import conversations

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

# isort: on
from domainsmith.agents.bare_names import names_here
from domainsmith.agents.nodes import AnalystNodes
from domainsmith.agents.planner import Planner
from domainsmith.agents.policy import Policy
from domainsmith.agents.state import (
    AgentEvent,
    AgentResult,
    AnalystState,
    ApprovalRequest,
    StepTask,
)
from domainsmith.errors import InputInvalid
from domainsmith.records import Plan
from domainsmith.tools.tool import Tool, ToolContext
from domainsmith.tools.toolset import TOOLS

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.types import StateSnapshot

__all__ = ["LONGEST_REQUEST", "Analyst", "build_analyst", "pending_request", "run_request"]

LONGEST_REQUEST = 8_000
"""Characters of a request; reading one takes time that grows faster than its length."""
_SUPERSTEPS = 1000
"""More than the policy's budget lets any request take; LangGraph's own limit is a backstop."""

if TYPE_CHECKING:
    Analyst = CompiledStateGraph[Any, Any, Any, Any]
else:
    Analyst = Any
Approve = Callable[[ApprovalRequest], bool]
OnEvent = Callable[[AgentEvent], None]


def build_analyst(
    ctx: ToolContext,
    checkpointer: BaseCheckpointSaver[Any],
    *,
    policy: Policy | None = None,
    planner: Planner | None = None,
    tools: Mapping[str, Tool[Any]] = TOOLS,
) -> Analyst:
    """Build the graph.

    Args:
        ctx: What the tools work on.
        checkpointer: From :func:`domainsmith.memory.conversations.open_checkpointer`.
        policy: What needs approval, and budgets; the strict defaults if None.
        planner: Turns requests into plans; the standard one if None.
        tools: The tools by name.

    Returns:
        The compiled graph, for :func:`run_request`.

    Raises:
        InternalError: Strict reading of checkpoints is off.
    """
    conversations.assert_strict()
    # Plans must not hang on what search was tuned with.
    embedder = getattr(ctx.models, "base_embedder", ctx.models.embedder)
    planner = planner or Planner(tools, embedder, names_here)
    nodes = AnalystNodes(ctx, policy or Policy(), planner, tools)
    graph = StateGraph(AnalystState)
    graph.add_node("understand", nodes.understand)
    graph.add_node("plan", nodes.plan)
    graph.add_node("approve", nodes.approve)
    graph.add_node("act", nodes.act, input_schema=StepTask)
    graph.add_node("observe", nodes.observe)
    graph.add_node("answer", nodes.answer)
    graph.add_edge(START, "understand")
    graph.add_edge("understand", "plan")
    graph.add_edge("plan", "approve")
    graph.add_conditional_edges("approve", nodes.next_steps, ["act", "answer"])
    graph.add_edge("act", "observe")
    graph.add_conditional_edges("observe", nodes.after_observing, ["act", "approve", "answer"])
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer, name="analyst")


def pending_request(graph: Analyst, thread_id: str) -> str | None:
    """Return the request that a conversation was interrupted in, or None.

    Args:
        graph: From :func:`build_analyst`.
        thread_id: The conversation; it need not exist.
    """
    snapshot = graph.get_state({"configurable": {"thread_id": thread_id}})
    return str(snapshot.values["request"]) if _unfinished(snapshot) else None


def run_request(
    graph: Analyst,
    request: str,
    thread_id: str,
    approve: Approve,
    on_event: OnEvent = lambda event: None,
) -> AgentResult:
    """Do what a person asks for.

    If the conversation was interrupted in this same request (by a kill, Ctrl-C or while a
    question was open), it goes on at the unfinished step. Another request takes its place;
    finished steps are kept either way.

    Args:
        graph: From :func:`build_analyst`.
        request: The person's words.
        thread_id: The conversation.
        approve: Asked about each side effect; True lets exactly that one happen.
        on_event: Told what happens.

    Returns:
        The answer, the plan and the results of its steps. Failures are in it, not raised.

    Raises:
        InputInvalid: The request is too long to be one.
    """
    if len(request) > LONGEST_REQUEST:
        raise InputInvalid(
            f"The request has {len(request)} characters; {LONGEST_REQUEST} are read at most",
            fix="Put long texts into a file and ask to add it.",
        )
    config: RunnableConfig = {
        "configurable": {"thread_id": thread_id},
        "recursion_limit": _SUPERSTEPS,
    }
    snapshot = graph.get_state(config)
    going_on = _unfinished(snapshot) and snapshot.values.get("request") == request
    turn: Any = None if going_on else {"request": request}
    if going_on:
        on_event(AgentEvent("resumed", data={"plan": snapshot.values.get("plan", {})}))
        questions = [q for task in snapshot.tasks for q in task.interrupts]
        if questions:
            turn = _ask([q.value for q in questions], approve, on_event)
    while True:
        asked: list[Any] = []
        parts: Any = graph.stream(
            turn, config, stream_mode=["custom", "updates"], durability="sync"
        )
        # Closed also on Ctrl-C: what ran beside it has then ended and is on the disk.
        with closing(parts):
            for mode, part in parts:
                if mode == "custom":
                    on_event(AgentEvent(**part))
                elif "__interrupt__" in part:
                    asked += [question.value for question in part["__interrupt__"]]
        if not asked:
            return _result(graph.get_state(config).values)
        turn = _ask(asked, approve, on_event)


def _unfinished(snapshot: StateSnapshot) -> bool:
    # A task that is done, whose result is stored but not yet taken up, is not among the next ones.
    return bool(snapshot.next or snapshot.tasks)


def _ask(
    questions: Sequence[Sequence[Mapping[str, Any]]], approve: Approve, on_event: OnEvent
) -> Command[Any]:
    decisions: dict[str, bool] = {}
    for batch in questions:
        for fields in batch:
            request = ApprovalRequest(**fields)
            on_event(AgentEvent("approval", request.step, request.tool, dict(fields)))
            decisions[request.token] = approve(request) is True
    return Command(resume=decisions)


def _result(state: Mapping[str, Any]) -> AgentResult:
    plan = Plan.model_validate(state["plan"])
    results = {int(number): row for number, row in state["results"].items()}
    done = all(results.get(s.number, {}).get("status") == "done" for s in plan.steps)
    return AgentResult(
        text=state["answer"], plan=plan, results=results, ok=done and not plan.question
    )
