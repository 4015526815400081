"""The steps of Self-Instruct (arXiv 2212.10560, section 2.2), each one batch of model calls.

Instruction generation, classification task identification, and instance generation: input-first,
and output-first for classification, so that a label is chosen before the input that it fits.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.chains.facts import seeded
from domainsmith.chains.synthesis.instruct_filters import instruction_problem
from domainsmith.chains.synthesis.instruct_topics import Topic
from domainsmith.chains.synthesis.seeds import SeedTask
from domainsmith.data_connection.language import sentences
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator, Scorer
from domainsmith.prompts import render
from domainsmith.records import Language, Message

__all__ = [
    "NewTask",
    "answers",
    "chosen_labels",
    "generated_inputs",
    "generated_instructions",
    "identified_types",
    "labelled_inputs",
]

_STARTS_ZH = (
    "说明|列出|写出|解释|比较|概括|总结|描述|简要介绍|如何|为什么|举例说明|给出|判断|指出|分析"
)
_STARTS_EN = "Explain|List|Describe|Name|Write|Give|Summarise|Tell|Suggest|What|How|Why|When"
_PLAIN_EN = tuple(
    re.findall(
        r"\w+",
        """
        a about advice after all an and any are as at be before between by can child clear
        compare could customer describe difference do does each example examples explain few first
        five for four from guest happen happens has have help his how important in instructions
        into is it its keep know list main make may means mistakes much must name need needed new
        not of on one or part parts people person plain point points possible problem problems
        purpose question questions reason reasons right rule rules say sentence sentences
        several short should simple some someone step steps summary that the their them they
        things this three tips to two use used user using way ways what when where which who why
        with words work works would write you your
        """,
    )
)
_CANDIDATES = 3
"""Instructions drawn for one wanted; the likeliest sound one is kept."""
_SEED_SHOTS, _NEW_SHOTS = 6, 2
_INPUT = {"en": "Input", "zh": "输入"}
_LABEL = {"en": "Label", "zh": "标签"}
_TASK = {"en": "Task", "zh": "任务"}
_COLON = {"en": ": ", "zh": "："}
_NONE = {"en": "none", "zh": "无"}
_YES_NO = {"en": (" Yes", " No"), "zh": ("是", "否")}
_DRAWS = 4


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
    scorer: Scorer,
) -> list[NewTask]:
    """Instruction generation: eight tasks in the prompt, six seeds and two new ones, one to come.

    Args:
        topics: One for each instruction wanted; it stands in the instruction as it is.
        language: Of the instructions.
        seeds: In that language.
        pool: Instructions made so far, in that language.
        source: Chooses the tasks that are shown.
        generator: Writes.
        scorer: Tells how likely the instructions are.

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
                    max_new_tokens=44,
                    temperature=0.7,
                    top_p=0.9,
                    seed=source.randrange(2**31),
                    constraint=constraint,
                )
            )
    texts = _run(generator, requests)
    joint = " " if language == "en" else ""
    pairs = [(prompt, f"{joint}{text}") for prompt, text in zip(prompts, texts, strict=True)]
    means = [score.mean for score in scorer.score(pairs)]
    tasks = []
    for number, topic in enumerate(topics):
        drawn = range(number * _CANDIDATES, (number + 1) * _CANDIDATES)
        sound = [at for at in drawn if not instruction_problem(texts[at], language)]
        best = max(sound or drawn, key=lambda at: means[at])
        tasks.append(NewTask(texts[best], topic, means[best]))
    return tasks


def _subject(instruction: str) -> str:
    """Return the longest run of words of an English instruction that name something, if any."""
    runs: list[list[str]] = [[]]
    for word in instruction.rstrip(".?").split(" ")[1:]:
        plain = word.lower().strip(",:;") in _PLAIN_EN or not word[:1].isalpha()
        if plain:
            runs.append([])
        else:
            runs[-1].append(word.strip(",:;"))
    best = max(runs, key=len)
    return " ".join(best) if len(best) > 1 else ""


def _last(topic: Topic | None, language: Language, shots: Sequence[str]) -> str:
    """Begin the task that the model is to write."""
    head = f"{_TASK[language]} {len(shots) + 1}"
    if topic is None:
        return f"{head}{_COLON[language].rstrip()}"
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
        shots.append(f"{_TASK[language]} {number}{about}{_COLON[language]}{instruction}")
    return shots


