"""The whole loop on the example documents, driven by one sentence to the agent."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.apps.assembly import Assembly
from domainsmith.apps.console import Console
from domainsmith.apps.examples import ExampleDomain, example_domain
from domainsmith.apps.output import one_line
from domainsmith.apps.scores import score_rows
from domainsmith.apps.terminal.chat import event_lines
from domainsmith.apps.terminal.tail import LiveTail
from domainsmith.errors import DomainSmithError, InputEmpty
from domainsmith.progress import ProgressEvent
from domainsmith.records import Language
from domainsmith.settings import Settings
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.agents.state import AgentEvent, AgentResult, ApprovalRequest

__all__ = ["Demo", "DemoOptions", "DemoStep", "default_workspace"]

_FLOOR = {False: 100, True: 40}
"""Graded records below which the demo has failed, without and with ``--quick``."""
_QUICK: dict[str, Any] = {"records": 80, "epochs": 2.0, "max_questions": 24}
_LOOP = ("add_documents", "generate_data", "select_data", "train_model", "evaluate_model")


@dataclass(frozen=True)
class DemoOptions:
    """What a run of the demo is asked for.

    Args:
        language: Of documents, request and questions.
        quick: Fewer records, epochs and test questions, for continuous integration.
    """

    language: Language = "en"
    quick: bool = False


@dataclass(frozen=True)
class DemoStep:
    """One line of the summary.

    Args:
        name: What was done.
        outcome: What came out, with the numbers.
        seconds: Wall-clock time.
        ok: False if it produced nothing.
    """

    name: str
    outcome: str
    seconds: float
    ok: bool = True


@dataclass
class Demo:
    """One run of the demo.

    Args:
        workspace: The open workspace of the demo.
        settings: Models and device.
        console: Where everything is shown.
        approve: Asked about each side effect that the agent plans.
        options: Language and size.
        tail: The live line for progress.
    """

    workspace: Workspace
    settings: Settings
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
        assembly = Assembly(self.workspace, self.settings)
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
                self._note("serve", "there is no tuned model to serve", 0.0, ok=False)
        self.console.table(
            ["step", "what came out", "seconds#"],
            [
                [s.name, ("" if s.ok else "FAILED: ") + s.outcome, f"{s.seconds:.1f}"]
                for s in self.steps
            ],
            title="Summary",
            drawn=True,
        )
        self.data["steps"] = [asdict(step) for step in self.steps]
        return all(step.ok for step in self.steps)

    @contextmanager
    def _agent(self, assembly: Assembly, example: ExampleDomain) -> Iterator[Any]:
        from domainsmith.agents.analyst import build_analyst
        from domainsmith.memory.conversations import open_checkpointer

        overrides = _QUICK if self.options.quick else {}
        context = assembly.context(language=self.options.language, folder=example.root, **overrides)
        with open_checkpointer(self.workspace.threads_path) as checkpointer:
            yield build_analyst(context, checkpointer)

    def _request(self, agent: Any, request: str, thread: str) -> AgentResult:
        """Give the agent one sentence. A run that was killed goes on at its unfinished step."""
        from domainsmith.agents.analyst import run_request

        self.console.data(f"\n> {request}")
        result = run_request(
            agent,
            request,
            thread_id=f"demo-{self.options.language}-{thread}",
            approve=self.approve,
            on_event=self._show,
        )
        self.tail.clear()
        self.console.data(result.text)
        return result

    def _show(self, event: AgentEvent) -> None:
        if event.kind == "progress":
            self.tail(ProgressEvent(**event.data))
            return
        self.tail.clear()
        for line in event_lines(event):
            self.console.note(line)

    def _take_loop(self, result: AgentResult) -> None:
        """Check what the agent's plan produced, step by step."""
        rows = {str(row["tool"]): row for row in result.results.values()}
        for tool in _LOOP:
            row = rows.get(tool)
            if row is None:
                self._note(tool, "the agent's plan had no such step", 0.0, ok=False)
                continue
            ok = bool(row["ok"]) and self._produced(tool, row["data"])
            self._note(tool, one_line(row["summary"], 160), float(row["seconds"]), ok=ok)
            self.data[tool] = row["data"]
        self.data["plan"] = result.plan.model_dump(mode="json")
        self.data["adapter_id"] = rows.get("train_model", {}).get("data", {}).get("adapter_id")
        header, scores = score_rows(self.data.get("evaluate_model", {}))
        if scores:
            self.console.table(
                header, scores, title="Held-out questions, mean [95 % interval]", drawn=True
            )

    def _produced(self, tool: str, data: dict[str, Any]) -> bool:
        if tool == "add_documents":
            return int(data.get("passages", 0)) > 0
        if tool == "generate_data":
            return int(data.get("records", 0)) >= _FLOOR[self.options.quick]
        if tool == "select_data":
            return int(data.get("records", 0)) > 0
        if tool == "train_model":
            return bool(data.get("adapter_id"))
        return len(data.get("report", {}).get("scores", ())) == 4

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
        """Serve the tuned model, ask it once as any client would, show where the answer is from."""
        from domainsmith.apps.cli.trace import lineage_tree
        from domainsmith.tools.serving import stop_endpoint
        from domainsmith.tools.toolset import tool_named

        context = assembly.context(language=self.options.language)
        started = time.monotonic()
        try:
            served = tool_named("serve_model").call(
                context, {"port": _free_port(), "adapter": adapter_id}
            )
            url = str(served.data["endpoint"]["url"])
            self._note("serve_model", f"{adapter_id} at {url}", time.monotonic() - started)
            started = time.monotonic()
            answer_id, text = self._ask_endpoint(url, example.served)
            self._note("ask the endpoint", one_line(text, 110), time.monotonic() - started)
            started = time.monotonic()
            tree = lineage_tree(self.workspace.db, answer_id, shown=3)
            for line in tree:
                self.console.data(line)
            traced = any(adapter_id in line for line in tree)
            self._note(
                "trace",
                f"{len(tree)} lines from {answer_id}",
                time.monotonic() - started,
                ok=traced,
            )
            self.data["endpoint_answer"] = {"id": answer_id, "text": text, "lineage": tree}
        except DomainSmithError as error:
            self._note("serve", str(error), time.monotonic() - started, ok=False)
        finally:
            stop_endpoint(context)

    def _ask_endpoint(self, url: str, question: str) -> tuple[str, str]:
        import openai

        self.console.data(f"\n> [{url}] {question}")
        with openai.OpenAI(base_url=url, api_key="local", max_retries=0, timeout=120) as client:
            try:
                reply = client.chat.completions.create(
                    model="domainsmith", messages=[{"role": "user", "content": question}]
                )
            except openai.OpenAIError as error:
                raise InputEmpty(f"The endpoint gave no answer: {error}", where=url) from error
        text = reply.choices[0].message.content or ""
        if not text.strip():
            raise InputEmpty("The endpoint answered with an empty text", where=url)
        self.console.data(text)
        return reply.id, text

    def _note(self, name: str, outcome: str, seconds: float, *, ok: bool = True) -> None:
        self.steps.append(DemoStep(name, outcome, round(seconds, 1), ok))


def default_workspace(options: DemoOptions) -> Path:
    """Give each kind of run a workspace of its own, so that their datasets do not mix.

    Args:
        options: Language and size.

    Returns:
        A folder in the current one.
    """
    kind = ("-zh" if options.language == "zh" else "") + ("-quick" if options.quick else "")
    return Path(f".domainsmith-demo{kind}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
