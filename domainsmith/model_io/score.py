"""Log-likelihoods of given completions."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from domainsmith.errors import ModelError
from domainsmith.model_io.batching import like_lengths
from domainsmith.model_io.forward import Forward
from domainsmith.model_io.generation import LogLikelihood
from domainsmith.model_io.prefix_cache import PIECE_TOKENS, Prefix
from domainsmith.model_io.prefix_states import KEPT_ROWS, PrefixStates
from domainsmith.model_io.prompt_tree import PromptTree, prompt_tree

__all__ = ["score_pairs"]

Pair = tuple[list[int], list[int]]
_HEAD_POSITIONS = 512
"""Positions whose logits (a whole vocabulary each) are in memory at once."""


def score_pairs(
    forward: Forward, prefixes: PrefixStates, pairs: Sequence[Pair], adapter: str | None
) -> list[LogLikelihood]:
    """Score tokenised pairs.

    What prompts begin with is computed once for all that share it (a system text, a passage, a
    whole prompt with several completions), and kept for later calls. The other tokens are batched
    by length; the language model head is computed only where a completion token is predicted.

    Args:
        forward: The model.
        prefixes: Of the adapter.
        pairs: (prompt tokens, completion tokens) each; prompts are not empty.
        adapter: Name of a loaded adapter, or None for the base weights.

    Returns:
        One value a pair, in the given order.

    Raises:
        ModelError: The model computed values that are not numbers.
    """
    return _Scoring(forward, prefixes, pairs, adapter).run()


class _Scoring:
    def __init__(
        self,
        forward: Forward,
        prefixes: PrefixStates,
        pairs: Sequence[Pair],
        adapter: str | None,
    ) -> None:
        self._forward = forward
        self._prefixes = prefixes
        self._pairs = pairs
        self._adapter = adapter
        self._results = [LogLikelihood(0.0, 0)] * len(pairs)

    def run(self) -> list[LogLikelihood]:
        numbers = [number for number, (_, completion) in enumerate(self._pairs) if completion]
        prompts = [self._pairs[number][0] for number in numbers]
        if prompts:
            few = len({tuple(prompt) for prompt in prompts}) <= KEPT_ROWS
            root = self._prefixes.root
            self._score_tree(prompt_tree(prompts, root.tokens), root, numbers, keep_rows=few)
        return self._results

    def _score_tree(
        self, tree: PromptTree, past: Prefix, numbers: list[int], *, keep_rows: bool
    ) -> None:
        past = self._prefixes.extend(past, list(tree.tokens))
        together = []
        for row in tree.rows:
            prompt = self._pairs[numbers[row]][0]
            whole = (len(prompt) - 1) // PIECE_TOKENS * PIECE_TOKENS
            if keep_rows and whole > past.tokens:
                self._score_rows([numbers[row]], self._prefixes.extend(past, prompt[:whole]))
            else:
                together.append(numbers[row])
        self._score_rows(together, past)
        for branch in tree.branches:
            self._score_tree(branch, past, numbers, keep_rows=keep_rows)

    def _score_rows(self, numbers: list[int], past: Prefix) -> None:
        """Score rows after a common past, in batches of similar length."""
        pairs, skip = self._pairs, past.tokens
        rows = {number: [*pairs[number][0][skip:], *pairs[number][1]] for number in numbers}
        order = sorted(numbers, key=lambda number: (-len(rows[number]), rows[number]))
        while order:
            count = self._batch([len(rows[number]) for number in order], skip)
            batch, order = order[:count], order[count:]
            # The last token predicts nothing, so it need not be computed.
            tokens = [rows[number][:-1] for number in batch]
            hidden, _ = self._forward.hidden(tokens, past.states, self._adapter)
            lengths = [len(pairs[number][1]) for number in batch]
            flat = torch.cat(
                [
                    hidden[row, len(rows[number]) - 1 - length : len(rows[number]) - 1]
                    for row, (number, length) in enumerate(zip(batch, lengths, strict=True))
                ]
            )
            targets = [token for number in batch for token in pairs[number][1]]
            values = _token_values(self._forward, flat, targets)
            start = 0
            for number, length in zip(batch, lengths, strict=True):
                self._results[number] = LogLikelihood(sum(values[start : start + length]), length)
                start += length

    def _batch(self, lengths: Sequence[int], skip: int) -> int:
        """Tell how many rows, longest first, go into one call."""
        most = max(1, self._forward.prefill_tokens // (lengths[0] + skip // 4))
        return like_lengths(lengths, most, self._forward.call_tokens)


def _token_values(forward: Forward, hidden: torch.Tensor, targets: list[int]) -> list[float]:
    values: list[float] = []
    for start in range(0, len(targets), _HEAD_POSITIONS):
        logits = forward.logits(hidden[start : start + _HEAD_POSITIONS])
        wanted = torch.tensor(targets[start : start + _HEAD_POSITIONS], device=logits.device)
        chosen = logits.gather(1, wanted[:, None])[:, 0]
        part = chosen - torch.logsumexp(logits, dim=-1)
        if not bool(torch.isfinite(part).all()):
            raise ModelError(
                "The model computed values that are not numbers (NaN or infinity)",
                fix="Use dtype float32, or train the adapter again with a lower learning rate.",
            )
        values.extend(part.double().tolist())
    return values
