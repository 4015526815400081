"""Batches of one model run step by step, and halved when memory ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator

import torch

from domainsmith.errors import ResourceExhausted
from domainsmith.model_io.decode import DecodeRun
from domainsmith.model_io.decode_row import Row, Statistics
from domainsmith.model_io.device import is_out_of_memory
from domainsmith.model_io.forward import Forward
from domainsmith.model_io.generated_text import certain_text, generated_text
from domainsmith.model_io.generation import Completion, LogLikelihood
from domainsmith.model_io.prefix_cache import PrefixCache
from domainsmith.model_io.prefix_states import PrefixStates
from domainsmith.model_io.score import score_pairs

__all__ = ["BatchRuns"]

_log = logging.getLogger(__name__)
_STATE_BYTES = 2 << 30
"""Bound of a CPU batch's states: where memory ends there, the process may be killed unasked."""


class BatchRuns:
    """Runs batches; threads that share one take turns step by step.

    Args:
        forward: The model.
        prefixes: States of prompt beginnings that are kept between runs.
        statistics: Counted into.
        lock: Held for a step.
    """

    def __init__(
        self,
        forward: Forward,
        prefixes: PrefixCache,
        statistics: Statistics,
        lock: threading.RLock,
    ) -> None:
        self._forward = forward
        self._prefixes = prefixes
        self._statistics = statistics
        self._lock = lock

    def slots(self, rows: list[Row], most: int) -> int:
        """Return how many of some rows to decode together.

        Args:
            rows: With their prompts and bounds.
            most: What suits the device.
        """
        if self._forward.device.type != "cpu":
            return most
        longest = max(len(row.prompt) + row.max_new_tokens for row in rows)
        return max(1, min(most, _STATE_BYTES // (longest * self._forward.state_bytes)))

    def begin(
        self, rows: list[Row], slots: int, *, share_prefix: bool, force_tokens: bool
    ) -> DecodeRun:
        """Plan a run over some rows; nothing is computed yet.

        Args:
            rows: Of adapters that mix.
            slots: Rows decoded together.
            share_prefix: Compute once what prompts begin with.
            force_tokens: Append tokens that a constraint leaves no choice about.
        """
        return DecodeRun(
            self._forward,
            rows,
            slots=slots,
            statistics=self._statistics,
            prefixes=self._prefixes,
            share_prefix=share_prefix,
            force_tokens=force_tokens,
        )

    def completions(
        self, run: DecodeRun, slots: int, cancel: threading.Event | None
    ) -> Iterator[Completion]:
        """Finish all rows of a run.

        Args:
            run: Not begun.
            slots: Rows that it decodes together.
            cancel: When set, what is not finished ends as it is.

        Yields:
            Completions as they finish.

        Raises:
            ResourceExhausted: Memory does not suffice even for a single row.
        """
        while not run.is_done:
            if cancel is not None and cancel.is_set():
                for row in list(run.unfinished()):
                    self._cancel(row)
                    yield row.completion()
                return
            try:
                finished = self._advance(run)
            except (MemoryError, RuntimeError) as error:
                slots = self._halved(slots, error)
                run.restart(slots)
                continue
            for row in finished:
                yield row.completion()

    def pieces(
        self, run: DecodeRun, row: Row, cancel: threading.Event | None
    ) -> Generator[str, None, Completion]:
        """Finish the only row of a run, telling its text as it becomes certain.

        Args:
            run: Not begun.
            row: The row.
            cancel: When set, the row ends as it is.

        Yields:
            Text: never a part of a character or of a stop text.

        Returns:
            The whole completion, as the value of ``StopIteration``.

        Raises:
            ResourceExhausted: Memory does not suffice for the row.
        """
        sent = 0
        while not run.is_done and not (cancel is not None and cancel.is_set()):
            try:
                self._advance(run)
            except (MemoryError, RuntimeError) as error:
                self._halved(1, error)
            text = row.text
            if not row.finish:
                text = certain_text(self._forward.tokenizer, row.generated, row.request.stop)
            if len(text) > sent:
                yield text[sent:]
                sent = len(text)
        if row.finish is None:
            self._cancel(row)
            if len(row.text) > sent:
                yield row.text[sent:]
        return row.completion()

    def scores(
        self, tokens: list[tuple[list[int], list[int]]], adapter: str | None
    ) -> list[LogLikelihood]:
        """Score completions after their prompts, with smaller batches where memory ends.

        Args:
            tokens: (prompt, completion) each.
            adapter: Name of a loaded adapter; None takes the base weights.

        Raises:
            ResourceExhausted: Memory does not suffice even for a single row.
        """
        with torch.inference_mode(), self._lock:
            prefixes = PrefixStates(self._forward, self._prefixes, self._statistics, adapter)
            whole = budget = self._forward.prefill_tokens
            longest = max((len(prompt) + len(text) for prompt, text in tokens), default=0)
            try:
                while True:
                    try:
                        return score_pairs(self._forward, prefixes, tokens, adapter)
                    except (MemoryError, RuntimeError) as error:
                        # A batch that holds no more tokens than the longest row is a single row.
                        budget = self._halved(budget if budget > longest else 1, error)
                        self._forward.prefill_tokens = budget
            finally:
                self._forward.prefill_tokens = whole

    def _advance(self, run: DecodeRun) -> list[Row]:
        """Compute one step; the lock is held no longer, for a consumer may stop in between."""
        with torch.inference_mode(), self._lock:
            return run.advance()

    def _halved(self, slots: int, error: BaseException) -> int:
        """Return half of the rows or tokens of a batch, if memory is what ran out.

        Args:
            slots: Of the batch that failed.
            error: Why; raised again if it was not memory.

        Raises:
            ResourceExhausted: There is nothing left to halve.
        """
        if not is_out_of_memory(error):
            raise error
        if slots <= 1:
            raise ResourceExhausted(
                "Memory does not suffice for a single row",
                where=self._forward.device,
                fix="Shorten the prompts, use a smaller model, or close other programs.",
            ) from error
        self._statistics.halvings += 1
        _log.warning("memory ran out: the batch is halved and computed again")
        if self._forward.device.type == "cuda":
            torch.cuda.empty_cache()
        return slots // 2

    def _cancel(self, row: Row) -> None:
        """End a row with what it has."""
        row.finish = "cancelled"
        row.text = generated_text(self._forward.tokenizer, row.generated, row.request.stop)
