"""The kinds of value that a question may ask for: how it asks, and what a sentence holds then."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["KINDS", "Kind"]

_NUMBER = (
    r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|"
    r"thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|half|an?|several|"
    r"few|dozen|once|twice|every|each)\b|[一二三四五六七八九十百千万亿两半数几])"
)
_AMOUNT = (
    r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|"
    r"thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand))"
)
_TIME = (
    r"(?:seconds?|minutes?|mins?\b|hours?|h\b|days?|daily|weeks?|weekly|months?|monthly|years?|yearly|"
    r"annual|decades?|centur|night|life|秒|分钟|小时|钟头|天|日|周|星期|月|年|季度|终身|长期|永久)"
)
_EVERY = (
    r"\b(?:daily|nightly|weekly|monthly|quarterly|yearly|annually|hourly|once|twice|"
    r"(?:each|every) \w+)\b"
)
_DURATION = (
    rf"{_NUMBER}.{{0,24}}{_TIME}|{_TIME}.{{0,12}}{_NUMBER}|每{_TIME}|{_EVERY}|immediately|always|"
    r"never|times|\d次|次|立即|马上|随时|\d\s?m?s\b|\d[:：]\d\d\D{1,12}\d[:：]?\d"
)
_LASTS = (
    r"(?:is|are|was|were) (?:the|a|an|my|your|its|this|that|one)?[^?]{0,40}?\b(?:warranty|"
    r"guarantee|wait|waiting|course|terms?|period|time|duration|cycle|program(?:me)?|film|movie|"
    r"session|meeting|shift|break|delay|life|lifespan|notice|leave|trial|contract|lease|loan|visit|journey|trip|"
    r"flight|training|treatment|interval|stay|pause|"
    r"valid|open|active|available|closed|good|kept|held|taken|given|frozen|\w{3,}ed)\b"
)
"""What follows "how long" where it asks for a length of time."""

_FREQUENCY = (
    r"|\b(?:rare|common|seldom|frequent|usual|occasional|sometimes)|\d (?:in|out of) \d|%|罕见|常见"
)


@dataclass(frozen=True)
class Kind:
    """What asks for a kind of value, what holds one, and whether that is a figure."""

    asks: re.Pattern[str]
    holds: re.Pattern[str]
    figures: bool


def _kind(asks: str, holds: str, figures: bool = True) -> Kind:
    return Kind(re.compile(asks, re.IGNORECASE), re.compile(holds, re.IGNORECASE), figures)


KINDS = (
    _kind(
        r"\b(?:what(?:['’]s| is| are)|which(?: is)?)(?: \w+){0,3} (?:phone|telephone|mobile|"
        r"hotline|emergency) numbers?\b|"
        r"\b(?:which|what) number (?:\w+ ){0,3}(?:call|ring|dial|phone)\b|"
        r"打(?:(?:哪个|什么|几号|谁的?)电话|哪个号码?)|"
        r"(?:电话|热线|手机|专线)(?:号码?)?是?(?:多少(?!钱)|什么(?!时|意思)|几号)|哪个(?:电话|热线)",
        r"(?<![\d.,])\+?\(?\d[\d ()/\u2010-\u2015-]{3,}\d|"
        r"(?:\b(?:call|dial|ring|phone|telephone|tel|hotline|number|emergenc(?:y|ies))\b|拨打?|电话|热线|"
        r"专线|号码|报警|火警|急救|求助)\D{0,16}\d{3,}",
    ),
    _kind(
        r"\b(?:what(?:['’]s| is| are)|which(?: is)?)(?: \w+){0,3} e-?mail address|"
        r"邮箱(?:地址)?是(?:什么|多少|哪)|(?:哪个|什么)邮箱",
        r"\S@\S",
        figures=False,
    ),
    _kind(
        r"\b(?:which|what) year\b|哪一?年|何年|几几年",
        r"(?<!\d)(?:1\d{3}|20\d\d)"
        r"(?!\d|\s?(?:rpm|[kM]?W|m?A|V|Hz|[ckm]?m|[mk]?g|m?l)\b)|centur|decade|世纪|年代|[一二〇零]{2}.{2}年|[一二三四五六七八九〇零]{4}年",
    ),
    _kind(
        r"\bhow much (?:does|do|did|will|would|is|are|was) .*\b(?:cost|pay|paid|charge|fee)|"
        r"\bwhat (?:does|do|did|will|would) [^?]*\bcosts?\b(?! (?:of|more|less)\b)|"
        r"\bwhat (?:is|are|was|were) the (?:\w+ )?(?:price|cost|fee|charge|premium|fare|tariff|"
        r"surcharge)s?\b|"
        r"多少钱|什么价|价格是多少|(?:费|费用|保费|租金|押金|价)(?:一年|每年|一个?月|每月)?[是要为]?多少(?![天次人个])",
        r"[€$£¥]|\b(?:EUR|USD|GBP|CHF|CNY|RMB|euros?|dollars?|pounds?|francs?|cents?|yuan|free|percent)\b|%|"
        r"\b(?:price|cost|fee)s?: ?\d|"
        r"元|块钱|免费|美金|价|[\d一二三四五六七八九十两]倍|百分之|全额",
    ),
    _kind(
        r"\bhow much (?:is|are) (?:an?|one) ",
        r"[€$£¥]|\b(?:EUR|USD|GBP|CHF|CNY|RMB|euros?|dollars?|pounds?|francs?|cents?|yuan|free|percent)\b|%|"
        r"\b(?:price|cost|fee)s?: ?\d",
    ),
    _kind(
        r"\bhow much (?:money|compensation|refund|cash)\b",
        r"[€$£¥]|\b(?:EUR|USD|GBP|CNY|RMB|euros?|dollars?|pounds?|cents?|yuan|full|half|double|"
        r"percent|per cent|price|nothing)\b|%",
    ),
    _kind(
        r"\bhow much (?:is|are|was|were) (?!known|left|too)",
        r"(?<![A-Za-z\d-])\d|\b(?:free|half|all|none|nothing|one|two|three|four|five|six|seven|"
        r"eight|nine|ten|twelve|twenty|fifty|hundred|thousand|million|percent)\b",
    ),
    _kind(
        r"\bwhy (?:must|should|may|can|do(?:es)? (?:\w+ ){1,6}(?:have|need) to|is (?:it|there) )|"
        r"(?:为什么|为何|为啥)[^，。？?]{0,12}(?:要|必须|不能|不可以|不许|不让|得|规定)",
        r"\b(?:because|since|due to|so that|so (?:it|you|we|they)|to (?:avoid|prevent|protect|"
        r"ensure|keep|make|allow|reduce|stop)|otherwise|reasons?|causes?|therefore|thus|risks?|"
        r"in order|as (?:it|they|this)|harm\w*|damage\w*|danger\w*)\b|"
        r"因|由于|以免|防止|避免|否则|为了|以便|原因|所以|保证|确保|保护|导致|造成|会使|容易|风险|影响|以防",
        figures=False,
    ),
    _kind(
        r"\bhow long (?:does|do|did|must|should|can|may|will|would|has|have|had|until|after|before)"
        rf"\b|\bhow long {_LASTS}|\bfor how long\b|"
        r"\bhow (?:soon|quickly|many times)\b|"
        r"多久|多长时间|(?:期|时[间效限]|假)是?多长|几[天年日周]|几个(?:月|小时|星期)|多少[天年日]",
        _DURATION,
    ),
    _kind(r"\bhow (?:often|frequently|common|likely)\b", _DURATION + _FREQUENCY),
    _kind(
        r"\bhow (?:heavy|much .*weigh)|\bweight\b.*\?|"
        r"多重|重量是多少|几公斤|多少(?:公斤|千克|斤|克)",
        rf"{_AMOUNT}\s*(?:kg|g|grams?|kilo\w*|pounds?|lbs?|tonn?e?s?|oz|ounces?)\b|公斤|千克|斤|克|吨",
    ),
    _kind(
        r"\bhow many (?:litres|liters|gallons)\b|多少(?:升|毫升)|几升",
        rf"{_AMOUNT}\s*(?:l|ml|litres?|liters?|gallons?)\b|[\d一二三四五六七八九十百半两]\s*毫?升",
    ),
    _kind(
        r"\b(?:what|which) torque\b|\btorque\b.*\?|(?:力矩|扭矩)是?多",
        r"\d\s*(?:nm|n·m|n m|newton|ft|lb|牛)",
    ),
    _kind(
        r"\bhow (?:hot|cold)\b|\bwhat temperature\b|\btemperature\b.*\?|多少度|温度是多少|"
        r"多高的?温度",
        rf"{_AMOUNT}\s*(?:°|℃|degrees?|c\b|f\b|k\b|度)|freezing|boiling|room temperature|"
        r"室温|[一二三四五六七八九十百]度",
    ),
    _kind(
        r"\bhow (?:high|low) (?:is|are|was|were|can|may|must|should|could|will) [^?]*\b(?:"
        r"pressure|fee|rate|price|cost|speed|voltage|risk|score|level|interest|tax|rent|salary|fine|deposit|share|humidity)\b",
        rf"{_NUMBER}|free|none|[一二三四五六七八九十百千万]",
    ),
    _kind(r"\bhow far apart\b|相隔多|间隔多", _NUMBER),
    _kind(
        r"\bhow much (?:of (?:the )?)?(?!(?:is|are|was|were|do|does|did|will|would|can|could|"
        r"should|must|may|might|has|have|had|more|less|longer|later|of|the|i|it|you|we|money|time|"
        r"notice)\b)\w+",
        r"(?<![A-Za-z\d.-])\d[\d.,]*\s*(?!(?:EUR|USD|GBP|CNY|RMB|years?|months?|weeks?|days?|hours?|minutes?)\b)"
        r"[A-Za-z%°µ]|[€$£¥]\s?\d|\b(?:half|all|full|third|quarter|none|nothing|"
        r"several|one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|"
        r"up to|until|level|mark)\b",
    ),
    _kind(
        rf"\bhow (?:tall|high|wide|deep|thick|far|long (?!{_LASTS})(?:is|was) (?:the|it|this))\b|"
        r"多[高宽深远厚]|多长(?!时间|期限)|多大尺寸",
        # "K7 must": a number of its own, and a unit that is a whole word
        r"(?<![a-wyz\d])(?<![a-z]-)(?<!\d[.,])\d[\d.,]*[\s-]*(?:(?:mm|cm|m|km|in|ft)(?![a-z])|inch\w*|feet|foot|"
        r"miles?|met(?:er|re)s?|kilomet\w*|centimet\w*|millimet\w*|yards?|acres?|"
        r"hectares?|square|°|毫米|厘米|米|公里|千米|英[里尺寸]|亩|公顷|平方)|[一二三四五六七八九十百千万]+[米里尺]",
    ),
    _kind(
        r"\bhow (?:big|large)\b|多大",
        r"(?<![A-Za-z\d-])\d|[一二三四五六七八九十百千万两半]|\b(?:one|two|three|four|five|six|seven|"
        r"eight|nine|ten|twelve|twenty|fifty|hundred|thousand|million|half|size|small|large)\b",
    ),
    _kind(
        r"\bhow fast\b|多快",
        r"\d\s*(?:rpm|r/min|km/?h|kph|mph|m/s|m/min|knots?|[kmg]?b(?:it)?/?p?s|fps|hz|%|times|per\b)|"
        rf"{_NUMBER}.{{0,24}}(?:{_TIME}| an? | per |/)|\bspeed|immediately|instantly|[转迈码]|速|"
        r"公里|立即|马上",
    ),
    _kind(
        r"\bhow (?:loud|noisy)\b|多[吵响]",
        r"\d\s*db|decibel|quiet|silent|loud|分贝|安静|静音",
    ),
    _kind(
        "几月?几?[日号]|哪一?天",
        r"[\d一二三四五六七八九十]\s*[日号]|(?:周|星期)[一二三四五六日天\d]",
    ),
    _kind(
        r"\bwhere (?:is|are|was|were) (?:the |your |our |its |my |their )?[^?]{0,40}\b(?:offices?|"
        r"headquarters|shops?|stores?|branch(?:es)?|clinics?|company|factory|cent(?:er|re)s?)\b",
        r"\b(?:street|road|avenue|lane|floor|building|room|city|town|located|based|address|"
        r"opposite|next to|behind|north|south|east|west)\b|"
        r"\b(?:in|at|near|on) (?:the )?(?-i:[A-Z])",
        figures=False,
    ),
    _kind(
        r"(?:公司|总部|门店|网点|分店|办公室|办公楼|医院|诊所|学校|法院|工厂|营业[厅部]|服务中心|服务站)"
        r"[^，。？?]{0,4}在(?:哪|什么地方|什么位置)|(?:地址|位置)(?:是|在)(?:哪|什么)",
        r"省|市(?![场值面])|区(?![别分间])|县|镇|[路街]|大道|大厦|位于|地址|地点|\d+号|"
        r"[\d一二三四五六七八九十][楼层室]|对面|附近",
        figures=False,
    ),
    _kind("几次|多少次", rf"{_NUMBER}\s*次|每|不得|从不"),
    _kind(r"\bhow many\b|多少[个名人位种次只条座件]|几[个名位种次只条座件]", _NUMBER),
)
"""The first that asks decides; the last takes any number."""
