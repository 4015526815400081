"""The model's route of Self-QA: it writes the question to an answer that was chosen before.

Its words are limited to those of the sentence and function words, and the candidate that makes
the answer likeliest is kept: asked freely, or about whole sentences, a small model's questions
were mostly wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from domainsmith.chains.facts import Fact
from domainsmith.chains.question_patterns import clean_sentence, stands_alone
from domainsmith.chains.synthesis.levels import level_of
from domainsmith.chains.synthesis.method import NOT_SCORED
from domainsmith.chains.synthesis.number_fit import asks_for_number
from domainsmith.chains.synthesis.qa_options import QaOptions, QaYield
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator, Scorer
from domainsmith.prompts import prompt_sha256, render
from domainsmith.records import Passage

__all__ = ["ModelCandidate", "model_candidates", "model_facts", "stated_number"]

PROMPT = "self_qa_question"
_FUNCTION_WORDS = re.findall(
    r"\w+",
    """
        a after and are at be been before by can did do does during for from happen happens
        has have how if in is it its kind long many much must need needed of on or should that
        the to type use used what when where which while who why with you your
        """,
)
_STARTS = {
    "number": ("What", "How (many|much|long|far|often|high)"),
    "other": ("What", "How (do|does|can|should|is|are)", "When|Where|Why"),
}
_ZH_STARTS = ("怎样|如何|为什么", "")
_NO_UNIT = (
    "a|about|after|against|all|also|although|among|an|and|any|are|around|as|at|because|been|before"
    "|below|between|both|but|by|can|cannot|could|do|does|down|during|each|either|else|even|every|except"
    "|for|from|has|have|he|her|his|how|if|in|instead|into|is|it|its|may|might|must|no|nor|not|of|off|on"
    "|once|only|onto|or|our|out|over|per|plus|she|should|since|so|such|than|that|the|their|them|then"
    "|there|these|they|this|those|though|through|to|too|under|unless|until|up|upon|us|was|we|were|what"
    "|when|where|whereas|whether|which|while|who|whose|why|will|with|within|without|would|you|your"
)
"""Words that may follow a number and are no unit of it."""
_HAS_NUMBER = re.compile(
    r"(?:(?:up to|about|at least|at most|no more than|only|below|above|within|after) )?"
    r"(?:(?:EUR|USD|GBP|CNY|RMB|CHF) |[€$£¥] ?)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:[.,]\d+)?"
    r"(?: ?(?:°C|%|kWh|kW|[VWA]\b|"
    rf"(?!(?:{_NO_UNIT})\b)[a-z]\w*))?"
)
_NAMED = re.compile(r"\b[A-Z][\w-]* $")
"""A number after it is a part of a name ("Tarn 680") and says nothing by itself."""

_ASIDE = re.compile(
    r"\[[^\[\]]*\]?|\([^()]*\)?|https?://\S+|\S*\d[-–/]?[A-Za-z]\S*|\b[A-Za-z]+[-–]?\d\S*"
    r"|\b(?:1[89]|20)\d\d\b(?! ?[A-Za-z°%])|\b(?:Fig|Figure|Table|Section|Chapter)\.? \d+\S*"
)
"""Citations, addresses, codes and years: their numbers are no statement of the sentence."""


def stated_number(sentence: str) -> re.Match[str] | None:
    """Find the first number that a sentence states, with its unit.

    Args:
        sentence: Prose.

    Returns:
        The match; None if there is no number, or only as a part of names.
    """
    asides = [item.span() for item in _ASIDE.finditer(sentence)]
    for match in _HAS_NUMBER.finditer(sentence):
        inside = any(start <= match.start() < end for start, end in asides)
        if not inside and not _NAMED.search(sentence[: match.start()]):
            return match
    return None


@dataclass(frozen=True)
class ModelCandidate:
    """A question that the model is going to be asked for.

    Args:
        passage: Where the sentence stands.
        sentence: What is asked about.
        answer: Words of the sentence.
        start: Question words that it may begin with, as a pattern.
        prompt: What the model reads.
        pattern: What it may write.
    """

    passage: Passage
    sentence: str
    answer: str
    start: str
    prompt: str
    pattern: str


def model_candidates(passage: Passage, sentence: str) -> Iterator[ModelCandidate]:
    """Choose an answer in a sentence and the ways in which its question may begin.

    Args:
        passage: Where the sentence stands.
        sentence: What is asked about.

    Yields:
        One candidate a way; none for sentences that lean on others.
    """
    words = plain_tokens(sentence)
    if not 6 <= len(words) <= 60 or re.match(r"(?:It|This|They|Then|That|These|If it)\b", sentence):
        return
    number = stated_number(sentence)
    answer = number[0] if number else sentence.rstrip(".。")
    section = passage.header.split(">")[-1].strip() or passage.document_path
    prompt = render(PROMPT, passage.language, section=section, sentence=sentence, answer=answer)
    if passage.language == "zh":
        body = r"[^\n？?]{4,40}？"
        for start in _ZH_STARTS:
            yield ModelCandidate(passage, sentence, answer, start, prompt, f"({start}){body}")
        return
    blocked = set(plain_tokens(answer)) if number else set()
    pattern = _word_pattern(f"{section} {sentence}", blocked)
    for start in _STARTS["number" if number else "other"]:
        yield ModelCandidate(passage, sentence, answer, start, prompt, f" ({start}){pattern}")


def _word_pattern(text: str, blocked: set[str]) -> str:
    """Allow three to twelve words: those of the text and function words, then a question mark."""
    own = re.findall(r"[A-Za-z][A-Za-z'-]*[A-Za-z]|[A-Z]+-?\d+", text)
    words = set(_FUNCTION_WORDS) | {word for word in own if word.lower() not in blocked}
    words |= {word.lower() for word in words if word.istitle()}
    choices = "|".join(sorted(re.escape(word).replace(r"\-", "-") for word in words))
    return rf"( ({choices})){{3,12}}\?"


def model_facts(
    candidates: Sequence[ModelCandidate],
    generator: Generator,
    scorer: Scorer | None,
    options: QaOptions,
    result: QaYield,
) -> list[Fact]:
    """Have the model write the questions, and keep the best sound one of each sentence.

    Args:
        candidates: From :func:`model_candidates`; answered as one batch.
        generator: Writes.
        scorer: Judges; None keeps the first sound question of each sentence.
        options: Thresholds.
        result: Told what was tried and dropped.

    Returns:
        Facts, at most one a sentence, in order.
    """
    if not candidates:
        return []
    requests = [
        GenerationRequest(
            prompt=item.prompt, max_new_tokens=28, constraint=Constraint.regex(item.pattern)
        )
        for item in candidates
    ]
    questions = [""] * len(requests)
    for done in generator.generate(requests):
        questions[done.index] = done.text.strip()
    result.counts["model candidates"] += len(candidates)
    sound = []
    for item, question in zip(candidates, questions, strict=True):
        reason = _unsound(item, question)
        if reason:
            result.dropped[f"model question: {reason}"] += 1
        else:
            sound.append((item, question))
    return _best_facts(sound, generator, scorer, options, result)


def _unsound(item: ModelCandidate, question: str) -> str:
    """Say what is wrong with a question by its words alone, or nothing."""
    language = item.passage.language
    if not question.endswith(("?", "？")):
        return "no end"
    if not stands_alone(question, language):
        return "not understood alone"
    terms = content_terms(question, language)
    if len(set(terms) & set(content_terms(item.sentence, language))) < 2:
        return "off the sentence"
    words = plain_tokens(question)
    if language == "en":
        if words[-1] in {"the", "a", "an", "of", "to", "your", "and", "or", "its", "is", "are"}:
            return "unfinished"
        pairs = list(pairwise(words))
        if len(terms) != len(set(terms)) or len(pairs) != len(set(pairs)):
            return "repetition"
    if set(plain_tokens(item.answer)) <= set(words):
        return "holds the answer"
    if language == "en" and stated_number(item.answer):
        fits = asks_for_number(question, item.answer, item.sentence)
        return "" if fits else "asks for no number"
    return ""


def _best_facts(
    sound: Sequence[tuple[ModelCandidate, str]],
    generator: Generator,
    scorer: Scorer | None,
    options: QaOptions,
    result: QaYield,
) -> list[Fact]:
    if scorer is None:
        result.counts[f"{NOT_SCORED}: model questions"] += len(sound)
        first = {item.sentence: (item, question) for item, question in reversed(sound)}
        return [
            _fact(item, question, generator)
            for item, question in sound
            if first[item.sentence] == (item, question)
        ]
    pairs: list[tuple[str, str]] = []
    for item, question in sound:
        asked = f"Question: {question}\nAnswer:"
        pairs.append((item.prompt, f" {question}"))
        pairs.append((f"Text: {item.sentence}\n{asked}", f" {item.answer}"))
        pairs.append((asked, f" {item.answer}"))
    scores = scorer.score(pairs)
    best: dict[str, tuple[float, Fact]] = {}
    for at, (item, question) in enumerate(sound):
        fluent, known, guessed = (score.mean for score in scores[3 * at : 3 * at + 3])
        if fluent < options.likely:
            result.dropped["model question: unlikely"] += 1
            continue
        if known - guessed < options.informative:
            result.dropped["model question: text does not help"] += 1
            continue
        score = fluent + known - guessed * 0.1
        if item.sentence not in best or score > best[item.sentence][0]:
            best[item.sentence] = (score, _fact(item, question, generator))
    return [fact for _, fact in best.values()]


def _fact(item: ModelCandidate, question: str, generator: Generator) -> Fact:
    answer = clean_sentence(item.answer)
    return Fact(
        question,
        answer[:1].upper() + answer[1:] + ("。" if item.passage.language == "zh" else "."),
        item.passage,
        f"self_qa/{level_of(question, item.passage.language)}",
        model=generator.model_name,
        prompt_sha256=prompt_sha256(PROMPT, item.passage.language),
        evidence=item.sentence,
    )
