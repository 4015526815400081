"""Refusals: questions that the documents do not answer, and the one honest sentence.

Three kinds: ``distractors`` (a real question over passages that do not hold its answer),
``unknown`` (a question about a row, part or name that no document has) and ``foreign`` (a
question outside the domain, with and without passages).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from domainsmith.chains.facts import Fact, PassagePool, seeded
from domainsmith.chains.words_en import VERBS
from domainsmith.data_connection.overlap import squeeze
from domainsmith.data_connection.scripts_zh import in_script_of
from domainsmith.model_io.messages import refusal_text
from domainsmith.prompts import prompt_text, render
from domainsmith.records import Language, Passage, Record

__all__ = ["KINDS", "foreign_things", "known_text", "refusal_records"]

KINDS = ("distractors", "unknown", "foreign")
"""``refusals/KIND`` is the method of a record."""

_ENDS: dict[Language, str] = {"en": " ", "zh": ""}
_TOLD = 0.6
"""Share of refusals that go on to say what is missing, or what was found instead. Always the same
eight words are what a student learns first and then says to everything."""
_JOINT = (
    "self_qa/section",
    "self_qa/compare",
    "self_qa/multi",
    "self_qa/procedure",
    "self_kv/compare",
)
"""Questions about several things, some of which may stand in any passage."""
_CODE = re.compile(r"\b([A-Z]{1,5}-?)(\d{2,5})\b")
_LINK = (
    "at|of|in|on|for|to|with|from|by|is|are|be|does|do|must|have|has|after|before|when|if|while|"
    "until|need|cost|between|and|or|take|hold|use|show|belongs|the|a"
)
_ATTRIBUTE = re.compile(r"(?:What (?:is|are) the|Which) [^?]* (?:of|for|belongs to|has) ")
"""Asks for a column of a table: there the first noun is the column, not the thing."""
_VERB_LAST = re.compile(r"\b(?:does|do|did|if|when|before|after|once|while|until|[Hh]ow \w+) ")
"""Words of a clause that ends with its verb."""
_MANY = re.compile(r"\b(?:are|were|do|have) $", re.I)
_THING = re.compile(
    rf"\bthe ((?!(?:{_LINK})\b)[a-z]+(?: (?!(?:{_LINK})\b)[a-z]+)?)(?= (?:{_LINK})\b|\?)"
)


def refusal_records(
    facts: Sequence[Fact],
    passages: Sequence[Passage],
    *,
    pool: PassagePool,
    count: int,
    seed: int,
    known: str | None = None,
    kinds: Sequence[str] = KINDS,
    foreign: slice | None = None,
) -> list[Record]:
    """Write records whose answer is the refusal sentence.

    Args:
        facts: Facts that were found; their questions are reused over other passages.
        passages: All of the collection, to prove that an invented name is in none.
        pool: Where the passages of a context come from.
        count: Records wanted, in all languages together.
        seed: Of the run.
        known: :func:`known_text` of ``passages``, where it is at hand.
        kinds: Some of :data:`KINDS`, in the order of their turns.
        foreign: Which of the general questions of each language may be used, of the order that
            the seed gives them; None allows all.

    Returns:
        At most ``count`` records, kinds in turn, languages in proportion to the facts.
    """
    text = known_text(passages) if known is None and "unknown" in kinds else known or ""
    makers = {
        "distractors": _distractors(facts, pool, seed),
        "unknown": _unknown(facts, text, pool, seed),
        "foreign": _foreign(facts, pool, seed, foreign or slice(None)),
    }
    turns = [makers[kind] for kind in kinds]
    records: list[Record] = []
    seen: set[tuple[str, bool]] = set()
    while turns and len(records) < count:
        for turn in list(turns):
            record = next(turn, None)
            if record is None:
                turns.remove(turn)
                continue
            key = (record.instruction, bool(record.input))
            if key not in seen and len(records) < count:
                seen.add(key)
                records.append(record)
    return records


def known_text(passages: Sequence[Passage]) -> str:
    """Squeeze all that the documents say into one text, to look names up in.

    Args:
        passages: All of the collection.
    """
    return squeeze(" ".join(f"{passage.header} {passage.text}" for passage in passages))


def foreign_things(language: Language) -> list[str]:
    """Return the names of things that may be put in the place of a document's own."""
    return _lines("refusals_things", language)


def _shuffled(facts: Sequence[Fact], seed: int, use: str) -> list[Fact]:
    chosen = list(facts)
    seeded(seed, use).shuffle(chosen)
    return chosen


