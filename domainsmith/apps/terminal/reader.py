"""Where the chat's lines come from: a prompt with history and completion, or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.key_binding import KeyPressEvent

__all__ = ["Reader", "candidates", "path_candidates", "pipe_reader", "prompt_reader"]

Reader = Callable[[str], str]
"""Given the prompt's text, returns the next line; raises EOFError at the end."""
_CANDIDATES = 50


def pipe_reader(source: TextIO | None = None) -> Reader:
    """Read lines from a pipe or file.

    Args:
        source: Where from; ``sys.stdin`` if None.

    Returns:
        A reader that prints no prompt.
    """
    stream = source or sys.stdin

    def read(prompt: str) -> str:
        line = stream.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")

    return read


def prompt_reader(history_file: Path, **session_options: Any) -> Reader:
    """Read lines from a person.

    Args:
        history_file: Keeps what was typed, over runs.
        **session_options: Input and output of the prompt, for tests.

    Returns:
        A reader with history (Up, Ctrl-R), completion of commands and of paths after ``@``.
        Ctrl-C clears a line that holds text; on an empty one it raises KeyboardInterrupt.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.key_binding import KeyBindings

    class ChatCompleter(Completer):
        def get_completions(
            self, document: Document, complete_event: CompleteEvent
        ) -> Iterable[Completion]:
            text = document.text_before_cursor
            for candidate, replaced, meta in candidates(text):
                yield Completion(candidate, -replaced, display_meta=meta)

    prompt: PromptSession[str] = PromptSession(
        history=FileHistory(str(history_file)),
        completer=ChatCompleter(),
        complete_while_typing=False,
        enable_history_search=True,
        **session_options,
    )
    keys = KeyBindings()

    @keys.add("c-c")
    def clear_or_leave(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt())

    return lambda text: prompt.prompt(text, key_bindings=keys)


def candidates(text: str) -> Iterator[tuple[str, int, str]]:
    """Complete what was typed: a command at the beginning, a path after ``@``.

    Args:
        text: The line up to the cursor.

    Yields:
        The completion, how many characters before the cursor it replaces, and a remark.
    """
    from domainsmith.apps.terminal.slash import REGISTRY

    if text.startswith("/") and " " not in text:
        for name, item in REGISTRY.items():
            if name.startswith(text):
                yield name, len(text), item.help["en"]
        return
    word = text.rpartition(" ")[2]
    if word.startswith("@"):
        for path in path_candidates(word[1:]):
            yield f"@{path}", len(word), ""


def path_candidates(fragment: str) -> list[str]:
    """Complete a path.

    Args:
        fragment: What stands after the ``@``.

    Returns:
        Paths that begin so, folders with a slash, sorted; hidden ones only if asked for.
    """
    folder, _, start = fragment.rpartition("/")
    root = Path(folder or ("/" if fragment.startswith("/") else ".")).expanduser()
    prefix = f"{folder}/" if folder or fragment.startswith("/") else ""
    try:
        entries = sorted(root.iterdir())
    except OSError:
        return []
    names = [
        f"{prefix}{entry.name}{'/' if entry.is_dir() else ''}"
        for entry in entries
        if entry.name.startswith(start)
        and (start.startswith(".") or not entry.name.startswith("."))
    ]
    return names[:_CANDIDATES]
