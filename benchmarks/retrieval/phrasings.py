"""The ways in which two or three questions become one: half of them are held back.

A hash of its words puts each phrasing into the half that the product's rules may be written
against, or the half that is measured; the rules were not changed after a look at what the
measured half does with them. ``{A}`` and ``{B}`` are whole questions without their mark, ``{a}``
and ``{b}`` the same with a small first letter; ``{h}`` and ``{t}`` are the words that two
questions share, before and behind ``{x}`` and ``{y}``; ``{p}`` and ``{q}`` are aspects of ``{f}``.
"""

from __future__ import annotations

from benchmarks.retrieval.labelled import half

__all__ = ["phrasings"]

_PHRASINGS: dict[tuple[str, str], tuple[str, ...]] = {
    ("en", "two sentences"): (
        "{A}? And {b}?",
        "{A}? Also, {b}?",
        "{A}? {B}?",
        "{A}? One more thing: {b}?",
        "{A}? While we are at it, {b}?",
        "I have two questions. {A}? {B}?",
        "1) {A}? 2) {B}?",
        "First, {a}? Second, {b}?",
        "{A}? Besides, {b}?",
        "Hello, I need help with two things: {a}? And {b}?",
        "{A}? On top of that, {b}?",
        "Two quick ones - {a}? {B}? Thanks!",
    ),
    ("en", "one sentence"): (
        "{A}, and {b}?",
        "{A} and {b}?",
        "{A}; {b}?",
        "{A}, and also {b}?",
        "{A}, plus {b}?",
        "{A} - and {b}?",
        "{A}, as well as {b}?",
        "{A} / {b}?",
        "I was wondering {a}, and {b}.",
        "Please tell me {a} and {b}.",
    ),
    ("en", "three in one"): (
        "{A}, {b} and {c}?",
        "{A}? {B}? {C}?",
        "{A}, {b}, and finally {c}?",
        "{A}; {b}; {c}?",
        "1. {A}? 2. {B}? 3. {C}?",
        "{A}? And {b}? Lastly, {c}?",
        "{A} and {b}? Also {c}?",
    ),
    ("en", "shared head"): (
        "{h} {x} and {y} {t}?",
        "{h} {x} as well as {y} {t}?",
        "{h} both {x} and {y} {t}?",
        "{h} {x} {t}? And {y}?",
        "{h} {x} {t}? What about {y}?",
        "{h} {x} {t}, and what about {y}?",
        "{h} {x} {t}? Same question for {y}.",
        "{h} {x} {t}? How about {y}?",
        "{h} {x} or {y} {t}?",
    ),
    ("en", "two aspects"): (
        "What are the {p} and the {q} of {f}?",
        "What are the {p} and {q} of {f}?",
        "Tell me about the {p} of {f} and its {q}.",
        "I need to know the {p} as well as the {q} of {f}.",
        "{f}: {p} and {q}?",
        "For {f}, what are the {p} and the {q}?",
        "What are the {p} of {f}, and its {q}?",
        "Explain both the {p} and the {q} of {f}.",
    ),
    ("en", "comparison"): (
        "What is the difference between the {p} of {x} and {y}?",
        "Compare the {p} of {x} with those of {y}.",
        "How do {x} and {y} differ in their {p}?",
        "Compare {x} and {y} in terms of {p}.",
        "How do the {p} of {x} differ from those of {y}?",
        "In what way do {x} and {y} have different {p}?",
        "{x} vs {y}: what are the {p}?",
        "Are the {p} of {x} the same as those of {y}?",
        "Contrast {x} with {y} with regard to {p}.",
        "What do {x} and {y} have in common in their {p}?",
    ),
    ("zh", "two sentences"): (
        "{A}？{B}？",
        "{A}？另外，{B}？",
        "{A}？还有，{B}？",
        "我有两个问题。{A}？{B}？",
        "1、{A}？2、{B}？",
        "第一，{A}？第二，{B}？",
        "{A}？顺便问一下，{B}？",
        "你好，请教两件事：{A}？{B}？谢谢！",
        "{A}？再问一个，{B}？",
    ),
    ("zh", "one sentence"): (
        "{A}，以及{B}？",
        "{A}，还有{B}？",
        "{A}；{B}？",
        "{A}，并且{B}？",
        "{A}，同时{B}？",
        "我想知道{A}，另外{B}。",
        "{A}、{B}？",
        "请问{A}，{B}？",
        "{A}，{B}？",
    ),
    ("zh", "three in one"): (
        "{A}，{B}，还有{C}？",
        "{A}？{B}？{C}？",
        "{A}；{B}；{C}？",
        "（1）{A}？（2）{B}？（3）{C}？",
        "{A}？还有{B}？最后，{C}？",
        "{A}，{B}，{C}？",
    ),
    ("zh", "shared head"): (
        "{x}和{y}{t}？",
        "{x}以及{y}各{t}？",
        "{x}跟{y}分别{t}？",
        "{x}{t}？{y}呢？",
        "{x}{t}，{y}呢？",
        "{x}、{y}分别{t}？",
        "{x}{t}？那么{y}呢？",
        "{x}与{y}{t}？",
    ),
    ("zh", "two titles"): (
        "{x}{t}，{y}{u}？",
        "关于{x}，{t}？关于{y}，{u}？",
        "{x}{t}？{y}又{u}？",
        "{x}{t}；而{y}{u}？",
    ),
}


def phrasings(language: str, form: str, part: str) -> tuple[str, ...]:
    """Return the phrasings of one form and half.

    Args:
        language: ``en`` or ``zh``.
        form: Such as ``two sentences``.
        part: ``dev`` or ``test``.
    """
    return tuple(text for text in _PHRASINGS[language, form] if half(f"phrasing:{text}") == part)
