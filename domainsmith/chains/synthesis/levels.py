"""The level of a question: what kind of thinking it asks for.

``self_qa/LEVEL`` is the method of a fact; reworded questions add ``/reworded``. Besides the levels
that a question's words tell there are ``compare``, ``procedure``, ``table``, ``multi`` (several
passages) and ``section``, which are known by how the fact was made.
"""

from __future__ import annotations

import re

from domainsmith.records import Language

__all__ = ["level_of"]

_WHY = {
    "en": re.compile(r"\bwhy\b|\bwhat happens (?:if|when)\b|\bfor what reason\b", re.I),
    "zh": re.compile("为什么|为何|原因|会怎样|说明什么"),
}
_HOW = {
    "en": re.compile(
        r"\bhow (?:do|does|did|can|could|should|must|to|is|are|was|were)\b|\bwhat should you do\b",
        re.I,
    ),
    "zh": re.compile("怎样|怎么|如何|怎么办"),
}


def level_of(question: str, language: Language) -> str:
    """Tell a plain question's level by its words.

    Args:
        question: About one thing in one passage.
        language: Its language.

    Returns:
        ``why`` (reasons and consequences), ``how`` (what to do) or ``fact``.
    """
    if _WHY[language].search(question):
        return "why"
    return "how" if _HOW[language].search(question) else "fact"
