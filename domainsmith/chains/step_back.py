"""The broader question behind one that is too special to be found.

What a person tells around a question ("I bought it in Leeds last May, and my brother says ...")
draws the search away. The broader question leaves out sentences and clauses that ask nothing, and
phrases of which the passages found so far hold no word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.batch_step import BatchStep
from domainsmith.chains.gate_signals import named_things
from domainsmith.chains.written import Writer, written
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.prompts import render
from domainsmith.records import Language

__all__ = ["broader_questions", "held_terms", "left_out_nothing_that_counts", "step_back"]

_ASKS = {
    "en": re.compile(
        r"\b(?:what|which|who|whom|whose|when|where|why|how)\b|^(?:is|are|was|were|do|does|did|can|"
        r"could|should|will|would|has|have|had|may|must)\b|\b(?:tell me|explain|describe)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"谁|什么|啥|哪|几[个次年天小分秒种位名岁条项月]|多少|怎么|怎样|咋|(?<![任几])何|是否|能否|可否|有无|"
        r"吗|呢|多[长久大高重深宽远快]|能不能|可不可以|是不是|要不要|有没有"
    ),
}
_SENTENCE = {"en": re.compile(r"(?<=[.!?])\s+"), "zh": re.compile(r"(?<=[。！？!?])")}
_SUBORDINATE = (
    r"(?:if|when|while|because|since|given|as|although|though|considering|after|before|now that|"
    r"assuming|suppose|for|who|which|even though|my|our|i|we)"
)
_LEADING = re.compile(rf"^{_SUBORDINATE}\b[^,]*,\s*", re.IGNORECASE)
_TRAILING = re.compile(rf",\s*{_SUBORDINATE}\b[^,?]*(?=[,?]|$)", re.IGNORECASE)
_DASH = "[-\u2013\u2014]{1,2}"
_ASIDE = re.compile(rf"\s*[（(][^）)]*[)）]|\s+{_DASH}\s+[^-\u2013\u2014]*\s+{_DASH}(?=\s)")
_PHRASE = re.compile(
    r"(?<!\s)\s+(?:in|on|at|for|with|from|by|during|after|before|near|since)\s+(?:(?!\b(?:in|on|at|for|with|"
    r"from|by|during|after|before|near|since)\b)[^,?])+(?=\s|[,?]|$)",
    re.IGNORECASE,
)
_TOPIC = 6
"""Characters of a Chinese clause up to which it says what is spoken of ("撞车了，")."""
_SAYS = re.compile(r"说$|谢|急|麻烦|请教|你好|您好")
_POLITE = re.compile(r"^(?:请问一下|请问|你好|您好|想问一下|我想知道|麻烦问一下)[，,]?")


def broader_questions(
    questions: Sequence[str], held: Sequence[set[str]], *, writer: Writer | None = None
) -> list[str]:
    """Ask more broadly.

    Args:
        questions: Standing alone.
        held: For each the content terms that the passages found for it hold.
        writer: A strong model that writes the broader question; None goes by rules.

    Returns:
        One broader question each; empty where nothing can be left out.
    """
    if writer is None:
        return [_broader(text, words) for text, words in zip(questions, held, strict=True)]
    prompts = [render("step_back", detect_language(text), question=text) for text in questions]
    texts = [text.split("\n")[0].strip() for text in written(writer, prompts)]
    return [
        text if text != question else "" for text, question in zip(texts, questions, strict=True)
    ]


def step_back(*, writer: Writer | None = None) -> BatchStep[str, str]:
    """Return the step as a LangChain runnable: a question to a broader one, or to itself."""

    def run(questions: Sequence[str]) -> list[str]:
        held = [set(content_terms(text, detect_language(text))) for text in questions]
        broader = broader_questions(questions, held, writer=writer)
        return [new or old for new, old in zip(broader, questions, strict=True)]

    return BatchStep("step_back", run)


def left_out_nothing_that_counts(question: str, broader: str) -> bool:
    """Tell whether an answer to the broader question is one to the question.

    Names, numbers and codes decide what the answer is, and so does a phrase of the very clause that
    asks ("What does the plan pay for acupuncture?"); clauses about circumstances do not.
    """
    language = detect_language(question)
    names, numbers = named_things(question, language)
    asking = _broader(question, set(content_terms(question, language))) or question
    kept = set(content_terms(broader, language)) >= set(content_terms(asking, language))
    return kept and all(thing in broader for thing in [*names, *numbers])


def _broader(question: str, held: set[str]) -> str:
    language = detect_language(question)
    text = _ASIDE.sub("", " ".join(question.split()))
    sentences = [part.strip() for part in _SENTENCE[language].split(text) if part.strip()]
    asking = [part for part in sentences if _ASKS[language].search(part) or part[-1] in "?？"]
    text = (" " if language == "en" else "").join(asking or sentences)
    text = _clauses_zh(text) if language == "zh" else _clauses_en(text, held)
    kept = set(content_terms(text, language))
    asked = set(content_terms(question, language))
    return text if kept and kept < asked and (len(kept) > 1 or len(asked) < 4) else ""


def _clauses_en(text: str, held: set[str]) -> str:
    for pattern in (_LEADING, _TRAILING):
        shorter = pattern.sub("", text)
        if _ASKS["en"].search(shorter) and len(set(content_terms(shorter, "en"))) > 1:
            text = shorter
    for match in reversed(list(_PHRASE.finditer(text))):
        words = set(content_terms(match.group(), "en"))
        if words and not words & held:
            text = f"{text[: match.start()]}{text[match.end() :]}"
    return text[:1].upper() + text[1:]


def _clauses_zh(text: str) -> str:
    clauses = [part for part in re.split(r"[，,；;]", _POLITE.sub("", text)) if part.strip()]
    first = next((at for at, part in enumerate(clauses) if _ASKS["zh"].search(part)), 0)
    topics = [part for part in clauses[:first] if len(part) <= _TOPIC and not _SAYS.search(part)]
    asking = [part for part in clauses if part in topics or _ASKS["zh"].search(part)]
    return "，".join(asking or clauses)


def held_terms(texts: Sequence[str], language: Language) -> set[str]:
    """Return the content terms of passages."""
    return {term for text in texts for term in content_terms(text, language)}
