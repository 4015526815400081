"""The model as pure computation: prefill, one step, logits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache

from domainsmith.model_io.adapters import Adapters
from domainsmith.model_io.batching import like_lengths
from domainsmith.model_io.cpu_attention import NAME, common_states
from domainsmith.model_io.kv_cache import SlotCache, States

__all__ = ["Forward"]

_SAME = 0.99
"""Cosine of what two ways of computing the same in bfloat16 differ in by rounding only."""

_PREFILL_TOKENS = {"cpu": 4096, "cuda": 32768, "mps": 8192}
_CALL_TOKENS = {"cpu": 24}


class Forward:
    """Runs a decoder-only transformers model without its ``generate``.

    Args:
        model: A causal language model; adapters may be injected into it.
        tokenizer: Its tokenizer.
        adapters: Those that are loaded into the model.

    Attributes:
        prefill_tokens: Tokens of a call, padded ones included.
        call_tokens: Tokens of padding in a call that take as long as one more call.
    """

    def __init__(self, model: Any, tokenizer: Any, adapters: Adapters) -> None:
        self.model = model
        self._adapters = adapters
        self.tokenizer = tokenizer
        self.device: torch.device = model.device
        self.dtype: torch.dtype = model.dtype
        self.config = model.config.get_text_config()
        self.prefill_tokens = _PREFILL_TOKENS.get(self.device.type, 4096)
        self.call_tokens = _CALL_TOKENS.get(self.device.type, 2048)
        self.stop_ids = _stop_ids(model, tokenizer)
        self.vocabulary = int(model.get_input_embeddings().weight.shape[0])
        self._decoder = model.get_decoder()
        self._head = model.get_output_embeddings()
        self._window = int(getattr(self.config, "sliding_window", 0) or 0)
        layers = set(getattr(self.config, "layer_types", None) or ())
        self._mixed = "full_attention" in layers and "sliding_attention" in layers
        if self._window and layers == {"full_attention"}:
            self._window = 0
        self._pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0

    @property
    def state_bytes(self) -> int:
        """Bytes of the key/value states of one token."""
        config = self.config
        heads = config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // heads
        grouped = getattr(config, "num_key_value_heads", None) or heads
        return int(2 * config.num_hidden_layers * grouped * width * self.dtype.itemsize)

    def virtual_states(self, adapter: str | None) -> States | None:
        """Return the states that every prompt begins with under an adapter, if it has any."""
        return self._adapters.virtual_states(adapter)

    def new_cache(self) -> SlotCache:
        """Return an empty cache for a decoding batch, as the model's attention reads it best."""
        fast = self.model.config._attn_implementation == NAME and self.dtype == torch.bfloat16
        return SlotCache(whole=fast)

    @cached_property
    def shares_states(self) -> bool:
        """Whether rows that begin alike can be decoded with these states held once.

        It pays where :mod:`cpu_attention` computes the steps. As a model may have an attention
        of its own, a step in this way is compared once with a step in the other.
        """
        if (
            self.model.config._attn_implementation != NAME
            or self.dtype != torch.bfloat16
            or self._window
        ):
            return False
        token, rows = self.vocabulary // 2, 2
        states, _ = self.prefill([[token] * 5] * rows, None, None)
        common = [(keys[:1, :, :3], values[:1, :, :3]) for keys, values in states]
        found = []
        for shared in (None, common):
            cache = self.new_cache()
            cache.admit(states, [5, 4], common=shared)
            cache.make_room()
            hidden = self.step([token] * rows, [5, 4], cache, [None] * rows)
            found.append(hidden.float())
        return float(torch.cosine_similarity(found[0], found[1]).min()) > _SAME

    def hidden(
        self, rows: Sequence[Sequence[int]], past: States | None, adapter: str | None
    ) -> tuple[Any, States]:
        """Compute the hidden states of token rows, each after the same past.

        Args:
            rows: Token lists; they are padded on the right, where a causal model never looks.
            past: States of the common prefix, one row.
            adapter: Of all rows; None for the base weights.

        Returns:
            Hidden states, shape (rows, longest, size), and all states, prefix included.
        """
        width = max(len(row) for row in rows)
        padded = [[*row, *[self._pad] * (width - len(row))] for row in rows]
        cache: Any = DynamicCache()
        for layer, (keys, values) in enumerate(past or ()):
            shape = (len(rows), -1, -1, -1)
            cache.update(keys.expand(*shape), values.expand(*shape), layer)
        with self._adapters.rows([adapter]):
            output = self._decoder(
                input_ids=torch.tensor(padded, device=self.device),
                past_key_values=cache,
                use_cache=True,
            )
        return output.last_hidden_state, [(layer.keys, layer.values) for layer in cache.layers]

    def prefill(
        self, rows: Sequence[Sequence[int]], past: States | None, adapter: str | None
    ) -> tuple[States, torch.Tensor]:
        """Compute prompts.

        Args:
            rows: Tokens of each, at least one.
            past: States of a beginning that all rows share; None for none.
            adapter: Of all rows.

        Returns:
            Their states, and each row's last hidden state, shape (rows, size).
        """
        order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
        lengths = [len(rows[row]) for row in order]
        parts: list[States] = []
        found = []
        start = 0
        while start < len(order):
            count = like_lengths(lengths[start:], len(order), self.call_tokens)
            part = order[start : start + count]
            hidden, states = self.hidden([rows[row] for row in part], past, adapter)
            last = torch.tensor([len(rows[row]) - 1 for row in part], device=self.device)
            found.append(hidden[torch.arange(count, device=self.device), last])
            parts.append(states)
            start += count
        if len(parts) == 1 and order == list(range(len(rows))):
            return parts[0], found[0]
        places = torch.tensor(order, device=self.device).argsort()
        return _put_together(parts, places), torch.cat(found)[places]

    def step(
        self,
        tokens: list[int],
        positions: list[int],
        cache: SlotCache,
        adapters: Sequence[str | None],
    ) -> torch.Tensor:
        """Compute one token of each row.

        Args:
            tokens: One a row.
            positions: Each token's place in its own row, from 0.
            cache: Holds the rows' states and takes the new column.
            adapters: Of each row.

        Returns:
            Hidden states, shape (rows, size).
        """
        mask: Any = cache.mask(self.dtype, self.device)
        if self._window:
            mask = self._by_layer(mask, cache.mask(self.dtype, self.device, self._window))
        with self._adapters.rows(adapters), common_states(cache.common):
            output = self._decoder(
                input_ids=torch.tensor(tokens, device=self.device)[:, None],
                attention_mask=mask,
                position_ids=torch.tensor(positions, device=self.device)[:, None],
                past_key_values=cache,
                use_cache=True,
            )
        hidden: torch.Tensor = output.last_hidden_state[:, -1]
        return hidden

    def chunk(
        self,
        rows: Sequence[Sequence[int]],
        places: list[int],
        computed: list[int],
        cache: SlotCache,
        adapters: Sequence[str | None],
    ) -> torch.Tensor:
        """Compute several tokens of some rows of a decoding batch at once.

        Args:
            rows: Their new tokens.
            places: Their places in the batch.
            computed: Tokens of each that the cache holds.
            cache: Takes the new states.
            adapters: Of each of these rows.

        Returns:
            Hidden states of each row's last token, shape (rows, size).
        """
        cache.spread()
        lengths = [len(row) for row in rows]
        width, past = max(lengths), cache.end - cache.low
        states: Any = DynamicCache()
        for layer, (keys, values) in enumerate(cache.gather(places)):
            states.update(keys, values, layer)
        # The past is right-aligned, the new tokens are padded on the right.
        columns = torch.arange(past + width, device=self.device)
        queries = torch.arange(width, device=self.device)
        starts = torch.tensor([past - count for count in computed], device=self.device)
        hidden = columns[None, None, :] < starts[:, None, None]
        hidden = hidden | (columns[None, None, :] > past + queries[None, :, None])
        mask: Any = self._additive(hidden)
        if self._window:
            seen = past + queries[None, :, None] - self._window
            mask = self._by_layer(mask, self._additive(hidden | (columns[None, None, :] <= seen)))
        padded = [[*row, *[self._pad] * (width - len(row))] for row in rows]
        positions = torch.tensor(computed, device=self.device)[:, None] + queries[None, :]
        with self._adapters.rows(adapters):
            output = self._decoder(
                input_ids=torch.tensor(padded, device=self.device),
                attention_mask=mask,
                position_ids=positions,
                past_key_values=states,
                use_cache=True,
            )
        new: States = [
            (layer.keys[:, :, past:], layer.values[:, :, past:]) for layer in states.layers
        ]
        cache.append(places, new, lengths)
        last = torch.tensor(lengths, device=self.device) - 1
        found: torch.Tensor = output.last_hidden_state
        return found[torch.arange(len(rows), device=self.device), last]

    def _additive(self, hidden: torch.Tensor) -> torch.Tensor:
        """Make an additive mask, shape (rows, 1, queries, columns), of what is hidden."""
        mask = torch.zeros(hidden.shape, dtype=self.dtype, device=self.device)
        return mask.masked_fill_(hidden, torch.finfo(self.dtype).min)[:, None]

    def _by_layer(self, full: Any, windowed: Any) -> Any:
        """Give each kind of layer its mask, where a model has both kinds."""
        if not self._mixed:
            return windowed
        return {"full_attention": full, "sliding_attention": windowed}

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Turn hidden states into float32 logits."""
        logits: torch.Tensor = self._head(hidden).float()
        scale = getattr(self.config, "logit_scale", None)
        if scale:
            logits = logits * scale
        divisor = getattr(self.config, "logits_scaling", None)
        if divisor:
            logits = logits / divisor
        cap = getattr(self.config, "final_logit_softcapping", None)
        return torch.tanh(logits / cap) * cap if cap else logits


def _put_together(parts: list[States], places: torch.Tensor) -> States:
    """Make one batch of several, in another order; shorter ones are padded on the right."""
    width = max(part[0][0].shape[2] for part in parts)

    def joined(states: Iterable[torch.Tensor]) -> torch.Tensor:
        return torch.cat([pad(part, (0, 0, 0, width - part.shape[2])) for part in states])[places]

    layers = (zip(*layer, strict=True) for layer in zip(*parts, strict=True))
    return [(joined(keys), joined(values)) for keys, values in layers]


def _stop_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    ids: set[int] = set()
    for value in (
        getattr(model.generation_config, "eos_token_id", None),
        tokenizer.eos_token_id,
    ):
        if isinstance(value, int):
            ids.add(value)
        elif value is not None:
            ids.update(int(item) for item in value)
    return frozenset(ids)
