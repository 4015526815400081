"""The outputs of Self-Instruct's tasks: written by the model, or found in the documents."""

from __future__ import annotations

from collections.abc import Sequence

from domainsmith.data_connection.sentences import sentences
from domainsmith.model_io.generation import GenerationRequest, Generator, Scorer
from domainsmith.prompts import render
from domainsmith.records import Language, Message

__all__ = ["answers", "found_answers"]

_MOST_SENTENCES = 3
_GAIN = 0.1
"""Nats a token that an instruction must add to the likelihood of its answer."""


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
