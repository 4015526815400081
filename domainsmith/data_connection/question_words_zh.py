"""Words that only make a Chinese sentence a question: no text has to hold them to answer it.

"年休假有几天", "维洛平是哪家公司生产的", "我想问一下哈": the word cutter makes words of 几天,
哪家 and 哈 that no document says, and that would count as missing.
"""

from __future__ import annotations

import re

__all__ = ["without_question_words"]

_MEASURE = (
    r"(?:小时|分钟|秒钟?|工作日|星期|公里|公斤|厘米|毫米|毫升|平方米|个|位|名(?!字)|种|次|条|项|天(?!气)|年(?![龄级])|"
    r"日|号|点(?!心)|周|月|岁|倍|本(?!科)|张|件|台|份|间|层|楼|级|步|米|块|元|分|秒|度(?!假)|遍|届|人(?![口员])|"
    r"家(?![人庭])|所|页|章|成|折|瓶|盒|片(?!区)|粒|斤|克|升|类|款|句|段|组|支|只|辆|枚|颗|套|座(?!位)|栋|亩|部|根)"
)
_COUNT = re.compile(
    rf"(?:多少|几)(?:个(?:小时|月|星期|工作日|半月)|{_MEASURE})钟?(?:[之以]?[前后内]要?)?|多长时间|(?<=[赔罚交缴扣退补领发付])多少钱|多少(?!钱)|什么时[候间]|何时|多久"
)
_LIMIT = re.compile(
    r"最(?:多|少|长|短|高|低|大|小|晚|早|快|慢|迟|远)(?=[^，。？?]{0,10}(?:多少|几|多[久长]))"
)
"""最多 and its like before a count: the text says 不得超过 or 以内."""
_LIMIT_AFTER = re.compile(
    r"最(?:多|少|长|短|高|低|大|小|晚|早|迟|远)(?=(?:是|为)?(?:多少|几|多[久长大高]))"
)
_WHICH = re.compile(r"哪(?!吒)一?(?:些|几?个|几?种|家|位|里|儿|一?年|天|类|款|条|项|名|所|方面)?")
_WHAT = re.compile(
    r"(?:是)?(?:什么|啥)意思|(?:名字)?(?:叫|是)(?:做|作)?(?:什么|啥)(?:名字)?|(?:什么|啥)名字|(?:有|是)?(?:什么|啥|哪些)(?:规定|说法|意思)|规定(?:了|的是|是)?(?:什么|啥|哪些)|"
    r"为什么|为何|为啥|什么|啥|谁"
)
_HOW = re.compile(
    r"(?:是)?(?:怎么样|怎么|怎样|如何|咋)(?:规定|[算办样弄搞说])?(?:的(?=$|[\s？?。，,]))?"
)
_TWICE = re.compile(r"([\u4e00-\u9fff])[不没]\1")
"""赔不赔, 能不能: the verb asks whether."""
_OPENING = re.compile(
    r"^(?:[\s，,。！!]*(?:你好|您好|嗨|喂|请问|麻烦|劳驾|我?(?:就是|还)?想(?:要)?(?:请?问|咨询|知道|了解)|"
    r"我?(?:请?问|咨询)(?=一下|下)|(?:请|能)?(?:告诉|帮)我?(?:看|查|问)?|一下|下(?=[哈啊，,])|[哈啊呀哦嗯呃]))+"
)
_SPOKEN = re.compile(
    r"[吗呢吧啊呀哦嘛啦哈呗呃嗯]+(?=$|[\s？?。！!，,；;])|咱们?(?=[\u4e00-\u9fff])|到底|究竟|要是|的话(?=$|[\s，,？?])|"
    r"一[下次](?=$|[\s，,？?])"
)


def without_question_words(question: str) -> str:
    """Leave out what only asks.

    Args:
        question: Chinese, in simplified characters and half-width forms.

    Returns:
        The rest, with a blank wherever words were left out; the question itself if nothing
        would remain.
    """
    text = _OPENING.sub(" ", question)
    text = _TWICE.sub(r"\1", text)
    for pattern in (_LIMIT, _LIMIT_AFTER, _COUNT, _WHICH, _WHAT, _HOW, _SPOKEN):
        text = pattern.sub(" ", text)
    return text if re.search(r"\w", text) else question