def _distractors(facts: Sequence[Fact], pool: PassagePool, seed: int) -> Iterator[Record]:
    for fact in _shuffled(facts, seed, "distractors"):
        if fact.method.startswith(_JOINT):
            continue
        source = seeded(seed, "refuse", fact.question)
        # The same words may stand elsewhere (a manual and its FAQ): then it is no refusal.
        others = pool.distractors(
            fact.question,
            fact.language,
            without=(
                *fact.evidence.split("\n"),
                fact.answer,
                *(item.text for item in fact.gold),
            ),
            many=4,
        )
        others = source.sample(others, min(len(others), source.choice((2, 2, 3))))
        if others:
            yield _refusal(fact.question, others, fact.language, "distractors", pool, seed)


def _unknown(
    facts: Sequence[Fact], everything: str, pool: PassagePool, seed: int
) -> Iterator[Record]:
    """Change a code or a name in a question to one that no document has."""
    for fact in _shuffled(facts, seed, "unknown"):
        if fact.method.startswith(("self_kv/reverse", *_JOINT)):
            continue
        source = seeded(seed, "unknown", fact.question)
        match = _CODE.search(fact.question)
        if match is not None:
            digits = "".join(source.choice("0123456789") for _ in match[2])
            changed = match[1] + digits
            if squeeze(changed) in everything:
                continue
            question, name = fact.question.replace(match[0], changed), changed
        else:
            question, name = _foreign_part(
                fact.question, fact.language, everything, source.random()
            )
            if not question:
                continue
        others = pool.distractors(question, fact.language, without=(), many=3)
        others = source.sample(others, min(len(others), 2))
        # Always over passages: from memory alone, an unknown code and a held-out one look alike,
        # and the model would learn to refuse both.
        if others:
            yield _refusal(question, others, fact.language, "unknown", pool, seed, name)


def _foreign_part(
    question: str, language: Language, everything: str, draw: float
) -> tuple[str, str]:
    """Put an object that no document names in the place of the question's own; tell its name."""
    names = _lines("refusals_things", language)
    name = names[int(draw * len(names))]
    if squeeze(name) in everything:
        return "", ""
    if language == "zh":
        match = re.match(r"(?P<subject>[^，。？的在是有可]{2,8})(?=的|在|是|有|可以)", question)
        name = in_script_of(name, question)
        return (name + question[match.end() :], name) if match else ("", "")
    match_en = _THING.search(question)
    if match_en is None or _ATTRIBUTE.match(question):
        return "", ""
    # "the app shows", "the sample taken by ...": the second word is a verb.
    own = [word for word in match_en[1].split(" ") if word not in VERBS]
    if len(own) > 1 and own[1].endswith("ed"):
        own = own[:1]
    if not own or question[match_en.end() :].startswith(" of "):
        return "", ""
    if _VERB_LAST.search(question) and question.endswith(f"{match_en[1]}?"):
        return "", ""  # the last word is the verb, not the thing
    if _MANY.search(question[: match_en.start()]):
        return "", ""  # "how are the ...": of many things, and each of the names is of one
    return question.replace(own[0] if len(own) < 2 else match_en[1], name, 1), f"the {name}"


def _foreign(
    facts: Sequence[Fact], pool: PassagePool, seed: int, allowed: slice
) -> Iterator[Record]:
    """Ask general questions, alternately without and over passages."""
    languages = sorted({fact.language for fact in facts})
    asked = {
        language: seeded(seed, "foreign", language).sample(
            _lines("refusals_foreign", language), len(_lines("refusals_foreign", language))
        )[allowed]
        for language in languages
    }
    for at in range(max((len(questions) for questions in asked.values()), default=0)):
        for language in languages:
            if at < len(asked[language]):
                question = asked[language][at]
                others = pool.distractors(question, language, without=(), many=2) if at % 3 else []
                yield _refusal(question, others, language, "foreign", pool, seed)


def _found(others: Sequence[Passage], language: Language) -> str:
    """Say what the passages are about instead, by their innermost headings."""
    topics = []
    for item in others:
        words = re.sub(r"^[\d.]+\s+", "", item.header.split(">")[-1].strip())
        if words and words not in topics and words[-1] not in "?？" and len(words) <= 60:
            topics.append(words)
    if not topics:
        return ""
    joint = "；" if language == "zh" else "; "
    return render("refusal_found", language, topics=joint.join(topics))


def _lines(name: str, language: Language) -> list[str]:
    return [line.strip() for line in prompt_text(name, language).split("\n") if line.strip()]


def _refusal(
    question: str,
    others: Sequence[Passage],
    language: Language,
    kind: str,
    pool: PassagePool,
    seed: int,
    name: str = "",
) -> Record:
    context, whole = pool.context(others, language) if others else ("", 0)
    told = ""
    if seeded(seed, "told", question).random() < _TOLD:
        told = render("refusal_unmentioned", language, name=name) if name else ""
        told = told or _found(others[:whole], language)
    return Record(
        instruction=question,
        input=context,
        output=f"{refusal_text(language)}{_ENDS[language] if told else ''}{told}",
        language=language,
        method=f"refusals/{kind}",
        passage_ids=tuple(item.id for item in others[:whole]),
        model="code",
        seed=seed,
    )
