"""Generated tokens as text: cut at stop texts, and while streaming only as far as is certain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["certain_text", "generated_text", "has_stopped"]


def generated_text(tokenizer: Any, generated: Sequence[int], stop: Sequence[str]) -> str:
    """Return the text of generated tokens, cut before the first stop text.

    A Han character may be several tokens: one that a limit of tokens cut is left out.

    Args:
        tokenizer: Of the model.
        generated: Tokens; special ones are left out.
        stop: Texts that end an answer; may be none.
    """
    text = _decoded(tokenizer, generated).rstrip("\ufffd")
    cuts = [place for place in (text.find(mark) for mark in stop) if place >= 0]
    return text[: min(cuts)] if cuts else text


def certain_text(tokenizer: Any, generated: Sequence[int], stop: Sequence[str]) -> str:
    """Return the text so far without an unfinished character or a possible stop text.

    Args:
        tokenizer: Of the model.
        generated: Tokens so far.
        stop: Texts of which the last letters may be a beginning.
    """
    text = generated_text(tokenizer, generated, stop)
    longest = max((len(mark) for mark in stop), default=0)
    for size in range(min(longest - 1, len(text)), 0, -1):
        if any(mark.startswith(text[-size:]) for mark in stop):
            return text[:-size]
    return text


def has_stopped(tokenizer: Any, generated: Sequence[int], stop: Sequence[str]) -> bool:
    """Tell whether one of the stop texts stands at the end of what was generated.

    Args:
        tokenizer: Of the model.
        generated: Tokens, the newest last.
        stop: Texts that end an answer; may be none.
    """
    if not stop:
        return False
    # A character has at most 4 bytes, and each may be a token of its own.
    window = 4 * max(len(text) for text in stop) + 4
    tail = _decoded(tokenizer, generated[-window:])
    return any(text in tail for text in stop)


def _decoded(tokenizer: Any, tokens: Sequence[int]) -> str:
    text: str = tokenizer.decode(
        list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return text