def _instruction_pattern(topic: Topic | None, language: Language, seeds: Sequence[SeedTask]) -> str:
    """Allow a sentence that begins as tasks do; with a topic, in the words of its text."""
    if language == "zh":
        word = "[一-鿿，、“”]"
        if topic is not None:
            return f"({_STARTS_ZH}){word}{{0,10}}{_literal(topic.words)}{word}{{1,14}}[。？]"
        return f"({_STARTS_ZH}){word}{{4,30}}[。？]"
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


def identified_types(
    instructions: Sequence[str],
    language: Language,
    *,
    seeds: Sequence[SeedTask],
    seed: int,
    scorer: Scorer,
) -> list[bool]:
    """Classification task identification: is the answer one of few labels?

    Args:
        instructions: To be judged.
        language: Of them.
        seeds: In that language, of both types.
        seed: Chooses the tasks that are shown.
        scorer: Judges: yes or no, whichever gains more over a task that says nothing.

    Returns:
        True for classification tasks.
    """
    source = seeded(seed, "types", language)
    of_type = {
        kind: source.sample(found, min(4, len(found)))
        for kind in (True, False)
        if (found := [task for task in seeds if task.is_classification == kind])
    }
    yes, no = _YES_NO[language]
    shots = [(task.instruction, kind) for kind, found in of_type.items() for task in found]
    source.shuffle(shots)
    question = {"en": "Only a few labels:", "zh": "只有少数标签："}[language]
    shown = "\n\n".join(
        f"{_TASK[language]}{_COLON[language]}{text}\n{question}{yes if kind else no}"
        for text, kind in shots
    )
    neutral = {"en": "Do the task.", "zh": "完成任务。"}[language]
    prompts = [
        render("self_instruct_type", language, shots=shown, instruction=text)
        for text in [neutral, *instructions]
    ]
    scores = scorer.score([(prompt, answer) for prompt in prompts for answer in (yes, no)])
    gains = [a.sum - b.sum for a, b in zip(scores[::2], scores[1::2], strict=True)]
    return [gain > gains[0] for gain in gains[1:]]


def generated_inputs(
    instructions: Sequence[str],
    language: Language,
    *,
    seeds: Sequence[SeedTask],
    seed: int,
    generator: Generator,
) -> list[str]:
    """Input-first instance generation, its first half: what is the task done to?

    Args:
        instructions: Of tasks that are no classification.
        language: Of them.
        seeds: In that language.
        seed: Chooses the tasks that are shown.
        generator: Writes.

    Returns:
        One input a task; empty where the task needs none.
    """
    source = seeded(seed, "inputs", language)
    plain = [task for task in seeds if not task.is_classification and "\n" not in task.input]
    given = source.sample([t for t in plain if t.input], min(3, sum(1 for t in plain if t.input)))
    bare = source.sample(
        [t for t in plain if not t.input], min(3, sum(1 for t in plain if not t.input))
    )
    shots = [*given, *bare]
    source.shuffle(shots)
    shown = "\n\n".join(
        f"{_TASK[language]}{_COLON[language]}{task.instruction}\n"
        f"{_INPUT[language]}{_COLON[language]}{task.input or _NONE[language]}"
        for task in shots
    )
    pattern = {"en": r" ?(none|[A-Z0-9][^\n]{8,180})", "zh": r"(无|[^\n无 ][^\n]{3,80})"}[language]
    requests = [
        GenerationRequest(
            prompt=render("self_instruct_input_first", language, shots=shown, instruction=text),
            max_new_tokens=60,
            stop=("\n",),
            constraint=Constraint.regex(pattern),
        )
        for text in instructions
    ]
    texts = _run(generator, requests)
    return ["" if text == _NONE[language] else text for text in texts]


def answers(
    tasks: Sequence[tuple[str, str, str]], language: Language, *, generator: Generator
) -> list[str]:
    """Input-first instance generation, its second half: the output.

    Args:
        tasks: (instruction, input, what the documents say) each; the last two may be empty.
        language: Of them.
        generator: Answers.

    Returns:
        Whole sentences; empty where not one was finished.
    """
    requests = []
    for instruction, given, reference in tasks:
        text = f"{instruction}\n\n{given}" if given else instruction
        if reference:
            text = render("self_instruct_answer", language, instruction=instruction, text=reference)
        prompt = generator.render([Message(role="user", content=text)])
        requests.append(GenerationRequest(prompt=prompt, max_new_tokens=110))
    texts = [""] * len(requests)
    for done in generator.generate(requests):
        whole = done.finish_reason == "stop"
        texts[done.index] = done.text.strip() if whole else _whole_sentences(done.text, language)
    return texts


