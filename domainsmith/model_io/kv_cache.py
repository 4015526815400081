"""Key/value states of a batch whose rows come and go, in buffers that are written in place.

transformers' dynamic cache copies all states at every step and cannot take rows in. Here each
row is right-aligned at a common end, so one step writes one column, a finished row's place is
taken by the last row, and new rows enter at any time.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

__all__ = ["SlotCache", "States"]

States = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of each layer, shape (rows, key/value heads, tokens, head size)."""

_ROOM = 64
"""Columns added when the buffers are full."""

_LANES = 32
"""Columns are a multiple of it: torch's softmax takes half the time then."""


class _SlotLayer(CacheLayerMixin):
    """One layer's buffers, shape (slots, key/value heads, columns, head size)."""

    is_sliding = False

    def __init__(self, owner: SlotCache, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.owner = owner
        self.keys: torch.Tensor = keys
        self.values: torch.Tensor = values
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Do nothing: the buffers exist."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write one column; return the states that the step may look at."""
        rows, end, seen = self.owner.rows, self.owner.end, self.owner.seen
        self.keys[:rows, :, end : end + 1] = key_states
        self.values[:rows, :, end : end + 1] = value_states
        return self.keys[:rows, :, seen], self.values[:rows, :, seen]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return length and offset of the states; only asked for when no mask is given."""
        return self.get_seq_length() + query_length, 0

    def get_seq_length(self) -> int:
        """Return the columns in use."""
        return self.owner.end - self.owner.low

    def get_max_length(self) -> int:
        """Return -1: the buffers grow."""
        return -1


class SlotCache(Cache):
    """The states of a decoding batch.

    Args:
        whole: A step looks at whole buffers, not at their columns in use: the mask hides the rest.
            Products with parts of buffers take longer than those with a few columns more.

    Attributes:
        rows: Rows in the batch; they occupy the first slots.
        starts: Column of each row's first token.
        end: Column that the next step writes.
        common: States of the tokens that all rows begin with, held once; the columns hold what
            follows. None if each row's columns hold all its tokens.
    """

    def __init__(self, *, whole: bool = False) -> None:
        super().__init__(layers=[])
        self._whole = whole
        # Typed by transformers as a union in which not every kind has keys.
        self.layers: list[Any] = []
        self.rows = 0
        self.starts: list[int] = []
        self.end = 0
        self.common: States | None = None
        self._columns = 0

    @property
    def low(self) -> int:
        """First column that any row uses."""
        return min(self.starts, default=0)

    @property
    def seen(self) -> slice:
        """Columns that a step looks at."""
        return slice(0, self._columns) if self._whole else slice(self.low, self.end + 1)

    def admit(self, states: States, lengths: list[int], *, common: States | None = None) -> None:
        """Add rows behind those that are there.

        Args:
            states: Their states; row i's tokens are the first ``lengths[i]``.
            lengths: Tokens of each new row.
            common: States that these rows begin with, to be held once. They are copied into each
                row if the rows that are there begin with something else.
        """
        if not self.rows:
            self.common, self.end = common, 0
        elif self.common is not common:
            self.spread()
        offset = self.common[0][0].shape[2] if self.common else 0
        lengths = [length - offset for length in lengths]
        new_rows = len(lengths)
        width = max([self.end - self.low, *lengths])
        self._rebuild(width, self.rows + new_rows, states)
        for layer, (keys, values) in zip(self.layers, states, strict=True):
            for row, length in enumerate(lengths):
                place, first = self.rows + row, self.end - length
                for buffer, part in ((layer.keys, keys), (layer.values, values)):
                    buffer[place, :, :first] = 0
                    buffer[place, :, first : self.end] = part[row, :, offset : offset + length]
        self.starts.extend(self.end - length for length in lengths)
        self.rows += new_rows

    def spread(self) -> None:
        """Copy the common states into each row."""
        if self.common is None:
            return
        tokens = self.common[0][0].shape[2]
        self._rebuild(self.end - self.low + tokens, self.rows, None)
        for row, start in enumerate(self.starts):
            place = slice(start - tokens, start)
            for layer, (keys, values) in zip(self.layers, self.common, strict=True):
                layer.keys[row, :, place] = keys[0]
                layer.values[row, :, place] = values[0]
        self.starts = [start - tokens for start in self.starts]
        self.common = None

    def make_room(self) -> None:
        """Make sure that the next step has a column; unused leading columns are given up."""
        if self.end >= self._columns:
            self._rebuild(self.end - self.low, self.rows, None)

    def advance(self) -> None:
        """Count the column that a step has written."""
        self.end += 1

    def drop(self, row: int) -> None:
        """Remove a row; the last row takes its slot."""
        last = self.rows - 1
        if row != last:
            used = slice(self.starts[last], self.end)
            for layer in self.layers:
                # Columns before the moved row's start hold the other row's states; the mask hides
                # them, as it hides what stands before any row's start.
                layer.keys[row, :, used] = layer.keys[last, :, used]
                layer.values[row, :, used] = layer.values[last, :, used]
            self.starts[row] = self.starts[last]
        self.starts.pop()
        self.rows = last

    def gather(self, rows: list[int]) -> States:
        """Return copies of the states of some rows, from column :attr:`low` on.

        What rows have in common is copied into them before (:meth:`spread`).
        """
        where = slice(self.low, self.end)
        return [(layer.keys[rows, :, where], layer.values[rows, :, where]) for layer in self.layers]

    def append(self, rows: list[int], states: States, lengths: list[int]) -> None:
        """Put several tokens at the end of some rows; the rows move to the left by as many.

        Args:
            rows: Which rows.
            states: Of the new tokens; row i's are the first ``lengths[i]``.
            lengths: Tokens of each.
        """
        lack = max(length - self.starts[row] for row, length in zip(rows, lengths, strict=True))
        if lack > 0:
            self._rebuild(self.end - self.low + lack + _ROOM, self.rows, None)
        for layer, (keys, values) in zip(self.layers, states, strict=True):
            for place, (row, length) in enumerate(zip(rows, lengths, strict=True)):
                old = slice(self.starts[row], self.end)
                moved = slice(self.starts[row] - length, self.end - length)
                new = slice(self.end - length, self.end)
                for buffer, part in ((layer.keys, keys), (layer.values, values)):
                    buffer[row, :, moved] = buffer[row, :, old].clone()
                    buffer[row, :, new] = part[place, :, :length]
        for row, length in zip(rows, lengths, strict=True):
            self.starts[row] -= length

    def mask(
        self, dtype: torch.dtype, device: torch.device, window: int = 0
    ) -> torch.Tensor | None:
        """Return the additive mask of the next step.

        Args:
            dtype: Of the model.
            device: Of the model.
            window: Columns that a sliding-window layer sees; 0 for all.

        Returns:
            Shape (rows, 1, 1, columns). None if every row sees every column, except on a CPU,
            where attention without a mask takes four times as long (transformers then leaves
            grouped heads to torch).
        """
        end, seen = self.end, self.seen
        starts = [max(start, end + 1 - window) if window else start for start in self.starts]
        if device.type != "cpu" and all(start == seen.start for start in starts):
            return None
        columns = torch.arange(seen.start, seen.stop, device=device)[None, :]
        hidden = (columns < torch.tensor(starts, device=device)[:, None]) | (columns > end)
        mask = torch.zeros(hidden.shape, dtype=dtype, device=device)
        mask.masked_fill_(hidden, torch.finfo(dtype).min)
        return mask[:, None, None, :]

    def _rebuild(self, width: int, slots: int, like: States | None) -> None:
        """Move the rows in use to new buffers, right-aligned at column ``width``."""
        low, end = self.low, self.end
        columns = -(-(width + _ROOM) // _LANES) * _LANES
        moved = width - end
        if not self.layers and like is not None:
            self.layers = [_SlotLayer(self, keys[:0], values[:0]) for keys, values in like]
        for layer in self.layers:
            for name in ("keys", "values"):
                old: torch.Tensor = getattr(layer, name)
                new = old.new_empty((slots, old.shape[1], columns, old.shape[3]))
                # Zeros where nothing is written, because a NaN of unset memory would pass through
                # the mask. A step writes its column of all rows.
                new[:, :, width:] = 0
                new[: self.rows, :, : low + moved] = 0
                new[: self.rows, :, low + moved : width] = old[: self.rows, :, low:end]
                setattr(layer, name, new)
        self.starts = [start + moved for start in self.starts]
        self.end, self._columns = width, columns
