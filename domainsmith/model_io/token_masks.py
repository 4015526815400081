"""Bit masks over a vocabulary: 32 tokens a word, as xgrammar packs them."""

from __future__ import annotations

import torch

__all__ = ["ENDS_NUMBER", "ENDS_TEXT", "PRINTABLE", "first_token", "has_token", "vocabulary_masks"]

ENDS_TEXT = 0
"""Row of the tokens that begin with a quotation mark and hold nothing but punctuation."""

ENDS_NUMBER = 1
"""Row of the tokens that may follow a number."""

PRINTABLE = 2
"""Row of the tokens without control characters, which JSON must not have."""

_PUNCTUATION = frozenset(b'", :]}')


def vocabulary_masks(texts: list[bytes], width: int) -> torch.Tensor:
    """Return the masks of the rows above, shape (3, words).

    Args:
        texts: Bytes of each token.
        width: Tokens that a mask covers.
    """
    masks = torch.zeros((3, -(-width // 32)), dtype=torch.int32)
    for token, text in enumerate(texts[:width]):
        rows = []
        if text and set(text) <= _PUNCTUATION:
            rows.append(ENDS_NUMBER)
            if text.startswith(b'"'):
                rows.append(ENDS_TEXT)
        if min(text, default=32) >= 32:
            rows.append(PRINTABLE)
        word, bit = divmod(token, 32)
        # Words are int32, so bit 31 is the sign.
        value = 1 << bit if bit < 31 else -(1 << 31)
        for row in rows:
            masks[row, word] |= value
    return masks


def has_token(mask: torch.Tensor, token: int) -> bool:
    """Return whether a mask of shape (words) has a token."""
    word, bit = divmod(token, 32)
    return bool(int(mask[word]) & 1 << bit)


def first_token(mask: torch.Tensor) -> int:
    """Return the lowest token of a mask of shape (words) that is not empty."""
    word = int((mask != 0).nonzero()[0, 0])
    value = int(mask[word]) & 0xFFFFFFFF
    return word * 32 + (value & -value).bit_length() - 1
