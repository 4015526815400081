"""Chinese sentences that state a number, and the question for it.

The statement keeps its words and the number becomes "how many". That is natural only where the
number is what the clause says: not as a part of a name, of a date, of a list, or of words that
only tell when.
"""

from __future__ import annotations

import re

from domainsmith.chains.grammar_zh import end_zh, says_something

__all__ = ["VAGUE", "Asked", "number_question", "range_question"]

Asked = tuple[str, str, str]
"""Question, answer, name of the form."""

VAGUE = re.compile(
    r"^(?:它|这|那|其|此|该|因此|所以|但|并|也|而|同时|然后|另外|否则|不|以|都|就|最好|只有|再|如|若|随后|之后|可以，|可以。|能，|是的|"
    r"检查|例如|比如|不过|一共|接下来|最后|其余|另|[（(])"
)
"""What opens a sentence that leans on the one before."""
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)"
_UNIT = (
    r"年|个月|天|小时|分钟|秒|千瓦时|次|周岁|岁|周|个|欧元|元|升|毫升|千米|公里|米|毫米|厘米|平方公里|平方千米|平方米|公顷|亩|"
    r"吨|千克|公斤|克|瓦|千瓦|伏|安|转|度|℃|°C|kg|mm|cm|mL|ml|kW|Hz|dB|MPa|bar|rpm|g|m|L|W|V|A|%|分贝|倍|"
    r"步|条|位|名|人|座|所|家|艘|架|页|台|件|格|种|匙|勺|圈|根|只|颗|粒|层|级|段|双|滴|号"
)
_COUNTERS = frozenset("次个圈滴种根只颗匙勺步条页位名人座所家艘架双层级段号格件台倍粒")
_SPANS = frozenset(("年", "个月", "天", "小时", "分钟", "秒", "周"))
_RANGE = re.compile(
    r"(?P<subject>[^，。；：]{2,20}?)"
    r"(?P<range>在 ?\d[\d.]* ?\S{0,3} ?(?:到|至|和|与) ?\d[\d.]* ?\S{0,3} ?之间)"
)
_NUMBER = re.compile(
    rf"(?<![A-Za-z\d.,:：/×*第一二三四五六七八九十百千万亿零〇两半几数多余唯-])"
    rf"(?P<number>{_DIGITS}|[一二三四五六七八九十百千两半]+)"
    rf"(?P<range>\s*(?:到|至|~|—|–|－|-)\s*{_DIGITS})?\s*(?P<many>[万亿])?(?P<unit>{_UNIT})(?![A-Za-z\d])"
)
_ERA = re.compile(
    r"(?:[治正历祯熙隆宗帝和德绪宣统庆靖祖][天元]?|天正|光绪|洪武|永乐|贞观|弘治|公元前?) ?$"
)
"""A year of a reign is a date, not a length."""
_PART_OF_MORE = re.compile(
    r"[到至~—–－\-][ 约]*#|\d ?[分时年月度] ?#|#(?:[、代年尾初间级半至到月款项／/]|[前后]期)"
    r"|#[ 零]?[\d一二三四五六七八九十]"
    r"|[前后近数一]#|#.{0,3}[和或与、][一二三四五六七八九十\d]"
)
"""A number that belongs to a range, a date or a list: alone it says little."""
_LISTED = re.compile(
    r"、[^，。；：、]{0,3}#|#[^，。；：、]{1,8}、\d|[及和与]#年$|在[^，。；：\d]{1,4}#年$|[及和与]#"
)
"""A number among others of a list, or a bare year."""
_SUBORDINATE = re.compile(
    r"(?:虽|尽管|由于|因|如果|若|倘|当|根据|依照|按照|据|为了|除|随着|例如|比如|譬如|特别|结果|截[至止]|直到|距|到(?!达)|至|经|"
    r"自|从|通过|有时|每当|每到|所持|未|属于|也就|以致|不是|或)"
)
"""What opens a clause that states nothing by itself."""
_WORD_AFTER = re.compile(
    r"$|[ ，。；：、（(“”高长宽深以之内外呈后前时进才就会是处远厚重大起即仍并]|的(?!$)|左右"
)
"""What follows a measure that is stated; anything else is a name with a measure in it."""
_SPAN_AFTER = re.compile(
    r"$|[ ，。；：、（(“”间内才就时多进审]|[后前](?!的)|左右|的?(?:时间|历史)|之[久内后前]"
    r"|以[内上下后前]|一[次届度]|至少"
)
_LATER = re.compile(
    r"^(?:此外|另外|当时|后来|其后|之后|随后|最终|最后|不过|然而|目前|现在|如今|据悉|其中)，?"
)
_HAPPENED = re.compile(
    r"(?:创|始|[建成创设]立|[出诞]生|生|卒|死|逝世?|去世|病逝|发现|出版|发表|毕业|创办|发行|[结完]束|完[工成]|落成|竣工|通车|颁布|成书|发[生明]|"
    r"起源|兴建|建|举行|播出|[上首]映|启用|开[业幕播]|解散|撤销|成军|当选|退役|就任|上任|结婚|加入)(?:[于在]|是在|时间[为是])$"
)
"""A date at the end of a clause must say when something happened."""
_ODD = re.compile(
    r"(?:的|[起的]者|情形|[中内里间起]|以来|案件)$|的哪一年|或更|[这那此首次该或]多少|多少周[环围边]|[／/]多少|多少\S{1,3}[乘×]"
    r"|多少度[接进出获当夺成参]|^[对自经并于但]|^同样|^然而|^例外|^原因|虽然|没想到|最.的多少|多少[^，]*的一[个条座]|哪一年则|--|——|[称说]，|而得名|多少人人|分别|下列|哪一年[^，]{1,6}的|之一|第[一二三四五六七八九十\d]+[项款]|多少(?:一度|次世界)"
    r"|(?:又名|名为|称为?|叫|名)多少|多少[^，]{0,4}自由[泳式]|哪一年[^，]{0,8}[（(]"
)
_REPORTS = re.compile(r"显示|表示|估计|指出|认为|宣布|报道|声称|预测|规定")
_ADVERBIAL = re.compile(r"(?:[之以]?[前后]|期间|时|时期|下|显示|以来)$|^(?:根据|由于|随着|为了|度)")
_MORE_NUMBERS = re.compile(
    r"[和与及或、]者?[^，]{0,3}(?:\d|[一二两三四五六七八九十][名个位人年条种块座])"
)
_AND_MORE = re.compile(r"以[上下]")
_ORDERED = re.compile(
    r"(?:请|再|先|然后)?(?:拔|拆|拧|松开|断开|按住?|长按|选择|选|加|倒|取|装|插|打开|关|用|把|将|放|等|转|推|拉|敲|剪)"
)
"""How an order begins; a count of things within one is no question."""


