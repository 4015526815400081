"""States of prompt beginnings: found in the cache of an engine, or computed and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domainsmith.model_io.prefix_cache import Prefix, PrefixCache, cut

if TYPE_CHECKING:
    from domainsmith.model_io.decode_row import Statistics
    from domainsmith.model_io.forward import Forward

__all__ = ["KEPT_ROWS", "PrefixStates"]

KEPT_ROWS = 4
"""Calls of so few rows are turns of a conversation or steps of an agent, whose prompts come back
as the beginnings of longer ones: they are computed and kept in pieces. The prompts of larger calls
would only push each other out, so what their rows share is kept."""


class PrefixStates:
    """Makes the states of prompt beginnings under one adapter.

    Args:
        forward: The model.
        cache: Kept between calls.
        statistics: Counted into.
        adapter: Name of a loaded adapter, or None for the base weights.
    """

    def __init__(
        self, forward: Forward, cache: PrefixCache, statistics: Statistics, adapter: str | None
    ) -> None:
        self._forward = forward
        self._cache = cache
        self._statistics = statistics
        self._adapter = adapter
        self.root: Prefix = cache.root(adapter, forward.virtual_states(adapter))

    def extend(self, past: Prefix, tokens: list[int]) -> Prefix:
        """Return a longer prefix: pieces that are kept, and the others computed one by one.

        Args:
            past: Its beginning.
            tokens: All its tokens, those of the beginning included.
        """
        pieces = [tokens[start:end] for start, end in cut(past.tokens, len(tokens))]
        found = self._cache.find(past, pieces)
        self._statistics.cached_tokens += found.tokens - past.tokens
        missing = [tokens[start:end] for start, end in cut(found.tokens, len(tokens))]
        states = found.states
        for piece in missing:
            self._statistics.prefilled_tokens += len(piece)
            states = self._forward.prefill([piece], states, self._adapter)[0]
        if not missing or states is None:
            return found
        return self._cache.keep(self._adapter, found, missing, states)
