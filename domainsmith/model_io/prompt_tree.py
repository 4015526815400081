"""Prompts as a tree of shared beginnings, each of which is then computed once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from domainsmith.model_io.batching import common_prefix

__all__ = ["PromptTree", "prompt_tree"]

_MIN_TOKENS = 16
_MIN_SAVED = 32
"""A beginning costs a pass of its own and takes its rows out of the larger batch: not worth it for
fewer tokens, nor for fewer tokens saved."""

_MAX_DEPTH = 8
"""The states of all beginnings on the way to a row are in memory at once."""


@dataclass(slots=True)
class PromptTree:
    """A beginning that prompts share.

    Attributes:
        tokens: All its tokens, those of its parents included.
        rows: Numbers of the prompts that are computed right after it.
        branches: Longer beginnings, each shared by some of the other prompts.
    """

    tokens: tuple[int, ...]
    rows: list[int] = field(default_factory=list)
    branches: list[PromptTree] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Prompt:
    tokens: tuple[int, ...]
    rows: tuple[int, ...]

    @property
    def usable(self) -> int:
        """Tokens that may be in a beginning: the last one predicts what follows the prompt."""
        return len(self.tokens) - 1


def prompt_tree(prompts: Sequence[Sequence[int]], start: int = 0) -> PromptTree:
    """Group prompts by what they begin with.

    Args:
        prompts: Token lists; of each, at least the last token is left for its rows.
        start: Tokens that all of them share because they have been put there.

    Returns:
        The tree; its root is the beginning that all prompts share, of at least ``start`` tokens.
        Every row is in it once, in an order that depends on the prompts alone.
    """
    numbers: dict[tuple[int, ...], list[int]] = {}
    for row, tokens in enumerate(prompts):
        numbers.setdefault(tuple(tokens), []).append(row)
    distinct = [_Prompt(tokens, tuple(numbers[tokens])) for tokens in sorted(numbers)]
    first = distinct[0].tokens[:start] if distinct else ()
    root = PromptTree(first)
    _grow(root, distinct, start, depth=0)
    # A root with a single branch is nothing but the beginning of it.
    if len(root.branches) == 1 and not root.rows:
        return root.branches[0]
    return root


def _grow(node: PromptTree, prompts: Sequence[_Prompt], start: int, depth: int) -> None:
    """Hang sorted prompts, which share ``start`` tokens, below a beginning."""
    for group in _groups(prompts, start):
        # In lexicographic order, what the first and the last share is shared by all between.
        end = min(common_prefix(group[0].tokens, group[-1].tokens), *(one.usable for one in group))
        count = sum(len(one.rows) for one in group)
        length = end - len(node.tokens)
        worth = length >= _MIN_TOKENS and length * (count - 1) >= _MIN_SAVED
        if worth and depth < _MAX_DEPTH:
            branch = PromptTree(group[0].tokens[:end])
            node.branches.append(branch)
            _grow(branch, group, end, depth + 1)
        elif len(group) == 1 or depth >= _MAX_DEPTH:
            node.rows.extend(row for one in group for row in one.rows)
        else:
            _grow(node, group, end, depth + 1)


def _groups(prompts: Sequence[_Prompt], start: int) -> Iterator[list[_Prompt]]:
    """Split prompts by their next token; those that have none to give away come alone."""
    for prompt in prompts:
        if prompt.usable <= start and len(prompts) > 1:
            yield [prompt]
    rest = [prompt for prompt in prompts if prompt.usable > start or len(prompts) == 1]
    for _, group in groupby(rest, key=lambda prompt: prompt.tokens[start]):
        yield list(group)