def range_question(text: str) -> Asked | None:
    """Ask between which values something lies.

    Args:
        text: A sentence without its full stop.
    """
    match = _RANGE.match(text)
    if match is None or VAGUE.match(text):
        return None
    return f"{match['subject']}在什么范围内？", end_zh(match["range"]), "range"


def number_question(text: str) -> Asked | None:
    """Ask for the first number that a sentence states.

    Args:
        text: A sentence without its full stop.

    Returns:
        Question, answer and form; None if no number is what a clause says.
    """
    text = _LATER.sub("", re.sub(r"（[^（）]*）|\([^()]*\)", "", text)).replace(", ", "，")
    if VAGUE.match(text) or _RANGE.match(text):
        return None
    for match in _NUMBER.finditer(text):
        if _is_stated(text, match):
            question = _asked(text, match)
            if question:
                more = _AND_MORE.match(text, match.end())
                said = match[0] + (more[0] if more else "")
                return question, end_zh(said), "how many"
    return None


def _is_date(match: re.Match[str]) -> bool:
    return match["unit"] == "年" and bool(re.fullmatch(r"1\d{3}|20\d\d", match["number"]))


def _is_stated(text: str, match: re.Match[str]) -> bool:
    """Tell whether a number stands alone, and not in a name, a date or a list."""
    number, unit, before = match["number"], match["unit"], text[: match.start()]
    date = _is_date(match)
    few = number in {"一", "半"} and unit in _COUNTERS
    if (
        few
        or number in {"千", "百", "万"}
        or unit == "号"
        or (number == "二" and unit in _COUNTERS)
    ):
        return False
    if (match.start() < 2 and not date) or _inside_brackets(text, match.start()):
        return False
    if _PART_OF_MORE.search(_around(text, match)) or _LISTED.search(_clause_around(text, match)):
        return False
    if _ERA.search(before):
        return False
    after = text[match.end() :]
    if number == "一" and unit in _SPANS and not re.match(r"以?[内上下]|$|[，；。]", after):
        return False
    if match[0] == "一度" and not re.search(r"[过于为]$", before):
        return False
    if unit in _COUNTERS or unit in "%℃" or date:
        return True
    return bool((_SPAN_AFTER if unit in _SPANS else _WORD_AFTER).match(after))


