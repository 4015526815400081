"""A templated question in the model's words, or not at all.

The model's words are limited to those of the question and to words that only ask; names and
numbers can be copied as they stand. What comes out is checked: nothing that the answer depends
on may be lost, added or turned round.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, permutations

from domainsmith.chains.synthesis.kv_fact import KvFact
from domainsmith.chains.synthesis.method import NOT_SCORED
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator, Scorer
from domainsmith.prompts import render
from domainsmith.records import Language

__all__ = ["PROMPT", "kept_meaning", "paraphrases"]

PROMPT = "self_kv_reword"
_LIKELY = -0.55
"""Nats a token that a rewording must reach."""
_BEHIND = 0.2
"""Nats a token by which it may be less likely than the template."""
_ASKING_EN = tuple(
    re.findall(
        r"\w+",
        """
        a an are as at between among by can could do does did each for from had has have how I in
        is it its many me much number of on one ones or tell that the their there they to was
        were what when where which who whose with would you
        """,
    )
)
_STARTS = {
    "what": "Which|How|In|Of|For|Can|Could|Tell", "which": "What|Of|Between|Among|Can|Could|Tell",
    "how": "What|Can|Could|Tell", "can": "What|Which|How|Who", "is": "Can|Could|Do",
    "does": "Is|Can|Could", "among": "Of|Which|What", "between": "Which|Of|What",
}  # fmt: skip
_ASKING_LOWER = frozenset(word.lower() for word in _ASKING_EN)
_MAX_ORDERS = 2
_ASKING_ZH = re.compile(
    r"[的是了吗呢有多少什么哪个些一共请问告诉我知道在中里与和相比以及各为其它它们数量几何者谁可否能以]"
)
_ASKED = (
    (re.compile(r"\bwhich\b"), re.compile(r"\bwhich\b")),
    (re.compile(r"\bhow many\b"), re.compile(r"\bhow many\b|\bnumber of\b")),
    (re.compile(r"\bhow much\b"), re.compile(r"\bhow much\b|\bprice\b")),
    (re.compile(r"\b(?:where|when)\b"), re.compile(r"\b(?:where|when)\b")),
    (re.compile(r"^(?:is|does)\b"), re.compile(r"^(?:is|does)\b|\bif\b|\bwhether\b")),
)
"""What a question asks for, and how else that can be said."""
_WORDS_THAT_ASK = re.compile(r"\b(?:who|whose|how|where|when|why|which)\b")
_TURNS = (
    re.compile(
        r"\b(?:high|higher|highest|more|most|later|latest|last|longer|longest|expensive|costs)\b"
    ),
    re.compile(
        r"\b(?:low|lower|lowest|less|least|fewer|fewest|earlier|earliest|first|shorter|shortest|cheap|cheaper|cheapest)\b"
    ),
    re.compile(r"\b(?:average|mean)\b"),
    re.compile(r"\b(?:not|no|without|never)\b"),
    re.compile(r"高|多(?!少)|大|长|晚|贵|重"),
    re.compile(r"低|(?<!多)少|小|短|早|便宜|轻"),
    re.compile(r"平均"),
    re.compile(r"不|没|无|非"),
)


def paraphrases(
    facts: Sequence[KvFact],
    generator: Generator,
    scorer: Scorer | None,
    *,
    counts: Counter[str],
    dropped: Counter[str],
) -> list[str]:
    """Reword questions.

    Args:
        facts: With their questions and the names that must stay.
        generator: Writes.
        scorer: Tells how likely a rewording is; None keeps all that keep the meaning.
        counts: Told how many were kept so.
        dropped: Counts rewordings that were thrown away, by reason.

    Returns:
        One text a fact, empty where the template is kept.
    """
    if not facts:
        return []
    prompts = [render(PROMPT, fact.language, question=fact.question) for fact in facts]
    requests = [
        GenerationRequest(
            prompt=prompt,
            max_new_tokens=24 + len(fact.question) // 2,
            constraint=Constraint.regex(_pattern(fact)),
        )
        for prompt, fact in zip(prompts, facts, strict=True)
    ]
    texts = [""] * len(facts)
    for done in generator.generate(requests):
        text = " ".join(done.text.split())
        texts[done.index] = text[:1].upper() + text[1:]
    for at, (fact, text) in enumerate(zip(facts, texts, strict=True)):
        if reason := kept_meaning(fact, text):
            dropped[f"rewording: {reason}"] += 1
            texts[at] = ""
    left = [at for at, text in enumerate(texts) if text]
    if scorer is None:
        counts[f"{NOT_SCORED}: rewordings"] += len(left)
        return texts
    pairs = [(prompts[at], f" {texts[at]}") for at in left]
    pairs += [(prompts[at], f" {facts[at].question}") for at in left]
    means = [score.mean for score in scorer.score(pairs)] if pairs else []
    for place, at in enumerate(left):
        if means[place] < max(_LIKELY, means[place + len(left)] - _BEHIND):
            dropped["rewording: unlikely"] += 1
            texts[at] = ""
    return texts


def kept_meaning(fact: KvFact, text: str) -> str:
    """Say what a rewording lost, added or turned round.

    Args:
        fact: The original.
        text: The rewording.

    Returns:
        The reason to throw it away, or an empty text.
    """
    language = fact.language
    if not text.endswith("？" if language == "zh" else "?"):
        return "no question"
    if plain_tokens(text) == plain_tokens(fact.question):
        return "the same words"
    if reason := _names_changed(fact, text) or _turned(fact.question.lower(), text.lower()):
        return reason
    if detect_language(text) != language:
        return "another language"
    before, after = _terms(fact.question, language), _terms(text, language)
    if before - after:
        return "a word is lost"
    if after - before:
        return "a word is added"
    words = plain_tokens(text)
    if _stutters(words):
        return "repetition"
    return ""


def _names_changed(fact: KvFact, text: str) -> str:
    if any(text.count(key) != fact.question.count(key) for key in fact.keys):
        return "a name or number is lost"
    if Counter(re.findall(r"\d+", text)) != Counter(re.findall(r"\d+", fact.question)):
        return "a name or number is lost"
    return "names change places" if _order(fact, text) != _order(fact, fact.question) else ""


def _turned(question: str, text: str) -> str:
    for asked, again in _ASKED:
        if asked.search(question) and not again.search(text):
            return "it asks for something else"
    if set(_WORDS_THAT_ASK.findall(text)) - set(_WORDS_THAT_ASK.findall(question)):
        return "it asks for something else"
    if any(bool(turn.search(text)) != bool(turn.search(question)) for turn in _TURNS):
        return "the direction changes"
    return ""


def _order(fact: KvFact, text: str) -> list[str]:
    places = [(text.find(key), key) for key in fact.keys]
    return [key for _, key in sorted(places)]


def _stutters(words: Sequence[str]) -> bool:
    return any(a == b for a, b in pairwise(words))


def _terms(text: str, language: Language) -> set[str]:
    """Return the words that carry meaning; words that only ask are left out."""
    if language == "zh":
        return set(_ASKING_ZH.sub("", "".join(plain_tokens(text))))
    asking = {term for word in _ASKING_EN for term in content_terms(word, "en")}
    return set(content_terms(text, "en")) - asking


def _pattern(fact: KvFact) -> str:
    """Let the model set the question's phrases, each as it is, among words that only ask."""
    if fact.language == "zh":
        return r"[^\n？?]{4,60}？"
    phrases = _phrases(fact)
    first = fact.question.split(" ", 1)[0].lower()
    start = _STARTS.get(first, "What|Which|How|Can|Could")
    glue = "|".join(_ASKING_EN)
    orders = [phrases]
    if 1 < len(phrases) <= _MAX_ORDERS and fact.kind != "compare":
        orders = [list(order) for order in permutations(phrases)]
    ways = "|".join(
        "".join(f"(,? ({glue})){{0,4}},? {_escaped(phrase)}" for phrase in order)
        for order in orders
    )
    # Where a blank is the only way on, it is put in as a token of its own, and a word without its
    # blank is not what the model would write; so a comma, or nothing, is always another way.
    return rf" ?({start})({ways})(,? ({glue})){{0,2}}\?"


def _phrases(fact: KvFact) -> list[str]:
    """Split a question at the words that only ask."""
    text = fact.question.rstrip("?")
    marks: dict[str, str] = {}
    for number, key in enumerate(sorted(set(fact.keys), key=len, reverse=True)):
        marks[f"\x00{number}\x00"] = key
        text = text.replace(key, f"\x00{number}\x00")
    phrases: list[list[str]] = [[]]
    for word in text.split(" "):
        if word.strip(",").lower() in _ASKING_LOWER:
            phrases.append([])
            continue
        phrases[-1].append(word.rstrip(","))
        if word.endswith(","):
            phrases.append([])
    joined = [" ".join(words) for words in phrases if words]
    for mark, key in marks.items():
        joined = [phrase.replace(mark, key) for phrase in joined]
    return joined


def _escaped(text: str) -> str:
    return re.sub(r"([\\.^$*+?()\[\]{}|/])", r"\\\1", text)
