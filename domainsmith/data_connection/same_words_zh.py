"""Chinese words for the same thing: people ask with everyday words, documents answer formally.

吃药期间 is found at 服药期间, 星期一 at 周一, 超期 at 逾期. A word is looked for in the text by
another word of its group only where the text does not have it itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

__all__ = ["same_words", "terms_of_text"]

_GROUPS = """
每天 每日 一天 一日
每周 每星期 一周
每月 每个月 一个月
每年 一年 年度
吃药 服药 用药 服用
吃 服用 口服 食用 服药
喝 饮用 饮
抽烟 吸烟
喝酒 饮酒
开门 开放 开馆 营业
关门 闭馆 关闭 打烊
丢 丢失 遗失 弄丢
坏 损坏 故障
修 维修 修理
换 更换
买 购买 购置
卖 出售 销售
退 退还 退款
赔 赔偿 赔付 给付
发 发放 支付
交 缴纳 交纳 支付
罚 罚款 处罚
辞退 解雇 开除 解除
辞职 离职 解除
签 签订 订立 签署
员工 职工 劳动者 雇员
老板 雇主 用人单位
公司 企业 单位 用人单位
超期 逾期
到期 届满 期满
允许 准许
禁止 严禁 不得 不准
电话 热线 专线 号码
地址 地点 位置
厂家 厂商 生产商 制造商 企业
保存 贮藏 存放 储存 保管
保质期 有效期
保修 质保 保修期 质保期
孩子 小孩 儿童 小朋友
老人 老年人
怀孕 孕妇 妊娠 孕期
医生 医师 大夫
副作用 不良反应
治 治疗 用于 适应症
生效 施行 实施
工资 薪资 薪水 薪酬
休假 放假 假期
节假日 休假日 假日
年假 年休假
房租 租金
名字 姓名 名称
成立 建立 创立 创办
去世 逝世 病逝
出生 诞生
获得 取得 荣获
快递 物流 配送
运费 邮费 快递费
办 办理 申办
打开 开启 启动
关掉 关闭
装 安装
拆 拆卸 拆除
收 收取 收费
停 停放 停车
扔 丢弃 投放
车 车辆
平米 平方米
洗 清洗 清洁
带 携带
狗 犬
预约 预定 预订
"""
_CONTAINED_FROM = 3
"""Characters of a term from which a longer word that holds it says the same."""
_WEEK = "一二三四五六"


def _groups() -> Iterator[tuple[str, ...]]:
    yield from (tuple(line.split()) for line in _GROUPS.split("\n") if line)
    for day in _WEEK:
        yield (f"星期{day}", f"周{day}", f"礼拜{day}")
    yield ("星期日", "星期天", "周日", "礼拜天")


_SAME: dict[str, tuple[str, ...]] = {}
for _group in _groups():
    for _word in _group:
        _SAME[_word] = (*_SAME.get(_word, ()), *(word for word in _group if word != _word))


def same_words(word: str) -> tuple[str, ...]:
    """Return the other words for what a word says, the likest first; none for most words."""
    return _SAME.get(word, ())


def terms_of_text(question: str, terms: Sequence[str], held: AbstractSet[str]) -> set[str]:
    """Look the terms of a question up in a text, as the text has them.

    The same words are cut differently in each sentence, so terms that stand side by side count as
    the one word that the text makes of them (起 and 订量 as 起订量), and the other way round.

    Args:
        question: What was cut into terms.
        terms: Its content terms, in order.
        held: Content terms of the text.

    Returns:
        For each term what the text has of it: itself, another word for it, a longer word that it is
        part of (维洛平片 for 维洛平), or its parts if the text has all of them; else the term.
    """
    found: set[str] = set()
    row = 0
    while row < len(terms):
        both = "".join(terms[row : row + 2])
        whole = _whole(both, held) if terms[row] not in held and both in question else ""
        if whole and row + 1 < len(terms):
            found.add(whole)
            row += 2
        else:
            found.update(_in_text(terms[row], held))
            row += 1
    return found


def _in_text(term: str, held: AbstractSet[str]) -> tuple[str, ...]:
    word = _whole(term, held)
    if word:
        return (word,)
    if len(term) == 2 and term[0] in "一没未不":  # 一盒 is found at 每盒, 没签 at 签订
        word = _whole(f"每{term[1]}", held) or _whole(term[1], held)
        if word:
            return (word,)
    for cut in range(len(term) - 1, 0, -1):
        parts = _whole(term[:cut], held), _whole(term[cut:], held)
        if all(parts):
            return parts
    return (term,)


def _whole(term: str, held: AbstractSet[str]) -> str:
    if term in held:
        return term
    for word in same_words(term):
        if word in held:
            return word
        if len(word) > 1 and any(word in longer for longer in held):
            return min((longer for longer in held if word in longer), key=lambda w: (len(w), w))
    if len(term) < 2:
        return ""
    longer = [word for word in held if _is_part(term, word)]
    return min(longer, key=lambda word: (len(word), word), default="")


def _is_part(term: str, word: str) -> bool:
    """Tell whether a longer word says what a term says: 维洛平片, 高层住宅; not 借书证 for 借书."""
    if len(term) >= _CONTAINED_FROM:
        return term in word
    return len(word) >= len(term) + 2 and word.startswith(term)