def _asked(text: str, match: re.Match[str]) -> str:
    """Put the question word in the place of the number, in its clause and what it needs."""
    tail = _tail(text, match)
    if tail is None:
        return ""
    unit, date = match["unit"], _is_date(match)
    asks = "哪一年" if date else "百分之多少" if unit in "%" else f"多少{unit}"
    asked = re.sub(
        r"(?:大约|约|最多|至少)(?=多少|百分之多少)",
        "",
        f"{text[: match.start()].rstrip()}{asks}{tail}",
    )
    asked = re.sub(r"^请", "应该", asked)
    if _AND_MORE.match(tail):
        asked = asked.replace(tail[:2], "", 1)
    least = 8 if date else 6
    if _ODD.search(asked) or not least <= len(asked) <= 42 or asked.count("，") > 1:
        return ""
    if "，" in asked and _ORDERED.match(asked) and unit in _COUNTERS:
        return ""
    return f"{asked}？"


def _tail(text: str, match: re.Match[str]) -> str | None:
    """Find what follows the number in its question; None if the clause states nothing."""
    start = max(text.rfind(mark, 0, match.start()) for mark in "，；：") + 1
    lead = text[start : match.start()].strip()
    ends = [
        stop.start() for stop in re.finditer(r"[，；。：]", text) if stop.start() >= match.end()
    ]
    ends.append(len(text))
    date, many = _is_date(match), len(ends) > 1
    tail = text[match.end() : ends[0]].strip()
    if date and lead in {"", "在", "于", "早在"} and not tail and many:
        if start > 1 or text[ends[0]] != "，":
            return None
        # "In 1901, ...": what happened then is said behind the comma.
        tail = text[ends[0] + 1 : ends[1]]
        if _SUBORDINATE.match(tail) or (len(ends) > 2 and _REPORTS.search(tail)):
            return None
    elif _is_half(lead, tail, date=date, many=many):
        return None
    elif _waits(text[start : ends[0]]) and many:
        tail = text[match.end() : ends[1]]
    if date and ((many and _REPORTS.search(tail[-4:])) or _ADVERBIAL.search(tail)):
        return None
    if date and not says_something(f"{lead}{tail}"):
        return None
    among = _MORE_NUMBERS.search(tail) or (lead.endswith("的") and match["unit"] in _SPANS)
    return None if among else tail


def _is_half(lead: str, tail: str, *, date: bool, many: bool) -> bool:
    """Tell whether a clause is half of a statement, by what stands before and after its number."""
    if many and _SUBORDINATE.match(lead or tail):
        return True
    if not tail and date:
        return not _HAPPENED.search(lead)
    return not tail and many and lead.endswith(("满", "经", "达到", "超过"))


def _waits(clause: str) -> bool:
    """Tell whether a clause is a condition, so that the next one belongs to it."""
    return bool(re.search(r"(?:(?<!小)时|后|前)$|(?<!不能)(?<![不得要可])超过|低于|高于", clause))


def _around(text: str, match: re.Match[str]) -> str:
    """Mark the place of a number among the characters around it."""
    return (
        f"{text[max(0, match.start() - 4) : match.start()]}#{text[match.end() : match.end() + 4]}"
    )


def _clause_around(text: str, match: re.Match[str]) -> str:
    """Mark the place of a number in its clause, a year as one."""
    before = re.split(r"[，。；：]", text[: match.start()])[-1]
    after = re.split(r"[，。；：（(]", text[match.end() :])[0]
    return f"{before}#{'年' if match['unit'] == '年' else ''}{after}"


def _inside_brackets(text: str, at: int) -> bool:
    return any(
        text.rfind(left, 0, at) > text.rfind(right, 0, at)
        for left, right in ("《》", "『』", "「」", "（）", "()", "“”")
    )
