"""Validated question-answer pairs for a CPU-second: Self-QA against one prompt a pair.

The peer is the usual plain procedure, restated: the model is shown a passage and asked for one
question with its answer as JSON, after one worked example; what cannot be parsed or validated is
discarded. It is run with the same model in two ways: through the same engine, all prompts as one
batch (``plain engine``, the one that the ratio is taken against), and one prompt at a time through
``model.generate`` of transformers (``plain transformers``, on fewer passages).

Both sides pass the same validator, which is written here and shares no code with the product's
own check: the question ends as one, stands alone by the product's rule, is new and does not hold
its answer; every part of the answer stands word for word in the pair's passages. Refusals, closed
and grounded forms of one pair are not counted: a pair is a question with its answer.

Sets: the example domain's passages that hold answers of its test questions (``washer``,
``washer-zh``), and with ``../shared/data`` passages of en_covidqa and zh_cmrc2018, drawn by seed.

Usage: python -m benchmarks.self_qa [--passages 24] [--tries 2] [--sets washer ...] [--show 0]
Exit code 1 if a parse fails on our side, if less than 95 % of our pairs are grounded, or if the
ratio of all sets together is below 8.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers

from domainsmith.chains.facts import Fact
from domainsmith.chains.held_out import excluded_passages
from domainsmith.chains.question_patterns import proper_names, stands_alone
from domainsmith.chains.self_qa import passage_facts
from domainsmith.chains.synthesis.related import RelatedPassages
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.loaders import load_file
from domainsmith.data_connection.split import split
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.model_io.load import load_engine
from domainsmith.records import Document, Passage, Question, content_hash

EXAMPLES = Path(__file__).parent.parent / "examples"
DATA = Path(os.environ.get("DOMAINSMITH_DATA", Path(__file__).parent.parent / "../shared/data"))
TARGET = 8.0
GROUNDED = 0.95
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
_PART = re.compile(r"[.!?](?=\s|$)|[。！？；;:：（()）\n]|, against |，(?=\S+ ?是 ?\d)")
_YES_NO = re.compile(r"^(?:Yes|No)\b[.,]?\s*|^不?可以。|^因为")


@dataclass
class Pair:
    """One question with its answer and the passages that must hold it."""

    question: str
    answer: str
    passages: tuple[Passage, ...]
    level: str = "plain"
    model: str = "code"


@dataclass
class Side:
    """What one way gave on one set."""

    pairs: list[Pair] = field(default_factory=list)
    asked: int = 0
    unparsed: int = 0
    cpu: float = 0.0


def bare(text: str) -> str:
    """Return letters and digits only, lower-cased."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def grounded(pair: Pair) -> bool:
    """Tell whether every part of the answer stands word for word in the passages."""
    held = [bare(f"{item.header} {item.text}") for item in pair.passages]
    parts = [
        bare(part).removeprefix("against") for part in _PART.split(_YES_NO.sub("", pair.answer))
    ]
    parts = [part for part in parts if part]
    return bool(parts) and all(
        any(part in text or all(half in text for half in part.split("是", 1)) for text in held)
        for part in parts
    )


def valid_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """Keep the pairs that may be trained on."""
    seen: set[str] = set()
    kept = []
    for pair in pairs:
        language = pair.passages[0].language
        key = bare(pair.question)
        question_ok = (
            pair.question.rstrip("”\"' ").endswith(("?", "？"))
            and detect_language(pair.question) == language
            and stands_alone(pair.question, language)
            and key not in seen
        )
        answer = bare(_YES_NO.sub("", pair.answer))
        if question_ok and answer and answer not in key and grounded(pair):
            seen.add(key)
            kept.append(pair)
    return kept


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


