"""How much of one text stands in another: tokens, n-grams, containment. Both languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["containment", "ngrams", "plain_tokens", "squeeze", "without_table_heads"]

_TOKEN = re.compile(
    r"[a-z0-9]+"
    r"|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
    r"|[^\W_a-z0-9\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
_RULE = re.compile(r"^(?=[\s:|-]*?-{3})[\s:|-]+$")


def plain_tokens(text: str) -> list[str]:
    """Split a text as ``rouge_score`` does without stemming, but keep other scripts.

    Args:
        text: Any text.

    Returns:
        Lower-cased runs of ASCII letters and digits, single Chinese or Japanese characters,
        and runs of other letters. Nothing else.
    """
    return _TOKEN.findall(text.lower())


def squeeze(text: str) -> str:
    """Reduce a text to what matters for "does this quote stand there".

    Args:
        text: Any text.

    Returns:
        Its compatibility form (full-width digits become ASCII), case-folded, with letters and
        digits only.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def ngrams(tokens: Sequence[str], size: int) -> set[tuple[str, ...]]:
    """Return all runs of ``size`` tokens.

    Args:
        tokens: Tokens in order.
        size: Tokens in a run, >= 1.
    """
    return {tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1)}


def containment(part: Iterable[str], whole: Iterable[str]) -> float:
    """Return the share of the distinct tokens of ``part`` that occur in ``whole``, 0 to 1.

    Args:
        part: Tokens of the text that should be supported.
        whole: Tokens of the text that should support it.
    """
    wanted = set(part)
    return len(wanted & set(whole)) / len(wanted) if wanted else 1.0


def without_table_heads(text: str) -> str:
    """Remove the header rows of Markdown tables.

    Parts of one table repeat its header, so a shared header says nothing about shared facts.

    Args:
        text: Markdown.

    Returns:
        The text without header rows and rule rows.
    """
    lines = text.split("\n")
    heads = {at for at, line in enumerate(lines) if _RULE.match(line) and "|" in line}
    return "\n".join(
        line for at, line in enumerate(lines) if at not in heads and at + 1 not in heads
    )
