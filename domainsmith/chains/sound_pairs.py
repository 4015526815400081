"""What a question and its answer must be to stand without the text around them."""

from __future__ import annotations

import re

from domainsmith.chains.frames_zh import Frame, framed_question
from domainsmith.chains.studies import suits_study
from domainsmith.data_connection.language import content_terms
from domainsmith.records import Language

__all__ = ["finished_en", "finished_zh", "stands_alone"]

_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|this|these|those|that one|he|she)\b", re.I)
_ANCHOR = re.compile(r"\b(?:the|a|an|your|each|every) [a-z]", re.I)
_LEANS = re.compile(
    r"\b(?:Fig(?:ure|s)?|Tables? \d+|Eq|Equation|Section|Appendix|et al)\b|\[\d|\(see\b"
    r"|formula_|（）"
    r"|\b(?:our|we|us|such|latter|former|following|respectively)\b",
    re.I,
)
"""What points at something outside the question: figures, citations, earlier sentences."""
_CITED = re.compile(r"\s*\[[\d, –-]+\]\s*\.?$")
_MOST_WORDS = 28
"""Words of an English question that names no study."""
_AUTHORS = re.compile(r"\s*\([^()]*[A-Z][^()]*\b(?:19|20)\d\d[a-z]?[^()]*\)")
"""A citation in brackets."""
_UNFINISHED = re.compile(
    r"\b(?:includes?|including|are|is|was|were|the|and|or|following|play) ?\?$"
    r"|in accordance in"
)
_NO_ANSWER = re.compile(
    r"^(?!How|What|Whether|Where).*\b(?:includes?|including|are|is|may|can|the|of|and|or)\.$"
    r"|\bfollowing\b|^(?:This|These|Those|Such)\b|^(?:And|Or)\b|^One .* to another\b"
    r"|^(?:Many|Several|Various|Different) (?:factors|ways|reasons|things)\.$|:\.?$"
    r"|^At (?:the same time|the time|risk|least)\b"
    r"|\bto (?:determine|assess|evaluate|investigate|measure|examine|identify|confirm|compare)\.$"
    r"|^In (?:the )?(?:text|older people|people|patients|children|adults|others)\b",
    re.I,
)
"""What is no answer: it breaks off, or is none of the place that was asked for."""
_RUN_ON = re.compile(r"[.:] [A-Z]{4,}\b")
"""A heading in capitals that ran into the sentence."""
_TWO_VERBS = re.compile(
    r"^What (?:do|does|did) (?!.*\b(?:that|which|who|where|when)\b).*"
    r"\b(?:is|are|was|were|has|had|showed|shown) "
)
"""Two sentences of which one has lost its end."""
_UNNAMED = re.compile(
    r"\bthe (?:test|tests|procedure|exam|scan|study|operation|problem|condition|process)"
    r"(?= (?:is|are|be|can|may|must|should|does|do|\w+ed)\b|\?)"
)
"""A thing of a general kind, which of many is told elsewhere."""
_GOES_ON = re.compile(
    r"\b(?:also|as well|too\?|however|therefore|thus|instead|likewise|furthermore)\b", re.I
)
"""What makes a question go on with something said before it."""
_POINTS_ZH = re.compile(r"前款|本条|下列|上述|如下|^.{0,6}其(?![他中余它实次])|^这些")
"""What makes an answer point at another sentence."""
_PRONOUN_ZH = re.compile(
    r"它|其中|(?<!应)该[^如]|此[处时类种项]|这|那|(?<!其)他(?!人)|她|牠|祂|上述|以下|如下|前者|后者|前款|本条"
    r"|[（(][一二三四五六七八九十]+[)）]|下列|本[届片剧书作曲]|^(?:生活|分布|居住|出生)在"
)


def stands_alone(question: str, language: Language) -> bool:
    """Tell whether a question can be understood without the text around it.

    Args:
        question: The question.
        language: Its language.

    Returns:
        False if a pronoun points out of it, or if it names fewer than two things.
    """
    if language == "zh":
        return not _PRONOUN_ZH.search(question) and len(question) >= 6
    if re.search(r"\b(?:them|these|those)\b", question):
        return False
    pronoun = _PRONOUN.search(question)
    if pronoun and not _ANCHOR.search(question[: pronoun.start()]):
        return False
    return len(content_terms(question, language)) >= 2


def _lower_opening(question: str, sentence: str, names: frozenset[str]) -> str:
    words = sentence.split(" ", 2)
    first, second = words[0], words[1] if len(words) > 1 else ""
    if not re.fullmatch(r"[A-Z][a-z]+", first) or first in names or second[:1].isupper():
        return question
    return re.sub(rf"(?<=\S ){first}\b", first.lower(), question, count=1)


def _is_balanced(text: str) -> bool:
    return all(
        text.count(left) == text.count(right)
        for left, right in ("“”", "《》", "「」", "（）", "()", "『』")
    ) and not (text.count('"') % 2)


def finished_zh(question: str, answer: str, form: str, frame: Frame) -> str:
    """Let a Chinese question name what it is about.

    Args:
        question: Cut from one sentence.
        answer: Words of it.
        form: Name of the sentence form.
        frame: What the passage is about.

    Returns:
        The question; empty if it or its answer leans on more.
    """
    if _POINTS_ZH.search(answer) or "formula_" in answer or not _is_balanced(answer):
        return ""
    if frame.is_story and form == "case" and not question.startswith(("如果", "当")):
        return ""  # "Then he was sent to the south": of a life story no case of anything
    question = framed_question(question, form, frame)
    leans = _LEANS.search(question) or not _is_balanced(question)
    return "" if leans or not stands_alone(question, "zh") else question


def finished_en(
    question: str,
    answer: str,
    form: str,
    text: str,
    *,
    work: str,
    study: bool,
    general: bool,
    names: frozenset[str],
) -> tuple[str, str]:
    """Check an English question and its answer.

    Args:
        question: Cut from one sentence.
        answer: Words of it.
        form: Name of the sentence form.
        text: The sentence.
        work: Title of its study, or empty.
        study: The text is research prose.
        general: The form is one of plain statements and instructions.
        names: Words that keep their capital.

    Returns:
        Both as they may be asked; two empty texts if they lean on more.
    """
    question = _AUTHORS.sub("", question)
    if study and general:
        if not suits_study(text, question, form):
            return "", ""
        answer = _CITED.sub("", answer).rstrip(" .") + "."
        if ":" in answer:
            return "", ""
    if "formula_" in answer or not stands_alone(question, "en"):
        return "", ""
    if _LEANS.search(question.replace(work, "") if work else question):
        return "", ""
    if not _is_balanced(question) or not _is_balanced(answer) or _GOES_ON.search(question):
        return "", ""
    if not work and len(question.split()) > _MOST_WORDS:
        return "", ""
    if _RUN_ON.search(question) or _TWO_VERBS.search(question):
        return "", ""
    if _UNFINISHED.search(question) or _NO_ANSWER.search(answer) or _UNNAMED.search(question):
        return "", ""
    return _lower_opening(question, text, names), answer
