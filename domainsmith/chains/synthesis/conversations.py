"""Short conversations about one thing, built from facts, each turn with its own evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from domainsmith.chains.facts import Fact, seeded
from domainsmith.chains.markdown_tables import parse_tables
from domainsmith.chains.question_patterns import passage_sentences, pattern_questions
from domainsmith.chains.synthesis.comparisons import (
    Statement,
    comparable,
    comparison_facts,
    statements,
)
from domainsmith.chains.synthesis.follow_ups import other_thing, with_pronoun
from domainsmith.chains.synthesis.procedures import (
    heading,
    is_step,
    procedure_facts,
    task_of_heading,
)
from domainsmith.chains.verbalize import head_words
from domainsmith.chains.words_en import IMPERATIVE
from domainsmith.data_connection.language import content_terms
from domainsmith.records import Language, Passage

__all__ = ["Turn", "conversations"]

_ONWARDS: dict[Language, tuple[str, str]] = {
    "en": ("And then?", "And after that?"),
    "zh": ("然后呢？", "再往后呢？"),
}
_BECAUSE: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"^(?P<told>[^,;]{8,90}),? (?P<why>because .{8,})$"),
    "zh": re.compile(r"^(?P<told>[^，；]{4,40})，(?:这是)?因为(?P<why>[^。；]{4,})$"),
}
_CELL = 40


@dataclass(frozen=True)
class Turn:
    """One question of a conversation, with its answer.

    Args:
        asked: As it is asked there.
        fact: The answer with its passages; its question says the same alone.
        kind: How it leans on the turns before: ``pronoun``, ``other``, ``column``, ``which``,
            ``why`` or ``steps``; ``first`` leans on nothing.
    """

    asked: str
    fact: Fact
    kind: str


def conversations(
    passage: Passage,
    own: Sequence[Fact],
    others: Sequence[Fact],
    *,
    is_rare: Callable[[str], bool],
    seed: int,
) -> Iterator[list[Turn]]:
    """Build the conversations that a passage gives.

    Args:
        passage: Prose or a table.
        own: Its facts.
        others: Facts of the passages related to it.
        is_rare: Whether a term stands in few passages, so that facts of two passages about it
            are about one thing.
        seed: Of all choices.

    Yields:
        Two to four turns each, the first of which stands alone.
    """
    yield from _steps(passage)
    yield from _reasons(passage)
    yield from _measures(passage, seed)
    yield from _rows(passage, seed)
    yield from _pronouns(own, others, is_rare)


def _first(fact: Fact) -> Turn:
    return Turn(fact.question, fact, "first")


def _fact(passage: Passage, question: str, answer: str, evidence: str) -> Fact:
    return Fact(question, answer, passage, "dialogues", evidence=evidence)


def _steps(passage: Passage) -> Iterator[list[Turn]]:
    """First step, then the next ones: "And then?"."""
    language = passage.language
    for fact in procedure_facts(passage):
        steps = fact.evidence.split("\n")
        if len(steps) < 3 or not is_step(steps[0], language):
            return
        joint = "" if language == "zh" else " "
        per = -(-(len(steps) - 1) // 2) if len(steps) > 3 else 1
        parts = [[steps[0]], steps[1 : 1 + per], steps[1 + per :]]
        task = task_of_heading(heading(passage), language)
        if language == "zh":
            asked = f"{task}的第一步是什么？" if task else f"“{heading(passage)}”首先要做什么？"
        elif task:
            asked = f"What is the first step to {task}?"
        else:
            asked = f"What is the first instruction for “{heading(passage)}”?"
        turns = [_first(_fact(passage, asked, steps[0], steps[0]))]
        for words, part in zip(_ONWARDS[language], parts[1:], strict=True):
            if part:
                told = _fact(passage, fact.question, joint.join(part), "\n".join(part))
                turns.append(Turn(words, told, "steps"))
        yield turns


def _reasons(passage: Passage) -> Iterator[list[Turn]]:
    """What is said, then why."""
    language = passage.language
    for sentence in passage_sentences(passage):
        match = _BECAUSE[language].match(sentence.rstrip(".。"))
        if match is None:
            continue
        asked = next(pattern_questions(match["told"], language), None)
        if asked is None:
            continue
        told = _fact(passage, asked.question, asked.answer, match["told"])
        if language == "zh":
            words, answer = "为什么？", f"因为{match['why']}。"
        else:
            denied = asked.answer.startswith("No.")
            words, answer = "Why not?" if denied else "Why?", f"B{match['why'][1:]}."
        why = _fact(passage, f"{asked.question} {words}", answer, sentence)
        yield [_first(told), Turn(words, why, "why")]


def _measures(passage: Passage, seed: int) -> Iterator[list[Turn]]:
    """One thing, another thing, and which of the two is more."""
    found = statements(passage)
    for at, left in enumerate(found):
        right = next((item for item in found[at + 1 :] if comparable(left, item)), None)
        if right is None:
            continue
        asked, follow = other_thing(left, right)
        alone, _ = other_thing(right, left)
        turns = [
            _first(_fact(passage, asked, _value(left), left.sentence)),
            Turn(follow, _fact(passage, alone, _value(right), right.sentence), "other"),
        ]
        for fact in comparison_facts([left], [right], seed=seed):
            turns.append(Turn(_which(fact, left, right), fact, "which"))
        yield turns
        return


def _value(statement: Statement) -> str:
    return f"{statement.value}。" if statement.passage.language == "zh" else f"{statement.value}."


def _which(fact: Fact, left: Statement, right: Statement) -> str:
    if fact.language == "zh":
        return f"两者中{fact.question.split('，')[-1]}"
    words = fact.question.split(",")[0].removeprefix("Which ")
    del left, right
    return f"Which of the two {words}?"


def _rows(passage: Passage, seed: int) -> Iterator[list[Turn]]:
    """A cell, another cell of its row, and that cell of another row."""
    language = passage.language
    for table in parse_tables(passage.text):
        columns = [
            at
            for at in range(len(table.heads))
            if at not in {table.key, table.name}
            and table.heads[at].lower() not in {"fits", "covers", "needs", "includes", "uses"}
            and not table.heads[at][-1:].isdigit()
            and all(0 < len(row[at]) <= _CELL for row in table.rows)
        ]
        if len(columns) < 2 or len(table.rows) < 2:
            continue
        for at in range(0, len(table.rows) - 1, 2):
            draw = seeded(seed, "row", passage.id, table.rows[at][table.key])
            one, two = draw.sample(columns, 2)
            rows = (table.rows[at], table.rows[at + 1])
            names = [table.row_name(row) for row in rows]
            heads = [_head(table.asked_head(column), language) for column in (one, two)]
            cells = [
                _told(table.units, rows[0], one),
                _told(table.units, rows[0], two),
                _told(table.units, rows[1], two),
            ]
            yield [
                _first(_cell(passage, names[0], heads[0], cells[0], rows[0])),
                Turn(
                    f"那{heads[1]}呢？" if language == "zh" else f"And the {heads[1]}?",
                    _cell(passage, names[0], heads[1], cells[1], rows[0]),
                    "column",
                ),
                Turn(
                    f"那“{names[1]}”呢？" if language == "zh" else f'And for "{names[1]}"?',
                    _cell(passage, names[1], heads[1], cells[2], rows[1]),
                    "other",
                ),
            ]


def _head(head: str, language: Language) -> str:
    if language == "zh" or head[1:2].isupper():
        return head
    said = head_words(head)
    return said if said.startswith('"') else head.lower()


def _told(units: Sequence[str], row: Sequence[str], column: int) -> str:
    cell, unit = row[column], units[column]
    bare = unit and cell.replace(".", "").replace(",", "").isdigit()
    return f"{cell} {unit}" if bare else cell


def _cell(passage: Passage, name: str, head: str, told: str, row: Sequence[str]) -> Fact:
    if passage.language == "zh":
        what = "多少" if told[:1].isdigit() else "什么"
        asked, answer = f"“{name}”的{head}是{what}？", f"{told.rstrip('。')}。"
    else:
        asked = f'What is the {head} of "{name}"?'
        answer = f"{told[:1].upper()}{told[1:].rstrip('.')}."
    return _fact(passage, asked, answer, " | ".join(row))


def _pronouns(
    own: Sequence[Fact], others: Sequence[Fact], is_rare: Callable[[str], bool]
) -> Iterator[list[Turn]]:
    """A fact about a thing, then other facts about "it"."""
    used: set[str] = set()
    for first in own:
        if first.question in used or IMPERATIVE.match(first.question):
            continue
        turns = [_first(first)]
        for second in (*own, *others):
            if second.question in used or second.question == first.question:
                continue
            if second.passage.id != first.passage.id and not _one_topic(first, second, is_rare):
                continue
            asked = with_pronoun(first.question, second.question, first.language)
            if asked and second.answer not in [turn.fact.answer for turn in turns]:
                turns.append(Turn(asked, second, "pronoun"))
                used.add(second.question)
            if len(turns) == 3:
                break
        if len(turns) > 1:
            used.add(first.question)
            yield turns


def _one_topic(first: Fact, second: Fact, is_rare: Callable[[str], bool]) -> bool:
    shared = set(content_terms(first.question, first.language))
    shared &= set(content_terms(second.question, first.language))
    return any(is_rare(term) for term in sorted(shared))
