"""The whole loop on the example documents, driven by one sentence to the agent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from domainsmith.apps.assembly import Assembly
from domainsmith.apps.console import Console
from domainsmith.apps.demo_endpoint import ask_endpoint, free_port
from domainsmith.apps.demo_steps import LOOP, QUICK, DemoOptions, DemoStep, produced
from domainsmith.apps.demo_words import WORDS
from domainsmith.apps.examples import ExampleDomain, example_domain
from domainsmith.apps.output import one_line
from domainsmith.apps.scores import score_rows
from domainsmith.apps.terminal.events import event_lines
from domainsmith.apps.terminal.tail import LiveTail
from domainsmith.errors import DomainSmithError
from domainsmith.progress import ProgressEvent
from domainsmith.settings import LoadedSettings
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.agents.state import AgentEvent, AgentResult, ApprovalRequest

__all__ = ["Demo"]


@dataclass
class Demo:
    """One run of the demo.

    Args:
        workspace: The open workspace of the demo.
        settings: Models, device and sizes, and which of them were given.
        console: Where everything is shown.
        approve: Asked about each side effect that the agent plans.
        options: Language and size.
        tail: The live line for progress.
    """

    workspace: Workspace
    settings: LoadedSettings
    console: Console
    approve: Callable[[ApprovalRequest], bool]
    options: DemoOptions
    tail: LiveTail
    steps: list[DemoStep] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def run(self) -> bool:
        """Run every step; go on after a failure where the next step can.

        Returns:
            True if every step produced something.
        """
        example = example_domain(self.options.language)
        assembly = Assembly(self.workspace, self.settings.values)
        with ExitStack() as stack:
            stack.callback(assembly.close)
            stack.callback(self.tail.clear)
            agent = stack.enter_context(self._agent(assembly, example))
            loop = self._request(agent, example.request, "loop")
            self._take_loop(loop)
            for number, question in enumerate(example.asked, start=1):
                self._question(agent, question, f"ask {number}", refused=False)
            self._question(agent, example.refused, "refuse", refused=True)
            adapter_id = self.data.get("adapter_id")
            if adapter_id:
                self._serve(assembly, example, str(adapter_id))
            else:
                self._note("serve", self._words["no_adapter"], 0.0, ok=False)
        self._print_summary()
        self.data["steps"] = [asdict(step) for step in self.steps]
        return all(step.ok for step in self.steps)

    @contextmanager
    def _agent(self, assembly: Assembly, example: ExampleDomain) -> Iterator[Any]:
        from domainsmith.agents.analyst import build_analyst
        from domainsmith.memory.conversations import open_checkpointer

        context = assembly.context(
            language=self.options.language, folder=example.root, **self.sizes()
        )
        with open_checkpointer(self.workspace.threads_path) as checkpointer:
            yield build_analyst(context, checkpointer, policy=assembly.policy())

    def sizes(self) -> dict[str, Any]:
        """Return what ``--quick`` makes smaller, less what the settings were given."""
        if not self.options.quick:
            return {}
        given = {name for name, origin in self.settings.origins.items() if origin != "default"}
        return {name: value for name, value in QUICK.items() if name not in given}

    def _request(self, agent: Any, request: str, thread: str) -> AgentResult:
        """Give the agent one sentence. A run that was killed goes on at its unfinished step."""
        from domainsmith.agents.analyst import run_request

        self.console.data(f"\n> {request}")
        result = run_request(
            agent,
            request,
            thread_id=self._thread(agent, request, f"demo-{self.options.language}-{thread}"),
            approve=self.approve,
            on_event=self._show,
        )
        self.tail.clear()
        self.console.data(result.text)
        return result

    def _thread(self, agent: Any, request: str, prefix: str) -> str:
        """Choose a conversation: the one that was interrupted in this request, or a new one.

        A conversation of an earlier run would put its question into this one's context.
        """
        from domainsmith.agents.analyst import pending_request
        from domainsmith.memory.conversations import turns

        for number in count(1):
            thread = f"{prefix}-{number}"
            if pending_request(agent, thread) == request:
                return thread
            if not turns(self.workspace.threads_path, thread):
                return thread
        raise AssertionError("count() has no end")

    def _show(self, event: AgentEvent) -> None:
        if event.kind == "progress":
            self.tail(ProgressEvent(**event.data))
            return
        self.tail.clear()
        for line in event_lines(event, self.options.language):
            self.console.note(line)

    def _take_loop(self, result: AgentResult) -> None:
        """Check what the agent's plan produced, step by step."""
        rows = {str(row["tool"]): row for row in result.results.values()}
        for tool in LOOP:
            row = rows.get(tool)
            if row is None:
                self._note(tool, self._words["no_step"], 0.0, ok=False)
                continue
            ok = bool(row["ok"]) and produced(tool, row["data"], quick=self.options.quick)
            self._note(tool, one_line(row["summary"], 160), float(row["seconds"]), ok=ok)
            self.data[tool] = row["data"]
        self.data["plan"] = result.plan.model_dump(mode="json")
        self.data["adapter_id"] = rows.get("train_model", {}).get("data", {}).get("adapter_id")
        header, scores = score_rows(self.data.get("evaluate_model", {}))
        if scores:
            self.console.table(header, scores, title=self._words["scores"], drawn=True)

    def _question(self, agent: Any, question: str, name: str, *, refused: bool) -> None:
        started = time.monotonic()
        result = self._request(agent, question, name)
        answers = [
            row["data"]["answer"] for row in result.results.values() if row["data"].get("answer")
        ]
        answer = answers[-1] if answers else {}
        ok = bool(answer) and bool(answer["refused"]) == refused
        ok = ok and (refused or bool(answer["citations"]))
        cited = ", ".join(sorted({item["document_path"] for item in answer.get("citations", ())}))
        text = one_line(answer.get("text", result.text), 110)
        outcome = f"{text} ({cited})" if cited else text
        self._note(name, outcome, time.monotonic() - started, ok=ok)

    def _serve(self, assembly: Assembly, example: ExampleDomain, adapter_id: str) -> None:
        """Serve the tuned model, ask it as any client would, show where the answer is from."""
        from domainsmith.tools.serving import stop_endpoint
        from domainsmith.tools.toolset import tool_named

        context = assembly.context(language=self.options.language)
        started = time.monotonic()
        try:
            served = tool_named("serve_model").call(
                context, {"port": free_port(), "adapter": adapter_id}
            )
            url = str(served.data["endpoint"]["url"])
            self._note("serve", f"{adapter_id}, {url}", time.monotonic() - started)
            answer_id = self._ask_served("endpoint", url, "domainsmith", example.served)
            # The model's own words, without documents: what is not in them it may refuse.
            self._ask_served("endpoint_alone", url, adapter_id, example.served, may_refuse=True)
            self._show_lineage(answer_id, adapter_id)
        except DomainSmithError as error:
            self._note("serve", str(error), time.monotonic() - started, ok=False)
        finally:
            stop_endpoint(context)

    def _ask_served(
        self, name: str, url: str, model: str, question: str, *, may_refuse: bool = False
    ) -> str:
        started = time.monotonic()
        self.console.data(f"\n> [{url} {model}] {question}")
        reply = ask_endpoint(url, model, question)
        self.console.data(reply.text)
        ok = may_refuse or not reply.refused
        outcome = ("" if ok else self._words["refused"]) + one_line(reply.text, 110)
        self._note(name, f"{outcome} [{reply.method}]", time.monotonic() - started, ok=ok)
        self.data[name] = asdict(reply)
        return reply.id

    def _show_lineage(self, answer_id: str, adapter_id: str) -> None:
        from domainsmith.apps.cli.trace import lineage_tree

        started = time.monotonic()
        tree = lineage_tree(self.workspace.db, answer_id, shown=3)
        for line in tree:
            self.console.data(line)
        traced = any(adapter_id in line for line in tree)
        lines = self._words["lines"].format(count=len(tree), id=answer_id)
        self._note("trace", lines, time.monotonic() - started, ok=traced)
        self.data["lineage"] = tree

    def _print_summary(self) -> None:
        words = self._words
        self.console.table(
            [words["step"], words["outcome"], words["seconds"] + "#"],
            [
                [s.title, ("" if s.ok else words["failed"]) + s.outcome, f"{s.seconds:.1f}"]
                for s in self.steps
            ],
            title=words["summary"],
            drawn=True,
        )

    @property
    def _words(self) -> dict[str, str]:
        return WORDS[self.options.language]

    def _note(self, name: str, outcome: str, seconds: float, *, ok: bool = True) -> None:
        title = self._title(name)
        self.steps.append(DemoStep(name, outcome, round(seconds, 1), ok, title))

    def _title(self, name: str) -> str:
        from domainsmith.tools.toolset import TOOLS

        if name in TOOLS:
            return TOOLS[name].title[self.options.language]
        kind, _, number = name.partition(" ")
        return self._words[kind].format(number=number)
