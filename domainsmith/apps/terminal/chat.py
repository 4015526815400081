"""The conversation with the agent: one turn after the other on an append-only screen."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.apps.assembly import Assembly
from domainsmith.apps.console import Console
from domainsmith.apps.output import clean, one_line
from domainsmith.apps.terminal.approval import Approver
from domainsmith.apps.terminal.events import WORDS, event_lines
from domainsmith.apps.terminal.reader import Reader
from domainsmith.apps.terminal.slash import bare_command, run_slash
from domainsmith.apps.terminal.tail import LiveTail
from domainsmith.data_connection.language import detect_language
from domainsmith.errors import DomainSmithError
from domainsmith.progress import ProgressEvent
from domainsmith.records import Language
from domainsmith.settings import Settings
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.agents.state import AgentEvent, AgentResult

__all__ = ["Chat", "history_file", "last_thread", "new_thread_id"]

_PROMPT = "you> "
_AT_PATH = re.compile(r"(?<!\S)@(?=\S)")


def new_thread_id() -> str:
    """Make a conversation's id; later ones sort after earlier ones."""
    return f"chat-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}"


def last_thread(workspace: Workspace) -> str | None:
    """Return the id of the newest conversation, or None."""
    from domainsmith.memory.conversations import thread_ids

    ids = [name for name in thread_ids(workspace.threads_path) if name.startswith("chat-")]
    return max(ids, default=None)


