"""``python -m benchmarks.retrieval.step_back``: does the broader question find what was hidden?

Questions of the labelled collections are told as people tell them, with circumstances before or
behind. Measured is whether a passage that answers is among the first 10, with and without step
back, and for the plain question: the ceiling. The circumstances of the measured half are not
those that the rules were written against.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.retrieval.bootstrap import shown
from benchmarks.retrieval.labelled import Asked, WordsOnly, collection, data_folder, half
from domainsmith.chains.query_options import QueryOptions
from domainsmith.chains.query_plan import Search
from domainsmith.model_io.generation import Embedder
from domainsmith.model_io.load import load_embedder

_K = 10
_SETS = ("en_xquad", "en_covidqa", "zh_xquad", "zh_cmrc2018")
_TOLD = {
    ("en", "dev"): (
        "My neighbour, who works for a bank in Leeds, asked me last Tuesday. {q}?",
        "I was reading about this on the train with my daughter yesterday and we argued. {q}?",
        "Since my exam is in two weeks and my teacher will surely ask about it, {q}?",
        "{q}, because a colleague from the sales department wants to know before the meeting?",
    ),
    ("en", "test"): (
        "For a quiz night at the local pub our team of six is collecting facts. {q}?",
        "We had a long talk over dinner with friends from university about history. {q}?",
        "As I am writing an essay for my evening class and the library is closed, {q}?",
        "{q}, given that my brother insists on a different answer and we have made a bet?",
    ),
    ("zh", "dev"): (
        "我昨天在火车上和女儿聊天时说到这件事，我们争论了很久，{q}？",
        "你好，我邻居在银行上班，上周二问了我一个问题。{q}？",
        "{q}？因为销售部的同事开会之前想知道。",
    ),
    ("zh", "test"): (
        "最近单位要举办知识竞赛，我们小组六个人都在收集资料，{q}？",
        "您好，周末和大学同学吃饭的时候谈到历史和健康的话题。{q}？",
        "{q}？我弟弟坚持另一个答案，我们还打了赌。",
    ),
}


def told(asked: Sequence[Asked], language: str, part: str) -> list[str]:
    """Wrap questions in circumstances, one form after the other."""
    forms = _TOLD[language, part]
    texts = []
    for number, item in enumerate(asked):
        question = " ".join(item.question.split()).rstrip(" ?？.。")
        form = forms[number % len(forms)]
        if language == "en" and not form.startswith("{q}") and ", {q}" in form:
            question = question[:1].lower() + question[1:]
        texts.append(form.replace("{q}", question))
    return texts


def _held(asked: Sequence[Asked], found: Sequence[Any]) -> list[float]:
    return [
        float(any(hit.passage.id in item.gold for hit in row.hits[:_K]))
        for item, row in zip(asked, found, strict=True)
    ]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval.step_back", description=__doc__)
    parser.add_argument("--sets", default=",".join(_SETS), help="collections, by commas")
    parser.add_argument("--each", type=int, default=100, help="questions a set")
    parser.add_argument("--half", choices=("dev", "test"), default="test")
    parser.add_argument("--cache", type=Path, help="folder that keeps the indexes")
    options = parser.parse_args()
    names = options.sets.split(",")
    english = any(name.startswith("en_") for name in names)
    default: Embedder = load_embedder("default") if english else WordsOnly()
    print(f"half {options.half}, load {os.getloadavg()[0]:.2f}; a gold passage in the first {_K}:")
    everything: list[tuple[float, ...]] = []
    for name in names:
        embedder: Embedder = default if name.startswith("en_") else WordsOnly()
        with collection(name, embedder, data=data_folder(), cache=options.cache) as place:
            asked = [q for q in place.questions if half(q.key) == options.half][: options.each]
            texts = told(asked, name[:2], options.half)
            rows = []
            for mode in ("off", "auto", "on"):
                plan = QueryOptions("off", mode, "off", "off")
                search = Search(place.index, embedder, k=_K, options=plan)
                rows.append(_held(asked, search.find(texts)))
            plain = Search(
                place.index, embedder, k=_K, options=QueryOptions("off", "off", "off", "off")
            )
            rows.append(_held(asked, plain.find([q.question for q in asked])))
        everything += list(zip(*rows, strict=True))
        _show(name, list(zip(*rows, strict=True)))
    _show("all", everything)


def _show(name: str, rows: Sequence[tuple[float, ...]]) -> None:
    without, auto, on, plain = (list(column) for column in zip(*rows, strict=True))
    gain = [a - b for a, b in zip(auto, without, strict=True)]
    print(
        f"  {name:12} n {len(rows):4}  without {shown(without)}  auto {shown(auto)}"
        f"  on {shown(on)}  plain question {shown(plain)}  gain of auto {shown(gain)}"
    )


if __name__ == "__main__":
    main()
