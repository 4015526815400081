"""Read what a person wishes a dataset to be: a number, limits, and what to be stronger on.

The embedded model is not asked: numbers and the phrases behind "stronger on" are found by their
form. A better model reads the wish by structured output; what it names must stand in the wish.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError

from domainsmith.agents.curation.goal import Focus
from domainsmith.agents.spans import find_spans
from domainsmith.data_connection.heading_numbers import heading_references
from domainsmith.data_connection.language import detect_language, normalise_width
from domainsmith.data_connection.overlap import squeeze
from domainsmith.data_connection.topics import topic_phrases
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator
from domainsmith.prompts import render
from domainsmith.records import Language, Message

__all__ = ["LESS", "MORE", "Wish", "read_wish", "read_wish_by_model"]

MORE = 3.0
"""Weight of what shall be stronger."""
LESS = 0.35
"""Weight of what shall be weaker."""
_PROMPT = "curator_wish"
_LIMITS: dict[Language, tuple[tuple[str, float, re.Pattern[str]], ...]] = {
    "en": (
        ("minutes", 1.0, re.compile(r"(\d+(?:\.\d+)?)\s*(?:minutes?|mins?)\b", re.IGNORECASE)),
        ("minutes", 60.0, re.compile(r"(\d+(?:\.\d+)?)\s*(?:hours?|hrs?|h)\b", re.IGNORECASE)),
        ("rounds", 1.0, re.compile(r"(\d+)\s*rounds?\b", re.IGNORECASE)),
        ("tokens", 1.0, re.compile(r"(\d[\d,]*)\s*tokens?\b", re.IGNORECASE)),
    ),
    "zh": (
        ("minutes", 1.0, re.compile(r"(\d+(?:\.\d+)?)\s*(?:分钟|分)")),
        ("minutes", 60.0, re.compile(r"(\d+(?:\.\d+)?)\s*(?:个)?小时")),
        ("rounds", 1.0, re.compile(r"(\d+)\s*轮")),
        ("tokens", 1.0, re.compile(r"(\d[\d,]*)\s*(?:个)?(?:词元|token)", re.IGNORECASE)),
    ),
}
_TOPIC_EN = (
    r"(?P<topic>(?:[^,.;:!?\n]|(?<=\d)\.(?=\d)){2,80}?)"
    r"(?=\s*(?:[,;:!?\n]|\.(?!\d)|$|\b(?:but|while|within|in at most)\b))"
)
_TOPIC_ZH = (
    r"(?P<topic>[^，。；,;:：！!？?\n的]{2,24}?)"
    r"(?=的?(?:内容|部分|方面|问题|记录|数据)?(?:[，。；,;:：！!？?\n]|$))"
)
_ABOUT = r"(?:on|about|in|for|with|towards?|regarding|around|at|to)"
_THE = r"(?:the |our |all |topics? (?:of|like) |questions? (?:on|about) )?"
_PATTERNS: dict[Language, tuple[tuple[float, re.Pattern[str]], ...]] = {
    "en": tuple(
        (weight, re.compile(rf"\b{lead}\s+{_THE}{_TOPIC_EN}", re.IGNORECASE))
        for weight, lead in (
            (0.0, r"(?:nothing|none|no (?:\w+ ){0,2}(?:questions?|records?|pairs?|data)) "
                  rf"{_ABOUT}"),
            (0.0, r"(?:without|skip(?:ping)?|leav(?:e|ing) out|except(?: for)?|ignor(?:e|ing)|"
                  r"exclud(?:e|ing)|not)"),
            (LESS, rf"(?:less|fewer|weaker|lighter|not so (?:much|many)|little)(?: \w+)? {_ABOUT}"),
            (LESS, r"(?:less|fewer)"),
            (MORE, r"(?:strong(?:er|est)?|better|more|most|extra|deep(?:er)?|heav(?:y|ier)|"
                   r"thorough|focus(?:ed|ing|es)?|concentrat\w+|emphasis|stress|weight(?:ed)?|"
                   rf"many|especially|particularly|mainly|mostly|only)(?: \w+)?? {_ABOUT}"),
            (MORE, r"(?:emphasi[sz](?:e|ing)|especially|particularly|above all|prefer(?:ring)?|"
                   r"stress(?:ing)?|more|only)"),
        )
    ),
    "zh": tuple(
        (weight, re.compile(lead + _TOPIC_ZH))
        for weight, lead in (
            (0.0, r"(?:不要|不含|不包括|跳过|排除|除了|忽略|去掉|别出)(?:关于|有关)?"),
            (LESS, r"(?:减少|弱化|少(?:一些|一点|些|点|出|写)?)(?:关于|有关)?"),
            (MORE, r"(?:加强|强化|侧重(?:于)?|着重(?:于)?|偏重(?:于)?|重点(?:放在|是|关注|讲|在)?|"
                   r"突出|聚焦(?:于)?|尤其(?:是)?|特别(?:是)?|主要(?:是)?|多(?:一些|一点|些|点|出|写)|"
                   r"更多|只要|仅限|只)(?:关于|有关)?"),
        )
    ),
}  # fmt: skip
_SUFFIX_ZH = re.compile(
    r"(?:在|对|把)?(?P<topic>[^，。；,;:：！!？?\n]{2,16}?)(?:方面|部分|上)?"
    r"(?:要|应|应该|需要)?(?:更|再|多|加)?(?P<side>强|多|重|弱|少)(?:一些|一点|些|点)"
)
_WEAK_ZH = frozenset("弱少")
_JUST = re.compile(
    r"(?:\b(?:only|just|about|at least|at most)|只要|只|大约|至少)\s*$", re.IGNORECASE
)
_UNIT = re.compile(r"^\s*[条个对组份道则例]")
_RECORDS_EN = (
    r"(?:records?|pairs?|questions?(?: and answers?)?|answers|examples?|samples?|items?|q ?& ?as?"
    r"|qas?|tasks?|dialog(?:ue)?s?|conversations?|chats?|preferences?|rankings?|ranked answers"
    r"|refusals?|cases?)"
)
_OF_WHAT: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        rf"\b(?:{_RECORDS_EN}\s+(?:about|on|regarding|concerning|covering)"
        rf"|(?:data|dataset|material|set)\s+(?:about|regarding|concerning|covering))\s+{_THE}"
        r"(?P<topic>(?:[^,.;:!?\n]|(?<=\d)\.(?=\d)){2,80}?)"
        r"(?=\s*(?:[,;:!?\n]|\.(?!\d)|$|\b(?:but|while|within|for|from|to|as|using|with|so|then|and"
        r" (?:then|train|tune|fine|select|evaluate|serve))\b))",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"(?:关于|有关|针对|围绕|涉及)(?P<topic>[^，。；,;:：！!？?\n的]{2,24}?)"
        r"(?:方面)?的?(?:[，,;；\s]|给我|请|做|写|生成|出|来|高质量|训练|好)*"
        r"(?:多轮|[几十百千\d]*[条个对组份道则例段轮])*"
        r"(?:问答对?|记录|数据集?|问题|样本|例子|题目?|语料|对话|偏好|排序|案例)"
        r"(?!.{0,4}[多少强弱重](?:一些|一点|些|点))"
    ),
}
"""What records are about, said without more or less: they shall be about that only."""
_ONLY = re.compile(r"\b(?:only|nothing but|solely)\b|只要|仅限|只(?:关于|写|出)|仅(?:关于|就)")
_EMPTY = re.compile(
    r"^(?:\s|and|the|them|it|that|this|these|those|my|your|everything|anything|whole|entire|all|each"
    r"|every|than|good|quality|of|questions?|records?|pairs?|data|examples?|documents?|docs|files?"
    r"|folders?|texts?|passages?|sections?|topics?|manuals?|material|content|domain|workspace"
    r"|what you (?:have )?read|一些|一点|全部|所有|内容|这些|那些|我的|我们的|文档|文件|资料|手册"
    r"|知识库|各个?|章节|段落)*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Wish:
    """What the words of a wish say.

    Args:
        target: Records wanted; None if it names no number.
        minutes: Most working time; None if not named.
        rounds: Most rounds; None if not named.
        tokens: Most tokens; None if not named.
        focus: What shall be stronger, weaker or absent.
        only: Nothing beside what shall be stronger.
        language: Of the words.
        reader: ``terms``, or the model that read them.
    """

    target: int | None = None
    minutes: float | None = None
    rounds: int | None = None
    tokens: int | None = None
    focus: tuple[Focus, ...] = ()
    only: bool = False
    language: Language = "en"
    reader: str = "terms"


class WishForm(BaseModel):
    """What a model fills in."""

    records: int = Field(ge=0, le=1_000_000)
    stronger_on: list[str] = Field(max_length=6)
    weaker_on: list[str] = Field(max_length=6)
    leave_out: list[str] = Field(max_length=6)
    only_stronger: bool


def read_wish(text: str) -> Wish:
    """Read a wish by the form of its words.

    Args:
        text: The user's words, English or Chinese.

    Returns:
        What was found; what the words do not say is None or empty.
    """
    language = detect_language(text)
    plain = normalise_width(text) if language == "en" else text
    limits: dict[str, float] = {}
    for name, factor, pattern in _LIMITS[language]:
        if (found := pattern.search(plain)) and name not in limits:
            limits[name] = float(found[1].replace(",", "")) * factor
            plain = plain[: found.start()] + ";" + plain[found.end() :]
    counts = [span for span in find_spans(plain, language) if span.kind == "count"]
    for span in reversed(counts):  # "only 50 records" limits nothing but the number
        before = _JUST.sub(" ", plain[: span.start])
        plain = before + ";" + _UNIT.sub("", plain[span.end :])
    topics = _topics(plain, language)
    topics = (*topics, *_places(plain, (*topics, *_focus(plain, language))))
    focus = (*topics, *(f for f in _focus(plain, language) if f.phrase not in _named(topics)))
    return Wish(
        target=int(float(counts[0].value)) if counts and float(counts[0].value) >= 1 else None,
        minutes=limits.get("minutes"),
        rounds=int(limits["rounds"]) if "rounds" in limits else None,
        tokens=int(limits["tokens"]) if "tokens" in limits else None,
        focus=focus,
        only=bool(topics or _ONLY.search(plain)) and any(item.weight > 1 for item in focus),
        language=language,
    )


def _topics(text: str, language: Language) -> tuple[Focus, ...]:
    """Find what the records shall be about, unless more or less of it, or none, is said."""
    found: dict[str, None] = {}
    for match in _OF_WHAT[language].finditer(text):
        before = text[: match.start()].rsplit(";", 1)[-1]
        if not any(pattern.search(before + match[0]) for _, pattern in _PATTERNS[language]):
            found.update(dict.fromkeys(_phrases(match["topic"])))
    return tuple(Focus(phrase, MORE) for phrase in found)


def _places(text: str, focus: Sequence[Focus]) -> tuple[Focus, ...]:
    """Find chapters and sections that are named without more or less: "20 pairs from chapter 3"."""
    named = [text[one.start : one.end] for one in heading_references(text)]
    return tuple(
        Focus(place, MORE)
        for place in dict.fromkeys(named)
        if not any(place in item.phrase for item in focus)
    )


def _named(focus: Sequence[Focus]) -> set[str]:
    return {item.phrase for item in focus}


def _focus(text: str, language: Language) -> tuple[Focus, ...]:
    found: dict[str, float] = {}
    rest = text
    for weight, pattern in _PATTERNS[language]:
        while match := pattern.search(rest):
            for phrase in _phrases(match["topic"]):
                found.setdefault(phrase, weight)
            # What was read once is not read again by a broader pattern.
            rest = rest[: match.start()] + ";" + rest[match.end() :]
    if language == "zh":
        for match in _SUFFIX_ZH.finditer(rest):
            for phrase in _phrases(match["topic"]):
                found.setdefault(phrase, LESS if match["side"] in _WEAK_ZH else MORE)
    return tuple(Focus(phrase, weight) for phrase, weight in found.items())


def _phrases(topic: str) -> list[str]:
    return [part for part in topic_phrases(topic) if len(part) > 1 and not _EMPTY.match(part)]


def read_wish_by_model(text: str, generator: Generator) -> Wish:
    """Read a wish by structured output, numbers and limits by their form.

    Args:
        text: The user's words.
        generator: A model that follows instructions.

    Returns:
        What both found. A phrase that does not stand in the wish is left out; where the model
        says nothing usable, the form decides alone.
    """
    by_form = read_wish(text)
    prompt = generator.render(
        [Message(role="user", content=render(_PROMPT, by_form.language, wish=text))]
    )
    request = GenerationRequest(
        prompt, max_new_tokens=200, constraint=Constraint.json_schema(WishForm)
    )
    answers = [done.text for done in generator.generate([request])]
    try:
        form = WishForm.model_validate_json(answers[0])
    except (ValidationError, IndexError):
        return by_form
    focus = {
        phrase: weight
        for phrases, weight in (
            (form.stronger_on, MORE),
            (form.weaker_on, LESS),
            (form.leave_out, 0.0),
        )
        for phrase in _standing(phrases, text)
    }
    if not focus and by_form.focus:
        return by_form
    return Wish(
        target=by_form.target or form.records or None,
        minutes=by_form.minutes,
        rounds=by_form.rounds,
        tokens=by_form.tokens,
        focus=tuple(Focus(phrase, weight) for phrase, weight in focus.items()),
        only=form.only_stronger and any(weight > 1 for weight in focus.values()),
        language=by_form.language,
        reader=generator.model_name,
    )


def _standing(phrases: Sequence[str], text: str) -> list[str]:
    held = squeeze(text)
    return [item for item in phrases if squeeze(item) and squeeze(item) in held]