class Chat:
    """One run of the chat.

    Args:
        workspace: The open workspace.
        settings: Models, budgets and allow rules.
        console: Where everything is written.
        reader: Where lines come from.
        thread: The conversation to continue; a new one if None.
        yes: Approve every side effect.
        can_ask: Whether a person is there; if not, what is not approved by a rule is denied, and
            no line of the input is taken for an approval.
    """

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        console: Console,
        reader: Reader,
        *,
        thread: str | None = None,
        yes: bool = False,
        can_ask: bool = True,
    ) -> None:
        self.workspace = workspace
        self.console = console
        self.assembly = Assembly(workspace, settings)
        self.thread = thread or new_thread_id()
        self._continued = thread is not None
        self.transcript: list[tuple[str, str]] = []
        self.last_answer: str | None = None
        self.leaving = False
        self.results: list[dict[str, Any]] = []
        self.language: Language = "en"
        """Of the last request: what is shown while it runs is in it."""
        self._reader = reader
        self._tail = LiveTail(console)
        ask = reader if can_ask else _nobody
        self._approver = Approver(console, ask, yes=yes, before=self._tail.clear)
        self._graph: Any = None
        self._load_transcript()

    def run(self) -> None:
        """Read and answer until the person leaves."""
        from domainsmith.memory.conversations import open_checkpointer

        with open_checkpointer(self.workspace.threads_path) as checkpointer:
            self._checkpointer = checkpointer
            try:
                self._guarded(self._tell_pending)
                while not self.leaving:
                    line = self._next_line()
                    if line:
                        self._guarded(partial(self._take, line))
            finally:
                self._tail.clear()
                self.assembly.close()

    def ask(self, request: str) -> None:
        """Give the agent one request and show what it does.

        Args:
            request: The person's words.
        """
        from domainsmith.agents.analyst import run_request

        self.transcript.append(("you", request))
        self.language = detect_language(request)
        result = run_request(
            self._agent(),
            request,
            thread_id=self.thread,
            approve=self._approver,
            on_event=self._show,
        )
        self._tail.clear()
        self._finish(result)

    def pending(self) -> str | None:
        """Return the request that this conversation was interrupted in, or None."""
        from domainsmith.agents.analyst import pending_request

        return pending_request(self._agent(), self.thread)

    def use_model(self, name: str) -> None:
        """Change the chat model for this run.

        Args:
            name: Any model name.

        Raises:
            WeightsMissing: There is no such model here.
        """
        from domainsmith.model_io.catalog import chat_model_folder, parse_name

        if parse_name(name).scheme == "local":
            chat_model_folder(name)
        settings = self.assembly.settings.model_copy(update={"chat_model": name})
        self.assembly.close()
        self.assembly = Assembly(self.workspace, settings)
        self._graph = None

    def new_thread(self) -> None:
        """Begin a new conversation; the old one stays in the workspace."""
        self.thread = new_thread_id()
        self.transcript.clear()
        self.last_answer = None

    def _next_line(self) -> str:
        """Read a line; Ctrl-C on an empty prompt leaves when it is pressed twice."""
        for attempt in (1, 2):
            try:
                return self._reader(_PROMPT).strip()
            except KeyboardInterrupt:
                if attempt == 1:
                    self.console.note("(Ctrl-C again or /exit leaves)")
            except EOFError:
                break
        self.leaving = True
        return ""

    def _guarded(self, work: Callable[[], None]) -> None:
        """Keep the program alive through errors and Ctrl-C of one turn."""
        try:
            work()
        except KeyboardInterrupt:
            self._tail.clear()
            self.console.warn(WORDS[self.language]["stopped"])
            self.transcript.append(("note", "stopped by the person"))
        except DomainSmithError as error:
            self._tail.clear()
            self.console.warn(f"error: {error}")

    def _tell_pending(self) -> None:
        # Only a conversation that is continued can have been interrupted.
        pending = self.pending() if self._continued else None
        if pending is not None:
            self.language = detect_language(pending)
            said = WORDS[self.language]["pending"].format(request=one_line(pending, 100))
            self.console.note(said)

    def _take(self, line: str) -> None:
        command = bare_command(line)
        if command:
            self.language = detect_language(line)
            line = command
        if line.startswith("/"):
            run_slash(self, line)
        else:
            # "@path" marks a path for completion; the agent gets the path itself.
            request = _AT_PATH.sub("", clean(line)).strip()
            if request:
                self.ask(request)

    def _agent(self) -> Any:
        if self._graph is None:
            from domainsmith.agents.analyst import build_analyst

            self._graph = build_analyst(
                self.assembly.context(progress=self._tail),
                self._checkpointer,
                policy=self.assembly.policy(),
            )
        return self._graph

    def _show(self, event: AgentEvent) -> None:
        self._tail.language = self.language
        if event.kind == "progress":
            self._tail(ProgressEvent(**event.data))
            return
        self._tail.clear()
        for line in event_lines(event, self.language):
            self.console.note(line)
        if event.kind == "step_started":
            self._tail.begin(WORDS[self.language]["working"])

    def _finish(self, result: AgentResult) -> None:
        text = clean(result.text)
        self.transcript.append(("domainsmith", text))
        answers = [
            artifact
            for row in result.results.values()
            for artifact in row.get("artifact_ids", ())
            if str(artifact).startswith("answer_")
        ]
        self.last_answer = answers[-1] if answers else self.last_answer
        self._print_block(text)
        if answers:
            self.console.note(f"{answers[-1]}  (/trace, /feedback good|bad, /correct TEXT)")
        self.results.append(
            {
                "request": result.plan.request,
                "ok": result.ok,
                "text": result.text,
                "plan": result.plan.model_dump(mode="json"),
                "results": {str(number): row for number, row in result.results.items()},
            }
        )

    def _print_block(self, text: str) -> None:
        """Print a finished block once: as Markdown on a terminal, as it is elsewhere."""
        if self.console.json_mode or not self.console.stdout.isatty():
            self.console.data(text)
            return
        from rich.console import Console as RichConsole
        from rich.markdown import Markdown

        screen = RichConsole(file=self.console.stdout, highlight=False, emoji=False, markup=False)
        # Numbered lines and single line breaks are the agent's own layout: keep them.
        screen.print(Markdown(text.replace("\n", "  \n"), hyperlinks=False))

    def _load_transcript(self) -> None:
        from domainsmith.memory.conversations import turns

        for turn in turns(self.workspace.threads_path, self.thread):
            self.transcript += [("you", turn.question), ("domainsmith", turn.answer)]
            self.last_answer = turn.answer_id or self.last_answer


def _nobody(prompt: str) -> str:
    raise EOFError


def history_file(workspace: Workspace) -> Path:
    """Where the lines typed into the chat are kept."""
    return workspace.root / "chat-history"
