"""Who is spoken of, and whether something is denied: words that are too common to be searched by.

"Who should not take it?" and "Take it with food" share every word that counts, and so do "How do I
cancel?" and "We may cancel". What a person asks about oneself is answered by what a text tells
its reader; what is asked with a "not" is answered by what is excluded, forbidden or lacking.
"""

from __future__ import annotations

import re

from domainsmith.data_connection.language import detect_language, normalise_width
from domainsmith.data_connection.scripts_zh import simplified

__all__ = ["stance"]

_OTHER_PERSON = -0.12
_DENIED = 0.15
"""What a sentence gains or loses; a rare word of the question that it holds gives about 0.3."""
_OF_ONESELF = re.compile(r"\b(?:I|my|me)\b|\bcan we\b|\bdo we\b", re.ASCII)
_THE_WRITER = re.compile(r"^\W*(?:\(?\w{1,3}\)\s+)?(?:[^,:]{0,40}:\s+)?we\b", re.IGNORECASE)
_ASKS_DENIED = {
    "en": re.compile(
        r"\b(?:who|what|which|when|where)\b[^?]*(?:\b(?:not|never|excluded|exempt|forbidden|"
        r"prohibited|avoid)\b|n['’]t\b)",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"(?:哪些|什么|谁|哪种|何时|哪里)[^？?]*(?:不(?!同)|没有|禁止|除外)"),
}
_DENIES = {
    "en": re.compile(
        r"\b(?:not|never|no|none|cannot|except|unless|excluded|excludes?|exempt|forbidden|"
        r"prohibited|avoid|neither|nor|fails?)\b|n['’]t\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"不(?!同|仅|但)|未|勿|无|没有|禁止|除外|严禁|免"),
}


def stance(question: str, statement: str) -> float:
    """Return what a statement gains or loses as an answer by its person and its denials.

    Args:
        question: The user's words.
        statement: A sentence, or a row with its column names.

    Returns:
        About -0.1 to 0.15, to be added to its score.
    """
    language = detect_language(question)
    asked = simplified(normalise_width(question))
    value = 0.0
    if _ASKS_DENIED[language].search(asked):
        value += _DENIED * bool(_DENIES[language].search(simplified(statement)))
    if language == "en" and _OF_ONESELF.search(asked):
        value += _OTHER_PERSON * bool(_THE_WRITER.search(statement))
    return value
