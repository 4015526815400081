"""The curator: cover the documents, generate where the student is weak, until it is enough.

read the wish -> ask the student -> choose passages -> generate -> grade and select -> measure,
and again, until the target, a limit or a plateau; then a selected dataset is written. Nobody is
asked anything. Each step is on the disk before the next begins, and what a round generates is
appended block by block, so the same call goes on after a kill anywhere.
"""

from __future__ import annotations

import contextvars
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

# isort: off
# First of all heavy imports: it switches strict reading of checkpoints on.
from domainsmith.memory import conversations

from langgraph.graph import END, START, StateGraph

# isort: on
from domainsmith.agents.curation.bench import Bench, student_name
from domainsmith.agents.curation.finish import write_curated
from domainsmith.agents.curation.goal import Budget, Goal
from domainsmith.agents.curation.log import DecisionLog, read_log
from domainsmith.agents.curation.nodes import CuratorNodes
from domainsmith.agents.curation.produce import WAYS
from domainsmith.agents.curation.state import CuratorState, StopReason
from domainsmith.agents.curation.wish import Wish, read_wish, read_wish_by_model
from domainsmith.errors import ArtifactCorrupt, YieldTooLow
from domainsmith.prompts import prompt_sha256
from domainsmith.records import Question, content_hash
from domainsmith.storage.locks import hold
from domainsmith.storage.passages import passages_fingerprint
from domainsmith.tools.current import note_latest
from domainsmith.tools.tool import ToolContext
from domainsmith.training.dataset_folder import DatasetInfo, find_dataset

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver

__all__ = ["Curation", "CurationInterrupted", "CurationRequest", "build_curator", "curate"]

_VERSION = 2
"""Raised when the same inputs would give other records: it is part of a curation's identity."""
_CHECKPOINTS = "checkpoints.sqlite"
_LIMITS = frozenset({"rounds", "minutes", "tokens"})
_SUPERSTEPS = 100_000
"""More than any budget of rounds takes; LangGraph's own limit is a backstop."""


@dataclass(frozen=True)
class CurationRequest:
    """What is asked of the curator.

    Args:
        wish: In words: how many records, stronger on what; may be empty.
        target: Records; None takes the wish's number, else the setting's.
        minutes: Working time; None takes the wish's, else 60.
        rounds: Rounds; None takes the wish's, else 8.
        tokens: Tokens through models; None takes the wish's, else no limit.
        patience: Rounds without a better state before it ends.
    """

    wish: str = ""
    target: int | None = None
    minutes: float | None = None
    rounds: int | None = None
    tokens: int | None = None
    patience: int = 2


@dataclass(frozen=True)
class Curation:
    """What a curation came to.

    Args:
        id: Its id, the name of its folder under ``curations``.
        folder: Where its log lies.
        dataset: The dataset that it wrote.
        stop: Why it ended.
        rounds: Rounds made.
        log: Its decisions, oldest first.
        repeated: True if it had ended before this call.
    """

    id: str
    folder: Path
    dataset: DatasetInfo
    stop: StopReason
    rounds: int
    log: tuple[Mapping[str, Any], ...]
    repeated: bool = False


class CurationInterrupted(KeyboardInterrupt):
    """Ctrl-C came; what there was is written.

    Args:
        curation: With the dataset of the records so far; None if there were none.
    """

    def __init__(self, curation: Curation | None) -> None:
        super().__init__("the curation was interrupted")
        self.curation = curation


def curate(ctx: ToolContext, request: CurationRequest, questions: list[Question]) -> Curation:
    """Make a dataset to a target, unattended.

    Args:
        ctx: Whose documents and models.
        request: What is wanted, and the limits. An equal wish and target on the same documents
            is the same curation: it goes on where it stopped, and one that ended because of a
            limit goes on when it is given more.
        questions: Test questions; the passages behind them are not used.

    Returns:
        The curation with its dataset.

    Raises:
        CurationInterrupted: Ctrl-C; a valid dataset was written first.
        InputEmpty: There are no passages to generate from.
        YieldTooLow: The documents or the model give no usable records; says at which stage.
        WorkspaceLocked: Another process works on this curation.
    """
    # Called from a node of the analyst's graph, this graph would else write into its checkpoints.
    return contextvars.Context().run(_curate, ctx, request, questions)


def build_curator(nodes: CuratorNodes, checkpointer: BaseCheckpointSaver[Any]) -> Any:
    """Build the graph.

    Args:
        nodes: Over one curation.
        checkpointer: From :func:`domainsmith.memory.conversations.open_checkpointer`.

    Returns:
        The compiled graph.

    Raises:
        InternalError: Strict reading of checkpoints is off.
    """
    conversations.assert_strict()
    graph = StateGraph(CuratorState)
    for name in ("read", "examine", "choose", "generate", "review", "finish"):
        graph.add_node(name, getattr(nodes, name))
    graph.add_edge(START, "read")
    graph.add_edge("read", "examine")
    graph.add_edge("examine", "choose")
    graph.add_conditional_edges("choose", nodes.after_choosing, ["generate", "finish"])
    graph.add_edge("generate", "review")
    graph.add_conditional_edges("review", nodes.after_review, ["examine", "finish"])
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer, name="curator")


