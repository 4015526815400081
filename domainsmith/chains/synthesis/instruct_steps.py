"""Two steps of Self-Instruct (arXiv 2212.10560, section 2.2), each one batch of model calls.

Classification task identification, and instance generation: input-first, and output-first for
classification, so that a label is chosen before the input that it fits.
"""

from __future__ import annotations

from collections.abc import Sequence

from domainsmith.chains.facts import seeded
from domainsmith.chains.synthesis.instruct_prompts import COLON, INPUT, LABEL, TASK, completions
from domainsmith.chains.synthesis.seeds import SeedTask
from domainsmith.data_connection.language import sentences
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator, Scorer
from domainsmith.prompts import render
from domainsmith.records import Language, Message

__all__ = [
    "answers",
    "chosen_labels",
    "found_answers",
    "generated_inputs",
    "identified_types",
    "labelled_inputs",
]

_NONE = {"en": "none", "zh": "无"}
_YES_NO = {"en": (" Yes", " No"), "zh": ("是", "否")}
_DRAWS = 4
_OF_TYPE = 4
"""Seeds of a type that are shown, and as many to measure with."""
_MOST_SENTENCES = 3
_GAIN = 0.1
"""Nats a token that an instruction must add to the likelihood of its answer."""


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
    scores = scorer.score([(prompt, answer) for prompt in prompts for answer in (yes, no)])
    gains = [a.sum - b.sum for a, b in zip(scores[::2], scores[1::2], strict=True)]
    means = [
        sum(gain for gain, (_, is_one) in zip(gains, known, strict=False) if is_one == kind)
        / sum(is_one == kind for _, is_one in known)
        for kind in (True, False)
    ]
    return [gain > sum(means) / 2 for gain in gains[len(known) :]]


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


def found_answers(
    tasks: Sequence[tuple[str, str]], language: Language, *, generator: Generator, scorer: Scorer
) -> list[str]:
    """Find the output in what the documents say: the sentences that the instruction makes likelier.

    Args:
        tasks: (instruction, text of the documents) each.
        language: Of them.
        generator: Renders the prompts.
        scorer: Tells likelihoods.

    Returns:
        One to three sentences as they stand there; empty where no run of them gets likelier.
    """
    joint = " " if language == "en" else ""
    neutral = {"en": "Say something.", "zh": "请说一段话。"}[language]
    runs, pairs = list[tuple[int, str]](), list[tuple[str, str]]()
    for at, (instruction, text) in enumerate(tasks):
        pieces = [text[start:end] for start, end in sentences(text, language)]
        for size in range(1, _MOST_SENTENCES + 1):
            for start in range(len(pieces) - size + 1):
                answer = joint.join(pieces[start : start + size])
                runs.append((at, answer))
                for asked in (instruction, neutral):
                    prompt = generator.render([Message(role="user", content=asked)])
                    pairs.append((prompt, answer))
    scores = scorer.score(pairs) if pairs else []
    best: dict[int, tuple[float, str]] = {}
    for (at, answer), told, alone in zip(runs, scores[::2], scores[1::2], strict=True):
        gain = told.sum - alone.sum
        if told.mean - alone.mean >= _GAIN and gain > best.get(at, (0.0, ""))[0]:
            best[at] = (gain, answer)
    return [best.get(at, (0.0, ""))[1] for at in range(len(tasks))]


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
