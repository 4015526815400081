"""Chinese sentence forms and the questions that they answer.

Chinese asks in place: the statement keeps its word order and the asked part becomes a
question word, so most of these questions are grammatical by construction.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["CHINESE_FORMS"]

Asked = tuple[str, str, str]

_DO = (
    r"(?:就|则|您|用户|到达后|可以)?(?:请|要|务必|尽快|立即|先|可|应|须|需|必须|不要|切勿|按|长按|关|打开|检查|清洗|清洁|清理|拔|取|用|将|把|"
    r"联系|更换|重新|等|拧|断开|放|选择|使用|擦|减少|增加|调|连接|确认|进入|启动|停止|拨打|换|拉|推|转|插|"
    r"加|倒|松开|装|拆|测|读|看|让|在)"
)
_IF = re.compile(
    r"(?:如果|若果?|如(?!下|上|此|今|何|同)|一旦|假如|当(?![时今年初选代地中局事场]))(?P<case>[^，。；：]{3,40}?)(?:时|的话|(?<![皇王太])(?P<after>后))?，(?P<rest>.{3,})"
)
_WHEN = re.compile(
    r"(?P<case>[^，。；：]{3,30}?)(?P<word>之前|以前|之后|以后|(?<!小)时|(?<!之)前|(?<![之以])后)，(?P<rest>.{3,})"
)
_GOAL = re.compile(
    r"(?:为了|要|想要|若要|如需|如要|想)(?P<goal>[^，。；：]{3,30})，(?P<rest>.{3,})"
)
_FORBIDDEN = re.compile(
    r"(?P<subject>[^，。；：]{0,10}?)(?:绝对?)?(?:请勿|切勿|不要|禁止|严禁|不可|不得|不能)"
    r"(?P<act>[^，。；：]{2,30})(?P<rest>(?:[，；：].*)?)"
)
_WHY = re.compile(r"(?P<fact>[^，。；：]{4,40})，(?:这是)?(?:因为|原因是)(?P<why>.{3,})")
_DIGITS = r"\d+(?:\.\d+)?"
_UNIT = (
    r"年|个月|天|小时|分钟|秒|千瓦时|次|周|个|欧元|元|升|毫升|米|毫米|厘米|平方米|千克|公斤|克|瓦|千瓦|伏|安|转|度|℃|"
    r"°C|kg|mm|cm|mL|ml|kW|Hz|dB|MPa|bar|rpm|g|m|L|W|V|A|%|分贝|倍|步|条|位|页|台|件|格|种|匙|勺|圈|"
    r"根|只|颗|粒|克|层|级|段|双|滴|号"
)
_COUNTERS = frozenset("次个圈滴种根只颗匙勺步条页位双层级段号格")
_RANGE = re.compile(
    r"(?P<subject>[^，。；：]{2,20}?)"
    r"(?P<range>在 ?\d[\d.]* ?\S{0,3} ?(?:到|至|和|与) ?\d[\d.]* ?\S{0,3} ?之间)"
)
_NUMBER = re.compile(
    rf"(?<![A-Za-z\d.,:：/×*第一二三四五六七八九十百千万零〇两半-])"
    rf"(?P<number>{_DIGITS}|[一二三四五六七八九十百千两半]+)"
    rf"(?P<range>\s*(?:到|至|~|—|–|－|-)\s*{_DIGITS})?\s*(?P<unit>{_UNIT})(?![A-Za-z\d])"
)
_RULES = re.compile(r"应当|不得|有权|享有|依照|适用|可以依法|责令")
_ERA = re.compile(
    r"(?:[治正历祯熙隆宗帝和德绪宣统庆靖][天元]?|天正|光绪|洪武|永乐|贞观|弘治|公元前?) ?$"
)
"""A year of a reign is a date, not a length."""
_LONGEST = 110
"""Characters of what is said about a case: more is no answer to one question."""
_PART_OF_MORE = re.compile(
    r"[到至~—–－\-][ 约]*#|\d ?[分时年月度] ?#|#(?:[、代年尾初间级半至到月款项]|[ 零]?\d|[前后]期)"
    r"|[前后近数一]#|#.{0,3}[和或与、][一二三四五六七八九十\d]"
)
"""A number that belongs to a range, a date or a list: alone it says little."""
_WHERE = re.compile(
    r"(?P<subject>[^，。；：]{2,20}?)(?:位于|设在|安装在|装在|放在|印在|贴在|写在|藏在|在)"
    r"(?P<place>[^，。；：]{2,30}(?:上|下|里|内|中|旁|侧|处|方|后|前|部|面|边|角|间|底))(?P<rest>[，；：].*)?"
)
_IS = re.compile(
    r"(?P<subject>[^，。；：是为]{2,16})(?P<be>是|为|叫做|叫)(?P<rest>(?!因为|否|由|在|用|说|确保|避免|防止|保护|争取|纪念|配合|庆祝|提高|增加|加强)[^，。；：]{2,})(?P<tail>.*)"
)
_USE = re.compile(
    r"(?:请)?用(?P<tool>[^，。；：]{2,14}?)(?P<act>清洗|清洁|擦拭|擦|冲洗|拧紧|拧松|拧|刷|固定|润滑)(?P<rest>[^，。；：]{1,20})(?P<tail>[，；].*)?"
)
_VAGUE = re.compile(
    r"^(?:它|这|那|其|此|该|因此|所以|但|并|也|而|同时|然后|另外|否则|不|以|都|就|最好|只有|再|如|若|随后|之后|可以，|可以。|能，|是的|"
    r"检查|不过|一共|接下来|最后|其余|另|[（(])"
)
_NO_TOPIC = re.compile(
    r"[了着过在有用由从（(“《【『「被]|^[未以一下]|(?:任命|几乎|本来|原本|可以|虽然|确实|所称.*|"
    r"[最就也都则乃即称均又名评列视选升划定誉分任行便认立现初])$"
)
_DATE = re.compile(r"[公元前约同翌次年月日世纪年代末初中期春夏秋冬至到的\d\s一二三四五六七八九十]+")
"""Words that only say when."""
_DONE_TO = re.compile(
    r"^(?:自|因|同样|虽|第[一二三四五六七八九十]+[条个项]|男子|女子)|[收立封令使派推升授获选列命娶嫁]|确认|宣布|认定|任命|首[次度]$|再[次度]$|(?:改|兴|扩|重)建$|(?:还|本身|现)$|假设|[减增改升降译组扩缩转变]$"
    r"|(?:更名|改名|易名|改称|定名|命名)$"
)
"""What makes the words before "is" more than a name: something is done to it."""
_MORE_THAN_NUMBER = re.compile(r"[\d.,]+[^\d]{0,2}[\u4e00-\u9fff]{4}|\d+/")
_LISTED = re.compile(
    r"、[^，。；：、]{0,3}#|#[^，。；：、]{1,8}、\d|[及和与]#年$|在[^，。；：\d]{1,4}#年$"
)
"""A number among others of a list, or a bare year."""
_PERSON = re.compile(
    r"(?:母亲|父亲|父母|妻子|丈夫|正室|继室|配偶|女儿|儿子|养子|兄弟|祖父|女友|男友|主角|主唱|主教练|作者|导演|校长|总统|主席|总理|总裁|执行长|创始人|市长|局长|队长|教练)$"
)
_UNPLACED = re.compile(
    r"(?:期间?|过程|情况|情形|范围|条件|时间|位|公司|职责|工作|比赛|领导|影响|帮助)(?:中|内|下|里|间|上)$"
    r"|简历|之[中下间内]$|在位|[后前]$"
)
_UNABLE = re.compile(r"(?:不能)(?:辨认|自理|履行|控制|确定|适应|胜任|证明|按时|及时|完成|改变)")
_NO_SUBJECT = re.compile(
    r"^[把将按]|检查|[请应须会将不要可能]|因$|认$|作$|成$|设$|调$|作为|如果|若"
)


def _end(text: str) -> str:
    return text.strip().rstrip("。；，：,.; ") + "。"


def _case(text: str) -> Asked | None:
    if match := _IF.fullmatch(text):
        case = f"如果{match['case']}{match['after'] or ''}，"
    elif (match := _WHEN.fullmatch(text)) and not _VAGUE.match(match["case"]):
        case = f"{match['case']}{match['word']}，"
    else:
        return None
    if _DATE.fullmatch(match["case"]) or match["case"].endswith("的一刻"):
        return None
    rest = match["rest"]
    before = match.groupdict().get("word") in {"之前", "以前", "前"}
    if rest.startswith("否则") or rest.endswith(("：", ":")) or len(rest) > _LONGEST:
        return None
    if before and not re.match(_DO, rest):
        return None
    if meaning := re.fullmatch(r"(?:就|则)?(?:说明|表示)(?P<what>.+)", rest):
        return f"{case}说明什么？", _end(meaning["what"]), "case"
    asked = "应该怎么做" if re.match(_DO, rest) else "会怎样"
    if asked == "会怎样" and _RULES.search(rest):
        asked = "有什么规定"
    return f"{case}{asked}？", _end(re.sub(r"^(?:就|则|请)", "", rest)), "case"


def _goal(text: str) -> Asked | None:
    match = _GOAL.fullmatch(text)
    if match is None or not re.match(_DO, match["rest"]) or "制定本" in match["rest"]:
        return None
    return (f"怎样{match['goal']}？", _end(match["rest"]), "goal")


def _forbidden(text: str) -> Asked | None:
    match = _FORBIDDEN.fullmatch(text)
    if match is None or _VAGUE.match(text) or re.search(r"[如若时]", match["subject"]):
        return None
    if _UNABLE.search(text) or re.search(r"(?:的|等|方式|[以者其和及与或])$", match["act"]):
        return None
    if not match["subject"] and re.search(r"^(?:禁止|严禁)", text):
        return f"{match['act']}可以吗？", f"不可以。{_end(text)}", "forbidden"
    return f"{match['subject']}可以{match['act']}吗？", f"不可以。{_end(text)}", "forbidden"


def _why(text: str) -> Asked | None:
    match = _WHY.fullmatch(text)
    if match is None or _VAGUE.match(text) or _DATE.fullmatch(match["fact"]):
        return None
    return f"为什么{match['fact']}？", f"因为{_end(match['why'])}", "why"


def _use(text: str) -> Asked | None:
    match = _USE.fullmatch(text)
    if match is None:
        return None
    return f"用什么{match['act']}{match['rest']}？", f"用{_end(match['tool'])}", "use"


def _range(text: str) -> Asked | None:
    match = _RANGE.match(text)
    if match is None or _VAGUE.match(text):
        return None
    return f"{match['subject']}在什么范围内？", _end(match["range"]), "range"


def _number(text: str) -> Asked | None:
    if _VAGUE.match(text) or _RANGE.match(text):
        return None
    for match in _NUMBER.finditer(text):
        few = match["number"] in {"一", "半"} and match["unit"] in _COUNTERS
        few = few or match["number"] in {"千", "百", "万"}
        if match.start() < 2 or few or _PART_OF_MORE.search(_around(text, match)):
            continue
        if _LISTED.search(_clause_around(text, match)):
            continue
        if match["unit"] == "号" or _inside_brackets(text, match.start()):
            continue
        if _ERA.search(text[: match.start()]) or (
            match[0] == "一度" and not re.search(r"[过于为]$", text[: match.start()])
        ):
            continue
        clause = _asked_clause(text, match.end())
        asked = f"{text[: match.start()].rstrip()}多少{clause[match.start('unit') :]}"
        asked = re.sub(r"(?:大约|约|最多|至少)多少", "多少", asked)
        if match["unit"] == "年" and re.fullmatch(r"1\d{3}|20\d\d", match["number"]):
            asked = asked.replace("多少年", "哪一年", 1)
        asked = re.sub(r"多少 ?[%％]", "百分之多少", asked)
        if re.search(
            r"(?:的|[起的]者|情形|[中内里间起]|以来)$|的哪一年|或更|[这那此首次该或]多少|多少周[环围边]|[／/]多少|多少\S{1,3}[乘×]|多少度[接进出获当夺成参]|^[对自经并于但]|^同样|^然而|分别|下列",
            asked,
        ):
            continue
        if 6 <= len(asked) <= 42 and asked.count("，") <= 1:
            return f"{asked}？", _end(match[0]), "how many"
    return None


def _around(text: str, match: re.Match[str]) -> str:
    """Mark the place of a number among the characters around it."""
    return (
        f"{text[max(0, match.start() - 3) : match.start()]}#{text[match.end() : match.end() + 4]}"
    )


def _clause_around(text: str, match: re.Match[str]) -> str:
    """Mark the place of a number in its clause, a year as one."""
    before = re.split(r"[，。；：]", text[: match.start()])[-1]
    after = re.split(r"[，。；：（(]", text[match.end() :])[0]
    return f"{before}#{'年' if match['unit'] == '年' else ''}{after}"


def _inside_brackets(text: str, at: int) -> bool:
    if any(
        text.rfind(left, 0, at) > text.rfind(right, 0, at)
        for left, right in ("《》", "『』", "「」")
    ):
        return True
    return max(text.rfind("（", 0, at), text.rfind("(", 0, at)) > max(
        text.rfind("）", 0, at), text.rfind(")", 0, at)
    )


def _asked_clause(text: str, after: int) -> str:
    """Cut behind the clause with the number; a condition takes the next clause along."""
    stops = [stop.start() for stop in re.finditer(r"[，；。：（(]", text) if stop.start() >= after]
    stops.append(len(text))
    clause = text[: stops[0]]
    condition = re.search(r"(?:(?<!小)时|后|前)$|(?<!不能)(?<![不得要可])超过|低于|高于", clause)
    return text[: stops[1]] if condition and len(stops) > 1 else clause


def _where(text: str) -> Asked | None:
    match = _WHERE.fullmatch(text)
    if match is None or _VAGUE.match(text) or _NO_SUBJECT.search(match["subject"]):
        return None
    if _UNPLACED.search(match["place"]) or re.search(r"[应当可得能的]$", match["subject"]):
        return None
    return f"{match['subject']}在哪里？", f"在{_end(match['place'])}", "place"


def _is(text: str) -> Asked | None:
    match = _IS.fullmatch(text)
    if match is None or _VAGUE.match(text) or _NO_SUBJECT.search(match["subject"]):
        return None
    subject, rest = match["subject"], match["rest"]
    if re.match(r"\d{2,4}年|[\d一二三四五六七八九十]+月", subject) or _DONE_TO.search(subject):
        return None
    if rest[:1].isdigit() and (re.match(r"：\d", match["tail"]) or _MORE_THAN_NUMBER.match(rest)):
        return None  # the first half of a ratio, or a thing with a number
    if _NO_TOPIC.search(subject) or rest.endswith("的") or rest[0] in "了个种名位指长高被":
        return None
    asked = "谁" if _PERSON.search(subject) else "多少" if rest[:1].isdigit() else "什么"
    return f"{subject}是{asked}？", _end(rest), "is"


CHINESE_FORMS: tuple[Callable[[str], Asked | None], ...] = (
    _case, _goal, _forbidden, _why, _use, _range, _number, _where, _is,
)  # fmt: skip
"""Most telling form first."""
