"""Words for the same thing, by thing: what the agent's requests are about.

The embedded sentence model knows no Chinese, and a few hundred annotated requests cannot hold
every synonym. So words of one meaning are counted together when requests are compared.
"""

from __future__ import annotations

import re
from functools import cache

from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.records import Language

__all__ = ["OWN_THINGS", "concepts"]

OWN_THINGS = frozenset({"job", "model", "dataset", "workspace", "train", "evaluate", "lineage"})
"""Things of the program itself: a question about them is not one about the documents."""

_WORDS: dict[str, tuple[str, str]] = {
    # concept: (beginnings of English words; pieces of Chinese text)
    "add": (
        "add ingest import load upload learn read stud scan index take absorb digest "
        "memoris memoriz familiar consume parse feed",
        "添加|加入|加到|加进|加载|载入|导入|导进|读入|读进|读取|读一|阅读|学习|"
        "上传|收进|收录|录入|扫描|索引|研读|熟悉|了解|吸收|吃进|放进|喂",
    ),
    "documents": (
        "document file folder director pdf manual handbook material text book paper guide "
        "paperwork note",
        "文档|文件|资料|手册|材料|目录|说明书|文本|书|指南|笔记",
    ),
    "search": (
        "search find look locat passage paragraph section mention occurrence grep keyword quer",
        "搜|检索|查找|查询|查一|查查|找|段落|章节|提到|提及|讲到|谈到|出现",
    ),
    "explain": (
        "tell explain answer question know",
        "告诉|解释|回答|说明|想知道|请问|讲讲",
    ),
    "generate": (
        "generat creat mak produc prepar synthes write build compos construct craft",
        "生成|制作|创建|做|造|编写|写|产出|合成|构造|构建|准备|制造|出",
    ),
    "dataset": (
        "data dataset record pair example sample qa training-set corpus instruct row",
        "数据|记录|样本|样例|例子|问答|训练集|语料|问题对",
    ),
    "select": (
        "select filter duplicat dedup best clean curat redundan divers reduc trim prune "
        "weed pick keep drop tidy distil subset cut",
        "筛|选|挑|去重|重复|过滤|清理|清洗|精选|剔除|保留|留下|只留|删掉|冗余|"
        "多样|整理|缩减|去掉|去除|去冗",
    ),
    "curate": (
        "curat cover weak stronger unattended overnight target student balanced yourself wrong",
        "整理员|覆盖|薄弱|弱点|无人值守|自动|自己|目标|攒|补足|均衡|加强|不用我管|哪里不会",
    ),
    "train": (
        "train tun fine-tun finetun lora adapt teach epoch pass",
        "训练|微调|调优|调一|调教|学会|LoRA|轮|适应|教会|EPOCHS",
    ),
    "evaluate": (
        "evaluat better improv measur score compar test benchmark quality gain progress "
        "help worth worse difference assess perform",
        "评估|评测|测评|测试|测一|打分|比较|对比|比一|更好|变好|好转|提高|提升|"
        "进步|改善|改进|效果|表现|质量|差别|长进|有用|值得|多好|考",
    ),
    "serve": (
        "serv deploy host endpoint api expos online http publish port server launch live",
        "部署|上线|服务|接口|API|端口|发布|托管|开放|挂到|挂出|HTTP|PORT|对外",
    ),
    "model": (
        "model adapter network",
        "模型|适配器",
    ),
    "expert": (
        "expert specialist loop everything pipeline end-to-end whole turn",
        "专家|专用|全套|整个流程|全流程|一条龙|从头到尾|变成|行家",
    ),
    "lineage": (
        "trac lineage origin provenance deriv depend ancestr source come came affect "
        "built back artifact",
        "追溯|追踪|溯源|来源|来自|出处|源头|从哪|由什么|哪来|衍生|依赖|影响|产物|由来",
    ),
    "job": (
        "job run running task",
        "任务|作业|在跑|运行|跑完|进展|进度",
    ),
    "list": (
        "list show display all overview which",
        "列出|显示|列表|清单|看看|有哪些|所有|全部|都有",
    ),
    "detail": (
        "detail status state far finish done loss",
        "详情|详细|细节|状态|到哪|完成|损失|进行到",
    ),
    "cancel": (
        "cancel stop abort kill terminat interrupt end halt quit",
        "取消|停|中止|终止|中断|结束|杀|别跑",
    ),
    "workspace": (
        "workspace status overview summar stand far collect learned loaded knowledge",
        "工作区|概况|总结|总览|多少|现有|目前|到现在|情况|进行到|收集|里有",
    ),
    "chat": (
        "hello hi thank bye morning joke poem song pizza flight email music weather story "
        "recipe alarm remind great who translate draw paint buy book order",
        "你好|嗨|谢|再见|早上好|晚上好|笑话|诗|歌|披萨|机票|邮件|音乐|天气|故事|"
        "菜谱|闹钟|提醒|很好|你是谁|翻译|画|买|订|预约|预订|点一",
    ),
}


@cache
def _patterns(language: Language) -> tuple[tuple[str, re.Pattern[str]], ...]:
    found = []
    for concept, (english, chinese) in _WORDS.items():
        if language == "zh":
            pattern = chinese
        else:
            pattern = r"\b(?:" + "|".join(re.escape(stem) for stem in english.split()) + ")"
        found.append((concept, re.compile(pattern, re.IGNORECASE)))
    return tuple(found)


def concepts(text: str, language: Language) -> list[str]:
    """Name the things that a text has words for.

    Args:
        text: A request or a clause, its literal pieces masked.
        language: Its language.

    Returns:
        Concepts in a fixed order, each once.
    """
    text = simplified(text)
    return [concept for concept, pattern in _patterns(language) if pattern.search(text)]