def _curate(ctx: ToolContext, request: CurationRequest, questions: list[Question]) -> Curation:
    wish = _read(ctx, request.wish)
    goal = Goal(
        target=request.target or wish.target or ctx.options.records,
        wish=request.wish.strip(),
        focus=wish.focus,
        only=wish.only,
        language=wish.language,
        reader=wish.reader,
    )
    folder = ctx.workspace.curations_dir / _identity(ctx, goal, questions)
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(ctx, folder, goal, questions, ctx.options.seed)
    with hold(folder / "lock", purpose="curating data"):
        log = DecisionLog(folder)
        with conversations.open_checkpointer(folder / _CHECKPOINTS) as checkpointer:
            budget = _budget(request, wish)
            graph = build_curator(CuratorNodes(bench, log, budget), checkpointer)
            return _run(graph, bench, log, budget)


def _run(graph: Any, bench: Bench, log: DecisionLog, budget: Budget) -> Curation:
    config: RunnableConfig = {
        "configurable": {"thread_id": bench.folder.name},
        "recursion_limit": _SUPERSTEPS,
    }
    snapshot = graph.get_state(config)
    state = snapshot.values
    if state.get("dataset_id") and not snapshot.next:
        known = find_dataset(bench.ctx.workspace, state["dataset_id"])
        if known is not None and not _goes_on(state, budget):
            note_latest(bench.ctx.workspace, "selected", known.id)
            return _result(bench, state, known, repeated=True)
    # What was cut off goes on at its node; what had ended is taken up with its new limits.
    taken_up = {"run": state.get("run", -1) + 1, "stop": "", "stale": 0}
    try:
        graph.invoke(None if snapshot.next else taken_up, config, durability="sync")
    except KeyboardInterrupt as stop:
        raise CurationInterrupted(_interrupted(graph, config, bench, log)) from stop
    state = graph.get_state(config).values
    return _result(bench, state, _dataset(bench, state["dataset_id"]))


def _interrupted(
    graph: Any, config: RunnableConfig, bench: Bench, log: DecisionLog
) -> Curation | None:
    """Write what there is; the curation itself stays where it was."""
    state = {**graph.get_state(config).values, "stop": "interrupted"}
    try:
        return _result(bench, state, write_curated(bench, "interrupted", log, state))
    except YieldTooLow:
        return None


def _goes_on(state: Mapping[str, Any], budget: Budget) -> bool:
    """Tell whether a curation that ended because of a limit has been given more."""
    within = (
        state["round"] < budget.rounds
        and state["seconds"] < budget.minutes * 60
        and (budget.tokens == 0 or state["tokens"] < budget.tokens)
    )
    return state["stop"] in _LIMITS and within


def _dataset(bench: Bench, dataset_id: str) -> DatasetInfo:
    found = find_dataset(bench.ctx.workspace, dataset_id)
    if found is None:
        raise ArtifactCorrupt("The curated dataset is gone or damaged", where=dataset_id)
    return found


def _result(
    bench: Bench, state: Mapping[str, Any], dataset: DatasetInfo, *, repeated: bool = False
) -> Curation:
    return Curation(
        id=bench.folder.name,
        folder=bench.folder,
        dataset=dataset,
        stop=state["stop"],
        rounds=int(state.get("round", 0)),
        log=tuple(read_log(bench.folder)),
        repeated=repeated,
    )


def _read(ctx: ToolContext, words: str) -> Wish:
    if not words.strip():
        return Wish(language=ctx.language)
    # The embedded model does not follow such instructions; any other is asked.
    if ctx.options.chat_model == "default":
        return read_wish(words)
    return read_wish_by_model(words, ctx.models.engine())


def _budget(request: CurationRequest, wish: Wish) -> Budget:
    limits = Budget(patience=request.patience)
    return replace(
        limits,
        rounds=request.rounds or wish.rounds or limits.rounds,
        minutes=request.minutes or wish.minutes or limits.minutes,
        tokens=request.tokens or wish.tokens or limits.tokens,
    )


def _identity(ctx: ToolContext, goal: Goal, questions: Sequence[Question]) -> str:
    names = ("self_qa_question", "refusals_foreign", "refusals_things", "refusal")
    values = {
        "version": _VERSION,
        "passages": passages_fingerprint(ctx.workspace.db),
        "exclude": sorted(item.id for item in questions),
        "target": goal.target,
        "wish": goal.wish,
        "reader": goal.reader,
        "seed": ctx.options.seed,
        "model": ctx.models.engine().model_name,
        "student": student_name(ctx),
        "embedder": ctx.models.embedder().model_name,
        "ways": list(WAYS),
        "prompts": [prompt_sha256(name, lang) for name in names for lang in ("en", "zh")],
    }
    return f"curation_{content_hash(values)[:16]}"
