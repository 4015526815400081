"""Compound questions built by code from the questions of labelled collections.

Each needs passages of two or three questions. The forms are those that people write; no rule of
the product was written against the half that is measured.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.retrieval.labelled import Asked, half

__all__ = ["Compound", "build"]


@dataclass(frozen=True)
class Compound:
    """A compound question.

    Attributes:
        form: How it was built.
        question: Its words.
        needs: For each thing asked, the ids of the passages any of which answers it.
        alone: The questions it was built from, as an oracle would ask them.
    """

    form: str
    question: str
    needs: tuple[frozenset[str], ...]
    alone: tuple[str, ...]


def build(name: str, asked: Sequence[Asked], part: str, each: int) -> list[Compound]:
    """Build the compound questions of one collection.

    Args:
        name: Of the collection.
        asked: Its questions.
        part: ``dev`` or ``test``: the half whose questions are used.
        each: Most questions of a form.

    Returns:
        The questions, equal on every run.
    """
    pool = [item for item in asked if half(item.key) == part and len(item.question) > 6]
    forms = _EN if name.startswith("en_") else _ZH
    made: list[Compound] = []
    for form, maker in forms.items():
        rng = random.Random(f"{name}:{form}:{part}")
        made += [item for item in maker(form, pool, rng) if item is not None][:each]
    return made


def _plain(question: str) -> str:
    return " ".join(question.split()).rstrip(" ?？.。")


def _lower(question: str) -> str:
    first = question.split(" ", 1)[0]
    keep = any(ch.isupper() for ch in first[1:])
    return question if keep else question[:1].lower() + question[1:]


def _compound(form: str, text: str, rows: Sequence[Asked]) -> Compound | None:
    needs = tuple(row.gold for row in rows)
    if any(a & b for i, a in enumerate(needs) for b in needs[:i]):
        return None  # one passage would do for both
    return Compound(form, text, needs, tuple(row.question for row in rows))


_Maker = Callable[[str, Sequence[Asked], random.Random], list[Compound | None]]


def _joined(count: int, write: Callable[[list[str]], str], first: str = "") -> _Maker:
    def make(form: str, pool: Sequence[Asked], rng: random.Random) -> list[Compound | None]:
        fit = [row for row in pool if not first or re.match(first, row.question, re.IGNORECASE)]
        order = rng.sample(fit, len(fit))
        groups = [order[i : i + count] for i in range(0, len(order) - count + 1, count)]
        return [_compound(form, write([_plain(r.question) for r in g]), g) for g in groups]

    return make


def _slotted(
    slots: Callable[[Asked], list[tuple[str, str, str]]], write: Callable[[str, str, str, str], str]
) -> _Maker:
    """Pair questions that are equal but for one span."""

    def make(form: str, pool: Sequence[Asked], rng: random.Random) -> list[Compound | None]:
        groups: dict[tuple[str, str], dict[str, Asked]] = defaultdict(dict)
        for row in pool:
            for head, middle, tail in slots(row):
                groups[head, tail].setdefault(middle, row)
        made: list[Compound | None] = []
        used: set[str] = set()
        for (head, tail), rows in rng.sample(sorted(groups.items()), len(groups)):
            items = rng.sample(sorted(rows.items()), len(rows))
            pairs = zip(items[::2], items[1::2], strict=False)
            for (a, row_a), (b, row_b) in list(pairs)[:12]:
                if not {row_a.key, row_b.key} & used:
                    used |= {row_a.key, row_b.key}
                    made.append(_compound(form, write(head, a, b, tail), [row_a, row_b]))
        return rng.sample(made, len(made))

    return make


def _focus(row: Asked) -> list[tuple[str, str, str]]:
    focus, question = row.fields.get("focus", ""), _plain(row.question)
    if not focus or focus not in question or row.fields.get("qtype") == "information":
        return []
    if len(focus.split()) > 5 or re.search(r"\b(?:and|or|I|know)\b|[:?,]", focus):
        return []
    head, tail = question.split(focus, 1)
    return [(head.strip(), focus, tail.strip())]


def _spans_en(row: Asked) -> list[tuple[str, str, str]]:
    """Cut out each capitalised run that is not the first word."""
    question = _plain(row.question)
    return [
        (question[: m.start()].strip(), m.group(), question[m.end() :].strip())
        for m in re.finditer(r"(?<=\s)[A-Z][\w'-]+(?:\s[A-Z][\w'-]+)*", question)
        if len(question.split()) <= 12
    ]


_ASPECTS = {
    "treatment": "treatments",
    "symptoms": "symptoms",
    "causes": "causes",
    "complications": "complications",
    "prevention": "prevention",
    "outlook": "outlook",
    "stages": "stages",
}


def _aspects(form: str, pool: Sequence[Asked], rng: random.Random) -> list[Compound | None]:
    by_focus: dict[str, dict[str, Asked]] = defaultdict(dict)
    for row in pool:
        qtype = row.fields.get("qtype", "")
        if qtype in _ASPECTS and _focus(row):
            by_focus[row.fields["focus"]].setdefault(qtype, row)
    made = []
    for focus, rows in rng.sample(sorted(by_focus.items()), len(by_focus)):
        if len(rows) > 1:
            (a, row_a), (b, row_b) = rng.sample(sorted(rows.items()), 2)
            text = f"What are the {_ASPECTS[a]} and the {_ASPECTS[b]} of {focus}?"
            made.append(_compound(form, text, [row_a, row_b]))
    return made


def _compared(form: str, pool: Sequence[Asked], rng: random.Random) -> list[Compound | None]:
    by_type: dict[str, list[Asked]] = defaultdict(list)
    for row in pool:
        if row.fields.get("qtype") in _ASPECTS and _focus(row):
            by_type[row.fields["qtype"]].append(row)
    made: list[Compound | None] = []
    for qtype, rows in sorted(by_type.items()):
        order = rng.sample(rows, len(rows))
        for number, (a, b) in enumerate(zip(order[::2], order[1::2], strict=False)):
            one, two = a.fields["focus"], b.fields["focus"]
            text = (
                f"What is the difference between the {_ASPECTS[qtype]} of {one} and {two}?",
                f"Compare the {_ASPECTS[qtype]} of {one} with those of {two}.",
                f"How do {one} and {two} differ in their {_ASPECTS[qtype]}?",
            )[number % 3]
            made.append(_compound(form, text, [a, b]))
    return rng.sample(made, len(made))


def _titled(row: Asked) -> list[tuple[str, str, str]]:
    title, question = row.fields.get("title", ""), _plain(row.question)
    if len(title) < 2 or not question.startswith((title, f"《{title}》")):
        return []
    name = f"《{title}》" if question.startswith("《") else title
    return [("", name, question[len(name) :].lstrip("，,"))]


def _ends_zh(row: Asked) -> list[tuple[str, str, str]]:
    """Cut a question before each of its last words: "X是哪国人" pairs with "Y是哪国人"."""
    question = _plain(row.question)
    found = re.search(r"(?:的[^的，]{1,8})?(?:是|在|有|为|于)[^，]{0,12}$", question)
    if not found or not 2 <= found.start() <= 16 or "，" in question:
        return []
    if not re.search(r"谁|什么|哪|几|多少|何", found.group()):
        return []
    if re.search(r"谁|什么|哪|几|多少|何|和|与|、", question[: found.start()]):
        return []
    return [("", question[: found.start()], found.group())]


def _about_zh(form: str, pool: Sequence[Asked], rng: random.Random) -> list[Compound | None]:
    """Pair two questions about titled things: 比较 needs what is said of each."""
    titled = [row for row in pool if _titled(row)]
    order = rng.sample(titled, len(titled))
    made: list[Compound | None] = []
    for a, b in zip(order[::2], order[1::2], strict=False):
        (_, one, rest), (_, two, other) = _titled(a)[0], _titled(b)[0]
        text = f"{one}{rest}，{two}{other}？"
        made.append(_compound(form, text, [a, b]))
    return made


_WH = r"(?:what|which|who|when|where|why|how|in what|in which)\b"
_EN: dict[str, _Maker] = {
    "two sentences": _joined(2, lambda q: f"{q[0]}? And {_lower(q[1])}?"),
    "one sentence": _joined(2, lambda q: f"{q[0]}, and {_lower(q[1])}?", _WH),
    "three in one": _joined(3, lambda q: f"{q[0]}, {_lower(q[1])} and {_lower(q[2])}?", _WH),
    "shared head": _slotted(_spans_en, lambda h, a, b, t: f"{h} {a} and {b} {t}".strip() + "?"),
    "two entities": _slotted(_focus, lambda h, a, b, t: f"{h} {a} and {b} {t}".strip() + "?"),
    "two aspects": _aspects,
    "comparison": _compared,
}
_ZH: dict[str, _Maker] = {
    "two sentences": _joined(2, lambda q: f"{q[0]}？{q[1]}？"),
    "one sentence": _joined(2, lambda q: f"{q[0]}，以及{q[1]}？"),
    "comma only": _joined(2, lambda q: f"{q[0]}，{q[1]}？"),
    "three in one": _joined(3, lambda q: f"{q[0]}，{q[1]}，还有{q[2]}？"),
    "shared head": _slotted(_ends_zh, lambda h, a, b, t: f"{h}{a}和{b}{_apart(t)}？"),
    "two titles": _about_zh,
}


def _apart(tail: str) -> str:
    """Put 分别 before the predicate."""
    return re.sub(r"(?=是|在|有|为|于)", "分别", tail, count=1)
