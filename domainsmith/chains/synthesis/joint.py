"""Questions that need two passages: two facts about one thing, asked in one breath."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from domainsmith.chains.facts import Fact
from domainsmith.chains.synthesis.related import RelatedPassages
from domainsmith.data_connection.language import content_terms
from domainsmith.records import Language

__all__ = ["common_start", "joint_facts"]

_ASKS_EN = re.compile(r"(?:What|How|Where|When|Why|At what|By how much|Which|Who)\b")
_MOST_WORDS = 32
_NAMED_IN = 6
"""Most passages that hold a word which alone makes two questions belong together."""
_MOST_CHARACTERS = 60
_LONG_ANSWER: dict[Language, int] = {"en": 130, "zh": 60}
_ASKS_ZH = re.compile(r"多少|什么|怎|为什么|如何|哪|关于")
_NO_THING = re.compile(r"est$|ly$|[米克斤升瓦分秒时天日年月元度]$|百分")
"""Words that name no thing: superlatives, adverbs, units."""
_VERBS = frozenset(
    re.findall(
        r"\w+",
        """
        keep leave turn open close remove replace clean hold press pull push
        put use take run set
        """,
    )
)


def joint_facts(
    own: Sequence[Fact], others: Sequence[Fact], related: RelatedPassages
) -> Iterator[Fact]:
    """Ask two questions about one thing at once.

    Both must name the same thing: a term that stands in few passages, or the same name of two
    words. One of each pair comes from each passage, so that no single passage answers.

    Args:
        own: Facts of one passage.
        others: Facts of the passages related to it, nearest first.
        related: Knows which terms are rare.

    Yields:
        Facts, at most one for each fact of ``own``.
    """
    used: set[str] = set()
    for fact in own:
        if not _suits(fact):
            continue
        for other in others:
            if other.passage.id == fact.passage.id or other.question in used or not _suits(other):
                continue
            if not _one_thing(fact, other, related):
                continue
            # The same order from either side, so that a pair met twice gives one question.
            first, second = sorted((fact, other), key=_place)
            joined = _joined(first, second)
            if joined is not None:
                used.add(other.question)
                yield joined
                break


def _place(fact: Fact) -> tuple[str, int]:
    return fact.passage.document_path, fact.passage.ordinal


def _suits(fact: Fact) -> bool:
    if fact.language == "en" and not _ASKS_EN.match(fact.question):
        return False
    if fact.passage.header.casefold().endswith(fact.question.casefold()):
        return False  # a heading that is a question stands alone
    if fact.language == "zh" and ("，" in fact.question or "吗" in fact.question):
        return False
    return not fact.more and len(fact.answer) <= _LONG_ANSWER[fact.language]


def _one_thing(fact: Fact, other: Fact, related: RelatedPassages) -> bool:
    """Tell whether two questions name one thing, by a rare word within a shared name."""
    if fact.question == other.question or fact.answer == other.answer:
        return False
    asked = [set(content_terms(item.question, item.language)) for item in (fact, other)]
    if 5 * len(asked[0] & asked[1]) >= 4 * max(map(len, asked)):
        return False  # the same is asked twice
    if fact.language == "zh":
        start = common_start(fact.question, other.question)
        if len(start) >= 3 and not _ASKS_ZH.search(start):
            return True
        return bool(_shared_rare(fact, other, related, least=3))
    if any(
        any(related.is_rare(term) for term in content_terms(name, "en"))
        for name in sorted(_names(fact.question) & _names(other.question))
    ):
        return True
    return bool(_shared_rare(fact, other, related, least=6))


def _shared_rare(fact: Fact, other: Fact, related: RelatedPassages, *, least: int) -> set[str]:
    """Return long words that both questions name and few passages hold."""
    both = [set(content_terms(item.question, item.language)) for item in (fact, other)]
    return {
        term
        for term in both[0] & both[1]
        if len(term) >= least
        and not _NO_THING.search(term)
        and related.is_rare(term, most=_NAMED_IN)
    }


def common_start(left: str, right: str) -> str:
    """Return the words with which both questions begin, without what asks."""
    start = ""
    for one, two in zip(content_terms(left, "zh"), content_terms(right, "zh"), strict=False):
        longer = start + one
        if one != two or not (_squeezed(left).startswith(longer)):
            break
        start = longer
    whole = next((at for at in range(len(left)) if _squeezed(left[:at]) == start), 0)
    return left[:whole] if right.startswith(left[:whole]) else ""


def _squeezed(text: str) -> str:
    return "".join(text.split()).lower()


def _names(question: str) -> set[str]:
    """Return the capitalised words of a question and its pairs without a function word."""
    written = re.findall(r"[\w'-]+", question)[1:]
    words = [word.lower() for word in written]
    return {word.lower() for word in written if word[:1].isupper() and len(word) > 2} | {
        f"{one} {two}"
        for one, two in pairwise(words)
        if content_terms(one, "en") and content_terms(two, "en") and one not in _VERBS
    }


def _joined(fact: Fact, other: Fact) -> Fact | None:
    first, second = fact.question.rstrip("?？"), other.question
    if fact.language == "zh":
        start = common_start(first, second)
        rest = second.removeprefix(start).strip()
        if len(start) < 3 or _ASKS_ZH.search(start) or re.match(r"[的和与及（(，、]|是什么", rest):
            rest = f"以及{second}"
        question = f"{first}，{rest}"
        answer = f"{fact.answer.rstrip('。')}；{other.answer}"
        fits = len(question) <= _MOST_CHARACTERS
    else:
        question = f"{first}, and {second[:1].lower()}{second[1:]}"
        answer = f"{fact.answer} {other.answer}"
        fits = len(question.split()) <= _MOST_WORDS
    if not fits:
        return None
    return Fact(
        question,
        answer,
        fact.passage,
        "self_qa/multi",
        model=fact.model if fact.model != "code" else other.model,
        prompt_sha256=fact.prompt_sha256 or other.prompt_sha256,
        evidence=f"{fact.evidence}\n{other.evidence}",
        more=(other.passage,),
    )
