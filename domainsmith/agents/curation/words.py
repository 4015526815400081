"""The curator's decisions in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domainsmith.counts import counted
from domainsmith.records import Language

__all__ = ["ROUND_COLUMNS", "log_lines", "round_rows", "stop_words"]

_STOPS: dict[str, dict[Language, str]] = {
    "target": {"en": "the target is reached", "zh": "已达到目标"},
    "plateau": {"en": "more rounds brought nothing better", "zh": "继续下去不再有改进"},
    "exhausted": {
        "en": "everything that the documents give was tried",
        "zh": "文档中能用的内容都已试过",
    },
    "rounds": {"en": "the limit of rounds is used up", "zh": "轮数限额已用完"},
    "minutes": {"en": "the time limit is used up", "zh": "时间限额已用完"},
    "tokens": {"en": "the token limit is used up", "zh": "词元限额已用完"},
    "interrupted": {
        "en": "it was interrupted; the same command goes on",
        "zh": "被中断；再次运行同一命令会继续",
    },
}
_WHY: dict[str, dict[Language, str]] = {
    "uncovered": {"en": "no records yet", "zh": "还没有记录"},
    "wish": {"en": "wished: {value}", "zh": "要求：{value}"},
    "weak": {"en": "student weak ({value})", "zh": "学生薄弱（{value}）"},
    "few": {"en": "too few ({value})", "zh": "太少（{value}）"},
}
ROUND_COLUMNS: dict[Language, tuple[str, ...]] = {
    "en": ("round#", "passages#", "made#", "passed#", "usable#", "sections", "reached",
           "weak parts", "served#", "minutes#", "tokens#", "decision"),
    "zh": ("轮次#", "段落#", "生成#", "合格#", "可用#", "章节", "触及段落",
           "薄弱部分", "满足度#", "分钟#", "词元#", "决定"),
}  # fmt: skip


def stop_words(stop: str, language: Language) -> str:
    """Say why a curation ended, as the end of a sentence.

    Args:
        stop: A stop reason.
        language: Of the words.
    """
    return _STOPS[stop][language]


def round_rows(log: Iterable[Mapping[str, Any]], language: Language) -> list[list[str]]:
    """Make one table row a round.

    Args:
        log: The decisions, oldest first.
        language: Of the words.

    Returns:
        Cells in the order of :data:`ROUND_COLUMNS`.
    """
    rows = []
    made: dict[int, list[int]] = {}
    for line in log:
        number = line["round"]
        counts = made.setdefault(number, [0, 0, 0])
        if line["event"] == "generated":
            for at, name in enumerate(("passages", "records", "passed")):
                counts[at] += line[name]
        elif line["event"] == "reviewed":
            after, weak = line["after"], line["weak"]
            decision = (
                stop_words(line["stop"], language)
                if line["stop"]
                else {"en": "go on", "zh": "继续"}[language]
            )
            rows.append(
                [
                    str(number),
                    *map(str, counts),
                    str(line["usable"]),
                    "/".join(map(str, after["sections"])),
                    "/".join(map(str, after["reached"])),
                    f"{weak['covered']}/{weak['sections']}",
                    f"{after['served']:.2f}",
                    f"{line['minutes']:.1f}",
                    str(line["tokens"]),
                    decision,
                ]
            )
    return rows


def log_lines(log: Iterable[Mapping[str, Any]], language: Language) -> list[str]:
    """Tell the decisions as sentences, oldest first.

    Args:
        log: The decisions.
        language: Of the words.
    """
    return [text for line in log for text in _told(line, language)]


def _told(line: Mapping[str, Any], language: Language) -> list[str]:
    zh, event, number = language == "zh", line["event"], line["round"]
    if event == "started":
        return _started(line, zh)
    if event == "examined":
        weakest = "、".join if zh else ", ".join
        names = weakest(f"{title} ({value:.2f})" for title, value in line["weakest"][:5])
        return [
            f"第 {number} 轮：共考查学生 {line['asked']} 题（新增 {line['fresh']} 题）；"
            f"凭记忆 F1 {line['from_memory']:.2f}，看段落 F1 {line['over_passage']:.2f}；"
            f"最薄弱：{names or '无'}"
            if zh
            else f"round {number}: the student was asked {counted(line['asked'], 'question')} "
            f"({line['fresh']} new); F1 from memory {line['from_memory']:.2f}, over the passage "
            f"{line['over_passage']:.2f}; weakest: {names or 'none'}"
        ]
    if event == "chosen":
        return _chosen(line, language)
    if event == "generated":
        lost = ", ".join(f"{name} {many}" for name, many in line["dropped"].items())
        return [
            f"第 {number} 轮：方式“{line['way']}”，{line['passages']} 个段落得到 {line['records']} "
            f"条记录，{line['passed']} 条合格；生成前丢弃：{lost or '无'}"
            if zh
            else f'round {number}: way "{line["way"]}": '
            f"{counted(line['passages'], 'passage')} gave "
            f"{counted(line['records'], 'record')}, {line['passed']} passed the graders; "
            f"lost before: {lost or 'nothing'}"
        ]
    if event == "reviewed":
        return _reviewed(line, language)
    return [
        f"结束：{stop_words(line['stop'], 'zh')}。{line['dataset']} 中有 {line['records']} 条记录"
        f"（要求 {line['target']} 条）"
        if zh
        else f"ended: {stop_words(line['stop'], 'en')}. {counted(line['records'], 'record')} in "
        f"{line['dataset']} (asked for {line['target']})"
    ]


def _started(line: Mapping[str, Any], zh: bool) -> list[str]:
    passages = line["passages"]
    lines = [
        f"开始：目标 {line['target']} 条；{passages['used']} 个可用段落（测试题排除 "
        f"{passages['excluded']} 个，重复 {passages['copies']} 个），{line['sections']} 个章节，"
        f"{line['topics']} 个主题；学生：{line['student']}"
        if zh
        else f"started: target {counted(line['target'], 'record')}; "
        f"{counted(passages['used'], 'passage')} "
        f"({passages['excluded']} held out for the test questions, "
        f"{counted(passages['copies'], 'copy', 'copies')}), "
        f"{counted(line['sections'], 'section')}, {counted(line['topics'], 'topic')}; "
        f"student: {line['student']}"
    ]
    for phrase, titles in line["named"].items():
        names = _some(titles, 5, zh)
        nowhere = "文档中没有找到" if zh else "not found in the documents"
        lines.append(
            f"要求“{phrase}”：{names or nowhere}" if zh else f'wish "{phrase}": {names or nowhere}'
        )
    if line["left_out"]:
        many = line["left_out"]
        lines.append(
            f"按要求不使用 {many} 个章节"
            if zh
            else f"left out as wished: {counted(many, 'section')}"
        )
    return lines


def _chosen(line: Mapping[str, Any], language: Language) -> list[str]:
    zh, number = language == "zh", line["round"]
    parts = [
        f"{item['section']} ({'; '.join(_reason(why, language) for why in item['why'])})"
        for item in line["sections"]
    ]
    shown = _some(parts, 4, zh)
    return [
        f"第 {number} 轮：选择 {line['passages']} 个段落：{shown}"
        if zh
        else f"round {number}: chose {counted(line['passages'], 'passage')}: {shown}"
    ]


def _reason(why: Sequence[str], language: Language) -> str:
    name, value = why
    return _WHY[name][language].format(value=value)


def _reviewed(line: Mapping[str, Any], language: Language) -> list[str]:
    zh, number = language == "zh", line["round"]
    after = line["after"]
    before = line["before"] or {**after, "sections": [0, after["sections"][1]], "served": 0.0}
    lost = ", ".join(f"{name} {many}" for name, many in line["dropped"].items())
    then = stop_words(line["stop"], language) if line["stop"] else ("继续" if zh else "going on")
    sections = f"{before['sections'][0]} -> {after['sections'][0]}/{after['sections'][1]}"
    return [
        f"第 {number} 轮：可用 {line['usable']} 条（丢弃：{lost or '无'}）；覆盖章节 {sections}，"
        f"满足度 {before['served']:.2f} -> {after['served']:.2f}；{then}"
        if zh
        else f"round {number}: {line['usable']} usable (dropped: {lost or 'none'}); sections "
        f"{sections}, served {before['served']:.2f} -> {after['served']:.2f}; {then}"
    ]


def _some(names: Sequence[str], most: int, zh: bool) -> str:
    joint = "；" if zh else "; "
    more = len(names) - most
    tail = (f" 等 {len(names)} 个" if zh else f"; and {more} more") if more > 0 else ""
    return joint.join(names[:most]) + tail
