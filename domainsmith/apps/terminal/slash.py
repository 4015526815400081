"""The commands inside the chat, all from one registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import Language

if TYPE_CHECKING:
    from domainsmith.apps.terminal.chat import Chat

__all__ = ["REGISTRY", "SlashCommand", "bare_command", "help_lines", "run_slash"]

_BARE = {
    "/exit": "exit quit bye q :q goodbye 退出 再见 结束",
    "/help": "help ? 帮助",
    "/continue": "continue go-on resume 继续",
}
"""Words that, alone on a line, mean a command and not a request."""
_SAY: dict[Language, tuple[str, ...]] = {
    "en": (
        "Say what you want in your own words, for example:",
        "  Add the folder manuals",
        "  What does code TN-201 mean?",
        "  Make 100 training records, select 40 of them and train the model",
        "  Is the tuned model better?",
        "Ctrl-C stops what runs, twice leaves. @ completes paths. Up: history.",
    ),
    "zh": (
        "用自己的话说要做什么，例如：",
        "  添加文件夹 manuals",
        "  代码TN-201是什么意思？",
        "  生成100条训练数据，选出40条，训练模型",
        "  微调后的模型更好吗？",
        "Ctrl-C 停止正在做的事，按两次退出。@ 补全路径。上箭头：历史记录。",
    ),
}


@dataclass(frozen=True)
class SlashCommand:
    """A command of the chat.

    Args:
        name: With its slash.
        usage: Its argument, for the help.
        help: One line, in both languages.
        run: Does it with the text after the name.
    """

    name: str
    usage: str
    help: dict[Language, str]
    run: Callable[[Chat, str], None]


def bare_command(line: str) -> str | None:
    """Return the command that a line without a slash means, or None for a request.

    Args:
        line: What was typed.
    """
    word = line.strip(" \t.!。！").casefold().replace(" ", "-")
    return next((name for name, words in _BARE.items() if word in words.split()), None)


def help_lines(language: Language = "en") -> list[str]:
    """Return the help, one line a command.

    Args:
        language: Of the lines.
    """
    width = max(len(f"{item.name} {item.usage}") for item in REGISTRY.values())
    return [
        f"{f'{item.name} {item.usage}':<{width}}  {item.help[language]}"
        for item in REGISTRY.values()
    ]


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
    said = () if argument else _SAY[chat.language]
    for line in (*help_lines(chat.language), *said):
        if argument in line:
            chat.console.data(line)


def _jobs(chat: Chat, argument: str) -> None:
    from domainsmith.storage import jobs
    from domainsmith.training import launch

    statuses = [launch.status(chat.workspace, row.id) for row in jobs.jobs(chat.workspace.db)]
    rows = [
        [s.job_id, s.state, f"{s.step}/{s.total_steps}", "" if s.loss is None else f"{s.loss:.3f}"]
        for s in reversed(statuses)
    ]
    if rows:
        chat.console.table(["job", "state", "step#", "loss#"], rows)
    else:
        chat.console.data("no training jobs yet")


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
    if not path.parent.is_dir():
        raise InputNotFound("No such folder", where=path.parent, fix="Make it first.")
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
    verdict, _, comment = argument.partition(" ")
    if verdict not in ("good", "bad"):
        raise InputInvalid("Feedback is good or bad", fix="Write /feedback good|bad [comment].")
    _judge(chat, "good" if verdict == "good" else "bad", comment=comment.strip())


def _correct(chat: Chat, argument: str) -> None:
    if not argument:
        raise InputInvalid("The right answer is missing", fix="Write /correct RIGHT ANSWER.")
    _judge(chat, "bad", correction=argument)


def _judge(chat: Chat, verdict: Literal["good", "bad"], **said: str) -> None:
    from domainsmith.memory.feedback import add_feedback
    from domainsmith.records import Feedback

    if not chat.last_answer:
        raise InputInvalid("There is no answer yet", fix="Ask something first.")
    add_feedback(chat.workspace, Feedback(answer_id=chat.last_answer, verdict=verdict, **said))
    chat.console.data(f"noted for {chat.last_answer}")


def _continue(chat: Chat, argument: str) -> None:
    pending = chat.pending()
    if pending is None:
        raise InputInvalid("Nothing was interrupted", fix="Say what to do.")
    chat.ask(pending)


def _clear(chat: Chat, argument: str) -> None:
    chat.new_thread()
    chat.console.data(f"new conversation {chat.thread}")


def _exit(chat: Chat, argument: str) -> None:
    chat.leaving = True


def _command(
    name: str, usage: str, run: Callable[[Chat, str], None], en: str, zh: str
) -> tuple[str, SlashCommand]:
    return name, SlashCommand(name, usage, {"en": en, "zh": zh}, run)


REGISTRY: dict[str, SlashCommand] = dict(
    (
        _command("/help", "[WORD]", _help, "List these commands.", "列出这些命令。"),
        _command(
            "/continue", "", _continue, "Go on with what was interrupted.", "继续被中断的请求。"
        ),
        _command("/jobs", "", _jobs, "List training jobs.", "列出训练任务。"),
        _command("/model", "[NAME]", _model, "Show or change the chat model.", "查看或更换模型。"),
        _command("/history", "", _history, "Print this conversation.", "显示这次对话。"),
        _command(
            "/save",
            "FILE",
            _save,
            "Write this conversation to a Markdown file.",
            "把这次对话存为 Markdown 文件。",
        ),
        _command(
            "/trace",
            "[ID]",
            _trace,
            "Show what the last answer was made from.",
            "显示上个回答的来源。",
        ),
        _command("/feedback", "good|bad", _feedback, "Judge the last answer.", "评价上个回答。"),
        _command(
            "/correct",
            "TEXT",
            _correct,
            "Say what the last answer should have been.",
            "告诉程序上个回答应当是什么。",
        ),
        _command("/clear", "", _clear, "Begin a new conversation.", "开始新的对话。"),
        _command("/exit", "", _exit, "Leave (also Ctrl-D).", "退出（也可按 Ctrl-D）。"),
    )
)
"""Name -> command, in the order of the help."""
