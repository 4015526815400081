"""The ways of making pairs: Self-QA, and one prompt a pair through an engine or transformers."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Callable, Sequence
from typing import Any

import torch

from benchmarks.self_qa.pairs import Pair, Side
from domainsmith.chains.facts import Fact
from domainsmith.chains.question_patterns import proper_names
from domainsmith.chains.self_qa import passage_facts
from domainsmith.chains.synthesis.related import RelatedPassages
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.records import Passage

__all__ = ["ours", "plain", "through_engine", "through_transformers"]

PROMPT = {
    "en": "Text:\n{text}\n\nWrite one question about the text, and its answer copied from it. "
    'Reply with JSON only: {{"question": "...", "answer": "..."}}',
    "zh": "文字：\n{text}\n\n根据文字写一个问题和答案，答案从文字中摘抄。"
    '只用 JSON 回答：{{"question": "...", "answer": "..."}}',
}
EXAMPLE = {
    "en": (
        "A lost card is replaced for a fee of 4 euros at the front desk.",
        '{"question": "How much does it cost to replace a lost card?", "answer": "4 euros"}',
    ),
    "zh": (
        "补办一张卡在前台收费 4 元。",
        '{"question": "补办一张卡要多少钱？", "answer": "4 元"}',
    ),
}
"""One worked example each: without it the embedded model hardly ever writes JSON."""


def cpu_seconds() -> float:
    """Processor time of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ours(passages: Sequence[Passage], every: Sequence[Passage], engine: Engine) -> Side:
    """Run Self-QA as the method ``documents`` does, in blocks of eight passages."""
    before = cpu_seconds()
    names = proper_names(item.text for item in every if item.content == "prose")
    related = RelatedPassages(passages)
    facts: list[Fact] = []
    for start in range(0, len(passages), 8):
        found = passage_facts(
            passages[start : start + 8],
            generator=engine,
            scorer=engine,
            names=names,
            related=related,
        )
        facts += found.facts
    side = Side(asked=len(facts), cpu=cpu_seconds() - before)
    side.pairs = [
        Pair(item.question, item.answer, item.gold, item.method, item.model) for item in facts
    ]
    return side


def plain(
    passages: Sequence[Passage], engine: Engine, write: Callable[[list[str]], list[str]], tries: int
) -> Side:
    """Ask for one pair a prompt, parse what comes, discard the rest."""
    before = cpu_seconds()
    prompts, whose = [], []
    for item in passages:
        text = PROMPT[item.language].format(text=item.text)
        example, reply = EXAMPLE[item.language]
        turns = [
            {"role": "user", "content": PROMPT[item.language].format(text=example)},
            {"role": "assistant", "content": reply},
            {"role": "user", "content": text},
        ]
        prompts += [engine.render(turns)] * tries
        whose += [item] * tries
    side = Side(asked=len(prompts))
    for text, item in zip(write(prompts), whose, strict=True):
        parsed = parse(text)
        if parsed is None:
            side.unparsed += 1
        else:
            side.pairs.append(Pair(*parsed, (item,), model=engine.model_name))
    side.cpu = cpu_seconds() - before
    return side


def parse(text: str) -> tuple[str, str] | None:
    """Read a pair from a reply: the first JSON object, else lines that name the two."""
    start, end = text.find("{"), text.find("}")
    if 0 <= start < end:
        try:
            found: Any = json.loads(text[start : end + 1])
            return str(found["question"]), str(found["answer"])
        except (ValueError, KeyError, TypeError):
            pass
    match = re.search(
        r"(?:Question|问题)\W*\s*(.+?)\s*\n+\W*(?:Answer|答案)\W*\s*(.+)", text, re.I | re.S
    )
    return (match[1].strip(), match[2].strip().split("\n")[0]) if match else None


def through_engine(engine: Engine, seed: int) -> Callable[[list[str]], list[str]]:
    """Sample all prompts as one batch."""

    def write(prompts: list[str]) -> list[str]:
        requests = [
            GenerationRequest(prompt, max_new_tokens=96, temperature=0.7, seed=seed + at)
            for at, prompt in enumerate(prompts)
        ]
        texts = [""] * len(prompts)
        for done in engine.generate(requests):
            texts[done.index] = done.text
        return texts

    return write


def through_transformers(engine: Engine, seed: int) -> Callable[[list[str]], list[str]]:
    """Sample one prompt at a time with ``model.generate``."""

    def write(prompts: list[str]) -> list[str]:
        torch.manual_seed(seed)
        texts = []
        for prompt in prompts:
            inputs = engine.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
            with torch.inference_mode():
                out = engine.model.generate(
                    **inputs,
                    max_new_tokens=96,
                    do_sample=True,
                    temperature=0.7,
                    pad_token_id=engine.tokenizer.eos_token_id,
                )
            new = out[0][inputs["input_ids"].shape[1] :]
            texts.append(engine.tokenizer.decode(new, skip_special_tokens=True))
        return texts

    return write
