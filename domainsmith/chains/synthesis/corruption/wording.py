"""Turned statements and cut quotes."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import accumulate

from domainsmith.chains.synthesis.corruption.edit import Edit
from domainsmith.data_connection.language import content_terms
from domainsmith.records import Language

__all__ = ["negation_edits", "truncation_edits"]

_TURNS_EN = (
    ("must not", "must"), ("should not", "should"), ("may not", "may"), ("cannot", "can"),
    ("can not", "can"), ("do not", ""), ("does not need to", "needs to"),
    ("does not", "always does"),
    ("is not", "is"), ("are not", "are"), ("was not", "was"), ("were not", "were"),
    ("will not", "will"), ("did not", "did"), ("has to", "does not have to"), ("never", "always"),
    ("always", "never"), ("must", "must not"), ("should", "should not"), ("can", "cannot"),
    ("may", "may not"), ("will", "will not"), ("is", "is not"), ("are", "are not"),
    ("was", "was not"), ("were", "were not"), ("without", "with"), ("before", "after"),
    ("after", "before"), ("above", "below"), ("below", "above"), ("at least", "at most"),
    ("at most", "at least"), ("more than", "less than"), ("less than", "more than"),
    ("maximum", "minimum"), ("minimum", "maximum"), ("left", "right"), ("right", "left"),
    ("in front of", "behind"), ("front", "rear"), ("rear", "front"), ("top", "bottom"),
    ("bottom", "top"),
    ("upper", "lower"), ("lower", "upper"), ("inside", "outside"), ("outside", "inside"),
    ("open", "close"), ("close", "open"), ("longer", "shorter"), ("shorter", "longer"),
    ("higher", "lower"), ("increase", "decrease"), ("increases", "decreases"),
    ("decrease", "increase"), ("decreases", "increases"), ("clockwise", "counter-clockwise"),
    ("included", "excluded"), ("covered", "not covered"), ("allowed", "forbidden"),
    ("forbidden", "allowed"), ("required", "optional"),
    ("hot", "cold"), ("cold", "hot"), ("warm", "cold"), ("loosen", "tighten"),
    ("tighten", "loosen"), ("horizontally", "vertically"), ("vertically", "horizontally"),
    ("positive", "negative"), ("negative", "positive"),
    ("only", "not only"), ("rarely", "usually"), ("usually", "rarely"),
)  # fmt: skip
_TURNS_ZH = (
    ("不得", "可以"), ("不能", "能"), ("不可以", "可以"), ("不可", "可"), ("不应", "应"),
    ("不要", "一定要"), ("不需要", "需要"), ("无需", "必须"), ("不必", "必须"), ("禁止", "允许"),
    ("严禁", "允许"), ("不是", "是"), ("没有", "有"), ("不会", "会"), ("不予", "予以"),
    ("应当", "不得"), ("必须", "不必"), ("可以", "不得"), ("需要", "不需要"), ("允许", "禁止"),
    ("有权", "无权"), ("有效", "无效"), ("无效", "有效"), ("以上", "以下"), ("以下", "以上"),
    ("之前", "之后"), ("之后", "之前"), ("以前", "以后"), ("以后", "以前"), ("至少", "至多"),
    ("最多", "最少"), ("最少", "最多"), ("最大", "最小"), ("最小", "最大"), ("最高", "最低"),
    ("最低", "最高"), ("超过", "不足"), ("高于", "低于"), ("低于", "高于"), ("大于", "小于"),
    ("小于", "大于"), ("左", "右"), ("右", "左"), ("上方", "下方"), ("下方", "上方"),
    ("前面", "后面"), ("后面", "前面"), ("顺时针", "逆时针"), ("逆时针", "顺时针"),
    ("打开", "关闭"), ("关闭", "打开"), ("拧紧", "拧松"), ("拧松", "拧紧"), ("增加", "减少"),
    ("减少", "增加"), ("提高", "降低"), ("降低", "提高"), ("承担", "不承担"), ("包括", "不包括"),
    ("属于", "不属于"), ("是", "不是"), ("能", "不能"),
    ("会", "不会"), ("冷", "热"), ("热", "冷"),
)  # fmt: skip
_EN = dict(_TURNS_EN)
_ZH = dict(_TURNS_ZH)
_PATTERN_EN = re.compile(
    rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, _EN), key=lambda w: (-len(w), w)))})(?![\w-])",
    re.IGNORECASE,
)
# Characters that are part of other words: 能 in 功能, 是 in 但是, 会 in 会议, 左右 "about".
_PATTERN_ZH = re.compile(
    r"左右|功能|性能|智能|可能|能力|能量|能源|节能|但是|还是|或是|于是|凡是|要是|总是|就是|若是|会议|社会|机会"
    r"|委员会|协会|会计|大会|不是|有效期|有效性|可以说|热线|热水|冷水|冷却|加热|冷凝|水平尺|不能|不会|不应"
    r"|根据需要|过热|预热|散热|发热|冷静|会员|热量"
    rf"|{'|'.join(sorted(map(re.escape, _ZH), key=lambda w: (-len(w), w)))}"
)
_YES_NO = {
    "yes": "No", "no": "Yes", "是的": "不是", "不是": "是的", "可以": "不可以", "不可以": "可以",
    "能": "不能", "不能": "能", "对": "不对", "不对": "对", "有": "没有", "没有": "有",
    "需要": "不需要", "不需要": "需要", "会": "不会", "不会": "会",
}  # fmt: skip
_LEAD = re.compile(r"^(?P<lead>yes|no|[\u4e00-\u9fff]{1,3})(?=[,.，。！])", re.IGNORECASE)
_OPEN_END = re.compile(
    r"(?:\b(?:and|or|but|if|when|that|which|of|the|an?|to|in|on|for|with|by|as|than"
    r"|at|from|into|onto|after|before|during|until|about"
    r"|between|under|over|near|your|its|their)|[–—-]|\b[Bb]etween [\w. ]+)\s*$"
    r"|[的时后者]$|^\W*[一-龥]{0,6}$"
)
_BRACKETS = (("(", ")"), ("[", "]"), ("（", "）"), ("“", "”"), ("《", "》"))
_CLAUSE = re.compile(r"[,;，；]\s*| (?=(?:and|or|but|if|when|until|unless|which|that|with|for) )")


def negation_edits(answer: str, language: Language, source: random.Random) -> Iterator[Edit]:
    """Propose the opposite: a leading yes for no, a "not" put in or taken out, above for below.

    Args:
        answer: The right answer.
        language: Its language.
        source: Of the choices.

    Yields:
        Edits of one place each, a leading yes or no first.
    """
    lead = _LEAD.match(answer)
    if lead and lead["lead"].lower() in _YES_NO:
        yield Edit("negation", 0, lead.end(), _YES_NO[lead["lead"].lower()])
        return
    turns, pattern = (_ZH, _PATTERN_ZH) if language == "zh" else (_EN, _PATTERN_EN)
    found = list(pattern.finditer(answer))
    if language == "zh":
        found = [match for match in found if _is_word(answer, match)]
    source.shuffle(found)
    for match in found:
        turn = turns.get(match[0].lower())
        if turn is None or _is_noun(answer, match):
            continue
        if match[0].lower().endswith("not") and _ANY.match(answer[match.end() :]):
            continue  # "We pay any part of it" is no sentence
        at, end = match.span()
        if not turn:  # "Do not open": the verb goes to the front
            end += len(answer[end:]) - len(answer[end:].lstrip())
            turn = answer[end : end + 1].upper() if match[0][0].isupper() else answer[end : end + 1]
            yield Edit("negation", match.start(), end + 1, turn)
            continue
        if turn == "close" and re.search(r"(?:ly|\b(?:is|are|be|stays?|remains?)) $", answer[:at]):
            turn = "closed"
        text = turn.capitalize() if match[0][0].isupper() else turn
        yield Edit("negation", at, end, text)


_ANY = re.compile(
    r"\s+(?:[\w'-]+\s+){0,4}?(?:any|anyone|anything|either|ever|yet)\b", re.IGNORECASE
)
"""Words that stand after a "not" only."""


def _is_word(answer: str, match: re.Match[str]) -> bool:
    """Tell whether a match is a Chinese word: 会 in 联合会 is none, nor 承担 in 不承担."""
    import rjieba

    before = answer[match.start() - 1 : match.start()] if match.start() else ""
    if before in set("不无未没") and match[0][0] not in "不无":
        return False
    ends = list(accumulate(len(word) for word in rjieba.cut(answer)))
    return {match.start(), match.end()} <= {0, *ends}


def _is_noun(answer: str, match: re.Match[str]) -> bool:
    """Tell "the left", "a can", "the right to" and "May 2020" from the words that can be turned."""
    before, after = answer[: match.start()].rstrip().lower(), answer[match.end() :].lstrip()
    word = match[0].lower()
    if word == "can" and re.search(r"\b(?:a|the|this)$", before):
        return True
    if word == "right" and re.match(r"(?:to|of|after|before|away)\b", after):
        return True
    if word == "may" and (match[0] == "May") and re.match(r"\d|$|[,.]", after):
        return True
    return word in {"is", "are", "was", "were"} and after.startswith(("not ", "n't", "no "))


def truncation_edits(answer: str, language: Language) -> Iterator[Edit]:
    """Propose the answer cut short, so that something it says is missing.

    Args:
        answer: The right answer; it must have two clauses or eight content words.
        language: Its language.

    Yields:
        At most one edit that takes the end away, from a quarter to three quarters of the words.
    """
    text = answer.rstrip(".。!！ ")
    total = content_terms(text, language)
    if len(total) < 4:
        return
    for match in reversed(list(_CLAUSE.finditer(text))):
        left = text[: match.start()]
        if left[-1:].isdigit() and text[match.end() : match.end() + 1].isdigit():
            continue  # within "3,000": cut there it would state another number
        if _OPEN_END.search(left) or any(
            left.count(one) != left.count(two) for one, two in _BRACKETS
        ):
            continue
        kept = content_terms(left, language)
        lost = set(total) - set(kept)
        if lost and len(kept) >= 2 and 0.25 <= len(kept) / len(total) <= 0.75:
            end = "。" if language == "zh" else "."
            yield Edit("truncation", match.start(), len(answer), end)
            return
