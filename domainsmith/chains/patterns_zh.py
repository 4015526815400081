"""Chinese sentence forms and the questions that they answer.

Chinese asks in place: the statement keeps its word order and the asked part becomes a
question word, so most of these questions are grammatical by construction.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from domainsmith.chains.grammar_zh import end_zh, says_something, tagged
from domainsmith.chains.numbers_zh import VAGUE, Asked, number_question, range_question

__all__ = ["CHINESE_FORMS"]

_DO = (
    r"(?:就|则|您|用户|到达后|可以)?(?:请|要|务必|尽快|立即|先|可|应|须|需|必须|不要|切勿|按|长按|关|打开|检查|清洗|清洁|清理|拔|取|用|将|把|"
    r"联系|停|更换|重新|等|拧|断开|放|选择|使用|擦|减少|增加|调|连接|确认|进入|启动|停止|拨打|换|拉|推|转|插|"
    r"加|倒|松开|装|拆|测|读|看|让|在)"
)
_IF = re.compile(
    r"(?:如果|若果?|如(?!果|下|上|此|今|何|同|图|表|\d)|一旦|假如|当(?![时今年初选代地中局事场]))(?P<case>[^，。；：]{2,40}?)(?:时|的话|(?<![皇王太])(?P<after>后))?，(?P<rest>.{3,})"
)
_WHEN = re.compile(
    r"(?P<case>[^，。；：]{3,30}?)(?P<word>之前|以前|之后|以后|(?<!小)时|(?<!之)前|(?<![之以])后)，(?P<rest>.{3,})"
)
_GOAL = re.compile(
    r"(?:为了|要|想要|若要|如需|如要|想)(?P<goal>[^，。；：]{3,30})，(?P<rest>.{3,})"
)
_HAPPENED = re.compile(r"\d{3,4} ?年|世纪|了(?!解)|首次|曾|最初|当时")
"""What was once is no case that can be again."""
_MORE_CASE = re.compile(
    r"其中|仍然?[^，]{1,12}，[^，]*的，|或|并且|且|情节|否则|若|如果|也|还|而|但"
)
"""What opens a clause that goes on with the case, or with the sentence before."""
_FORBIDDEN = re.compile(
    r"(?P<subject>[^，。；：]{0,10}?)(?:绝对?)?(?:请勿|切勿|不要|禁止|严禁|不可|不得|不能)"
    r"(?P<act>[^，。；：]{2,30})(?P<rest>(?:[，；：].*)?)"
)
_WHY = re.compile(r"(?P<fact>[^，。；：]{4,40})，(?:这是)?(?:因为|原因是)(?P<why>.{3,})")
_RULES = re.compile(r"应当|不得|有权|享有|依照|适用|可以依法|责令")
_LONGEST = 110
"""Characters of what is said about a case: more is no answer to one question."""
_WHERE = re.compile(
    r"(?P<subject>[^，。；：]{2,20}?)(?:位于|设在|安装在|装在|放在|印在|贴在|写在|藏在|在)"
    r"(?P<place>[^，。；：]{2,30}(?:上|下|里|内|中|旁|侧|处|方|后|前|部|面|边|角|间|底))(?P<rest>[，；：].*)?"
)
_IS = re.compile(
    r"(?P<subject>[^，。；：是为]{2,16})(?P<be>是|为|叫做|叫)(?P<rest>(?!因为|否|由|在|用|说|确保|避免|防止|保护|争取|纪念|配合|庆祝|提高|增加|加强)[^，。；：]{2,})(?P<tail>.*)"
)
_USE = re.compile(
    r"(?:请)?用(?P<tool>[^，。；：]{2,14}?)(?P<act>清洗|清洁|擦拭|擦|冲洗|拧紧|拧松|拧|刷|固定|润滑)(?P<rest>(?!拭|洗|净|干|一下)[^，。；：]{1,20})(?P<tail>[，；].*)?"
)
_NO_TOPIC = re.compile(
    r"[了着过在有用由从（(“《【『「被]|^[未以一下]|(?:任命|几乎|本来|原本|可以|虽然|确实|所称.*|"
    r"[最就也都则乃即代称均又名评列视选升划定誉分任行便认立现初])$"
)
_DATE = re.compile(r"[公元前约同翌次年月日世纪年代末初中期春夏秋冬至到的\d\s一二三四五六七八九十]+")
"""Words that only say when."""
_DONE_TO = re.compile(
    r"^(?:自|因|同样|虽|第[一二三四五六七八九十]+[条个项]|男子|女子)|[收立封令使派推升授获选列命娶嫁]|确认|宣布|认定|任命|首[次度]$|再[次度]$|(?:改|兴|扩|重)建$|(?:还|本身|现)$|假设|[减增改升降译组扩缩转变]$"
    r"|(?:更名|改名|易名|改称|定名|命名)$"
)
"""What makes the words before "is" more than a name: something is done to it."""
_MORE_THAN_NUMBER = re.compile(r"[\d.,]+[^\d]{0,2}[\u4e00-\u9fff]{4}|\d+/")
_PERSON = re.compile(
    r"(?:母亲|父亲|父母|妻子|丈夫|正室|继室|配偶|女儿|儿子|养子|兄弟|祖父|祖母|女友|男友|主角|主唱|主教练|作者|导演|校长|总统|主席|总理|总裁|执行长|创始人|市长|局长|队长|教练)$"
)
_PERSON_SAID = re.compile(
    r"(?:政治家|军事家|作家|画家|科学家|数学家|物理学家|化学家|历史学家|哲学家|音乐家|艺术家|演员|球员|运动员|歌手|选手|车手|学者|工程师|"
    r"学生|教师|律师|医师|将领|武将|大名|皇帝|国王|大臣|官员|公主|王子|王后|教授|院士|球星|候选人|主持人|人物)$"
)
"""Kinds of people: who is asked for, not what."""
_WHEN_SAID = re.compile(
    r"\d{3,4} ?年(?:\d{1,2}月)?(?:\d{1,2}[日号])?$|\d{1,2}(?:[-—至到]\d{1,2})?月(?:\d{1,2}[日号])?$"
)
_NOT_SAID = re.compile(
    r"[我他她牠祂它]的?|^例外$|[这那][些个种]|(?<![但还可于若而总就])是(?!否)|(?:之一|一部分)$|^(?:关于|基于|应该|应当|因|由|对|把|将|让|使|从|其|随)"
)
"""What makes the words behind "is" no answer: they lean on something, or say how, not what."""
_NO_THING = re.compile(
    r"(?:除|于|较|甚至|称[^为]{2,8})$|^(?:首先|其次|最后|主要|尤其|特别|例如|结果|后来|当时|目前|现在|通常|一般|其中|例外|和|与|同|跟|及|象征|考虑|根据|例)"
    r"|或者|(?:[上下中时间后前里内]|或|并|且|最近|通常|一般|主要|同时|后来|仍然|已经|曾经|例子|原因|如下|题材)$"
    r"|[\u4e00-\u9fff]与[\u4e00-\u9fff].*(?<!关系)$|最近一次|\d[\u4e00-\u9fff]$|(?:^|[^最])最[^的]{1,3}的?(?:方法|例子|问题|情况)"
)
"""Words before "is" that are no thing one can ask for."""
_OPEN_MODIFIER = re.compile(
    r"^(?:具有|不|能够?|可以|由|以|按照?|依照?|依法|对|为|经|在|通过|享有|承担|根据|专门|用于)"
)
"""What opens words before the noun that they belong to."""
_ENDS_IN_NOUN = re.compile(r"的[^的，；]{1,10}$")
_FOR = re.compile(
    r"(?:提供|服务|准备|制作|带来|打下|奠定|作出?|做出?|设计|撰写|所有|主$|辅$|中心$|支柱$|代表$|例$)"
)
_UNPLACED = re.compile(
    r"(?:期间?|活动|[农工商]业|行业|领域|方面|基础|背景|时代?|的|整个|过程|情况|情形|范围|条件|时间|位|公司|职责|工作|压力|比赛|领导|影响|帮助)(?:中|内|下|里|间|上|面|方)$"
    r"|简历|之[中下间内]$|在位|[后前]$|时间$|期间$|[从到]|[这那]"
)
_UNABLE = re.compile(
    r"(?:因故|因病|无法|尚).{0,4}不能|(?:不能)(?:辨认|自理|履行|控制|确定|适应|胜任|证明|按时|及时|完成|改变)"
)
_NO_SUBJECT = re.compile(
    r"^[把将按]|检查|[请应须会将不要可能]|因$|认$|作$|成$|设$|调$|作为|如果|若"
)


def _case(text: str) -> Asked | None:
    happened = False
    if match := _IF.fullmatch(text):
        happened = text.startswith("当") and bool(_HAPPENED.search(text))
        end = match["after"] or ("时" if happened else "")
        case = f"{'当' if happened else '如果'}{match['case']}{end}，"
    elif (match := _WHEN.fullmatch(text)) and not VAGUE.match(match["case"]):
        case = f"{match['case']}{match['word']}，"
    else:
        return None
    if _DATE.fullmatch(match["case"]) or match["case"].endswith("的一刻"):
        return None
    rest = match["rest"]
    if _MORE_CASE.match(rest):
        return None
    before = match.groupdict().get("word") in {"之前", "以前", "前"}
    if rest.startswith("否则") or rest.endswith(("：", ":")) or len(rest) > _LONGEST:
        return None
    if before and not re.match(_DO, rest):
        return None
    if meaning := re.fullmatch(r"(?:就|则)?(?:说明|表示)(?P<what>.+)", rest):
        return f"{case}说明什么？", end_zh(meaning["what"]), "case"
    asked = "应该怎么做" if re.match(_DO, rest) else "发生了什么" if happened else "会怎样"
    if asked == "会怎样" and _RULES.search(rest):
        asked = "有什么规定"
    return f"{case}{asked}？", end_zh(re.sub(r"^(?:就|则|请)", "", rest)), "case"


def _goal(text: str) -> Asked | None:
    match = _GOAL.fullmatch(text)
    if match is None or not re.match(_DO, match["rest"]) or "制定本" in match["rest"]:
        return None
    return (f"怎样{match['goal']}？", end_zh(match["rest"]), "goal")


def _forbidden(text: str) -> Asked | None:
    match = _FORBIDDEN.fullmatch(text)
    if match is None or VAGUE.match(text) or re.search(r"[如若时]", match["subject"]):
        return None
    if match["subject"].startswith("任何") and len(match["act"]) <= 8:
        return None  # "may not be put aside": what may not is said in the sentence before
    if "以" in match["subject"] or _names_what_is(match["act"]):
        return None  # "what the state forbids to sell" forbids nothing
    if _UNABLE.search(text) or re.search(r"(?:的|等|方式|[以者其和及与或])$", match["act"]):
        return None
    if not match["subject"] and re.search(r"^(?:禁止|严禁)", text):
        return f"{match['act']}可以吗？", f"不可以。{end_zh(text)}", "forbidden"
    return f"{match['subject']}可以{match['act']}吗？", f"不可以。{end_zh(text)}", "forbidden"


def _names_what_is(act: str) -> bool:
    """Tell whether an act is a modifier before a noun ("to be sold" of "what may not be sold")."""
    words = tagged(act)
    return any(
        word == "的" and words[at - 1][1].startswith("v")
        for at, (word, _) in enumerate(words[1:], 1)
    )


def _why(text: str) -> Asked | None:
    match = _WHY.fullmatch(text)
    if match is None or VAGUE.match(text) or _DATE.fullmatch(match["fact"]):
        return None
    if re.search(r"[之以时]?[后时前]$", match["fact"]):
        return None
    return f"为什么{match['fact']}？", f"因为{end_zh(match['why'])}", "why"


def _use(text: str) -> Asked | None:
    match = _USE.fullmatch(text)
    if match is None:
        return None
    return f"用什么{match['act']}{match['rest']}？", f"用{end_zh(match['tool'])}", "use"


def _where(text: str) -> Asked | None:
    match = _WHERE.fullmatch(text)
    if match is None or VAGUE.match(text) or _NO_SUBJECT.search(match["subject"]):
        return None
    if _UNPLACED.search(match["place"]) or re.search(
        r"[应当可得能的存持]$|甚至$", match["subject"]
    ):
        return None
    if re.search(r"[从到自以]|第[一二三]个|指$", match["subject"]):
        return None
    return f"{match['subject']}在哪里？", f"在{end_zh(match['place'])}", "place"


def _is(text: str) -> Asked | None:
    match = _IS.fullmatch(text)
    if match is None or VAGUE.match(text) or _NO_SUBJECT.search(match["subject"]):
        return None
    subject, rest = match["subject"], match["rest"].strip()
    if (
        len(rest) < 2
        or re.match(r"\d{2,4}年|[\d一二三四五六七八九十]+月", subject)
        or _DONE_TO.search(subject)
    ):
        return None
    if rest[:1].isdigit() and (re.match(r"：\d", match["tail"]) or _MORE_THAN_NUMBER.match(rest)):
        return None  # the first half of a ratio, or a thing with a number
    if _NO_TOPIC.search(subject) or rest.endswith("的") or rest[0] in "了个种名位指长高被":
        return None
    rest = re.split(r"[;；]|、[^、]{1,8}[是为]", rest)[0]
    if _OPEN_MODIFIER.match(rest) and match["tail"] and not _ENDS_IN_NOUN.search(rest):
        rest += match["tail"].rstrip("。；")  # "has rights ... body": the noun comes last
        if not _ENDS_IN_NOUN.search(rest) or len(rest) > _LONGEST:
            return None
    if _NOT_SAID.search(rest) or _NO_THING.search(subject):
        return None
    if match["be"] == "为" and ("以" in subject or _FOR.search(rest) or says_something(subject)):
        return None  # "takes ... as", "does ... for"
    return f"{subject}是{_asked_kind(subject, rest)}？", end_zh(rest), "is"


def _asked_kind(subject: str, rest: str) -> str:
    """Choose the question word by what the answer is."""
    if _WHEN_SAID.match(rest):
        return "什么时候"
    if _PERSON.search(subject) or (_PERSON_SAID.search(rest) and not _PERSON.search(rest)):
        return "谁"
    counted = re.match(r"\d|百分之", rest) and not re.match(r"\d{3,4} ?年", rest)
    return "多少" if counted else "什么"


CHINESE_FORMS: tuple[Callable[[str], Asked | None], ...] = (
    _case, _goal, _forbidden, _why, _use, range_question, number_question, _where, _is,
)  # fmt: skip
"""Most telling form first."""
