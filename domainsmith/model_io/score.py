"""Log-likelihoods of given completions."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from domainsmith.errors import ModelError
from domainsmith.model_io.forward import Forward
from domainsmith.model_io.generation import LogLikelihood
from domainsmith.model_io.kv_cache import States

__all__ = ["score_pairs"]

Pair = tuple[list[int], list[int]]
_HEAD_POSITIONS = 512
"""Positions whose logits (a whole vocabulary each) are in memory at once."""
_MIN_SHARED = 16


def score_pairs(forward: Forward, pairs: Sequence[Pair]) -> list[LogLikelihood]:
    """Score tokenised pairs.

    Rows are batched by length. A prompt that several pairs have is computed once, and so is what
    all prompts begin with (a system text, examples); the language model head is computed only
    where a completion token is predicted.

    Args:
        forward: The model, its adapter already chosen.
        pairs: (prompt tokens, completion tokens) each; prompts are not empty.

    Returns:
        One value a pair, in the given order.

    Raises:
        ModelError: The model computed values that are not numbers.
    """
    results = [LogLikelihood(0.0, 0)] * len(pairs)
    by_prompt: dict[tuple[int, ...], list[int]] = {}
    for number, (prompt, completion) in enumerate(pairs):
        if completion:
            by_prompt.setdefault(tuple(prompt), []).append(number)
    start, common = _common_past(forward, list(by_prompt))
    alone: list[int] = []
    for shared, numbers in by_prompt.items():
        if len(numbers) > 1 and len(shared) - start > _MIN_SHARED:
            past, _ = forward.prefill([list(shared[start:-1])], common)
            _score_rows(forward, pairs, numbers, past, len(shared) - 1, results)
        else:
            alone.extend(numbers)
    _score_rows(forward, pairs, alone, common, start, results)
    return results


def _common_past(forward: Forward, prompts: Sequence[tuple[int, ...]]) -> tuple[int, States | None]:
    """Compute what several prompts begin with; each keeps at least its last token."""
    if len(prompts) < 2:
        return 0, None
    # The first and the last in order differ where any two of them do.
    first, last = min(prompts), max(prompts)
    longest = min(len(prompt) for prompt in prompts) - 1
    length = next(
        (place for place in range(longest) if first[place] != last[place]), max(longest, 0)
    )
    if length < _MIN_SHARED:
        return 0, None
    past, _ = forward.prefill([list(first[:length])], None)
    return length, past


def _score_rows(
    forward: Forward,
    pairs: Sequence[Pair],
    numbers: list[int],
    past: States | None,
    skip: int,
    results: list[LogLikelihood],
) -> None:
    """Score rows after a common past of ``skip`` tokens, in batches of similar length."""
    rows = {number: [*pairs[number][0][skip:], *pairs[number][1]] for number in numbers}
    order = sorted(numbers, key=lambda number: (-len(rows[number]), rows[number]))
    while order:
        width = len(rows[order[0]])
        count = max(1, forward.prefill_tokens // (width + skip // 4))
        batch, order = order[:count], order[count:]
        # The last token predicts nothing, so it need not be computed.
        hidden, _ = forward.hidden([rows[number][:-1] for number in batch], past)
        lengths = [len(pairs[number][1]) for number in batch]
        flat = torch.cat(
            [
                hidden[row, len(rows[number]) - 1 - length : len(rows[number]) - 1]
                for row, (number, length) in enumerate(zip(batch, lengths, strict=True))
            ]
        )
        targets = [token for number in batch for token in pairs[number][1]]
        values = _token_values(forward, flat, targets)
        start = 0
        for number, length in zip(batch, lengths, strict=True):
            results[number] = LogLikelihood(sum(values[start : start + length]), length)
            start += length


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
