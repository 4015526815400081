"""Decodes many requests in one changing batch.

Rows that finish leave the batch at once and waiting ones take their places, so no step is spent
on a finished row. A prefix that rows share is computed once. The order in which rows enter
depends on the requests alone, so the same list gives the same outputs on every run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from domainsmith.model_io.decode_queues import Origin, Queue, queues_of, take_rows
from domainsmith.model_io.decode_row import Row, Statistics
from domainsmith.model_io.generated_text import generated_text, has_stopped
from domainsmith.model_io.kv_cache import States
from domainsmith.model_io.prefix_cache import PIECE_TOKENS, Prefix, PrefixCache
from domainsmith.model_io.prefix_states import PrefixStates
from domainsmith.model_io.sampling import pick_tokens

if TYPE_CHECKING:
    from domainsmith.model_io.forward import Forward

__all__ = ["DecodeRun"]

_REFILL_SHARE = 4
"""Waiting rows enter when a quarter of the slots is free: prefill in batches is cheaper."""

_CHUNK_TOKENS = 2
_CHUNK_SHARE = 4
"""A chunk takes about as long as a step, in which the other rows wait: so at least a quarter of the
rows must have several tokens to compute. Otherwise a step takes one of them a row."""

_COMMON_ROWS = 4
_COMMON_TOKENS = 64
"""From here on it is faster to hold states once that all rows of a batch begin with."""


class DecodeRun:
    """Decodes rows.

    Args:
        forward: The model.
        rows: Requests with their tokens; if their adapters differ, these must mix.
        slots: Rows that are decoded together.
        statistics: Counted into.
        prefixes: Kept between runs.
        share_prefix: Off only to compare.
        force_tokens: Off only to compare.
    """

    def __init__(
        self,
        forward: Forward,
        rows: Sequence[Row],
        *,
        slots: int,
        statistics: Statistics,
        prefixes: PrefixCache,
        share_prefix: bool = True,
        force_tokens: bool = True,
    ) -> None:
        self._forward = forward
        self._slots = slots
        self._statistics = statistics
        self._active: list[Row] = []
        self._cache = self._forward.new_cache()
        self._force_tokens = force_tokens
        self._origins: dict[str | None, Origin] = {}
        self._waiting: deque[Queue] = deque()
        for adapter in sorted({row.adapter for row in rows}, key=lambda name: name or ""):
            group = [row for row in rows if row.adapter == adapter]
            states = PrefixStates(forward, prefixes, statistics, adapter)
            origin, queues = queues_of(group, states, share_prefix=share_prefix)
            self._origins[adapter] = origin
            self._waiting.extend(queues)
        statistics.prompt_tokens += sum(len(row.prompt) - row.virtual for row in rows)

    @property
    def is_done(self) -> bool:
        """Whether no row is left."""
        return not self._active and not self._waiting

    def unfinished(self) -> Iterator[Row]:
        """Yield the rows that are not finished, those in the batch first."""
        yield from self._active
        for queue in self._waiting:
            yield from queue.rows

    def advance(self) -> list[Row]:
        """Compute one token for each row of the batch, after taking in rows that fit.

        Returns:
            Rows that finished by it.
        """
        free = self._slots - len(self._active)
        if self._waiting and (not self._active or free * _REFILL_SHARE >= self._slots):
            return self._admit(free)
        waiting = [place for place, row in enumerate(self._active) if row.pending >= _CHUNK_TOKENS]
        if waiting and len(waiting) * _CHUNK_SHARE >= len(self._active):
            return self._chunk(waiting)
        return self._step()

    def restart(self, slots: int) -> None:
        """Begin again with fewer slots: rows in the batch wait again, finished ones stay so."""
        rows = list(self._active)
        for row in rows:
            row.generated.clear()
            row.computed = 0
            row.text = ""
            row.dice.seed(row.request.seed)
            if row.grammar is not None:
                row.grammar.reset()
        self._active = []
        self._cache = self._forward.new_cache()
        for queue in self._waiting:
            queue.past = queue.origin.past = None
        for adapter, origin in self._origins.items():
            origin.past = None
            group = deque(row for row in rows if row.adapter == adapter)
            if group:
                self._waiting.appendleft(Queue(origin, origin.shared, group))
        self._slots = slots

    def _admit(self, free: int) -> list[Row]:
        """Prefill up to ``free`` rows of the first family; sample their first tokens."""
        queue = self._waiting[0]
        rows = take_rows(queue.rows, free, self._forward.prefill_tokens, queue.prefix)
        for row in rows:
            if not row.generated:
                self._append_forced(row)
        done = [row for row in rows if row.finish is not None]
        if done:
            # Their constraints left them no choice: they are finished before they are computed.
            queue.rows.extendleft(row for row in reversed(rows) if row.finish is None)
            if not queue.rows:
                self._waiting.popleft()
            return done
        try:
            states, hidden = self._prefill(rows, queue)
        except BaseException:
            queue.rows.extendleft(reversed(rows))
            raise
        if not queue.rows:
            self._waiting.popleft()
        self._cache.admit(
            states,
            [len(row.prompt) + len(row.generated) for row in rows],
            common=self._common(rows, queue),
        )
        del states
        for row in rows:
            row.computed = len(row.generated)
        self._active.extend(rows)
        return self._sample(hidden, rows)

    def _prefill(self, rows: list[Row], queue: Queue) -> tuple[States, torch.Tensor]:
        past = self._past(rows[0], queue)
        for row in rows:
            row.cached = past.found
        suffixes = [[*row.prompt[past.tokens :], *row.generated] for row in rows]
        self._statistics.prefilled_tokens += sum(len(suffix) for suffix in suffixes)
        return self._forward.prefill(suffixes, past.states, rows[0].adapter)

    def _common(self, rows: list[Row], queue: Queue) -> States | None:
        """Return the states that rows of a queue begin with, where it pays to hold them once."""
        if queue.past is None or queue.past.states is None:
            return None
        enough = len(rows) >= _COMMON_ROWS and queue.past.tokens >= _COMMON_TOKENS
        joins = self._cache.rows and self._cache.common is queue.past.states
        pays = (enough and not self._cache.rows) or joins
        return queue.past.states if pays and self._forward.shares_states else None

    def _past(self, row: Row, queue: Queue) -> Prefix:
        """Return the prefix of a queue's rows, found or computed at its first use."""
        if queue.past is None:
            origin = queue.origin
            extend, common = origin.prefixes.extend, origin.prefixes.root
            whole = origin.shared // PIECE_TOKENS * PIECE_TOKENS
            if queue.prefix and whole:
                if origin.past is None:
                    origin.past = extend(common, row.prompt[:whole])
                common = origin.past
            queue.past = extend(common, row.prompt[: queue.prefix])
        return queue.past

    def _step(self) -> list[Row]:
        self._cache.make_room()
        tokens = [row.generated[row.computed] for row in self._active]
        # A position counts a row's own tokens.
        positions = [len(row.prompt) + row.computed for row in self._active]
        adapters = [row.adapter for row in self._active]
        hidden = self._forward.step(tokens, positions, self._cache, adapters)
        self._cache.advance()
        self._statistics.steps += 1
        for row in self._active:
            row.computed += 1
        ready = [place for place, row in enumerate(self._active) if not row.pending]
        if len(ready) < len(self._active):
            hidden = hidden[ready]
        return self._sample(hidden, [self._active[place] for place in ready])

    def _chunk(self, places: list[int]) -> list[Row]:
        """Compute all tokens that some rows have to compute, in one step."""
        rows = [self._active[place] for place in places]
        tokens = [row.generated[row.computed :] for row in rows]
        computed = [len(row.prompt) + row.computed for row in rows]
        adapters = [row.adapter for row in rows]
        hidden = self._forward.chunk(tokens, places, computed, self._cache, adapters)
        self._statistics.steps += 1
        for row in rows:
            row.computed = len(row.generated)
        return self._sample(hidden, rows)

    def _sample(self, hidden: torch.Tensor, rows: list[Row]) -> list[Row]:
        """Sample for rows of the batch; drop those that are finished."""
        if not rows:
            return []
        logits = self._forward.logits(hidden)
        for number, row in enumerate(rows):
            if row.grammar is not None:
                row.grammar.allow(
                    logits[number],
                    row.max_new_tokens - len(row.generated),
                    greedy=row.temperature == 0,
                )
        tokens = pick_tokens(logits, rows)
        self._statistics.decoded_tokens += len(rows)
        for row, token in zip(rows, tokens, strict=True):
            self._take_token(row, token)
            if row.finish is None:
                self._append_forced(row)
        for place in range(len(self._active) - 1, -1, -1):
            if self._active[place].finish is not None:
                self._cache.drop(place)
                last = self._active.pop()
                if place < len(self._active):
                    self._active[place] = last
        return [row for row in rows if row.finish is not None]

    def _append_forced(self, row: Row) -> None:
        """Append what the row's constraint leaves no choice about."""
        if row.grammar is None or not self._force_tokens:
            return
        for token in row.grammar.forced():
            self._statistics.forced_tokens += 1
            self._take_token(row, token)
            if row.finish is not None:
                return

    def _is_end(self, row: Row, token: int) -> bool:
        if token in self._forward.stop_ids:
            return True
        if row.grammar is not None and row.grammar.accept(token):
            return True
        return has_stopped(self._forward.tokenizer, row.generated, row.request.stop)

    def _take_token(self, row: Row, token: int) -> None:
        row.generated.append(token)
        if self._is_end(row, token):
            row.finish = "stop"
        elif len(row.generated) >= row.max_new_tokens:
            row.finish = "length"
        if row.finish is not None:
            row.text = generated_text(self._forward.tokenizer, row.generated, row.request.stop)
