"""Who is spoken of, and whether something is denied: words that are too common to be searched by.

"Who should not take it?" and "Take it with food" share every word that counts, and so do "How do I
cancel?" and "We may cancel". What a person asks about oneself is answered by what a text tells
its reader; what is asked with a "not" is answered by what is excluded, forbidden or lacking.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.data_connection.language import content_terms, detect_language, normalise_width
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.data_connection.sentences import sentences

__all__ = ["denial_differs", "list_stance", "stance"]

_OTHER_PERSON = -0.12
_DENIED = 0.15
"""What a sentence gains or loses; a rare word of the question that it holds gives about 0.3."""
_EXCLUSIONS = 0.3
"""For a list of what is excluded, where that is asked for; against it, where it is not."""
_EXCLUDES = {
    "en": re.compile(
        r"(?:\bnot|n['’]t) (?:pay|cover|insure|include|allow|permit|accept|apply|reimburse|liable|"
        r"responsible|eligible|part of)\w*|\b(?:cannot|(?:must|may) (?:not|never))\b|"
        r"\b(?:excluded?|excludes|exclusions?|exempt|forbidden|prohibited)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"不(?:予|负责|承担|赔|保(?!证)|得|可(?!或)|能|包[括含]|适用|报销)|除外|禁止|严禁|免责|责任免除"
    ),
}
_CONDITION = {
    "en": re.compile(r"\b(?:if|when|because)\b.*|^(?:To|In case)\b[^,]*,", re.IGNORECASE),
    "zh": re.compile(r"[^，,]*(?:如果|若|的话|时)[，,]"),
}
"""What a question or a lead says of the circumstances."""
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
_NEGATES = {
    "en": re.compile(r"\b(?:not|never|cannot|nor)\b|n['’]t\b", re.IGNORECASE),
    "zh": re.compile(r"不(?![同仅但止断])|未(?!来)|勿|没有?|禁止|严禁"),
}
_YES_OR_NO = re.compile(
    r"^\W*(?:yes|no|是的?|不是?|否|能|不能|可以|不可以)[,，.。]\s*", re.IGNORECASE
)
_RESTS_ON = 0.8
"""Share of the words of one statement, or of an answer, that the other holds."""


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


def list_stance(question: str, lead: str) -> float:
    """Return what a list gains or loses as an answer to "Which ...?" by what leads it.

    "Which cases are not covered?" wants the list below "We do not pay for:"; "Which amounts can I
    choose?" wants any other.

    Args:
        question: The user's words, which ask for several things.
        lead: The line above the list, or its heading.
    """
    language = detect_language(question)
    if not _EXCLUDES[language].search(_CONDITION[language].sub("", simplified(lead))):
        return 0.0
    asked = _CONDITION[language].sub("", simplified(normalise_width(question)))
    if _ASKS_DENIED[language].search(asked):
        return _EXCLUSIONS
    return 0.0 if _DENIES[language].search(asked) else -_EXCLUSIONS


def denial_differs(answer: str, said: Sequence[str]) -> bool:
    """Tell whether an answer denies what no statement denies, or leaves a denial out.

    Words alone do not tell: "The plan does not pay for emergency rooms" may take its "not" from a
    list of other things.

    Args:
        answer: Some sentences.
        said: Statements of the documents.

    Returns:
        True if a sentence with a "not" finds most of its words in no single statement with one, or
        if a sentence without it repeats most of a short statement that has one.
    """
    language = detect_language(answer)
    negates = _NEGATES[language]
    rows = [(set(content_terms(text, language)), bool(negates.search(text))) for text in said]
    for start, end in sentences(answer, language):
        sentence = _YES_OR_NO.sub("", simplified(answer[start:end]))
        words = set(content_terms(sentence, language))
        if not words:
            continue
        if negates.search(sentence):
            rests = any(no and len(words & held) >= _RESTS_ON * len(words) for held, no in rows)
        else:
            near = [row for row in rows if len(words & row[0]) >= _RESTS_ON * len(row[0]) > 0]
            rests = not near or any(not no for _, no in near)
        if not rests:
            return True
    return False
