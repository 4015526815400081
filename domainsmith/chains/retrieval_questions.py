"""Questions about the documents, to tune search with: none of them needs a model.

A tuned search model learns which wording asks for which passage, so a question must not merely
copy its passage. The routes, from the most natural one on:

* ``heading``: the passage's own heading is a question (a FAQ);
* ``pattern``: the form of a sentence implies a question (see :mod:`question_patterns`);
* ``table``: a row of a table answers it (see :mod:`self_kv`);
* ``section``: the heading in a question's frame, for passages that give nothing else;
* ``words``: some words of a sentence in a question's frame, the rest dropped.

The embedded chat model writes none: asked for a question about a passage it wrote one that the
passage answers in few cases, at two seconds each.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domainsmith.chains.dropped_words import dropped_words_question
from domainsmith.chains.facts import seeded
from domainsmith.chains.markdown_tables import cell_counts
from domainsmith.chains.question_patterns import (
    passage_sentences,
    pattern_questions,
    proper_names,
    section_question,
)
from domainsmith.chains.self_kv import table_facts
from domainsmith.progress import ProgressCallback, ProgressEvent, silent
from domainsmith.records import Passage, RetrievalQuestion

__all__ = ["MadeQuestions", "QuestionOptions", "make_questions"]


@dataclass(frozen=True)
class QuestionOptions:
    """How many questions are made.

    Args:
        limit: Most questions; the documents share it evenly. 0 for all.
        per_passage: Most questions about one passage by form and table.
        words_per_passage: Questions about one passage by dropped words.
        seed: Decides which words are dropped and which questions stay.
    """

    limit: int = 6000
    per_passage: int = 3
    words_per_passage: int = 1
    seed: int = 17


@dataclass
class MadeQuestions:
    """Questions, and what became of the rest.

    Args:
        questions: In the order of the passages.
        counts: Questions by route, before the limit.
        dropped: By reason.
    """

    questions: list[RetrievalQuestion] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)


def make_questions(
    passages: Sequence[Passage],
    *,
    options: QuestionOptions | None = None,
    progress: ProgressCallback = silent,
) -> MadeQuestions:
    """Ask about every passage.

    Args:
        passages: All of the collection, in a stable order.
        options: Limits and seed.
        progress: Called now and then.

    Returns:
        Questions and counts; the same passages and options give the same.
    """
    options = options or QuestionOptions()
    made = MadeQuestions()
    counts = cell_counts(passages)
    names = proper_names(item.text for item in passages if item.language == "en")
    seen: dict[str, int] = {}
    for done, passage in enumerate(passages, start=1):
        for question in _about(passage, counts, names, options):
            key = question.question.casefold()
            if key in seen:
                _join(made, seen[key], question)
                continue
            seen[key] = len(made.questions)
            made.questions.append(question)
        if done % 200 == 0 or done == len(passages):
            progress(ProgressEvent("asking about passages", done, len(passages)))
    made.counts.update(question.route for question in made.questions)
    _limit(made, passages, options)
    return made


def _join(made: MadeQuestions, at: int, other: RetrievalQuestion) -> None:
    """One question asked of two passages has both as its answers."""
    first = made.questions[at]
    if other.passage_ids[0] not in first.passage_ids:
        ids = (*first.passage_ids, *other.passage_ids)
        made.questions[at] = first.model_copy(update={"passage_ids": ids})
    made.dropped["asked before"] += 1


def _limit(made: MadeQuestions, passages: Sequence[Passage], options: QuestionOptions) -> None:
    """Keep as many as wanted: natural routes first, then evenly over the documents."""
    if not options.limit or len(made.questions) <= options.limit:
        return
    document = {item.id: item.document_path for item in passages}
    turn: Counter[tuple[bool, str]] = Counter()
    order = []
    shuffled = list(range(len(made.questions)))
    seeded(options.seed, "limit").shuffle(shuffled)
    for at in shuffled:
        question = made.questions[at]
        weak = question.route in ("words", "section")
        key = (weak, document[question.passage_ids[0]])
        order.append((turn[key] * (2 if weak else 1), turn[key], at))
        turn[key] += 1
    kept = sorted(at for *_, at in sorted(order)[: options.limit])
    made.dropped["beyond the limit"] += len(made.questions) - len(kept)
    made.questions = [made.questions[at] for at in kept]


def _about(
    passage: Passage, counts: Counter[str], names: frozenset[str], options: QuestionOptions
) -> Iterator[RetrievalQuestion]:
    """Yield the questions about one passage."""
    made = [*_formed(passage, counts, names, options)]
    source = seeded(options.seed, "questions", passage.id)
    if len(made) > options.per_passage:
        made = sorted(source.sample(made, options.per_passage), key=lambda q: q.question)
    yield from made
    section = "" if made else section_question(passage.header, passage.language)
    if section:
        yield _question(section, passage, "", "section")
    yield from _with_dropped_words(passage, source, options.words_per_passage)


def _formed(
    passage: Passage, counts: Counter[str], names: frozenset[str], options: QuestionOptions
) -> Iterator[RetrievalQuestion]:
    if passage.content == "table":
        for fact in table_facts(passage, seed=options.seed, counts=counts, names=names):
            yield _question(fact.question, passage, fact.answer, "table")
        return
    heading = passage.header.split(">")[-1].strip()
    if heading.endswith(("?", "？")):
        yield _question(heading, passage, "", "heading")
    for sentence in passage_sentences(passage):
        asked = next(pattern_questions(sentence, passage.language, names=names), None)
        if asked is not None:
            yield _question(asked.question, passage, asked.answer, "pattern")


def _with_dropped_words(
    passage: Passage, source: random.Random, many: int
) -> Iterator[RetrievalQuestion]:
    sentences = passage_sentences(passage) if passage.content == "prose" else []
    source.shuffle(sentences)
    made = 0
    for sentence in sentences:
        if made == many:
            return
        question = dropped_words_question(sentence, passage.language, source)
        if question:
            made += 1
            yield _question(question, passage, "", "words")


def _question(question: str, passage: Passage, answer: str, route: str) -> RetrievalQuestion:
    return RetrievalQuestion(
        question=" ".join(question.split()),
        language=passage.language,
        passage_ids=(passage.id,),
        answer=answer,
        route=route,
    )