def _whole_sentences(text: str, language: Language) -> str:
    """Cut an answer that ran into its bound after its last finished sentence."""
    spans = sentences(text.strip(), language)
    ended = [
        end for _, end in spans if text.strip()[:end].endswith((".", "!", "?", "。", "！", "？"))
    ]
    return text.strip()[: ended[-1]] if ended else ""


def chosen_labels(
    instructions: Sequence[str],
    language: Language,
    *,
    seeds: Sequence[SeedTask],
    seed: int,
    generator: Generator,
) -> list[list[str]]:
    """Output-first instance generation, its first half: labels of classification tasks.

    Args:
        instructions: Of classification tasks.
        language: Of them.
        seeds: In that language.
        seed: Of the draws.
        generator: Writes.

    Returns:
        Different labels for each task, in the order in which they were drawn.
    """
    pattern = {"en": r" ?[A-Z][a-z]+(,? [a-z]+){0,2}", "zh": "[一-鿿]{1,6}"}[language]
    requests = [
        GenerationRequest(
            prompt=_label_prompt(text, language, seeds, seed),
            max_new_tokens=12,
            temperature=0.9,
            seed=seeded(seed, "label", text, str(draw)).randrange(2**31),
            stop=("\n",),
            constraint=Constraint.regex(pattern),
        )
        for text in instructions
        for draw in range(_DRAWS)
    ]
    texts = _run(generator, requests)
    return [
        list(dict.fromkeys(filter(None, texts[at * _DRAWS : (at + 1) * _DRAWS])))
        for at in range(len(instructions))
    ]


def labelled_inputs(
    tasks: Sequence[tuple[str, str, Sequence[str]]],
    language: Language,
    *,
    seeds: Sequence[SeedTask],
    seed: int,
    generator: Generator,
) -> list[str]:
    """Output-first instance generation, its second half: an input that has the label.

    Args:
        tasks: (instruction, label, sentences of the documents) each; with sentences one of them
            is taken, else the model writes one.
        language: Of them.
        seeds: In that language.
        seed: Of the draws.
        generator: Writes or chooses.

    Returns:
        One input a task.
    """
    free = {"en": r" ?[A-Z0-9][^\n]{8,160}[.!?]", "zh": r"[^\n ]{4,60}[。！？]"}[language]
    joint = " " if language == "en" else ""
    requests = []
    for instruction, label, given in tasks:
        head = _label_prompt(instruction, language, seeds, seed)
        prompt = f"{head}{joint}{label}\n{_INPUT[language]}{_COLON[language].rstrip()}"
        choice = Constraint.choice([f"{joint}{text}" for text in given]) if given else None
        requests.append(
            GenerationRequest(
                prompt=prompt,
                max_new_tokens=64,
                temperature=0.0 if given else 0.7,
                seed=seeded(seed, "labelled", instruction, label).randrange(2**31),
                constraint=choice or Constraint.regex(free),
            )
        )
    return _run(generator, requests)


def _label_prompt(
    instruction: str, language: Language, seeds: Sequence[SeedTask], seed: int
) -> str:
    source = seeded(seed, "labels", language)
    found = [task for task in seeds if task.is_classification and task.input]
    shots = source.sample(found, min(5, len(found)))
    shown = "\n\n".join(
        f"{_TASK[language]}{_COLON[language]}{task.instruction}\n"
        f"{_LABEL[language]}{_COLON[language]}{task.output}\n"
        f"{_INPUT[language]}{_COLON[language]}{task.input}"
        for task in shots
    )
    head = render("self_instruct_output_first", language, shots=shown, instruction=instruction)
    return f"{head}\n{_LABEL[language]}{_COLON[language].rstrip()}"


def _run(generator: Generator, requests: Sequence[GenerationRequest]) -> list[str]:
    """Return the completions in the order of the requests, on one line each."""
    texts = [""] * len(requests)
    for done in generator.generate(requests):
        texts[done.index] = " ".join(done.text.split())
    return texts


def _literal(text: str) -> str:
    return re.sub(r"([\\.^$*+?()\[\]{}|/])", r"\\\1", text)
