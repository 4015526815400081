"""The commands inside the chat, all from one registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from domainsmith.errors import InputInvalid, InputNotFound

if TYPE_CHECKING:
    from domainsmith.apps.terminal.chat import Chat

__all__ = ["REGISTRY", "SlashCommand", "help_lines", "run_slash"]


@dataclass(frozen=True)
class SlashCommand:
    """A command of the chat.

    Args:
        name: With its slash.
        usage: Its argument, for the help.
        help: One line.
        run: Does it with the text after the name.
    """

    name: str
    usage: str
    help: str
    run: Callable[[Chat, str], None]


def help_lines() -> list[str]:
    """Return the help, one line a command."""
    width = max(len(f"{item.name} {item.usage}") for item in REGISTRY.values())
    return [f"{f'{item.name} {item.usage}':<{width}}  {item.help}" for item in REGISTRY.values()]


def run_slash(chat: Chat, line: str) -> None:
    """Run a line that begins with a slash.

    Args:
        chat: The chat.
        line: The whole line.

    Raises:
        InputNotFound: There is no such command; near ones are named.
    """
    name, _, argument = line.partition(" ")
    near = [known for known in REGISTRY if known.startswith(name)]
    if name not in REGISTRY and len(near) != 1:
        said = f" Did you mean {', '.join(near)}?" if near else ""
        raise InputNotFound("No such command", where=name, fix=f"Type /help.{said}")
    REGISTRY[name if name in REGISTRY else near[0]].run(chat, argument.strip())


def _help(chat: Chat, argument: str) -> None:
    for line in help_lines():
        if argument in line:
            chat.console.data(line)
    chat.console.data("Ctrl-C stops what runs, twice leaves. @ completes paths. Up: history.")


def _jobs(chat: Chat, argument: str) -> None:
    from domainsmith.storage import jobs
    from domainsmith.training import launch

    statuses = [launch.status(chat.workspace, row.id) for row in jobs.jobs(chat.workspace.db)]
    rows = [
        [s.job_id, s.state, f"{s.step}/{s.total_steps}", "" if s.loss is None else f"{s.loss:.3f}"]
        for s in reversed(statuses)
    ]
    chat.console.table(["job", "state", "step#", "loss#"], rows)


def _model(chat: Chat, argument: str) -> None:
    from domainsmith.training.gate import promoted_adapter

    if argument:
        chat.use_model(argument)
    promoted = promoted_adapter(chat.workspace)
    chat.console.data(f"chat model: {chat.assembly.settings.chat_model}")
    chat.console.data(f"promoted adapter: {promoted or 'none'}")


def _history(chat: Chat, argument: str) -> None:
    for speaker, text in chat.transcript:
        chat.console.data(f"{speaker}: {text}")


def _save(chat: Chat, argument: str) -> None:
    from domainsmith.storage.atomic import write_text

    if not argument:
        raise InputInvalid("A file name is needed", fix="Write /save FILE.md.")
    path = Path(argument).expanduser()
    if path.exists():
        raise InputInvalid("The file exists", where=path, fix="Choose another name.")
    body = "\n\n".join(f"**{speaker}**\n\n{text}" for speaker, text in chat.transcript)
    write_text(path, f"# {chat.thread}\n\n{body}\n")
    chat.console.data(f"saved {path}")


def _trace(chat: Chat, argument: str) -> None:
    from domainsmith.apps.cli.trace import lineage_tree, resolve

    wanted = argument or chat.last_answer
    if not wanted:
        raise InputInvalid("There is no answer yet", fix="Ask something, or write /trace ID.")
    for line in lineage_tree(chat.workspace.db, resolve(chat.workspace.db, wanted)):
        chat.console.data(line)


def _feedback(chat: Chat, argument: str) -> None:
    from domainsmith.memory.feedback import add_feedback
    from domainsmith.records import Feedback

    verdict, _, comment = argument.partition(" ")
    if verdict not in ("good", "bad"):
        raise InputInvalid("Feedback is good or bad", fix="Write /feedback good|bad [comment].")
    if not chat.last_answer:
        raise InputInvalid("There is no answer yet", fix="Ask something first.")
    feedback = Feedback(
        answer_id=chat.last_answer,
        verdict="good" if verdict == "good" else "bad",
        comment=comment.strip(),
    )
    add_feedback(chat.workspace, feedback)
    chat.console.data(f"noted for {chat.last_answer}")


def _clear(chat: Chat, argument: str) -> None:
    chat.new_thread()
    chat.console.data(f"new conversation {chat.thread}")


def _exit(chat: Chat, argument: str) -> None:
    chat.leaving = True


REGISTRY: dict[str, SlashCommand] = {
    item.name: item
    for item in (
        SlashCommand("/help", "[WORD]", "List these commands (with a word in them).", _help),
        SlashCommand("/jobs", "", "List training jobs.", _jobs),
        SlashCommand("/model", "[NAME]", "Show or change the chat model.", _model),
        SlashCommand("/history", "", "Print this conversation.", _history),
        SlashCommand("/save", "FILE", "Write this conversation to a Markdown file.", _save),
        SlashCommand("/trace", "[ID]", "Show what the last answer was made from.", _trace),
        SlashCommand("/feedback", "good|bad", "Judge the last answer.", _feedback),
        SlashCommand("/clear", "", "Begin a new conversation.", _clear),
        SlashCommand("/exit", "", "Leave (also Ctrl-D).", _exit),
    )
}
"""Name -> command, in the order of the help."""
