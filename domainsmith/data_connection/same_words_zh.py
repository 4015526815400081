"""Chinese words for the same thing: people ask with everyday words, documents answer formally.

吃药期间 is found at 服药期间, 星期一 at 周一, 超期 at 逾期. A word is looked for in the text by
another word of its group only where the text does not have it itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from domainsmith.data_connection.language import content_terms, normalise_width
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.records import Language

__all__ = ["held_terms", "same_words", "terms_of_text"]

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
买 投保
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
女 女性 女士 女子 女方 女人
男 男性 男士 男子 男方 男人
材料 资料 文件 证件 单证 证明
手续 流程 程序 步骤 顺序 操作
老婆 妻子 配偶 爱人
老公 丈夫 配偶 爱人
妈妈 母亲 父母 家属
爸爸 父亲 父母 家属
妈 母亲 父母
爸 父亲 父母
外婆 外祖母 外祖父母 姥姥
外公 外祖父 外祖父母 姥爷
奶奶 祖母 祖父母
爷爷 祖父 祖父母
家人 家属 亲属 家庭成员
亲戚 亲属 亲友
朋友 亲友
生娃 生育 分娩 生产 陪产 出生
生孩子 生育 分娩 生产
过世 去世 死亡 身故 丧
死 死亡 身故
得病 患病 确诊 疾病
生病 患病 病假 疾病
看病 就医 就诊 诊疗 门诊
住院 入院
打车 出租车 网约车
酒店 住宿 宾馆 旅馆
住 住宿 入住
报销 报账
报 报销
多报 报销
火车 高铁 动车 铁路
飞机 航班 机票
开车 驾车 自驾 驾驶
自己开车 自驾车
油钱 油费 加油
停车费 停车
家里 居家
在家 居家
电脑 笔记本电脑 计算机
笔记本 笔记本电脑
手机号 手机 电话
换新 更换
被偷 盗抢 被盗 失窃 盗窃
偷 盗抢 被盗 盗窃
出事 事故 出险
出事故 事故 出险
撞 碰撞 撞击
撞车 碰撞 事故
拖走 拖车
着火 火灾 起火 燃烧
起火 火灾 燃烧
淹 浸水 进水 涉水
泡水 浸水 进水 涉水
进水 浸水 涉水
告诉 通知 告知
告知 通知
说一声 通知 告知
说 通知 告知
索赔 理赔 赔偿
理赔 索赔 赔付 赔偿
能赔 赔偿 赔付 给付 负责
管不管 负责 承担
包不包 包含 包括 负责
拿 领取 获得 收取
领 领取
拿到 获得 领取 收到
攒 累积 累计 结转 顺延
留到 顺延 保留 结转
明年 次年 下一年度 下一年
今年 当年 本年度 本年
去年 上年 上一年度
下个月 次月
第二天 次日
当天 当日
到账 支付 付款 打款
打款 支付 付款
付钱 支付 付款 缴费
付 支付 付款
押金 保证金
要带 携带 提交 出示
带 提交 出示
交 提交 上交
上交 提交 登记
送 赠送 免费
白送 赠送 免费
免费 不收费 无偿
收费 费用 价格
优惠 折扣 优待
打折 折扣 优惠
涨价 调价 调整
便宜 优惠 折扣
罚钱 罚款 扣
扣钱 扣 扣除
扣 扣除 收取
手续费 服务费
定金 订金
取消 撤销 解除 退订
退订 取消
改 变更 修改 更改
改期 变更
过期 逾期 到期 失效
晚 迟 逾期
迟交 逾期
忘 忘记
忘打卡 忘记打卡
兼职 副业
副业 兼职
跳槽 离职
走人 离职
炒鱿鱼 解除 辞退
转正 试用期
加班费 加班
坐班 考勤 上班
上班 到岗 出勤 工作
下班 离岗
请假 休假 假
能休 天数
批 批准 审批
批准 审批 同意
同意 批准
礼品 礼物
东西 物品 礼品
味道 气味 异味
味儿 气味 异味
臭 异味 气味
响 异响 噪音 噪声
吵 噪音 噪声
亮 指示灯 点亮
闪 闪烁 闪亮
开机 启动 通电
关机 关闭 断电
启动 开机
不动 不工作 无法启动
漏水 渗水 漏
堵 堵塞
水垢 除垢 结垢
煮饭 煮 米饭
稀饭 粥
煮粥 粥
清理 清洁 清洗
擦 擦拭 清洁
弄脏 污渍
晾干 晒干 阴干
充电 充满
没电 电量 电池
插头 电源
遥控器 遥控
说明 说明书
发票 凭证
单据 凭证 发票
快 加急
慢 延迟
邮寄 寄回 寄送 快递
寄 寄回 寄送 邮寄
上门 入户
网上 在线 线上
官网 网站
客服 服务热线 热线
人工 客服
微信 公众号
App 应用
小朋友 儿童
婴儿 宝宝
宝宝 婴儿 儿童
宠物 猫 狗
岁数 年龄
多大岁数 年龄
高个 身高
过敏 过敏反应
头疼 头痛
肚子疼 腹痛
拉肚子 腹泻
发烧 发热
咳 咳嗽
吐 呕吐
饭前 餐前
饭后 餐后
空腹 餐前
开药 处方
药店 药房
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


def held_terms(text: str, language: Language) -> set[str]:
    """Return what a question's terms are looked for among.

    Args:
        text: Of a document.
        language: Its language.

    Returns:
        Its content terms; of a Chinese text also the short forms of words that stand side by side
        (重疾 of 重大疾病, 酒驾 of 酒后驾驶): the first characters of two words of two.
    """
    terms = content_terms(text, language)
    if language != "zh":
        return set(terms)
    plain = simplified(normalise_width(text))
    short = {
        first[0] + second[0]
        for first, second in pairwise(terms)
        if len(first) == len(second) == 2 and first + second in plain
    }
    return {*terms, *short}


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
    if term[0].isdigit():
        return False  # 20 is no part of 20.4
    if len(term) >= _CONTAINED_FROM:
        return term in word
    return len(word) >= len(term) + 2 and (word.startswith(term) or word.endswith(term))
