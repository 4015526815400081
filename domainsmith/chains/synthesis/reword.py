"""The same question in other words: by its form, or by a model whose words are checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from domainsmith.chains.facts import Fact, seeded
from domainsmith.chains.question_patterns import stands_alone
from domainsmith.chains.synthesis.method import NOT_SCORED
from domainsmith.chains.synthesis.qa_options import QaOptions, QaYield
from domainsmith.chains.words_en import DONE
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.scripts_zh import in_script_of, simplified
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator, Scorer
from domainsmith.prompts import prompt_sha256, render
from domainsmith.records import Language

__all__ = ["keeps_names", "model_rewordings", "pattern_rewordings", "reworded_question"]

PROMPT = "self_qa_reword"
_SIDE = {"deep": "depth", "wide": "width", "high": "height", "long": "length", "old": "age"}
_FORMS_EN: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"How much does (.+) weigh\?", r"What is the weight of \1?"),
    (r"How much does (.+) cost\?", r"What is the price of \1?"),
    (
        r"How (deep|wide|high|long|old) (?:is|are) (.+)\?",
        lambda match: f"What is the {_SIDE[match[1]]} of {match[2]}?",
    ),
    (r"How long does (.+)\?", r"How much time does \1?"),
    (r"How many (.+?) does (.+) have\?", r"What number of \1 does \2 have?"),
    (r"What should you do (if|when) (.+)\?", r"What do you need to do \1 \2?"),
    (r"What should you do (before|after|while|once) (.+)\?", r"\1 \2, what should you do?"),
    (r"What happens (if|when) (.+)\?", r"What is the consequence \1 \2?"),
    (r"How do you (.+)\?", r"What is the right way to \1?"),
    (r"Why should you not (.+)\?", r"What is the reason not to \1?"),
    (r"Why should you (.+)\?", r"What is the reason to \1?"),
    (r"Can I (.+)\?", r"Is it allowed to \1?"),
    (r"How long should you (.+)\?", r"For how long do you have to \1?"),
    (r"How often should you (.+)\?", r"At what interval should you \1?"),
    (r"How often does (.+)\?", r"At what interval does \1?"),
    (r"When should you (.+)\?", r"At what point should you \1?"),
    (r"What should you (.+) with\?", r"With what should you \1?"),
    (r"Where (is|are) (.+)\?", r"In which place \1 \2?"),
    (r"Which (.+), (.+) or (.+)\?", r"Of \2 and \3, which \1?"),
    (r"What are the instructions for “(.+)”\?", r"What does “\1” tell you to do?"),
)
_FORMS_ZH: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"如果(.+)，应该怎么做？", r"\1的话，该怎么办？"),
    (r"(.+[时后前])，应该怎么做？", r"\1，该怎么处理？"),
    (r"如果(.+)，会怎样？", r"要是\1，结果会如何？"),
    (r"如果(.+)，说明什么？", r"\1，这意味着什么？"),
    (r"(.+[时后])，会怎样？", r"\1，结果会如何？"),
    (r"(.+)，有什么规定？", r"\1，文档是怎样规定的？"),
    (r"为什么(.+)？", r"\1，原因是什么？"),
    (r"([^，]+)在哪里？", r"\1在什么地方？"),
    (r"用什么(.+)？", r"\1要用什么？"),
    (r"怎样(.+)？", r"如何\1？"),
    (r"([^，可]*)可以(.+)吗？", r"\1能不能\2？"),
    (r"(.+)和(.+)，哪个(.+)？", r"比较\1和\2，哪一个\3？"),
    (r"“(.+)”有哪些操作说明？", r"关于“\1”，应该怎样操作？"),
    (r"(.+?)(?:应当?|须|必须|要)?在什么范围内？", r"\1的范围是多少？"),
    (r"([^，]{2,12})重多少(\S{1,3})？", r"\1的重量是多少\2？"),
)
_NAME = re.compile(r"\d+(?:[.,:]\d+)*|\b[A-Z][\w-]*|“[^”]+”|\"[^\"]+\"")
_STARTERS = frozenset(
    re.findall(
        r"\w+",
        """
        What How Where When Why Which Who Is Are Can Does Do
        Of For At With In By If Before After While Once Should
        May Must
        """,
    )
)


def reworded_question(question: str, language: Language) -> str:
    """Say a question in other words by its form.

    Args:
        question: Made by a sentence form.
        language: Its language.

    Returns:
        Another question with the same names and numbers; empty if no form fits.
    """
    for pattern, other in _FORMS_ZH if language == "zh" else _FORMS_EN:
        match = re.fullmatch(pattern, question)
        if match is None:
            continue
        if pattern.startswith("Where") and _ends_in_participle(question):
            return ""
        text = other(match) if callable(other) else match.expand(other)
        if language == "zh":
            text = re.sub(r"^的|的的", "", text)
        text = text[:1].upper() + text[1:]
        return text if text != question and keeps_names(question, text, language) else ""
    return ""


def _ends_in_participle(question: str) -> bool:
    return DONE.match(f"{question.rstrip('?').split(' ')[-1]} ") is not None


def keeps_names(question: str, other: str, language: Language) -> bool:
    """Tell whether two questions hold the same numbers, names, codes and quotes."""
    found = []
    for text in (question, other):
        names = {name for name in _NAME.findall(text) if name not in _STARTERS}
        found.append({name.casefold() for name in names})
    if language == "zh":
        return found[0] == found[1]
    # The first word has a capital anyway, so it may be a name in one of them only.
    first = {text.split(" ")[0].casefold() for text in (question, other)}
    return found[0] ^ found[1] <= first


def pattern_rewordings(facts: Sequence[Fact], share: float, seed: int) -> list[Fact]:
    """Ask some facts a second time in other words.

    Args:
        facts: Any.
        share: Of the facts that can be reworded, 0 to 1.
        seed: Decides which.

    Returns:
        New facts; ``/reworded`` is added to their method.
    """
    found = []
    for fact in facts:
        if fact.method == "self_qa/multi":
            continue
        text = reworded_question(simplified(fact.question), fact.language)
        text = in_script_of(text, fact.question)
        if text and seeded(seed, "reword", fact.question).random() < share:
            found.append(replace(fact, question=text, method=f"{fact.method}/reworded"))
    return found


def model_rewordings(
    facts: Sequence[Fact],
    *,
    generator: Generator,
    scorer: Scorer | None,
    options: QaOptions,
    result: QaYield,
) -> list[Fact]:
    """Let the model say questions in other words, and keep those that ask the same.

    Kept is what stands alone, has the same names and numbers, shares most of its terms with the
    question or its evidence, and lets the evidence answer as well as the question did.

    Args:
        facts: To be reworded.
        generator: Writes.
        scorer: Judges; None keeps all that is sound.
        options: Thresholds.
        result: Told what was dropped.

    Returns:
        New facts, in order; at most one each.
    """
    if not facts:
        return []
    texts = _written(facts, generator)
    result.counts["rewordings tried"] += len(texts)
    sound = []
    for fact, text in zip(facts, texts, strict=True):
        reason = _unsound(fact, text)
        if reason:
            result.dropped[f"rewording: {reason}"] += 1
        else:
            sound.append((fact, text))
    if scorer is None:
        result.counts[f"{NOT_SCORED}: rewordings"] += len(sound)
    else:
        scores = _scores(sound, scorer)
        kept = [
            one
            for one, (before, after) in zip(sound, scores, strict=True)
            if after >= before - options.reworded_loss
        ]
        if len(kept) < len(sound):
            result.dropped["rewording: asks something else"] += len(sound) - len(kept)
        sound = kept
    return [
        replace(
            fact,
            question=text,
            method=f"{fact.method}/reworded",
            model=generator.model_name,
            prompt_sha256=prompt_sha256(PROMPT, fact.language),
        )
        for fact, text in sound
    ]


def _written(facts: Sequence[Fact], generator: Generator) -> list[str]:
    """Let the model write each question in other words."""
    requests = [
        GenerationRequest(
            render(PROMPT, fact.language, question=fact.question),
            max_new_tokens=40,
            constraint=Constraint.regex(
                r"[^\n？?]{4,60}？" if fact.language == "zh" else r" [A-Z][^\n?]{8,150}\?"
            ),
        )
        for fact in facts
    ]
    texts = [""] * len(requests)
    for done in generator.generate(requests):
        texts[done.index] = done.text.strip()
    return texts


def _scores(reworded: Sequence[tuple[Fact, str]], scorer: Scorer) -> list[tuple[float, float]]:
    """Return how well the evidence answers each question, and its other words: nats a token."""
    pairs = [
        (f"Text: {fact.evidence}\nQuestion: {question}\nAnswer:", f" {fact.answer}")
        for fact, text in reworded
        for question in (fact.question, text)
    ]
    scores = [score.mean for score in scorer.score(pairs)] if pairs else []
    return list(zip(scores[::2], scores[1::2], strict=True))


def _unsound(fact: Fact, text: str) -> str:
    language = fact.language
    if not text.endswith(("?", "？")):
        return "no end"
    if text.casefold() == fact.question.casefold():
        return "same words"
    if detect_language(text) != language or not stands_alone(text, language):
        return "not understood alone"
    if not keeps_names(fact.question, text, language):
        return "other names or numbers"
    terms = set(content_terms(text, language))
    known = set(content_terms(f"{fact.question} {fact.evidence}", language))
    asked = set(content_terms(fact.question, language))
    if len(terms & known) < 0.75 * len(terms) or len(terms & asked) < 0.5 * len(asked):
        return "other words"
    return ""
