"""Instruction generation: the first step of Self-Instruct (arXiv 2212.10560, section 2.2)."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.synthesis.instruct_filters import instruction_problem
from domainsmith.chains.synthesis.instruct_prompts import COLON, TASK, completions
from domainsmith.chains.synthesis.instruct_topics import Topic
from domainsmith.chains.synthesis.seeds import SeedTask
from domainsmith.data_connection.language import content_terms
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator, Scorer
from domainsmith.prompts import render
from domainsmith.records import Language

__all__ = ["NewTask", "generated_instructions"]

_STARTS_ZH = (
    "说明|列出|写出|解释|比较|概括|总结|描述|简要介绍|如何|为什么|举例说明|给出|判断|指出|分析"
)
_STARTS_EN = "Explain|List|Describe|Name|Write|Give|Summarise|Tell|Suggest|What|How|Why"
_PLAIN_EN = tuple(
    re.findall(
        r"\w+",
        """
        a about advice after all an and any are as at be before between by can child clear
        compare could customer describe difference do does each example examples explain few first
        five for four from guest happen happens has have help his how important in instructions
        into is it its keep know list main make may means mistakes must need needed new
        not of on one or part parts people plain point points possible problem problems
        purpose question questions reason reasons right rule rules say sentence sentences
        several short should simple some step steps summary that the their them they
        things this three tips to two use used user using way ways what when where which who why
        with words work works would write you your
        """,
    )
)
_PLAIN_ZH = tuple(
    re.findall(
        r"\w+",
        """
        的 是 有 在 时 要 和 与 中 前 后 哪些 什么 怎样 如何 为什么 步骤 方法 作用 要求 事项 特点
        区别 原因 目的 应该 需要 使用 注意 主要 几个 一般 正确 常见 问题 规定 内容 用途 好处 顺序
        给 用户 新手 简单 语言
        """,
    )
)
_CANDIDATES = 3
"""Instructions drawn for one wanted; the likeliest sound one is kept."""
_SEED_SHOTS, _NEW_SHOTS = 6, 2


@dataclass(frozen=True)
class NewTask:
    """A generated instruction.

    Args:
        instruction: One sentence.
        topic: What it was asked to be about; None without documents.
        likelihood: Mean log-probability, nats a token.
    """

    instruction: str
    topic: Topic | None
    likelihood: float = 0.0


def generated_instructions(
    topics: Sequence[Topic | None],
    language: Language,
    *,
    seeds: Sequence[SeedTask],
    pool: Sequence[str],
    source: random.Random,
    generator: Generator,
    scorer: Scorer | None,
) -> list[NewTask]:
    """Instruction generation: eight tasks in the prompt, six seeds and two new ones, one to come.

    Args:
        topics: One for each instruction wanted; it stands in the instruction as it is.
        language: Of the instructions.
        seeds: In that language.
        pool: Instructions made so far, in that language.
        source: Chooses the tasks that are shown.
        generator: Writes.
        scorer: Tells how likely the instructions are; without one the first sound one of each
            topic is kept.

    Returns:
        One task a topic, in order.
    """
    prompts, requests = [], []
    for topic in topics:
        shots = _shots(seeds, pool, topic is not None, language, source)
        prompt = render(
            "self_instruct_tasks",
            language,
            shots="\n".join([*shots, _last(topic, language, shots)]),
        )
        constraint = Constraint.regex(_instruction_pattern(topic, language, seeds))
        for _ in range(_CANDIDATES):
            prompts.append(prompt)
            requests.append(
                GenerationRequest(
                    prompt=prompt,
                    max_new_tokens=44 if language == "en" else 90,
                    temperature=0.7,
                    top_p=0.9,
                    seed=source.randrange(2**31),
                    constraint=constraint,
                )
            )
    texts = completions(generator, requests)
    joint = " " if language == "en" else ""
    pairs = [(prompt, f"{joint}{text}") for prompt, text in zip(prompts, texts, strict=True)]
    means = [score.mean for score in scorer.score(pairs)] if scorer else [0.0] * len(pairs)
    tasks = []
    for number, topic in enumerate(topics):
        drawn = range(number * _CANDIDATES, (number + 1) * _CANDIDATES)
        sound = [at for at in drawn if not instruction_problem(texts[at], language)]
        best = max(sound or drawn, key=lambda at: means[at])
        tasks.append(NewTask(_agreeing(texts[best], topic), topic, means[best]))
    return tasks


def _subject(instruction: str) -> str:
    """Return two words of an English instruction that name something, the first such; or none."""
    runs: list[list[str]] = [[]]
    for word in instruction.rstrip(".?").split(" ")[1:]:
        if word.lower().strip(",:;") in _PLAIN_EN or not word.strip(",:;").isalpha():
            runs.append([])
        else:
            runs[-1].append(word.strip(",:;"))
    return next((" ".join(run) for run in runs if len(run) == 2), "")


def _agreeing(text: str, topic: Topic | None) -> str:
    """Ask "what are" of a topic in the plural: small models say "what is" of everything."""
    if topic is None or not text.startswith(f"What is the {topic.words}"):
        return text
    plural = " and " in topic.words or re.search(r"[^siu]s$", topic.words)
    return text.replace("What is the", "What are the", 1) if plural else text


def _last(topic: Topic | None, language: Language, shots: Sequence[str]) -> str:
    """Begin the task that the model is to write."""
    head = f"{TASK[language]} {len(shots) + 1}"
    if topic is None:
        return f"{head}{COLON[language].rstrip()}"
    if language == "zh":
        return f"（资料：{topic.text}）\n{head}（{topic.words}）："
    return f"(Material: {topic.text})\n{head} ({topic.words}):"


def _shots(
    seeds: Sequence[SeedTask],
    pool: Sequence[str],
    with_topics: bool,
    language: Language,
    source: random.Random,
) -> list[str]:
    if with_topics and language == "en":
        # A topic that stands in its instruction shows the model what to do with the last one.
        seeds = [task for task in seeds if _subject(task.instruction)] or seeds
    new = source.sample(list(pool), min(_NEW_SHOTS, len(pool)))
    # Six seeds and two of our own; before there are any, all eight are seeds.
    chosen = source.sample(list(seeds), min(_SEED_SHOTS + _NEW_SHOTS - len(new), len(seeds)))
    lines = [(task.topic, task.instruction) for task in chosen] + [("", text) for text in new]
    if language == "en":
        lines = [(_subject(text), text) for _, text in lines]
    if not with_topics:
        lines = [("", text) for _, text in lines]
    source.shuffle(lines)
    shots = []
    for number, (topic, instruction) in enumerate(lines, start=1):
        about = (f" ({topic})" if language == "en" else f"（{topic}）") if topic else ""
        shots.append(f"{TASK[language]} {number}{about}{COLON[language]}{instruction}")
    return shots


def _instruction_pattern(topic: Topic | None, language: Language, seeds: Sequence[SeedTask]) -> str:
    """Allow a sentence that begins as tasks do; with a topic, in the words of its text."""
    if language == "zh":
        if topic is None:
            return f"({_STARTS_ZH})[一-鿿，、“”]{{4,30}}[。？]"
        terms = {at for at in content_terms(topic.text, "zh") if re.fullmatch("[一-鿿]+", at)}
        some = "|".join(sorted({*terms, *_PLAIN_ZH}))
        return f"({_STARTS_ZH})({some}){{0,3}}{_literal(topic.words)}({some}){{1,4}}[。？]"
    # Where a blank is the only way on, it is put in as a token of its own, and a word without its
    # blank is not what the model would write; so a comma, or nothing, is always another way.
    if topic is None:
        starts = {seed.instruction.split(" ")[0] for seed in seeds}
        start = "|".join(sorted(word for word in starts if re.fullmatch(r"[A-Z][a-z]+", word)))
        return rf" ?({start})(,? [A-Za-z][a-z'-]*){{2,22}}[.?]"
    own = re.findall(r"[A-Za-z][A-Za-z'-]*[A-Za-z]", topic.text)
    words = {*_PLAIN_EN, *own, *(word.lower() for word in own if word.istitle())}
    choices = "|".join(sorted(words))
    literal = _literal(topic.words)
    return rf" ?({_STARTS_EN})(,? ({choices})){{0,9}},? {literal}(,? ({choices})){{0,8}}[.?]"


def _literal(text: str) -> str:
    return re.sub(r"([\\.^$*+?()\[\]{}|/])", r"\\\1", text)
