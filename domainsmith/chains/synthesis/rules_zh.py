"""Chinese rules with a limit or a condition, and cases on both sides of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from domainsmith.chains.synthesis.amounts import AMOUNT_ZH, amount, other_amount, written_zh
from domainsmith.chains.synthesis.rule_case import RuleCase

__all__ = ["chinese_cases"]

_TIME = r"(?:个?工作日|个月|小时|分钟|日|天|年|周|秒)"
_UNIT = (
    rf"(?:{_TIME}|周岁|岁|倍|元|欧元|万元|人|名|%|公斤|千克|公里|毫米|厘米|米|升|毫升|℃|度|伏|瓦|安|"
    "次)"
)
_LIMIT = rf"(?P<limit>{AMOUNT_ZH}) ?(?P<unit>{_UNIT})(?=$|[，。；])"
_DEADLINE = re.compile(
    r"(?P<who>[^，。；：]{0,16}?)(?P<must>应当|可以|必须|有权|应|须|要|请)?(?:自|从|在|于)"
    r"(?P<event>[^，。；：]{2,30}?)(?P<from>之日起|之日后|当天起|之后|以后|后|起) ?"
    rf"(?P<limit>{AMOUNT_ZH}) ?(?P<unit>{_TIME})(?:之)?内(?P<act>[^，。；：]{{2,30}})"
)
_SUBJECT = r"(?P<subject>[^，。；：]{2,24}?)"
_MOST = re.compile(
    rf"{_SUBJECT}(?P<way>(?:不得|不能|不应|不要|不)超过|不得高于|不能高于) ?{_LIMIT}"
)
_LEAST = re.compile(
    rf"{_SUBJECT}(?P<way>(?:不得|不能|不)(?:少于|低于)|至少要有|至少为|至少) ?{_LIMIT}"
)
_BAND = re.compile(
    rf"(?P<subject>[^，。；：]{{0,16}}?)已?满(?P<low>{AMOUNT_ZH})(?P<unit>{_TIME}|周岁)"
    rf"(?:不满(?P<high>{AMOUNT_ZH})(?:{_TIME}|周岁))?的，(?P<then>[^。；，]{{2,40}})"
)
_COND = re.compile(r"(?P<cond>[^。；：]{6,70}?)的，(?P<then>(?!但)[^。；：]{6,110})$")
_IF = re.compile(
    r"(?:如果|若|如(?!下|上|此|何|期))(?P<cond>[^，。；：]{4,40}?)(?:时|的话|的|后)?，"
    r"(?P<then>[^。；：]{4,110})$"
)
_POINTS = re.compile(
    r"前款|本条|该|其(?!他|余)|上述|下列|前项|此|这|它|他们|另有|除外|本法|本条例|本规定|本办法|"
    r"情形之一|的，.*的，|[（(]"
)
_ACTORS = re.compile(
    r"用人单位|用工单位|劳务派遣单位|劳动者|经营者|消费者|公司|职工|生产者|销售者|收养人|被收养人|"
    r"继承人|机主|用户|买家|股东(?!会)|董事(?!会)|监事(?!会)|行人|驾驶人|机动车|维修店|申请人|业主|"
    r"承租人|出租人|债务人|债权人|患者|学生|公民|企业"
)
_NO_ACTOR = re.compile(
    r"^(?:违反|伪造|擅自|拒|盗|骗|故意|非法|购买|使用|生产|销售|偷|冒|强|煽|扰|妨|侵|组织|教唆|反复|"
    r"引诱|阻|隐|转让|出租|制造|虚构|结伙|殴打|驾驶|饮酒|醉酒|逃|提供|泄露|散布|捏造|没有拆)"
)
_TELLS = re.compile(r"^(?:说明|表示|多半|可能是)")
_EFFECT = re.compile(
    r"^(?:机器|屏幕|电机|主板|那是|[^，由会]{1,12}(?:会(?![议员副主])|终止|结束|失效))"
)
_HANDLED = "依照规定，应当怎样处理？"
_LOOSE = re.compile(r"但|并|且|也|都|最|一般|每|自|从")
_ACTING = re.compile(r"(?:人|者|单位|公司|门|机关|会|院|方)(?:应当|应)?$")
_COUNTED = re.compile(rf"{_TIME}|人|名|次|倍")


def chinese_cases(sentence: str, draw: random.Random) -> Iterator[RuleCase]:
    """Make cases for the first form of rule that a sentence has.

    Args:
        sentence: One sentence of a document.
        draw: Of the numbers.

    Yields:
        A case that meets the rule and one that does not.
    """
    text = sentence.rstrip("。；")
    for form in _FORMS:
        cases = list(form(text, draw))
        if cases:
            yield from cases
            return


def _said(value: float, like: str, unit: str) -> str:
    return f"{written_zh(value, like)}{unit}"


def _given(before: str) -> str | None:
    """Write the condition that stands before a limit as a sentence of the case.

    Returns:
        The sentence; empty if nothing stands there; None if it cannot be told shortly.
    """
    before = before.rstrip("，；")
    if not before:
        return ""
    if len(before) > 45 or _POINTS.search(before) or "；" in before:
        return None
    joint = "，" if before.endswith(("时", "后", "前")) else "。"
    return f"{before.removesuffix('的')}{joint}"


def _deadline(text: str, draw: random.Random) -> Iterator[RuleCase]:
    match = _DEADLINE.search(text)
    limit = amount(match["limit"]) if match else None
    if match is None or not limit or limit < 2 or _POINTS.search(match["event"] + match["act"]):
        return
    if re.search(r"[的起内]$|不得|^[未不没]", match["act"]) or not re.match(
        r"[^，]{2,}", match["event"]
    ):
        return
    event, unit = match["event"].strip(), match["unit"]
    act = match["act"].strip()
    who = match["who"].strip()
    who = "" if re.match(r"[的也并或但且应由向]|如果", who) else who
    given = _given(text[: match.start()])
    if given is None:
        return
    since = f"{event}{'之日起' if '日起' in match['from'] else '以后'}"
    for met in (True, False):
        value = other_amount(limit, draw, above=not met)
        passed, most = _said(value, match["limit"], unit), _said(limit, match["limit"], unit)
        yield RuleCase(
            kind="deadline",
            met=met,
            case=f"{given}{since}，到现在已经过了{passed}，{who}还没有{act}。",
            ask=f"现在{act}，还在期限之内吗？",
            finding=f"已经过了{passed}，{'没有超过' if met else '超过了'}规定的{most}。",
            conclusion=f"{'还在期限之内' if met else '已经超过期限'}。",
        )


def _bound(text: str, draw: random.Random) -> Iterator[RuleCase]:
    most, least = _MOST.search(text), _LEAST.search(text)
    match = most or least
    limit = amount(match["limit"]) if match else None
    if match is None or not limit or (match.start() > 0 and text[match.start() - 1] not in "，；"):
        return
    subject = re.sub(r"(?:最[长多高低短]|总共|一般)$", "", match["subject"]).rstrip("都也均")
    if _POINTS.search(subject) or len(subject) < 2 or _LOOSE.match(subject):
        return
    if _ACTING.search(subject):
        return
    if re.fullmatch(_TIME, match["unit"]) and subject.endswith("等待"):
        subject += "的时间"
    given = _given(text[: match.start()])
    if given is None:
        return
    higher, lower = ("多于", "少于") if _COUNTED.fullmatch(match["unit"]) else ("高于", "低于")
    for met in (True, False):
        value = other_amount(limit, draw, above=met != bool(most))
        if value == limit:
            continue
        now = _said(value, match["limit"], match["unit"])
        bound = _said(limit, match["limit"], match["unit"])
        yield RuleCase(
            kind="bound",
            met=met,
            case=f"{given}现在的情况是：{subject}为{now}。",
            ask="这符合规定吗？",
            finding=f"规定的{'上限' if most else '下限'}是{bound}，"
            f"{now}{higher if value > limit else lower}{bound}。",
            conclusion="符合规定。" if met else "不符合规定。",
        )


def _bands(text: str, draw: random.Random) -> Iterator[RuleCase]:
    found = list(_BAND.finditer(text))
    lows = [amount(match["low"]) for match in found]
    if len(found) < 2 or not all(lows):
        return
    subject = found[0]["subject"].strip() or "工作"
    subject = f"某{subject}" if _ACTORS.search(subject) else f"某人{subject}"
    for match, low in zip(found, lows, strict=True):
        high = amount(match["high"]) if match["high"] else None
        assert low is not None
        top = int(high) - 1 if high else int(low * 1.5)
        value = float(draw.randint(int(low), max(int(low), top)))
        said = _said(value, match["low"], match["unit"])
        limits = f"满{match['low']}{match['unit']}" + (
            f"、不满{match['high']}{match['unit']}" if match["high"] else ""
        )
        yield RuleCase(
            kind="bands",
            met=True,
            case=f"{subject}已满{said}。",
            ask="依照规定，应当怎样处理？",
            finding=f"{said}属于“{limits}”这一档。",
            conclusion=f"{match['then']}。",
        )


def _condition(text: str, draw: random.Random) -> Iterator[RuleCase]:
    match = _IF.fullmatch(text) or _COND.fullmatch(text)
    del draw
    if match is None:
        return
    cond, then = match["cond"].strip(), re.sub(r"^(?:就|则|那么)", "", match["then"].strip())
    if (
        _POINTS.search(cond)
        or cond.startswith("对")
        or re.search(r"前款|该条|除外|但|；|的，|^是?指|^包括", then)
    ):
        return
    whose = "某" if _ACTORS.match(cond) else "有人" if _NO_ACTOR.match(cond) else ""
    told = f"{whose}{cond}"
    tells = _TELLS.search(then)
    yield RuleCase(
        kind="condition",
        met=True,
        case=f"情况是这样的：{told}。",
        ask="这说明什么？" if tells else "会怎样？" if _EFFECT.search(then) else _HANDLED,
        finding=f"{told}，符合这条规定的条件。",
        conclusion=f"{then}。",
    )
    told_only = tells or _EFFECT.search(then)
    asked = "能得出“{}”这个结论吗？" if told_only else "还能适用“{}”这一规定吗？"
    yield RuleCase(
        kind="condition",
        met=False,
        case=f"经查明，并不存在“{cond}”的情形。",
        ask=asked.format(then),
        finding=f"这条规定的条件是“{cond}”，这里不具备这个条件。",
        conclusion="不能据此得出这个结论。" if told_only else "不能适用这一规定。",
    )


_FORMS: tuple[Callable[[str, random.Random], Iterator[RuleCase]], ...] = (
    _bands, _deadline, _bound, _condition,
)  # fmt: skip