def documents(name: str) -> Iterator[Document]:
    """Yield the documents of a set."""
    if name.startswith("washer"):
        for path in sorted((EXAMPLES / name).iterdir()):
            if path.suffix in {".md", ".html", ".docx"}:
                loaded = load_file(path)
                yield document(path.name, loaded.text, loaded.title or path.stem)
    elif name == "en_covidqa":
        with gzip.open(DATA / name / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield document(f"{row['id']}.txt", row["text"], row["text"].split("\n")[0])
    else:
        with (DATA / name / "trial_passages.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield document(f"{row['id']}.txt", row["text"], row["title"])


def document(path: str, text: str, title: str) -> Document:
    """Wrap a text."""
    return Document(
        path=path,
        source_sha256=content_hash(text),
        media_type="text/markdown",
        title=title,
        language=detect_language(text),
        text=text,
    )


def passages_of(name: str, many: int, seed: int) -> tuple[list[Passage], list[Passage]]:
    """Return the passages to ask about, and all of the set."""
    every = [item for doc in documents(name) for item in split(doc)]
    pool = [item for item in every if item.content == "prose" and len(item.text) > 80]
    if name.startswith("washer"):
        rows = (EXAMPLES / f"{name}-questions.jsonl").read_text(encoding="utf-8").splitlines()
        questions = [Question.model_validate(json.loads(row)) for row in rows if row.strip()]
        held = excluded_passages(every, questions)
        pool = [item for item in pool if item.id in held]
    draw = random.Random(seed)
    return draw.sample(pool, min(many, len(pool))), every


def report(name: str, label: str, side: Side) -> float:
    """Print one line and return the validated pairs for a CPU-second."""
    valid = valid_pairs(side.pairs)
    share = sum(map(grounded, side.pairs)) / max(1, len(side.pairs))
    rate = len(valid) / max(1e-9, side.cpu)
    print(
        f"{name:12} {label:18} asked {side.asked:4}  unparsed {side.unparsed:3}  "
        f"grounded {share:6.1%}  valid {len(valid):4}  CPU {side.cpu:7.1f} s  {rate:7.3f} pairs/s",
        flush=True,
    )
    return rate


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=24)
    parser.add_argument("--tries", type=int, default=2, help="prompts of the peer for a passage")
    parser.add_argument("--slow", type=int, default=4, help="passages for plain transformers")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", type=int, default=0, help="pairs of each level to print")
    parser.add_argument(
        "--sets", nargs="+", default=["washer", "washer-zh", "en_covidqa", "zh_cmrc2018"]
    )
    asked = parser.parse_args()
    sets = [name for name in asked.sets if name.startswith("washer") or (DATA / name).is_dir()]
    for name in sorted(set(asked.sets) - set(sets)):
        print(f"SKIPPED {name}: not in {DATA}")
    engine = load_engine("default")
    transformers.logging.set_verbosity_error()
    print(
        f"{engine.model_name}; torch {torch.__version__}, transformers {transformers.__version__}, "
        f"{torch.get_num_threads()} thread(s), load {os.getloadavg()[0]:.1f}, "
        f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC"
    )
    total: dict[str, Side] = {"self-qa": Side(), "plain engine": Side(), "self-qa model": Side()}
    levels: Counter[str] = Counter()
    for name in sets:
        passages, every = passages_of(name, asked.passages, asked.seed)
        print(f"{name}: {len(passages)} passages, {content_hash([p.text for p in passages])[:12]}")
        batched, slow = through_engine(engine, asked.seed), through_transformers(engine, asked.seed)
        ways: dict[str, Callable[[], Side]] = {
            "self-qa": partial(ours, passages, every, engine),
            "plain engine": partial(plain, passages, engine, batched, asked.tries),
            "plain transformers": partial(plain, passages[: asked.slow], engine, slow, asked.tries),
        }
        for label, run in ways.items():
            side = run()
            valid = valid_pairs(side.pairs) if label == "self-qa" else []
            report(name, label, side)
            if label in total:
                total[label].pairs += side.pairs
                total[label].asked += side.asked
                total[label].unparsed += side.unparsed
                total[label].cpu += side.cpu
            levels.update(pair.level for pair in valid)
            total["self-qa model"].pairs += [pair for pair in valid if pair.model != "code"]
            show(valid, asked.show)
    return verdict(total, levels)


def show(pairs: Sequence[Pair], many: int) -> None:
    """Print some pairs of each level."""
    seen: Counter[str] = Counter()
    for pair in pairs:
        seen[pair.level] += 1
        if seen[pair.level] <= many:
            print(f"    {pair.level}: {pair.question} -> {pair.answer}")


def verdict(total: dict[str, Side], levels: Counter[str]) -> int:
    """Print the sums and decide."""
    mine, peer = total["self-qa"], total["plain engine"]
    rates = [report("all", label, side) for label, side in list(total.items())[:2]]
    written = len(total["self-qa model"].pairs)
    print(
        f"valid by level: {dict(sorted(levels.items()))}; question written by the model: {written}"
    )
    share = sum(map(grounded, mine.pairs)) / max(1, len(mine.pairs))
    # A peer without a single valid pair is credited with one.
    least = max(rates[1], 1 / max(1e-9, peer.cpu))
    ratio = rates[0] / least
    good = ratio >= TARGET and share >= GROUNDED and mine.unparsed == 0
    print(
        f"ratio {ratio:.1f} (target {TARGET:g}); parse failures {mine.unparsed} against "
        f"{peer.unparsed} of {peer.asked}; grounded {share:.1%} (target {GROUNDED:.0%}): "
        f"{'OK' if good else 'MISSED'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
