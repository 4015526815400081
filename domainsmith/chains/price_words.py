"""Words for a price: "What does the pump cost?" is answered by a table with a column "Price"."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from domainsmith.data_connection.language import content_terms

__all__ = ["said_as"]

_ENGLISH = frozenset(content_terms("cost costs price prices fee fees charge charges", "en"))
_CHINESE = frozenset({"钱", "多少钱", "价钱", "价格", "价", "售价", "单价", "费用"})


def said_as(term: str, held: AbstractSet[str]) -> str:
    """Return the word under which a text speaks of what a term of a question means.

    Args:
        term: A content term of the question.
        held: Content terms of the text.

    Returns:
        The term itself, unless it is a word for a price and the text has only another one.
    """
    for group in (_ENGLISH, _CHINESE):
        if term in group and term not in held:
            return min(group & held, default=term)
    return term
