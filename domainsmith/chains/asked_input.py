"""What may be asked of the answer chain, and what is said to anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from domainsmith.chains.condense import asked_now, standalone_question
from domainsmith.errors import InputInvalid

__all__ = ["LONGEST_QUESTION", "AskedInput", "read_question"]

LONGEST_QUESTION = 8_000
"""Characters of a question. The forms that read questions take time that grows faster than their
length, and what is longer is a document: it is added, not asked."""
_FORM = 'Give a text, or {"question": TEXT, "history": [(USER, ASSISTANT), ...]}.'


class AskedInput(NamedTuple):
    """A question as the chain reads it.

    Attributes:
        asked: In the user's words.
        now: What is asked now, with what a follow-up leaves out; sentences are judged by it.
        whole: Standing alone; what is searched for. Ends with ``now``.
    """

    asked: str
    now: str
    whole: str


def read_question(item: Any) -> AskedInput:
    """Read an input of the answer chain.

    Args:
        item: The question, or a mapping with ``question`` and, if there was one, ``history``.

    Returns:
        The question as asked, and as it stands alone.

    Raises:
        InputInvalid: It has another form, is empty or too long.
    """
    history: Any = None
    if isinstance(item, Mapping):
        item, history = item.get("question", ""), item.get("history")
    if item is not None and not isinstance(item, str):
        raise InputInvalid(f"A question is no {type(item).__name__}", fix=_FORM)
    asked = (item or "").strip()
    if not asked:
        raise InputInvalid("The question is empty", fix="Write a question.")
    if len(asked) > LONGEST_QUESTION:
        raise InputInvalid(
            f"The question has {len(asked)} characters; {LONGEST_QUESTION} are read at most",
            fix="Add long texts as documents and ask about them.",
        )
    turns = _turns(history)
    return AskedInput(asked, asked_now(asked, turns), standalone_question(asked, turns))


def _turns(history: Any) -> list[tuple[str, str]]:
    rows = [] if history is None else history
    pairs = (
        isinstance(rows, Sequence)
        and not isinstance(rows, str | bytes)
        and all(isinstance(row, Sequence) and not isinstance(row, str | bytes) for row in rows)
    )
    if not pairs or any(len(row) != 2 for row in rows):
        raise InputInvalid("The history is no list of (user, assistant) turns", fix=_FORM)
    return [(str(user), str(assistant)) for user, assistant in rows]
