"""Self-QA: passages of prose become questions with verbatim answers.

The answer is chosen first, so it is grounded by construction; then a question is looked for,
by the first route that gives one:

* ``document``: the passage's own heading is a question (a FAQ);
* ``pattern``: the form of the sentence implies the question;
* ``model``: the model writes the question to a number in the sentence, its words limited to
  those of the sentence and function words, and the candidate that makes the answer likeliest
  is kept (asked about whole sentences, the embedded model's questions were mostly wrong);
* ``section``: what a section says, for passages that would else give nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from domainsmith.chains.facts import Fact
from domainsmith.chains.question_patterns import (
    clean_sentence,
    passage_sentences,
    pattern_questions,
    section_question,
    stands_alone,
)
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator, Scorer
from domainsmith.prompts import prompt_sha256, render
from domainsmith.records import Language, Passage

__all__ = ["QaOptions", "QaYield", "passage_facts"]

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
_NUMBER = re.compile(
    r"(?:(?:up to|about|at least|at most|no more than|only|below|above|within|after) )?"
    r"(?:EUR )?\d+(?:[.,]\d+)?(?: ?(?:°C|%|kWh|kW|[VWA]\b|[a-z]\w*))?"
)


@dataclass(frozen=True)
class QaOptions:
    """What Self-QA may do.

    Args:
        per_passage: Most facts of one passage.
        model_per_passage: Most sentences of one passage for which the model is asked.
        model_languages: Languages in which the model may write questions. The embedded model
            knows almost no Chinese, so its Chinese questions are left out by default.
        whole_sentences: Let the model ask about sentences without a number too; for models
            far better than the embedded one.
        likely: A model's question is dropped below this mean log-probability, nats a token.
        informative: And if it does not make the answer likelier by this, nats a token.
    """

    per_passage: int = 5
    model_per_passage: int = 1
    model_languages: tuple[Language, ...] = ("en",)
    whole_sentences: bool = False
    likely: float = -0.85
    informative: float = 0.5


@dataclass
class QaYield:
    """Facts, and what became of the rest.

    Args:
        facts: In the order of the passages.
        counts: Sentences seen, and facts by route.
        dropped: Candidates dropped, by reason.
    """

    facts: list[Fact] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Candidate:
    passage: Passage
    sentence: str
    answer: str
    start: str
    prompt: str
    pattern: str


def passage_facts(
    passages: Sequence[Passage],
    *,
    generator: Generator,
    scorer: Scorer,
    names: frozenset[str] = frozenset(),
    options: QaOptions | None = None,
) -> QaYield:
    """Ask about passages of prose.

    Args:
        passages: One block; the same block always gives the same facts.
        generator: Writes questions.
        scorer: Judges them.
        names: Words that keep their capital within a sentence.
        options: Limits and thresholds.

    Returns:
        Facts and counts.
    """
    options = options or QaOptions()
    result = QaYield()
    found: dict[str, list[Fact]] = {}
    waiting: list[_Candidate] = []
    for passage in passages:
        facts, silent = _structural(passage, names, options, result)
        found[passage.id] = facts
        if passage.language in options.model_languages:
            chosen = [text for text in silent if options.whole_sentences or _NUMBER.search(text)]
            for sentence in chosen[: options.model_per_passage]:
                waiting.extend(_candidates(passage, sentence))
    for fact in _model_facts(waiting, generator, scorer, options, result):
        found[fact.passage.id].append(fact)
    for passage in passages:
        facts = found[passage.id] or list(_section_fact(passage))
        result.facts += facts[: options.per_passage]
    result.counts.update(fact.method for fact in result.facts)
    return result


def _structural(
    passage: Passage, names: frozenset[str], options: QaOptions, result: QaYield
) -> tuple[list[Fact], list[str]]:
    """Return the facts that need no model, and the sentences that gave none."""
    sentences = passage_sentences(passage)
    result.counts["sentences"] += len(sentences)
    facts: list[Fact] = []
    heading = passage.header.split(">")[-1].strip()
    if heading.endswith(("?", "？")) and sentences:
        answer = _whole_answer(sentences, passage.language)
        facts.append(Fact(heading, answer, passage, "self_qa/document", evidence=sentences[0]))
    silent = []
    for sentence in sentences:
        asked = next(pattern_questions(sentence, passage.language, names=names), None)
        if asked is None:
            silent.append(sentence)
        else:
            facts.append(
                Fact(asked.question, asked.answer, passage, "self_qa/pattern", evidence=sentence)
            )
    return facts, silent


def _whole_answer(sentences: Sequence[str], language: Language) -> str:
    """Join sentences from the first on, as many as make a short answer."""
    joint, most = ("", 40) if language == "zh" else (" ", 90)
    answer = sentences[0]
    for sentence in sentences[1:]:
        if len(answer) + len(sentence) > most:
            break
        answer += joint + sentence
    return answer


def _section_fact(passage: Passage) -> Iterator[Fact]:
    question = section_question(passage.header, passage.language)
    sentences = passage_sentences(passage)
    if question and sentences and passage.content == "prose":
        answer = sentences[0]
        if 12 <= len(answer) <= 200:
            yield Fact(question, answer, passage, "self_qa/section", evidence=answer)


# ---- the model's route ------------------------------------------------------------------


def _candidates(passage: Passage, sentence: str) -> Iterator[_Candidate]:
    words = plain_tokens(sentence)
    if not 6 <= len(words) <= 60 or re.match(r"(?:It|This|They|Then|That|These|If it)\b", sentence):
        return
    number = _NUMBER.search(sentence)
    answer = number[0] if number else sentence.rstrip(".。")
    section = passage.header.split(">")[-1].strip() or passage.document_path
    prompt = render(PROMPT, passage.language, section=section, sentence=sentence, answer=answer)
    if passage.language == "zh":
        body = r"[^\n？?]{4,40}？"
        for start in _ZH_STARTS:
            yield _Candidate(passage, sentence, answer, start, prompt, f"({start}){body}")
        return
    blocked = set(plain_tokens(answer)) if number else set()
    pattern = _word_pattern(f"{section} {sentence}", blocked)
    for start in _STARTS["number" if number else "other"]:
        yield _Candidate(passage, sentence, answer, start, prompt, f" ({start}){pattern}")


def _word_pattern(text: str, blocked: set[str]) -> str:
    """Allow three to twelve words: those of the text and function words, then a question mark."""
    own = re.findall(r"[A-Za-z][A-Za-z'-]*[A-Za-z]|[A-Z]+-?\d+", text)
    words = set(_FUNCTION_WORDS) | {word for word in own if word.lower() not in blocked}
    words |= {word.lower() for word in words if word.istitle()}
    choices = "|".join(sorted(re.escape(word).replace(r"\-", "-") for word in words))
    return rf"( ({choices})){{3,12}}\?"


def _model_facts(
    candidates: Sequence[_Candidate],
    generator: Generator,
    scorer: Scorer,
    options: QaOptions,
    result: QaYield,
) -> list[Fact]:
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


def _unsound(item: _Candidate, question: str) -> str:
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
    return ""


def _best_facts(
    sound: Sequence[tuple[_Candidate, str]],
    generator: Generator,
    scorer: Scorer,
    options: QaOptions,
    result: QaYield,
) -> list[Fact]:
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
        answer = clean_sentence(item.answer)
        answer = answer[:1].upper() + answer[1:] + ("。" if item.passage.language == "zh" else ".")
        fact = Fact(
            question,
            answer,
            item.passage,
            "self_qa/model",
            model=generator.model_name,
            prompt_sha256=prompt_sha256(PROMPT, item.passage.language),
            evidence=item.sentence,
        )
        score = fluent + known - guessed * 0.1
        if item.sentence not in best or score > best[item.sentence][0]:
            best[item.sentence] = (score, fact)
    return [fact for _, fact in best.values()]
