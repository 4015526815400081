"""Where the applications write: data to stdout, everything else to stderr, both gated."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from domainsmith.apps.output import OutputGate, clean, one_line, safe_json
from domainsmith.progress import ProgressCallback, ProgressEvent

__all__ = ["Console"]

_PLAIN_PROGRESS_SECONDS = 10.0


class Console:
    """The two outputs of a command.

    Args:
        json_mode: Human-readable data is withheld; only :meth:`envelope` writes to stdout.
        quiet: Notes and progress are withheld; warnings and errors stay.
        stdout: Where data goes; ``sys.stdout`` if None.
        stderr: Where the rest goes; ``sys.stderr`` if None.
    """

    def __init__(
        self,
        *,
        json_mode: bool = False,
        quiet: bool = False,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.json_mode = json_mode
        self.quiet = quiet
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr

    def data(self, text: str) -> None:
        """Write a result for people to stdout; withheld in JSON mode."""
        if not self.json_mode:
            self._write(self.stdout, clean(text) + "\n")

    def note(self, text: str) -> None:
        """Write a remark to stderr; withheld when quiet."""
        if not self.quiet:
            self._write(self.stderr, clean(text) + "\n")

    def warn(self, text: str) -> None:
        """Write a warning or an error to stderr."""
        self._write(self.stderr, clean(text) + "\n")

    def envelope(self, envelope: dict[str, Any]) -> None:
        """Write the one JSON value of a ``--json`` run to stdout."""
        self._write(self.stdout, safe_json(envelope) + "\n")

    def line_json(self, value: dict[str, Any]) -> None:
        """Write one JSON line to stdout (records that stream)."""
        self._write(self.stdout, safe_json(value, indent=None) + "\n")

    def stream(self, pieces: Iterator[str]) -> str:
        """Write text to stdout as it arrives, through one gate.

        Args:
            pieces: The text's pieces.

        Returns:
            The whole text that was shown.
        """
        gate = OutputGate()
        shown: list[str] = []
        for piece in pieces:
            text = gate.feed(piece)
            shown.append(text)
            if not self.json_mode:
                self._write(self.stdout, text)
        gate.finish()
        if not self.json_mode:
            self._write(self.stdout, "\n")
        return "".join(shown)

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        title: str = "",
        to_stderr: bool = False,
        drawn: bool | None = None,
    ) -> None:
        """Write a table: drawn on a terminal, tab-separated in a pipe.

        Args:
            columns: Headings; one that ends with ``#`` is a right-aligned number.
            rows: Cells; each becomes one clean line.
            title: Line above the table, on a terminal only.
            to_stderr: Write it as a note.
            drawn: Draw it also in a pipe, for reports that are read; None decides by the terminal.
        """
        if (self.quiet and to_stderr) or (self.json_mode and not to_stderr):
            return
        file = self.stderr if to_stderr else self.stdout
        names = [name.removesuffix("#") for name in columns]
        if not (file.isatty() if drawn is None else drawn):
            lines = [names, *([one_line(cell) for cell in row] for row in rows)]
            self._write(file, "".join("\t".join(line) + "\n" for line in lines))
            return
        from rich.console import Console as RichConsole
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title or None, title_justify="left")
        for column, name in zip(columns, names, strict=True):
            justify: Any = "right" if column.endswith("#") else "left"
            # Chinese has no blanks: a line of it is one word to the table, and none may be cut.
            table.add_column(name, justify=justify, overflow="fold")
        for row in rows:
            table.add_row(*(Text(one_line(cell)) for cell in row))
        width = None if file.isatty() else 120
        RichConsole(file=file, width=width, highlight=False, markup=False, emoji=False).print(table)

    @contextmanager
    def progress(self) -> Iterator[ProgressCallback]:
        """Show progress on stderr while the block runs.

        Yields:
            A callback for :class:`ProgressEvent`: bars with counts and remaining time on a
            terminal, a line every ten seconds elsewhere, nothing when quiet.
        """
        if self.quiet:
            yield lambda event: None
        elif self.stderr.isatty():
            with _bars(self.stderr) as show:
                yield show
        else:
            yield _PlainProgress(self)

    @staticmethod
    def _write(file: TextIO, text: str) -> None:
        file.write(text)
        file.flush()


class _PlainProgress:
    """Progress as lines, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._shown = 0.0

    def __call__(self, event: ProgressEvent) -> None:
        now = time.monotonic()
        finished = event.total is not None and event.done >= event.total
        due = now - self._shown >= _PLAIN_PROGRESS_SECONDS
        if not (event.stage != self._stage or finished or due or event.message):
            return
        self._stage, self._shown = event.stage, now
        of = "" if event.total is None else f"/{event.total}"
        message = f" {one_line(event.message)}" if event.message else ""
        self._console.note(f"{one_line(event.stage)}: {event.done}{of}{message}")


@contextmanager
def _bars(file: TextIO) -> Iterator[ProgressCallback]:
    from rich.console import Console as RichConsole
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[message]}", markup=False),
        console=RichConsole(file=file, highlight=False, markup=False, emoji=False),
    )
    tasks: dict[str, TaskID] = {}

    def show(event: ProgressEvent) -> None:
        stage, message = one_line(event.stage, 40), one_line(event.message, 60)
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=event.total, message="")
        bars.update(tasks[stage], completed=event.done, total=event.total, message=message)

    with bars:
        yield show
