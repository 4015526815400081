"""What a Chinese question is about, said in front of it, so that it can be understood alone.

Chinese sentences leave their subject out where the title or heading above them names it: the
article's title, the statute and its section, the heading of a manual's chapter. A question cut
from such a sentence says it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from domainsmith.chains.grammar_zh import lacks_subject, names_something
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.records import Passage

__all__ = ["Frame", "bare_heading", "frame_of", "framed_question"]

_WORK = re.compile(r"手册|条款|问题|说明|指南|规定|条例|办法|报告|合同|协议|表$|\.\w+$|[_/]")
"""Titles of works: what they say is about something else."""
_STATUTE = re.compile(r"(?:法|条例|办法|规定|规则|细则|解释|章程|守则|准则)$")
_ARTICLES = re.compile(r"第[一二三四五六七八九十百零\d]+条")
"""What tells a statute from an input method, which ends in the same character."""
_INNER_TITLE = str.maketrans("《》", "〈〉")
_NUMBERED = re.compile(
    r"^(?:[\d.]+|[一二三四五六七八九十]+(?=、)|第[一二三四五六七八九十百零\d]{1,5}[编章节条])[\s\u3000、.]*"
)
_GENERAL = re.compile(
    r"^(?:总\s*则|附\s*则|一般规定|其他规定?|简介|概述|目录|前言|附录|说明|备注|常见问题|介绍|其他|正文)$"
)
_PRONOUN = re.compile(
    r"^(?:他|她|它|牠|祂|本剧|该剧|本片|该片|本书|该书|本作|该作品?|该[国市县镇村校寺站州省河山岛湖])(?!们|国|人)的?"
)
_WHEN = re.compile(r"^(?:[在于自]?哪一年|[在于]?什么时候)")
_MOST_SHORT = 14
_MOST_SECTION = 26


@dataclass(frozen=True)
class Frame:
    """What a passage is about.

    Args:
        kind: ``article`` (an entry under its name), ``untitled`` (running prose whose title names
            nothing in Chinese), ``statute``, ``section`` (a heading of a manual), ``asked`` (a
            heading that is a question), or empty.
        name: The article, the statute or the section.
        section: Of a statute.
        header: The passage's own, in its own characters; the rest is in simplified ones.
    """

    kind: Literal["article", "untitled", "statute", "section", "asked", ""] = ""
    name: str = ""
    section: str = ""
    header: str = field(default="", compare=False)

    @property
    def is_story(self) -> bool:
        """Tell whether the text relates something, where nothing is a case that recurs."""
        return self.kind in {"article", "untitled"}


def frame_of(passage: Passage) -> Frame:
    """Find what the questions about a passage must name.

    Args:
        passage: Any.

    Returns:
        An empty frame for other languages and where no title helps.
    """
    if passage.language != "zh":
        return Frame()
    found = _frame(simplified(passage.header), simplified(passage.text))
    return replace(found, header=passage.header)


def _frame(header: str, text: str) -> Frame:
    parts = [part.strip() for part in header.split(">") if part.strip()]
    title = re.sub(r"[（(].*$", "", parts[0]).strip() if parts else ""
    lawful = len(parts) > 1 or _ARTICLES.search(text)
    if _STATUTE.search(title) and lawful and 3 <= len(title) <= 40:
        headings = [words for part in parts[1:] if (words := bare_heading(part))][-2:]
        section = f"{headings[0]}（{headings[1]}）" if len(headings) > 1 else "".join(headings)
        inner = title.removeprefix("中华人民共和国").translate(_INNER_TITLE)
        return Frame("statute", inner, section)
    if len(parts) < 2:
        if not title or (_WORK.search(title) and re.search(r"[\u4e00-\u9fff]", title)):
            return Frame()
        known = re.search(r"[\u4e00-\u9fff]", title) or title in text
        return Frame("article", title) if known and 2 <= len(title) <= 16 else Frame("untitled")
    if parts[-1][-1] in "?？":
        return Frame("asked")
    section = bare_heading(parts[-1])
    return Frame("section", section) if section else Frame()


def bare_heading(heading: str) -> str:
    """Take the number and the blanks off a Chinese heading.

    Args:
        heading: As it stands in the document.

    Returns:
        What it names; empty if it is too general or too long to name anything.
    """
    words = re.sub(
        r"(?<=[\u4e00-\u9fff])[\s\u3000]+(?=[\u4e00-\u9fff])", "", _NUMBERED.sub("", heading)
    )
    return "" if _GENERAL.match(words) or not 2 <= len(words) <= 20 else words


_BARE_LEAD = re.compile(r"^[^，]{2}[后前时]，")
_USES = re.compile(r"(?:可以|能|能不能|可不可以)(?:使用|用|加|添加|倒入|放入)")


def framed_question(question: str, form: str, frame: Frame) -> str:
    """Let a question name what it is about.

    Args:
        question: Cut from one sentence.
        form: Name of its sentence form.
        frame: From :func:`frame_of`.

    Returns:
        The question; empty if it cannot be understood even so.
    """
    if frame.kind == "article":
        return _on_article(question, frame.name)
    if frame.kind == "statute":
        if form == "how many" and lacks_subject(question):
            return ""
        if form == "place" or re.search(
            r"前[两三]?款|第.{1,6}条|^(?:\d|未|属于|所|其|对|经|因)", question
        ):
            return ""  # "on their own ground, they may ...": of a duty no place
        if frame.name in question:
            return question
        if frame.section and len(question) <= _MOST_SECTION:
            return f"根据《{frame.name}》关于“{frame.section}”的规定，{question}"
        return f"根据《{frame.name}》，{question}"
    if frame.kind == "section" and form not in {"goal", "why"}:
        if form == "forbidden" and not _USES.match(question):
            return question  # it names what may not be done with what
        # "更换后，长按多少秒": what is replaced, only the section says.
        told = _BARE_LEAD.sub("", question)
        shared = set(content_terms(frame.name, "zh")) & set(content_terms(told, "zh"))
        if len(told) <= _MOST_SHORT and not shared and frame.name not in question:
            return f"关于{frame.name}，{question}"
    if frame.kind == "untitled" and form in {"how many", "place"} and not names_something(question):
        return ""  # "the results appeared in ...": of what, the title would say
    if frame.kind == "asked" and form in {"how many", "use"} and _is_order(question):
        return ""
    return question


def _on_article(question: str, name: str) -> str:
    if name in question:
        return question
    if match := _PRONOUN.match(question):
        own = "的" if match[0].endswith("的") else ""
        return f"{name}{own}{question[match.end() :]}"
    if re.match(r"当|如果|为什么|怎样|(?:位于|在)[^，]*的", question):
        return f"关于{name}，{question}"
    told = question[match.end() :] if (match := _WHEN.match(question)) else question
    return f"{name}{question}" if lacks_subject(told) else f"关于{name}，{question}"


def _is_order(question: str) -> bool:
    return bool(
        re.match(
            r"(?:按|拔|拆|拧|选择|选|加|倒|取|装|插|打开|关|用|把|将|放|等|转|推|拉|敲|剪|检查|清洗)",
            question,
        )
    )
