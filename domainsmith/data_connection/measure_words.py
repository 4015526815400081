"""The words for what a question measures: "How heavy is it?" is answered by a row "Weight".

A question names a quantity by its adjective, a table or a data sheet by its noun, and prices go by
many names. Where a text has only another word of the same quantity, that one is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

from domainsmith.data_connection.language import content_terms, normalise_width, search_terms
from domainsmith.data_connection.question_words_zh import without_question_words
from domainsmith.data_connection.same_words_zh import same_words, terms_of_text
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.records import Language

__all__ = ["asked_terms", "query_terms"]


@dataclass(frozen=True)
class _Quantity:
    """A quantity and its words.

    Args:
        asks: How a question asks for it with an adjective.
        english: Terms of the text that speak of it, the usual one first.
        chinese: Likewise.
        adjective: Terms of the question that the nouns stand for; a function word ("long") has
            none, and its noun is only looked for where the text has it.
    """

    asks: re.Pattern[str]
    english: tuple[str, ...]
    chinese: tuple[str, ...]
    adjective: frozenset[str]


def _quantity(asks: str, english: str, chinese: str) -> _Quantity:
    pattern = re.compile(asks, re.IGNORECASE)
    adjective = frozenset(content_terms(re.sub(r"\\b|[^a-z\s|]", " ", asks), "en"))
    return _Quantity(
        pattern, tuple(content_terms(english, "en")), tuple(chinese.split()), adjective
    )


_DURATION = _quantity(
    r"\bhow long (?!is|are|was|were)|多长时间|多久|(?:期|时[间效限]|假)是?多长",
    "time duration period term length",
    "时间 时长 期限 周期",
)
_QUANTITIES = (
    _quantity(
        r"\bhow heavy\b|多重(?![要复])", "weight weighs mass heavy", "重量 净重 毛重 体重 重"
    ),
    _quantity(
        r"\bhow long (?=is|are|was|were)"
        r"|(?<!期)(?<!期是)(?<!时[间效限])(?<!时[间效限]是)(?<!假)多长(?!时间|期限)",
        "length duration",
        "长度 时长 期限 全长 长",
    ),
    _DURATION,
    _quantity(r"\bhow (?:tall|high)\b|多高", "height tall high altitude", "高度 身高 高"),
    _quantity(r"\bhow wide\b|多宽", "width wide breadth", "宽度 宽"),
    _quantity(r"\bhow deep\b|多深", "depth deep", "深度 深"),
    _quantity(r"\bhow thick\b|多厚", "thickness thick", "厚度 厚"),
    _quantity(
        r"\bhow (?:big|large)\b|多大",
        "size dimensions capacity area volume big large",
        "尺寸 大小 容量 面积 体积 规格",
    ),
    _quantity(r"\bhow fast\b|多快", "speed velocity rate fast", "速度 转速 车速 时速 速率 快"),
    _quantity(r"\bhow (?:hot|cold|warm)\b|多[热冷烫]", "temperature hot cold", "温度 气温 水温"),
    _quantity(r"\bhow (?:loud|noisy)\b|多[吵响]", "noise sound loud", "噪音 噪声 音量"),
    _quantity(r"\bhow far\b|多远", "distance range far", "距离 里程 航程 远"),
    _quantity(r"\bhow old\b", "age old", "年龄"),
)
_EXCLUDED = _Quantity(
    re.compile(
        r"(?:\bnot\b|n['’]t\b)[^?]{0,24}\b(?:cover|insur|includ|pa(?:y|id)\b)|\bexclu"
        r"|[不没](?:给)?[赔保报]|不能[赔保报]|拒赔",
        re.IGNORECASE,
    ),
    tuple(content_terms("exclusions excluded excludes exclude", "en")),
    ("责任免除", "免责", "除外", "免除", "不负责", "不予"),
    frozenset(content_terms("cover covers covered insure insured include included pay paid", "en"))
    | {"赔", "保", "报"},
)
"""What is not covered stands under "Exclusions"."""
_CAPACITY = _Quantity(
    re.compile(
        r"\bhow (?:much|many)\b[^?]*\b(?:fits?|go(?:es)? in|holds?|contains?)\b"
        r"|能[装盛容]多少|装[得的]下多少|能装几",
        re.IGNORECASE,
    ),
    tuple(content_terms("capacity volume holds", "en")),
    ("容量", "容积"),
    frozenset(content_terms("fit fits hold holds contain contains go goes", "en")),
)
_PRICE = _quantity(
    r"\bhow much (?:is|are|was|were)\b|(?<![赔罚交缴扣退补领发付])多少钱|什么价",
    "price cost costs fee charge amount",
    "价格 售价 单价 价钱 费用 价 钱",
)
_PRICE_WORDS = (
    frozenset(content_terms("cost costs price prices fee fees charge charges", "en")),
    frozenset({"钱", "多少钱", "价钱", "价格", "价", "售价", "单价", "费用"}),
)
_RELATIONS = frozenset(
    re.findall(
        r"\S+", "之内 以内 之前 以前 之后 以后 之间 以上 以下 分别 各自 一起 还是 弄 搞 完 想"
    )
)
"""Words of a question that say how things stand to each other; texts say it in other ways."""
_WEIGHT_WORDS = (
    frozenset(content_terms("weigh weighs weighed weighing weight weights", "en")),
    frozenset({"重", "重量", "净重", "毛重", "体重"}),
)


def asked_terms(question: str, language: Language, held: AbstractSet[str]) -> set[str]:
    """Return the content terms of a question, in the words that a text has for its quantities.

    Args:
        question: Standing alone.
        language: Its language.
        held: Content terms of the text.

    Returns:
        :func:`~domainsmith.data_connection.language.content_terms` of the question, but with the
        noun of the adjective asked with, and with the text's own word for a price.
    """
    plain = simplified(normalise_width(question))
    asked = [quantity for quantity in _QUANTITIES if quantity.asks.search(plain)]
    found = _content(plain, asked, language, held)
    for quantity in (_EXCLUDED, _CAPACITY):
        noun = next((word for word in _nouns(quantity, language) if word in held), "")
        if noun and quantity.asks.search(plain) and not found & quantity.adjective & held:
            found = (found - quantity.adjective) | {noun}
    for quantity in asked:
        nouns = _nouns(quantity, language)
        noun = next((word for word in nouns if word in held), "")
        if noun:
            found = (found - quantity.adjective) | {noun}
        elif language == "zh" and quantity is not _DURATION:
            # 多重, 多高: what is asked for counts as absent, as an English adjective would. A
            # length of time is told without its noun ("保修两年").
            found.add(nouns[0])
    if _PRICE.asks.search(plain):
        noun = next((word for word in _nouns(_PRICE, language) if word in held), "")
        found |= {noun} if noun and not found & held & _PRICE_WORDS[language == "zh"] else set()
    return found


def query_terms(
    question: str, language: Language, known: Callable[[str], bool] | None = None
) -> list[str]:
    """Return what a question is looked up by in the lexical index.

    Args:
        question: A question or key words.
        language: Its language.
        known: Tells whether a term stands in the collection; a Chinese word that does not is
            looked up by the other words for it that do.

    Returns:
        Its search terms, and the usual noun of the adjective that it asks with ("weight", "重量").
    """
    plain = simplified(normalise_width(question))
    asking = without_question_words(plain) if language == "zh" else question
    terms = search_terms(asking, language)
    if language == "zh" and known is not None:
        words = content_terms(asking, language)
        words += ["".join(pair) for pair in pairwise(words)]  # 年 and 假 are 年假
        unknown = [word for word in words if not known(word)]
        terms += [word for term in unknown for word in same_words(term) if known(word)]
    for quantity in (*_QUANTITIES, _EXCLUDED, _CAPACITY):
        if quantity.asks.search(plain):
            terms.append(_nouns(quantity, language)[0])
    return terms


def _nouns(quantity: _Quantity, language: Language) -> tuple[str, ...]:
    return quantity.chinese if language == "zh" else quantity.english


def _without_adjectives(question: str, asked: Sequence[_Quantity]) -> str:
    """Take 多重 and its like out: the word cutter leaves parts of them."""
    for quantity in asked:
        question = quantity.asks.sub(
            lambda match: " " if match[0].startswith("多") else match[0], question
        )
    return question


def _content(
    question: str, asked: Sequence[_Quantity], language: Language, held: AbstractSet[str]
) -> set[str]:
    """Return the content terms of a question, each as the text has it."""
    if language == "en":
        return {_same_thing(term, held) for term in content_terms(question, language)}
    plain = _without_adjectives(without_question_words(question), asked)
    terms = [term for term in content_terms(plain, language) if term not in _RELATIONS]
    return terms_of_text(plain, [_same_thing(term, held) for term in terms], held)


def _same_thing(term: str, held: AbstractSet[str]) -> str:
    for group in (*_PRICE_WORDS, *_WEIGHT_WORDS):
        if term in group and term not in held:
            return min(group & held, default=term)
    return term
