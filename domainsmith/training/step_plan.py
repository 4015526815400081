"""Which records each optimizer step sees, laid out so that a shared beginning is computed once.

Records made from one passage begin alike: system prompt, passages, then the question. In an epoch
over such records most tokens are repetitions, and since attention is causal, a repeated beginning
has equal states. So records that begin alike go into the same step and into the same row, as a
tree: the beginning once, then every continuation, which sees the beginning and itself. Loss and
gradients are those of separate rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domainsmith.training.dataset import TokenizedRecord

__all__ = ["MicroBatch", "Row", "StepPlan", "can_share_prefixes", "plan_steps"]

_MIN_SHARED = 32
"""Tokens beyond what all records share, from which two records count as a family."""
_ROW_TOKENS = 384
"""Tokens of a row of several families: each token attends to the whole row, so longer rows cost
more than the shared system prompt saves."""
_FAMILY_SHARE = 0.5
"""Most of a step that one family may fill: a step of one passage is a poor sample of all."""


@dataclass(frozen=True)
class Row:
    """Records that are computed in one row of a batch.

    Args:
        records: Positions of the records, in the order in which they are laid out.
        shared: For each, how many of its leading tokens are those of the record before it.
        length: Tokens that are computed. A record's last token predicts nothing and is left out.
    """

    records: tuple[int, ...]
    shared: tuple[int, ...]
    length: int


MicroBatch = tuple[Row, ...]
"""Rows of one forward pass."""
StepPlan = tuple[MicroBatch, ...]
"""The forward passes of one optimizer step."""


@dataclass(frozen=True)
class _Family:
    """Records that begin alike, in the order of their prompts.

    Args:
        records: Their positions.
        length: Tokens computed if they share a row.
        tokens: Tokens of the records, counted one by one.
    """

    records: tuple[int, ...]
    length: int
    tokens: int


def can_share_prefixes(base_folder: Path) -> bool:
    """Tell whether a model's attention can compute a shared beginning once.

    Args:
        base_folder: Holds the model's ``config.json``.

    Returns:
        True if every layer attends to all that was before and positions are rotary: then a token
        is told its place and what it may see. Sliding windows and recurrent layers cannot.
    """
    try:
        config = json.loads((Path(base_folder) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    config = config.get("text_config") or config
    layers = set(config.get("layer_types") or ["full_attention"])
    window = config.get("sliding_window") and config.get("use_sliding_window", True)
    rotary = any(config.get(name) for name in ("rope_theta", "rope_parameters"))
    return layers == {"full_attention"} and not window and rotary


def plan_steps(
    records: Sequence[TokenizedRecord],
    *,
    epochs: float,
    batch_tokens: int,
    micro_tokens: int,
    seed: int,
    max_steps: int = 0,
    share: bool = False,
) -> list[StepPlan]:
    """Decide before training which records each optimizer step sees.

    Each epoch is a permutation of the records (of families of them with ``share``), cut into
    steps of about equal token counts. Only within a step are they sorted by length and laid into
    rows and padded micro-batches, so that little is padded and the steps stay random. The loss of
    a step is the sum over its micro-batches divided by its completion tokens: the same as one
    large batch.

    Args:
        records: What is trained on.
        epochs: Passes over the records; a fraction takes the front of the last permutation.
        batch_tokens: Tokens of a step, about, shared ones counted for every record.
        micro_tokens: Padded tokens of a micro-batch, at most; a longer row stands alone.
        seed: Of the permutations.
        max_steps: Steps in all; 0 for as many as the epochs have, else epochs are repeated.
        share: Compute a beginning that records share once.

    Returns:
        The steps in order, at least one.
    """
    prompts = [np.array(r.input_ids[: r.prompt_length], dtype=np.int32) for r in records]
    common, families = 0, [_family([at], records, prompts) for at in range(len(records))]
    if share and len(records) > 1:
        common, families = _families(records, prompts, int(batch_tokens * _FAMILY_SHARE))
    sizes = np.array([family.tokens for family in families], dtype=np.int64)
    plan: list[StepPlan] = []
    epoch = 0
    while epoch < epochs or len(plan) < max_steps:
        order = np.random.default_rng([seed, epoch]).permutation(len(sizes))
        part = 1.0 if max_steps else min(1.0, epochs - epoch)
        order = order[: max(1, round(len(order) * part))]
        for group in _equal_groups(order, sizes, batch_tokens):
            rows = _rows([families[at] for at in group], records, prompts, common, share)
            plan.append(_micro_batches(rows, micro_tokens))
        epoch += 1
        if max_steps and len(plan) >= max_steps:
            break
    return plan[:max_steps] if max_steps else plan


def _key(prompt: NDArray[np.int32]) -> bytes:
    """Return bytes that sort as the tokens do: a list of them would need ten times the memory."""
    return prompt.astype(">i4").tobytes()


def _common(first: NDArray[np.int32], second: NDArray[np.int32]) -> int:
    """Count the leading tokens that two prompts share."""
    least = min(len(first), len(second))
    differ = np.flatnonzero(first[:least] != second[:least])
    return int(differ[0]) if len(differ) else least


def _families(
    records: Sequence[TokenizedRecord], prompts: Sequence[NDArray[np.int32]], most: int
) -> tuple[int, list[_Family]]:
    """Group records by a long common beginning; return what all of them share, and the groups."""
    # In lexicographic order, relatives are neighbours, and the first and the last record share
    # what all records share.
    order = sorted(range(len(records)), key=lambda at: (_key(prompts[at]), at))
    common = _common(prompts[order[0]], prompts[order[-1]])
    groups: list[list[int]] = []
    tokens = 0
    for at in order:
        near = groups and _common(prompts[groups[-1][-1]], prompts[at]) >= common + _MIN_SHARED
        if near and tokens + records[at].length <= most:
            groups[-1].append(at)
            tokens += records[at].length
        else:
            groups.append([at])
            tokens = records[at].length
    return common, [_family(group, records, prompts) for group in groups]


def _family(
    group: Sequence[int],
    records: Sequence[TokenizedRecord],
    prompts: Sequence[NDArray[np.int32]],
) -> _Family:
    row = _row(group, records, prompts)
    return _Family(row.records, row.length, sum(records[at].length for at in group))


def _row(
    group: Sequence[int],
    records: Sequence[TokenizedRecord],
    prompts: Sequence[NDArray[np.int32]],
) -> Row:
    order = sorted(group, key=lambda at: (_key(prompts[at]), at))
    shared = [0]
    for before, at in pairwise(order):
        shared.append(_common(prompts[before], prompts[at]))
    length = sum(records[at].length - 1 for at in order) - sum(shared)
    return Row(tuple(order), tuple(shared), length)


def _equal_groups(
    order: NDArray[np.int64], sizes: NDArray[np.int64], batch_tokens: int
) -> list[NDArray[np.int64]]:
    """Cut a permutation where the running token count passes equal shares of the total."""
    running = np.cumsum(sizes[order])
    count = min(len(order), max(1, round(int(running[-1]) / batch_tokens)))
    middle = running - sizes[order] / 2
    share = np.minimum((middle * count / running[-1]).astype(np.int64), count - 1)
    return [order[share == number] for number in range(count) if (share == number).any()]


def _rows(
    families: Sequence[_Family],
    records: Sequence[TokenizedRecord],
    prompts: Sequence[NDArray[np.int32]],
    common: int,
    share: bool,
) -> list[Row]:
    """Lay families into rows, longest first; short ones share a row for the common beginning."""
    groups: list[list[int]] = []
    lengths: list[int] = []
    for family in sorted(families, key=lambda item: (-item.length, item.records)):
        more = family.length - common
        for number, length in enumerate(lengths):
            if share and common and length + more <= _ROW_TOKENS:
                groups[number].extend(family.records)
                lengths[number] += more
                break
        else:
            groups.append(list(family.records))
            lengths.append(family.length)
    return [_row(group, records, prompts) for group in groups]


def _micro_batches(rows: Sequence[Row], micro_tokens: int) -> StepPlan:
    batches: list[list[Row]] = []
    for row in sorted(rows, key=lambda item: (-item.length, item.records)):
        longest = batches[-1][0].length if batches else 0
        if batches and longest * (len(batches[-1]) + 1) <= micro_tokens:
            batches[-1].append(row)
        else:
            batches.append([row])
    return tuple(tuple(batch) for batch in batches)
