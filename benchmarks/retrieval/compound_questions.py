"""Compound questions built by code from the questions of labelled collections.

Each needs passages of two or three questions. How they are put together is in ``phrasings``.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.retrieval.labelled import Asked, half
from benchmarks.retrieval.phrasings import phrasings

__all__ = ["Compound", "build"]


@dataclass(frozen=True)
class Compound:
    """A compound question.

    Attributes:
        form: How it was built.
        phrasing: In which words.
        question: Its words.
        needs: For each thing asked, the ids of the passages any of which answers it.
        alone: The questions it was built from, as an oracle would ask them.
    """

    form: str
    phrasing: str
    question: str
    needs: tuple[frozenset[str], ...]
    alone: tuple[str, ...]


_Rows = Sequence[Asked]
_Made = tuple[Mapping[str, str], _Rows]
"""What a phrasing is filled with, and the questions that it stands for."""
_Maker = Callable[[_Rows, random.Random], list[_Made]]


def build(name: str, asked: _Rows, part: str, each: int) -> list[Compound]:
    """Build the compound questions of one collection.

    Args:
        name: Of the collection.
        asked: Its questions.
        part: ``dev`` or ``test``: the half whose questions and phrasings are used.
        each: Most questions of a form.

    Returns:
        The questions, equal on every run; the phrasings of a form take turns.
    """
    pool = [item for item in asked if half(item.key) == part and len(item.question) > 6]
    language = name[:2]
    made: list[Compound] = []
    for form, maker in (_EN if language == "en" else _ZH).items():
        ways = phrasings(language, form, part)
        fit = [
            (words, rows)
            for words, rows in maker(pool, random.Random(f"{name}:{form}:{part}"))
            # One passage must not do for both.
            if not any(a.gold & b.gold for i, a in enumerate(rows) for b in rows[:i])
        ]
        for number, (words, rows) in enumerate(fit[:each]):
            way = ways[number % len(ways)]
            needs = tuple(row.gold for row in rows)
            alone = tuple(row.question for row in rows)
            made.append(Compound(form, way, _filled(way, words), needs, alone))
    return made


def _filled(way: str, words: Mapping[str, str]) -> str:
    text = re.sub(r"\{(\w)\}", lambda match: words[match[1]], way)
    text = re.sub(r" +(?=[?,;])", "", " ".join(text.split()))
    return text[:1].upper() + text[1:]


def _plain(question: str) -> str:
    return " ".join(question.split()).rstrip(" ?？.。")


def _lower(question: str) -> str:
    first = question.split(" ", 1)[0]
    keep = any(ch.isupper() for ch in first[1:])
    return question if keep else question[:1].lower() + question[1:]


def _joined(count: int, first: str = "") -> _Maker:
    def make(pool: _Rows, rng: random.Random) -> list[_Made]:
        fit = [row for row in pool if not first or re.match(first, row.question, re.IGNORECASE)]
        order = rng.sample(fit, len(fit))
        made: list[_Made] = []
        for start in range(0, len(order) - count + 1, count):
            rows = order[start : start + count]
            plain = [_plain(row.question) for row in rows]
            upper = dict(zip("ABC", plain, strict=False))
            made.append(({**upper, **{k.lower(): _lower(v) for k, v in upper.items()}}, rows))
        return made

    return make


def _slotted(slots: Callable[[Asked], list[tuple[str, str, str]]]) -> _Maker:
    """Pair questions that are equal but for one span."""

    def make(pool: _Rows, rng: random.Random) -> list[_Made]:
        groups: dict[tuple[str, str], dict[str, Asked]] = defaultdict(dict)
        for row in pool:
            for head, middle, tail in slots(row):
                groups[head, tail].setdefault(middle, row)
        made: list[_Made] = []
        used: set[str] = set()
        for (head, tail), rows in rng.sample(sorted(groups.items()), len(groups)):
            items = rng.sample(sorted(rows.items()), len(rows))
            pairs = zip(items[::2], items[1::2], strict=False)
            for (x, row_x), (y, row_y) in list(pairs)[:12]:
                if not {row_x.key, row_y.key} & used:
                    used |= {row_x.key, row_y.key}
                    made.append(({"h": head, "x": x, "y": y, "t": tail}, [row_x, row_y]))
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
    """Cut out the focus of a question, or each capitalised run that is not its first word."""
    question = _plain(row.question)
    return _focus(row) or [
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


def _aspects(pool: _Rows, rng: random.Random) -> list[_Made]:
    by_focus: dict[str, dict[str, Asked]] = defaultdict(dict)
    for row in pool:
        qtype = row.fields.get("qtype", "")
        if qtype in _ASPECTS and _focus(row):
            by_focus[row.fields["focus"]].setdefault(qtype, row)
    made: list[_Made] = []
    for focus, rows in rng.sample(sorted(by_focus.items()), len(by_focus)):
        if len(rows) > 1:
            (p, row_p), (q, row_q) = rng.sample(sorted(rows.items()), 2)
            made.append(({"p": _ASPECTS[p], "q": _ASPECTS[q], "f": focus}, [row_p, row_q]))
    return made


def _compared(pool: _Rows, rng: random.Random) -> list[_Made]:
    by_type: dict[str, list[Asked]] = defaultdict(list)
    for row in pool:
        if row.fields.get("qtype") in _ASPECTS and _focus(row):
            by_type[row.fields["qtype"]].append(row)
    made: list[_Made] = []
    for qtype, rows in sorted(by_type.items()):
        order = rng.sample(rows, len(rows))
        for one, two in zip(order[::2], order[1::2], strict=False):
            words = {"x": one.fields["focus"], "y": two.fields["focus"], "p": _ASPECTS[qtype]}
            made.append((words, [one, two]))
    return rng.sample(made, len(made))


def _titled(row: Asked) -> tuple[str, str] | None:
    title, question = row.fields.get("title", ""), _plain(row.question)
    if len(title) < 2 or not question.startswith((title, f"《{title}》")):
        return None
    name = f"《{title}》" if question.startswith("《") else title
    return name, question[len(name) :].lstrip("，,")


def _about_zh(pool: _Rows, rng: random.Random) -> list[_Made]:
    """Pair two questions that begin with the title of what they are about."""
    titled = [(row, named) for row in pool if (named := _titled(row))]
    order = rng.sample(titled, len(titled))
    return [
        ({"x": x, "t": t, "y": y, "u": u}, [one, two])
        for (one, (x, t)), (two, (y, u)) in zip(order[::2], order[1::2], strict=False)
    ]


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


_WH = r"(?:what|which|who|when|where|why|how|in what|in which)\b"
_EN: dict[str, _Maker] = {
    "two sentences": _joined(2),
    "one sentence": _joined(2, _WH),
    "three in one": _joined(3, _WH),
    "shared head": _slotted(_spans_en),
    "two aspects": _aspects,
    "comparison": _compared,
}
_ZH: dict[str, _Maker] = {
    "two sentences": _joined(2),
    "one sentence": _joined(2),
    "three in one": _joined(3),
    "shared head": _slotted(_ends_zh),
    "two titles": _about_zh,
}
