"""No compiled pattern runs away on a text that it was not made for."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import random
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

import pytest

import domainsmith
from domainsmith.agents.clauses import clauses
from domainsmith.agents.spans import find_spans
from domainsmith.agents.wording import nothing_to_do
from domainsmith.chains.comparisons_en import comparisons
from domainsmith.chains.patterns_terms_en import examples
from domainsmith.chains.synthesis.corruption.numbers import number_edits, unit_edits

LENGTH = 1_500
"""Quadratic work takes some hundredths of a second at this length, cubic work many seconds."""
PROCESSOR_SECONDS = 20
"""For one text and pattern. It finds hangs: what ends takes a small part of it."""
PIECES = (
    *("a", "A", "a ", "Aa ", "Aa, ", "ab-", "a.", "a/", "a@", "1", "1 ", "1,", "1.", "1 kg "),
    *("水", "水，", "的", "水的", "是", "第", "，", "、", "。", "一", "不", " ", ",", "\n", "\t"),
    *("a\n", '"', '"a" ', "'", "“", "(", "[", "{", "<", "&", "|", "-", "_", "=", "*", "#", "`"),
    *(":", "/", "\\", "is the of ", "the Aa of the Bb is ", "a of ", "and ", "if ", "which is "),
)


def _patterns(value: Any, depth: int = 0) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif depth > 5 or isinstance(value, str | bytes | type):
        return
    elif isinstance(value, Mapping):
        for part in (*value.keys(), *value.values()):
            yield from _patterns(part, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _patterns(part, depth + 1)
    elif dataclasses.is_dataclass(value):
        for item in dataclasses.fields(value):
            yield from _patterns(getattr(value, item.name, None), depth + 1)


def _all_patterns() -> dict[re.Pattern[str], str]:
    """Find the compiled patterns of all modules, each with where it stands."""
    found: dict[re.Pattern[str], str] = {}
    for module in pkgutil.walk_packages(domainsmith.__path__, "domainsmith."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for pattern in _patterns(value):
                found.setdefault(pattern, f"{module.name}.{name}")
    return found


def _readings() -> dict[str, Callable[[str], object]]:
    """What reads requests, questions and sentences whole."""
    return {
        "clauses": lambda text: clauses(text, [], "en"),
        "comparisons": comparisons,
        "examples": examples,
        "number_edits": lambda text: list(number_edits(text, random.Random(1))),
        "small talk": lambda text: nothing_to_do(f"{text}#", "en"),
        "spans, English": lambda text: find_spans(text, "en"),
        "spans, Chinese": lambda text: find_spans(text, "zh"),
        "unit_edits": lambda text: list(unit_edits(text, random.Random(1))),
    }


def _stop(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


@pytest.mark.skipif(not hasattr(signal, "ITIMER_VIRTUAL"), reason="no timer of processor time")
def test_every_pattern_ends_on_long_monotonous_texts() -> None:
    texts = [(piece * LENGTH)[:LENGTH] for piece in PIECES]
    before = signal.signal(signal.SIGVTALRM, _stop)
    endless = []
    try:
        for pattern, where in _all_patterns().items():
            for piece, text in zip(PIECES, texts, strict=True):
                # what cannot be the end of a form makes a pattern try all its ways
                signal.setitimer(signal.ITIMER_VIRTUAL, PROCESSOR_SECONDS)
                try:
                    pattern.search(f"{text}\0")
                except TimeoutError:
                    endless.append(f"{where} on {piece!r}")
                    break
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert not endless


@pytest.mark.skipif(not hasattr(signal, "ITIMER_VIRTUAL"), reason="no timer of processor time")
@pytest.mark.parametrize("piece", [" ", "\t", ",", "，", "1", "1,", "一"])
def test_what_is_read_whole_takes_time_that_hardly_outgrows_it(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    before = signal.signal(signal.SIGVTALRM, _stop)
    endless = []
    try:
        for name, read in _readings().items():
            signal.setitimer(signal.ITIMER_VIRTUAL, PROCESSOR_SECONDS)
            try:
                read(text)
            except TimeoutError:
                endless.append(name)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert not endless
