"""``domainsmith chat``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.query_flags import query_flags
from domainsmith.counts import counted
from domainsmith.errors import InputNotFound

if TYPE_CHECKING:
    from domainsmith.workspace import Workspace

__all__ = ["command"]


@click.command("chat", cls=AppCommand)
@click.option("-c", "--continue", "go_on", is_flag=True, help="Continue the last conversation.")
@click.option("--thread", metavar="ID", help="Continue this conversation.")
@click.option("--model", metavar="NAME", help="Chat model (the setting chat_model).")
@query_flags
def command(
    app: App, go_on: bool, thread: str | None, model: str | None, **query: str | None
) -> Outcome:
    """Talk to the agent in the terminal.

    It plans what you ask for, shows the plan, asks before training or serving, and answers
    questions from the documents with citations. /help lists its commands. Lines may also be
    piped in; then nothing is asked, and side effects need --yes. Exits with 1 if the last request
    was not done.
    """
    from domainsmith.apps.terminal.chat import Chat, history_file, last_thread
    from domainsmith.apps.terminal.reader import pipe_reader, prompt_reader

    app.override(chat_model=model, **query)
    workspace = app.create_workspace()
    chosen = _known(workspace, thread) if thread else last_thread(workspace) if go_on else None
    live = app.interactive and sys.stdout.isatty() and not app.options.json
    chat = Chat(
        workspace,
        app.settings,
        app.console,
        prompt_reader(history_file(workspace)) if live else pipe_reader(),
        thread=chosen,
        yes=app.options.yes,
        can_ask=live,
    )
    if live:
        app.console.note(f"{workspace.root}: {_holdings(workspace)}")
        app.console.note("Ask, or say what to do. /help lists commands, Ctrl-D leaves.")
        if go_on and chosen is None:
            app.console.note("There is no earlier conversation; this is a new one.")
        for speaker, text in chat.transcript[-6:]:
            app.console.note(f"{speaker}: {text}")
    chat.run()
    done = all(result["ok"] for result in chat.results[-1:])
    if live and chat.transcript:
        app.console.note(f"`domainsmith chat -c` continues {chat.thread}")
    return Outcome({"thread": chat.thread, "turns": chat.results}, ok=live or done)


def _known(workspace: Workspace, thread: str) -> str:
    from domainsmith.memory.conversations import thread_ids

    if thread not in thread_ids(workspace.threads_path):
        fix = "`domainsmith chat -c` continues the last one."
        raise InputNotFound("No such conversation", where=thread, fix=fix)
    return thread


def _holdings(workspace: Workspace) -> str:
    from domainsmith.storage import documents

    found = documents.document_paths(workspace.db)
    if not found:
        return "no documents yet. Say `Add the folder PATH` to begin."
    return counted(len(found), "document")
