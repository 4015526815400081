"""Numbered steps: who asks how something is done gets all of them, in their order.

A small model gives one sentence of a list, and the best sentence of the documents is one, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.evidence import Evidence
from domainsmith.chains.word_weight import is_common
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.measure_words import asked_terms
from domainsmith.data_connection.same_words_zh import held_terms
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.records import Language
from domainsmith.storage.context import Section, section
from domainsmith.storage.database import Database
from domainsmith.storage.passages import passages_by_id

__all__ = ["asks_for_steps", "numbered_steps"]

_ASKS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\bhow (?:do|can|could|should|must|would|shall|might) (?:i|you|we|one|they)\b|\bhow to\b"
        r"|\b(?:what|which) (?:are|is) the (?:\w+ ){0,2}(?:steps?|procedure|instructions)\b"
        r"|\bhow (?:is|are) .+ (?:\w+ed|done|made|put|set|cut|shut)\b"
        r"|\bwhat (?:can|should|must|could) (?:i|we|you) (?:check|do|try)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"(?:怎么|怎样|如何|怎么样才能)(?:才能|来|去|正确|安全)*(?![样了回会没不赔算收扣罚])[\u4e00-\u9fff]"
        r"|(?:步骤|操作方法|操作流程|流程|手续)(?:是|有|为|$|怎么|怎样|如何)|(?:什么|啥|怎样的)(?:顺序|步骤|流程)"
    ),
}
_STEP = re.compile(
    r"^[ \t]*(?:step\s+|第)?(?P<number>\d{1,2})(?:[.)、．）:：]|步[:：，,、]?)[ \t]*\S",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|never) (?:pay|cover|insure|liable|allowed|permitted|responsible)|"
    r"[不未](?:承担|负责|予|赔|保|报|得)|责任免除|禁止|除外",
    re.IGNORECASE,
)
"""What leads a list of exclusions, which are no steps."""
_LEAST = 2
_MOST = 20
_ASKED_HELD = 0.5
"""Share of the question's words that the heading and the sentence above the steps must hold."""
_PASSAGES = 3
"""Passages whose sections are looked at."""


def asks_for_steps(question: str) -> bool:
    """Tell whether a question asks how something is done."""
    language = detect_language(question)
    return _ASKS[language].search(simplified(question)) is not None


def numbered_steps(question: str, evidence: Sequence[Evidence], db: Database) -> Evidence | None:
    """Find the steps that tell how to do what is asked.

    Args:
        question: The user's words.
        evidence: Ranked, best first.
        db: Holds the sections that the evidence stands in.

    Returns:
        All steps as one piece of evidence, or None if the question does not ask for steps, or
        the best passages stand in no section with steps for it. The heading and the sentence
        above them must speak of what is asked. A list that was cut between passages is whole;
        its ``quote`` is what stands in the cited passage.
    """
    if not asks_for_steps(question):
        return None
    language = detect_language(question)
    seen: set[tuple[str, int]] = set()
    for item in evidence:
        if len(seen) >= _PASSAGES:
            break
        around = section(db, item.passage.id)
        if (around.document_id, around.start) in seen:
            continue
        seen.add((around.document_id, around.start))
        for start, end in _lists(around.text):
            above = around.text[:start].rstrip().rpartition("\n")[2]
            heading = around.header.rpartition(">")[2]
            if _DENIES.search(above):
                continue  # what is not paid, or must not be done
            told = held_terms(f"{heading}\n{above}", item.passage.language)
            asked = {t for t in asked_terms(question, language, told) if not is_common(t)}
            if asked and len(asked & told) >= _ASKED_HELD * len(asked):
                return _evidence(item, around, start, end, db)
    return None


def _lists(text: str) -> list[tuple[int, int]]:
    """Find where lists begin and end that count from 1 on without a gap."""
    found: list[tuple[int, int]] = []
    at, number, start, end = 0, 0, 0, 0
    for line in text.splitlines(keepends=True):
        step = _STEP.match(line)
        if step and int(step["number"]) == number + 1:
            start = at if number == 0 else start
            number, end = number + 1, at + len(line.rstrip())
        elif number and line.strip() and (step or not line[0].isspace()):
            if _LEAST <= number <= _MOST:
                found.append((start, end))
            number = 1 if step and int(step["number"]) == 1 else 0
            start, end = at, at + len(line.rstrip())
        elif number and line.strip():
            end = at + len(line.rstrip())  # an indented line goes on with its step
        at += len(line)
    if _LEAST <= number <= _MOST:
        found.append((start, end))
    return found


def _evidence(item: Evidence, around: Section, start: int, end: int, db: Database) -> Evidence:
    first, last = around.start + start, around.start + end
    cited, quote = item.passage, item.quote
    for passage in passages_by_id(db, around.passage_ids):
        part = around.text[
            max(first, passage.start) - around.start : min(last, passage.end) - around.start
        ].strip()
        if part and part in passage.text:
            cited, quote = passage, part
            break
    return Evidence(
        cited, quote, _a_line_each(around.text[start:end]), item.score, item.overlap, item.cosine
    )


def _a_line_each(text: str) -> str:
    gap = "" if detect_language(text) == "zh" else " "
    steps: list[str] = []
    for line in filter(None, (" ".join(line.split()) for line in text.splitlines())):
        if steps and not _STEP.match(line):
            steps[-1] += gap + line
        else:
            steps.append(line)
    return "\n".join(steps)
