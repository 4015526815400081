"""Comparisons of two things by a number that the documents give for both, computed by code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domainsmith.chains.facts import Fact, seeded
from domainsmith.chains.question_patterns import passage_sentences
from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.records import Language, Passage

__all__ = ["Statement", "comparable", "comparison_facts", "statement_question", "statements"]

_UNITS_EN = (
    r"kg|g|mg|litres?|ml|kWh|kW|W|V|A|rpm|dB|mm|cm|km|m|metres?|degrees|bar|°C|%|years?|months?|"
    r"weeks?|(?:working )?days?|hours?|minutes?|seconds?"
)
_ENGLISH = re.compile(
    r"(?P<subject>(?:[Tt]he |[Aa]n? |\b)(?:(?!the |an? |and |but |for |if |when |which )"
    r"[\w'/-]+ ){0,4}?(?!the\b|and\b|it\b|It\b|that\b|which\b|This\b|this\b|they\b|They\b|you\b)"
    r"[\w'/-]+) (?P<verb>weighs|is|are|takes|lasts|costs|holds|washes|carries|measures) "
    r"(?:up to |about |for )?(?P<number>\d+(?:[.,]\d+)?) (?P<unit>" + _UNITS_EN + r")\b"
    r"(?: (?P<how>deep|wide|high|tall|long|thick|old|heavy))?(?=(?P<rest>[^,;.]{0,20}))"
)
_HOW = {
    "deep": ("deeper", "less deep"),
    "wide": ("wider", "narrower"),
    "high": ("higher", "lower"),
    "tall": ("taller", "shorter"),
    "long": ("longer", "shorter"),
    "thick": ("thicker", "thinner"),
    "old": ("older", "younger"),
    "heavy": ("heavier", "lighter"),
}
_VERBS = {
    "weighs": ("weighs more", "weighs less"),
    "takes": ("takes longer", "takes less time"),
    "lasts": ("lasts longer", "lasts less long"),
    "costs": ("costs more", "costs less"),
    "holds": ("holds more", "holds less"),
    "washes": ("washes more at once", "washes less at once"),
    "carries": ("carries more", "carries less"),
}
_BASE = {"holds": "hold", "washes": "wash", "carries": "carry", "measures": "measure"}
_TIME = re.compile(r"year|month|week|day|hour|minute|second")
_WORDS_ZH = {
    "重": ("更重", "更轻"),
    "深": ("更深", "更浅"),
    "宽": ("更宽", "更窄"),
    "高": ("更高", "更矮"),
    "长": ("更长", "更短"),
    "可洗": ("一次洗得更多", "一次洗得更少"),
    "一次可洗": ("一次洗得更多", "一次洗得更少"),
    "容积为": ("的容积更大", "的容积更小"),
    "面积为": ("的面积更大", "的面积更小"),
    "人口为": ("的人口更多", "的人口更少"),
    "功率为": ("的功率更大", "的功率更小"),
    "价格为": ("更贵", "更便宜"),
    "收费": ("收费更高", "收费更低"),
}
_CHINESE = re.compile(
    r"(?:^|[，；。：])(?P<subject>(?![^，；。：]*(?:和|与|或|及|、))[^，；。：]{2,16}?)\s*"
    rf"(?P<verb>{'|'.join(sorted(_WORDS_ZH, key=len, reverse=True))})\s*"
    r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[\u4e00-\u9fff℃%]{1,4}?|[a-zA-Z]{1,3})"
    r"(?=[，；。]|$|干)"
)
_LOOSE_ZH = re.compile(
    r"^(?:它|其|这|那|此|该|每|共|约|最|也|都|则|只|全|总|单)|[的了]$"
    r"|\d{3,}\D+\d"
)


@dataclass(frozen=True)
class Statement:
    """A number that a sentence gives for a thing.

    Args:
        subject: The thing, as written.
        measure: What is measured: verb, unit and adjective; equal ones can be compared.
        number: The value.
        value: The value with its unit, as written.
        sentence: Where it stands.
        passage: Where that stands.
    """

    subject: str
    measure: tuple[str, str, str]
    number: float
    value: str
    sentence: str
    passage: Passage


def statements(passage: Passage) -> list[Statement]:
    """Read the numbers that a passage gives for named things.

    Args:
        passage: Prose.

    Returns:
        Statements in order; of equal subjects with one measure the first.
    """
    found: dict[tuple[str, tuple[str, str, str]], Statement] = {}
    for sentence in passage_sentences(passage):
        pattern = _CHINESE if passage.language == "zh" else _ENGLISH
        for match in pattern.finditer(sentence):
            statement = _statement(match, sentence, passage)
            if statement is not None:
                found.setdefault((statement.subject.casefold(), statement.measure), statement)
    return list(found.values())


def _statement(match: re.Match[str], sentence: str, passage: Passage) -> Statement | None:
    subject, verb = match["subject"].strip(), match["verb"]
    unit = match["unit"].rstrip("s") if passage.language == "en" else match["unit"]
    how = match["how"] or "" if passage.language == "en" else ""
    if passage.language == "zh":
        if _LOOSE_ZH.search(subject):
            return None
    else:
        # "is 612 mm" says nothing to compare by; "takes 3 kg" is no time.
        if (verb in {"is", "are", "measures"}) != bool(how):
            return None
        if match["rest"].strip() and not re.match(r" (?:and|of|but)\b", match["rest"]):
            return None
        if (verb in {"takes", "lasts"}) != bool(_TIME.search(unit)):
            return None
        if not re.search(r"[A-Z\d]|^(?:the|a|an) \w+ \w+", subject, re.I) or len(subject) < 4:
            return None
    number = float(match["number"].replace(",", ""))
    value = f"{match['number']} {match['unit']}"
    if passage.language == "zh" and value not in sentence:
        value = value.replace(" ", "")
    return Statement(subject, (verb, unit, how), number, value, sentence, passage)


def comparison_facts(
    own: Sequence[Statement], others: Sequence[Statement], *, seed: int
) -> Iterator[Fact]:
    """Compare things of one passage with each other, then with those of related passages.

    Two things are compared if the same is measured in the same unit, their names share a word,
    and the values differ.

    Args:
        own: Statements of the passage.
        others: Of related passages.
        seed: Decides which way a question asks.

    Yields:
        Facts; the two sentences are their evidence.
    """
    for at, left in enumerate(own):
        for right in (*own[at + 1 :], *others):
            if comparable(left, right):
                yield _comparison(left, right, seed)


def statement_question(statement: Statement) -> str:
    """Ask for the number of a statement."""
    verb, unit, how = statement.measure
    if statement.passage.language == "zh":
        return f"{_spaced(statement.subject)}{verb}多少{unit}？"
    name = _inner(statement.subject)
    if how:
        return f"How {how} is {name}?"
    base = {"weighs": "weigh", "takes": "take", "lasts": "last", "costs": "cost"}.get(verb, "")
    asked = "long" if verb in {"takes", "lasts"} else "much"
    if base:
        return f"How {asked} does {name} {base}?"
    return f"How many {statement.value.split(' ')[-1]} does {name} {_BASE[verb]}?"


def comparable(left: Statement, right: Statement) -> bool:
    """Tell whether two statements give different values of one measure for like things."""
    if left.measure != right.measure:
        return False
    if left.number == right.number or left.subject.casefold() == right.subject.casefold():
        return False
    names = [set(plain_tokens(item.subject)) - {"the", "a", "an"} for item in (left, right)]
    return left.sentence == right.sentence or bool(names[0] & names[1])


def _comparison(left: Statement, right: Statement, seed: int) -> Fact:
    language: Language = left.passage.language
    more = seeded(seed, "compare", left.subject, right.subject).random() < 0.5
    winner, loser = (left, right) if (left.number > right.number) == more else (right, left)
    more_words, less_words = _words(left)
    words = more_words if more else less_words
    if language == "zh":
        names = [_spaced(item.subject) for item in (left, right)]
        question = f"{names[0]}和{right.subject}，哪个{words}？"
        answer = f"{winner.subject}（{winner.value}，{_spaced(loser.subject)}是 {loser.value}）。"
    else:
        names = [_inner(item.subject) for item in (left, right)]
        question = f"Which {words}, {names[0]} or {names[1]}?"
        answer = f"{_inner(winner.subject, first=True)} ({winner.value}, against {loser.value})."
    same = left.passage.id == right.passage.id
    return Fact(
        question,
        answer,
        left.passage,
        "self_qa/compare",
        evidence="\n".join(dict.fromkeys((left.sentence, right.sentence))),
        more=() if same else (right.passage,),
    )


def _words(statement: Statement) -> tuple[str, str]:
    verb, _, how = statement.measure
    if statement.passage.language == "zh":
        return _WORDS_ZH[verb]
    return tuple(f"is {word}" for word in _HOW[how]) if how else _VERBS[verb]  # type: ignore[return-value]


def _spaced(name: str) -> str:
    return f"{name} " if name[-1:].isascii() else name


def _inner(subject: str, *, first: bool = False) -> str:
    article, _, rest = subject.partition(" ")
    if article.lower() in {"the", "a", "an"}:
        return f"{article.capitalize() if first else article.lower()} {rest}"
    return subject[:1].upper() + subject[1:] if first else subject
