"""Procedures: instructions that follow each other, asked for by the heading above them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from domainsmith.chains.facts import Fact
from domainsmith.chains.patterns_en import lower_first
from domainsmith.chains.question_patterns import passage_sentences
from domainsmith.chains.words_en import ACTS, IMPERATIVE
from domainsmith.records import Language, Passage

__all__ = ["heading", "is_step", "procedure_facts", "task_of_heading"]

_ARTICLES = re.compile(r"^第[一二三四五六七八九十百千零\d]+条", re.M)
"""Statutes tell duties, not steps."""
_LEAST = 2
"""Instructions that make a procedure."""
_MOST_WORDS = 90
_MOST_CHARACTERS = 240
_BACK = re.compile(
    r"\b(?:it|them|they|these|those|this|all three|both)\b|^(?:Then|Do not|Never|Only then)\b"
    r"|^(?:然后|再|接着|不要|切勿|这时|装回)|它",
    re.I,
)
_STEP_ZH = re.compile(
    r"(?:再|然后|接着|最后|先|首先|请|之后|随后|要|务必)*(?:关|打开|检查|清洗|清洁|清理|拔|取|用|将|把|联系|更换|拧|"
    r"断开|放|选择|使用|擦|连接|确认|进入|拨打|换|拉|推|转|插|加|倒|松开|装|拆|测|等|按|长按|敲|剪|"
    r"让|戴|抬|握|冲|涂|写|记|盖|量|对准|卸)"
)
_NOT_STEP_ZH = re.compile(
    r"^(?:不要|切勿|请勿)|[？?]|^(?:加热|测量|启动|清洗|更换)[^，。]{0,6}(?:时|后|前)"
)
_VERB_ZH = re.compile(
    r"(?:紧急|手动|定期|日常)?(?:清洗|清洁|清理|更换|拆|安装|打开|关闭|开|检查|连接|调平|调整|测量|设置|升级|更新|"
    r"登记|报修|测试|校准|抬起|搬运|恢复|添加|删除|申请|使用)"
)
_ITEM = re.compile(r"\s*(?:[（(]?\d{1,2}[.)、）]|步骤\s*\d+[:：])(?!\d)")
_NUMBERED = re.compile(r"^(?:\d+(?:\.\d+)*\.?|第[一二三四五六七八九十百千零\d]+[章节条])\s*")


def heading(passage: Passage) -> str:
    """Return the innermost heading above a passage, without its number; empty without one."""
    parts = [part.strip() for part in passage.header.split(">") if part.strip()]
    return _NUMBERED.sub("", parts[-1]) if len(parts) > 1 else ""


def procedure_facts(passage: Passage) -> Iterator[Fact]:
    """Ask how something is done that a passage tells step by step.

    Args:
        passage: Prose under a heading.

    Yields:
        At most one fact: its answer is all from the first instruction to the last, word for word.
    """
    title = heading(passage)
    steps = _steps(passage)
    if _ARTICLES.search(passage.text):
        return
    if not title or len(title) > 60 or title[-1] in "?？" or len(steps) < _LEAST:
        return
    language = passage.language
    answer = ("" if language == "zh" else " ").join(steps)
    task = task_of_heading(title, language)
    if len(steps) == _LEAST and not task:
        return
    if language == "zh":
        question = f"怎样{task}？" if task else f"“{title}”有哪些操作说明？"
        short = len(answer) <= _MOST_CHARACTERS
    else:
        question = f"How do you {task}?" if task else f"What are the instructions for “{title}”?"
        short = len(answer.split()) <= _MOST_WORDS
    if short:
        yield Fact(question, answer, passage, "self_qa/procedure", evidence="\n".join(steps))


def task_of_heading(title: str, language: Language) -> str:
    """Read what is done from a heading.

    Args:
        title: "Opening the door", "清洗拦砂器".
        language: Its language.

    Returns:
        "open the door", "清洗拦砂器", or an empty text if the heading names no act.
    """
    if language == "zh":
        return title if _VERB_ZH.match(title) and len(title) <= 20 else ""
    words = title.split(" ")
    for at, word in enumerate(words):
        if at in (0, 2) and (base := _GERUNDS.get(word.lower())):
            words[at] = base
    bare = words[0] in ACTS and len(words) > 1
    if not bare or (words[1] == "and" and (len(words) < 3 or words[2] not in ACTS)):
        return ""
    return lower_first(" ".join(words)) if words[-1] not in ACTS else ""


def _steps(passage: Passage) -> list[str]:
    """Return the sentences from the first instruction to the last, if most of them instruct."""
    told = passage_sentences(_listed(passage))
    marks = [is_step(sentence, passage.language) for sentence in told]
    places = [at for at, mark in enumerate(marks) if mark]
    if len(places) < _LEAST:
        return []
    first, last = places[0], places[-1]
    # An opening that points back ("Rinse it") needs the sentence before.
    while first and _BACK.search(told[first]):
        first -= 1
    if _BACK.search(told[first]) or 5 * len(places) < 3 * (last - first + 1):
        return []
    return told[first : last + 1]


def _listed(passage: Passage) -> Passage:
    """Leave the numbered list of a passage alone: what leads in to it or follows is no step."""
    lines = passage.text.split("\n")
    items = [at for at, line in enumerate(lines) if _ITEM.match(line)]
    if len(items) < _LEAST:
        return passage
    blank = (at for at in range(items[-1], len(lines)) if not lines[at].strip())
    text = "\n".join(lines[items[0] : next(blank, len(lines))])
    return passage.model_copy(update={"text": text})


def is_step(sentence: str, language: Language) -> bool:
    """Tell whether a sentence is an instruction."""
    if language == "zh":
        return bool(_STEP_ZH.match(sentence)) and not _NOT_STEP_ZH.search(sentence)
    return bool(IMPERATIVE.match(sentence)) and not sentence.endswith("?")


def _gerunds() -> dict[str, str]:
    forms: dict[str, str] = {}
    for act in sorted(ACTS):
        stem = act[:-1] if act.endswith("e") else act
        forms[f"{stem}ing"] = act
        if re.search(r"[^aeiou][aeiou][bdgklmnprt]$", act):
            forms[f"{act}{act[-1]}ing"] = act
    return forms


_GERUNDS = _gerunds()
