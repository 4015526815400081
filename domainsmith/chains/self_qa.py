"""Self-QA: passages of prose become questions at several levels, with grounded answers.

The answer is chosen first, so it is grounded by construction; then a question is looked for,
by the first route that gives one:

* the passage's own heading is a question (a FAQ);
* the form of the sentence implies the question;
* the model writes the question to a number in the sentence (:mod:`.synthesis.model_questions`);
* what a section says, for passages that would else give nothing.

The level is the second part of a fact's method: ``fact``, ``why`` and ``how`` by what is asked,
``procedure`` (instructions in a row), ``compare`` (two things by a number), ``multi`` (two facts
about one thing from two related passages), ``table`` (several cells of a row) and ``section``.
Some facts are asked a second time in other words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from domainsmith.chains.facts import Fact
from domainsmith.chains.frames_zh import frame_of
from domainsmith.chains.question_patterns import (
    PatternQuestion,
    opening_answer,
    passage_sentences,
    pattern_questions,
    section_question,
)
from domainsmith.chains.studies import is_study, work_of
from domainsmith.chains.synthesis.comparisons import comparison_facts, statements
from domainsmith.chains.synthesis.joint import joint_facts
from domainsmith.chains.synthesis.levels import level_of
from domainsmith.chains.synthesis.model_questions import (
    ModelCandidate,
    model_candidates,
    model_facts,
    stated_number,
)
from domainsmith.chains.synthesis.procedures import procedure_facts
from domainsmith.chains.synthesis.qa_options import QaOptions, QaYield
from domainsmith.chains.synthesis.related import RelatedPassages
from domainsmith.chains.synthesis.reword import model_rewordings, pattern_rewordings
from domainsmith.chains.synthesis.rewrites import rewritten_facts
from domainsmith.chains.synthesis.table_questions import row_facts
from domainsmith.chains.synthesis.verify import is_verbatim
from domainsmith.chains.titles_en import answers_heading, title_of
from domainsmith.model_io.generation import Generator, Scorer
from domainsmith.records import Passage

__all__ = ["QaOptions", "QaYield", "passage_facts", "sentence_facts", "strong_options"]


def strong_options(options: QaOptions, generator: Generator) -> QaOptions:
    """Allow a model more, if it is far better than the embedded one.

    Args:
        options: As chosen.
        generator: ``is_weak`` tells; a model that does not say so counts as weak.

    Returns:
        The options, with whole sentences, rewritten answers, rewordings and both languages for
        a strong model.
    """
    if getattr(generator, "is_weak", True):
        return options
    return replace(
        options,
        whole_sentences=True,
        model_rewordings=True,
        rewrites=True,
        model_languages=("en", "zh"),
    )


def passage_facts(
    passages: Sequence[Passage],
    *,
    generator: Generator,
    scorer: Scorer | None,
    names: frozenset[str] = frozenset(),
    options: QaOptions | None = None,
    related: RelatedPassages | None = None,
    seed: int = 17,
) -> QaYield:
    """Ask about passages of prose.

    Args:
        passages: One block; the same block always gives the same facts.
        generator: Writes questions.
        scorer: Judges them; None leaves the checks out that need it, and counts that.
        names: Words that keep their capital within a sentence.
        options: Limits and thresholds.
        related: All passages that may be used, for questions over several of them; None asks
            about one passage at a time.
        seed: Of all choices.

    Returns:
        Facts and counts.
    """
    options = options or QaOptions()
    result = QaYield()
    found: dict[str, list[Fact]] = {}
    waiting: list[ModelCandidate] = []
    for passage in passages:
        opens = related is None or related.opens_section(passage)
        facts, silent = _structural(passage, names, result, opens=opens)
        found[passage.id] = facts
        if passage.language in options.model_languages:
            chosen = [text for text in silent if options.whole_sentences or stated_number(text)]
            for sentence in chosen[: options.model_per_passage]:
                waiting.extend(model_candidates(passage, sentence))
    for fact in model_facts(waiting, generator, scorer, options, result):
        found[fact.passage.id].append(fact)
    plain: list[Fact] = []
    for passage in passages:
        own = found[passage.id]
        deep = _deep(passage, own, names, options, related, seed)
        if not own and not deep and (related is None or related.has_own_header(passage)):
            own = list(_section_fact(passage))
        plain += _verified([*own[: options.per_passage], *deep], result)
    if options.rewrites:
        plain = rewritten_facts(
            plain, generator=generator, scorer=scorer, options=options, result=result
        )
    result.facts = plain + pattern_rewordings(plain, options.reworded_share, seed)
    if options.model_rewordings:
        done = {fact.evidence for fact in result.facts[len(plain) :]}
        left = [
            fact
            for fact in plain
            if fact.evidence not in done and fact.language in options.model_languages
        ]
        result.facts += model_rewordings(
            left, generator=generator, scorer=scorer, options=options, result=result
        )
    result.counts.update(fact.method for fact in result.facts)
    return result


def _verified(facts: Sequence[Fact], result: QaYield) -> list[Fact]:
    """Leave out, and count, what does not stand word for word in its passages."""
    sound = [fact for fact in facts if is_verbatim(fact.answer, fact.gold)]
    if len(sound) < len(facts):
        result.dropped["answer: not in its passages"] += len(facts) - len(sound)
    return sound


def sentence_facts(
    passage: Passage, names: frozenset[str] = frozenset(), *, opens: bool = True
) -> list[Fact]:
    """Ask what the headings and sentences of a passage answer by their form, without a model.

    Args:
        passage: Prose.
        names: Words that keep their capital within a sentence.
        opens: The passage is the first under its heading, so that it may answer it.

    Returns:
        Facts in the order of the sentences.
    """
    return _structural(passage, names, QaYield(), opens=opens)[0]


def _structural(
    passage: Passage, names: frozenset[str], result: QaYield, *, opens: bool
) -> tuple[list[Fact], list[str]]:
    """Return the facts that need no model, and the sentences that gave none."""
    sentences = passage_sentences(passage)
    result.counts["sentences"] += len(sentences)
    facts: list[Fact] = []
    heading = passage.header.split(">")[-1].strip()
    if heading.endswith(("?", "？")) and sentences and opens:
        answer = opening_answer(passage)
        if answer and (passage.language == "zh" or answers_heading(heading, answer)):
            facts.append(_leveled(f"{heading[:1].upper()}{heading[1:]}", answer, passage, answer))
        else:
            result.dropped["heading: not answered below"] += 1
    silent = []
    language, frame, work = passage.language, frame_of(passage), work_of(passage)
    study = is_study(passage)
    title = "" if work or study else title_of(passage)
    for sentence in sentences:
        found = pattern_questions(
            sentence, language, names=names, frame=frame, work=work, title=title, study=study
        )
        asked = next(found, None)
        if asked is None or _is_nonce(asked, passage):
            silent.append(sentence)
        else:
            facts.append(_leveled(asked.question, asked.answer, passage, sentence))
    return facts, silent


def _is_nonce(asked: PatternQuestion, passage: Passage) -> bool:
    """Tell whether an abbreviation is spelled out and then hardly used again."""
    if asked.form != "stands for":
        return False
    short = asked.question.removeprefix("What does ").removesuffix(" stand for?")
    return len(re.findall(rf"\b{re.escape(short)}\b", passage.text)) < 3


def _leveled(question: str, answer: str, passage: Passage, evidence: str) -> Fact:
    method = f"self_qa/{level_of(question, passage.language)}"
    return Fact(question, answer, passage, method, evidence=evidence)


def _deep(
    passage: Passage,
    own: Sequence[Fact],
    names: frozenset[str],
    options: QaOptions,
    related: RelatedPassages | None,
    seed: int,
) -> list[Fact]:
    """Return the facts of a passage that need more than one of its sentences."""
    most = options.deep_per_passage
    facts = list(procedure_facts(passage))
    near: list[Passage] = []
    if related is not None and passage in related:
        near = [item for item in related.near(passage, options.related) if item.content == "prose"]
    measured = [item for other in near for item in statements(other)]
    facts += list(comparison_facts(statements(passage), measured, seed=seed))[:1]
    if "|" in passage.text:
        facts += list(row_facts(passage, seed=seed))[:most]
    facts = facts[:most]
    if related is not None and own:
        others = [fact for other in near for fact in sentence_facts(other, names, opens=False)]
        facts += list(joint_facts(own, others, related))[:most]
    return facts


def _section_fact(passage: Passage) -> Iterator[Fact]:
    question = section_question(passage.header, passage.language)
    sentences = passage_sentences(passage)
    if question and sentences and passage.content == "prose":
        answer = sentences[0]
        if 12 <= len(answer) <= 200 and answer.endswith((".", "!", "。", "！")):
            yield Fact(question, answer, passage, "self_qa/section", evidence=answer)
