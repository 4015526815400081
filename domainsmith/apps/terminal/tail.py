"""One live line below an append-only screen."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TextIO

from rich.cells import cell_len, set_cell_size

from domainsmith.apps.console import Console
from domainsmith.apps.output import one_line
from domainsmith.apps.terminal.progress_words import progress_text, time_left
from domainsmith.progress import ProgressEvent
from domainsmith.records import Language

__all__ = ["LiveTail"]

_REDRAW_SECONDS = 0.1
_PLAIN_SECONDS = 10.0
_TICK_SECONDS = 1.0


class LiveTail:
    """Shows where long work stands in a line that is overwritten; elsewhere as few lines.

    What is printed between goes above it, so nothing that was shown is ever redrawn.

    Args:
        console: Its stderr carries the line.
        language: Of the line.
    """

    def __init__(self, console: Console, language: Language = "en") -> None:
        self.language: Language = language
        self._console = console
        self._file: TextIO = console.stderr
        self._live = console.stderr.isatty() and not console.quiet
        self._drawn = False
        self._stage = ""
        self._started = self._shown = 0.0
        self._last: ProgressEvent | None = None
        self._begun: float | None = None
        self._lock = threading.RLock()

    def begin(self, label: str) -> None:
        """Show that work goes on, with the time that it takes, until :meth:`clear`.

        Args:
            label: Shown until the work itself tells where it stands.
        """
        if not self._live:
            return
        with self._lock:
            began = self._begun = time.monotonic()
            self._last = ProgressEvent(label, 0)
        threading.Thread(target=self._keep_ticking, args=(began,), daemon=True).start()

    def tick(self, now: float) -> None:
        """Draw the line anew with the time since :meth:`begin`.

        Args:
            now: The time of the monotonic clock.
        """
        with self._lock:
            if self._begun is not None and self._last is not None:
                self._draw(f"{self._text(self._last, now)}  {now - self._begun:.0f} s")

    def _keep_ticking(self, began: float) -> None:
        while self._begun == began:
            time.sleep(_TICK_SECONDS)
            if self._begun == began:
                self.tick(time.monotonic())

    def __call__(self, event: ProgressEvent) -> None:
        """Take a report of progress."""
        now = time.monotonic()
        changed = event.stage != self._stage
        if changed:
            self._stage, self._started = event.stage, now
        finished = event.total is not None and event.done >= event.total
        wait = _REDRAW_SECONDS if self._live else _PLAIN_SECONDS
        if not (changed or finished or now - self._shown >= wait):
            return
        self._shown = now
        with self._lock:
            self._last = event
            text = self._text(event, now)
            if self._live:
                self._draw(text)
            else:
                self._console.note(text)

    def _draw(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        text = set_cell_size(text, width).rstrip() if cell_len(text) > width else text
        self._file.write(f"\r\x1b[K{text}")
        self._file.flush()
        self._drawn = True

    def clear(self) -> None:
        """Remove the line, before anything else is printed."""
        with self._lock:
            self._begun = None
            if self._drawn:
                self._file.write("\r\x1b[K")
                self._file.flush()
                self._drawn = False
            self._stage = ""

    def _text(self, event: ProgressEvent, now: float) -> str:
        parts = [f"  {progress_text(one_line(event.stage), self.language)}"]
        if event.total:
            parts.append(f"{event.done}/{event.total} ({100 * event.done // event.total} %)")
            spent = now - self._started
            if 0 < event.done < event.total and spent > 1:
                left = spent * (event.total - event.done) / event.done
                # Work that tells it itself knows better: it counts what is still to come.
                if " left" not in event.message:
                    parts.append(time_left(left, self.language))
        elif event.done:
            parts.append(str(event.done))
        message = progress_text(one_line(event.message), self.language)
        return "  ".join([*parts, message]).rstrip()
