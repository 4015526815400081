"""Two steps of Self-Instruct (arXiv 2212.10560, section 2.2), each one batch of model calls.

Classification task identification, and instance generation: input-first, and output-first for
classification, so that a label is chosen before the input that it fits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.facts import seeded
from domainsmith.chains.synthesis.instruct_prompts import COLON, INPUT, LABEL, TASK, completions
from domainsmith.chains.synthesis.seeds import SeedTask
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator, Scorer
from domainsmith.prompts import render
from domainsmith.records import Language

__all__ = [
    "chosen_labels",
    "generated_inputs",
    "identified_types",
    "labelled_inputs",
    "likeliest_label",
]

_NONE = {"en": "none", "zh": "无"}
_YES_NO = {"en": (" Yes", " No"), "zh": ("是", "否")}
_OPEN = re.compile(
    r"(?:How|Why|Explain|Describe|List|Write|Summarise|Suggest|Give|Plan|Compare)\b"
    r"|说明|解释|描述|列出|如何|为什么|概括|总结|写|举例|分析|比较|简要"
)
"""What begins so asks for words of one's own."""
_DRAWS = 4
_OF_TYPE = 4
"""Seeds of a type that are shown, and as many to measure with."""


def identified_types(
    instructions: Sequence[str],
    language: Language,
    *,
    seeds: Sequence[SeedTask],
    seed: int,
    generator: Generator,
    scorer: Scorer | None,
) -> list[bool]:
    """Classification task identification: is the answer one of few labels?

    Args:
        instructions: To be judged.
        language: Of them.
        seeds: In that language, of both types.
        seed: Chooses the tasks that are shown.
        generator: Says "yes" or "no" where there is no scorer.
        scorer: Judges: "yes" against "no", measured on other seeds whose type is known.

    Returns:
        True for classification tasks.
    """
    source = seeded(seed, "types", language)
    shots, known = [], list[tuple[str, bool]]()
    for kind in (True, False):
        found = [task.instruction for task in seeds if task.is_classification == kind]
        drawn = source.sample(found, min(2 * _OF_TYPE, len(found)))
        shots += [(text, kind) for text in drawn[:_OF_TYPE]]
        # With few seeds the shown ones are asked again, which is better than not to know.
        known += [(text, kind) for text in (drawn[_OF_TYPE:] or drawn)]
    source.shuffle(shots)
    yes, no = _YES_NO[language]
    question = {"en": "Only a few labels:", "zh": "只有少数标签："}[language]
    shown = "\n\n".join(
        f"{TASK[language]}{COLON[language]}{text}\n{question}{yes if kind else no}"
        for text, kind in shots
    )
    prompts = [
        render("self_instruct_type", language, shots=shown, instruction=text)
        for text in [*(text for text, _ in known), *instructions]
    ]
    if scorer is None:
        said = _chosen(generator, prompts[len(known) :], (yes, no))
        return [
            answer == yes.strip() and not _OPEN.match(text)
            for text, answer in zip(instructions, said, strict=True)
        ]
    scores = scorer.score([(prompt, answer) for prompt in prompts for answer in (yes, no)])
    gains = [a.sum - b.sum for a, b in zip(scores[::2], scores[1::2], strict=True)]
    means = [
        sum(gain for gain, (_, is_one) in zip(gains, known, strict=False) if is_one == kind)
        / sum(is_one == kind for _, is_one in known)
        for kind in (True, False)
    ]
    return [
        gain > sum(means) / 2 and not _OPEN.match(text)
        for text, gain in zip(instructions, gains[len(known) :], strict=True)
    ]


def _chosen(generator: Generator, prompts: Sequence[str], options: tuple[str, ...]) -> list[str]:
    rule = Constraint.choice(options)
    requests = [GenerationRequest(prompt, max_new_tokens=12, constraint=rule) for prompt in prompts]
    return completions(generator, requests)


def likeliest_label(
    prompt: str, labels: Sequence[str], *, generator: Generator, scorer: Scorer | None
) -> str:
    """Choose the label of an input.

    Args:
        prompt: Rendered: the instruction with the input.
        labels: To choose from.
        generator: Chooses where there is no scorer.
        scorer: Tells likelihoods.

    Returns:
        The likeliest label; the chosen one without a scorer.
    """
    if scorer is None:
        return _chosen(generator, [prompt], tuple(labels))[0]
    means = [score.mean for score in scorer.score([(prompt, label) for label in labels])]
    return labels[means.index(max(means))]


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
        f"{TASK[language]}{COLON[language]}{task.instruction}\n"
        f"{INPUT[language]}{COLON[language]}{task.input or _NONE[language]}"
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
    texts = completions(generator, requests)
    return ["" if text == _NONE[language] else text for text in texts]


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
    pattern = {"en": r" ?[A-Z][a-z]{1,11}(,? [a-z]{2,11})?", "zh": "[一-鿿]{1,6}"}[language]
    requests = [
        GenerationRequest(
            prompt=_label_prompt(text, language, seeds, seed),
            max_new_tokens=12,
            temperature=0.7,
            seed=seeded(seed, "label", text, str(draw)).randrange(2**31),
            stop=("\n",),
            constraint=Constraint.regex(pattern),
        )
        for text in instructions
        for draw in range(_DRAWS)
    ]
    texts = completions(generator, requests)
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
        prompt = f"{head}{joint}{label}\n{INPUT[language]}{COLON[language].rstrip()}"
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
    return completions(generator, requests)


def _label_prompt(
    instruction: str, language: Language, seeds: Sequence[SeedTask], seed: int
) -> str:
    source = seeded(seed, "labels", language)
    found = [task for task in seeds if task.is_classification and task.input]
    shots = source.sample(found, min(5, len(found)))
    shown = "\n\n".join(
        f"{TASK[language]}{COLON[language]}{task.instruction}\n"
        f"{LABEL[language]}{COLON[language]}{task.output}\n"
        f"{INPUT[language]}{COLON[language]}{task.input}"
        for task in shots
    )
    head = render("self_instruct_output_first", language, shots=shown, instruction=instruction)
    return f"{head}\n{LABEL[language]}{COLON[language].rstrip()}"
