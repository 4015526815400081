"""Choosing among options by their likelihood, with probabilities and the right to abstain.

Every option is scored after the same prompt, which is computed once. Raw likelihoods prefer
options that a model likes anyway, so they are compared with their likelihoods after a prompt
without content: the contextual calibration of Zhao et al. 2021, "Calibrate Before Use: Improving
Few-Shot Performance of Language Models" (arXiv 2102.09690). There the weights ``W = diag(p_cf)^-1``
divide the probability of each label by its content-free one before normalising, which is what the
subtraction of log-likelihoods here does. Two things differ from the paper: options of several
tokens use means per token in place of sums, or else long options would hardly ever win, and
log-likelihoods of the content-free prompts are averaged, not probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.errors import InputInvalid
from domainsmith.model_io.generation import LogLikelihood, Scorer

__all__ = ["CONTENT_FREE", "Choice", "Question", "choose", "choose_many"]

CONTENT_FREE = ("N/A", "", "[MASK]")
"""Inputs without content."""


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and what may follow it.

    Attributes:
        prompt: Rendered, special tokens included.
        options: Distinct texts that continue the prompt.
        content_free: The same prompt with inputs that say nothing; empty leaves the likelihoods
            uncalibrated.
    """

    prompt: str
    options: tuple[str, ...]
    content_free: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.options or not all(self.options):
            raise InputInvalid("A choice needs options, and none of them may be empty")
        if len(set(self.options)) != len(self.options):
            raise InputInvalid("An option is given twice", where=str(self.options)[:120])


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes:
        option: The most probable option; None if its probability is below the bound.
        probabilities: Of each option, in the order given; their sum is 1.
    """

    option: str | None
    probabilities: dict[str, float]


def choose(
    scorer: Scorer,
    prompt: str,
    options: Sequence[str],
    *,
    calibrate: bool = True,
    content_free: Sequence[str] = (),
    abstain_below: float | None = None,
    adapter: str | None = None,
) -> Choice:
    """Choose one of some options.

    Args:
        scorer: A model.
        prompt: Rendered; the options continue it.
        options: Distinct texts. Their order does not matter: of equally probable ones the first in
            the order of code points is taken.
        calibrate: Compare with what the model expects after a prompt without content.
        content_free: Such prompts. Give the same template with its input replaced by each of
            :data:`CONTENT_FREE`; without them the bare beginnings of :data:`CONTENT_FREE` are used,
            which know nothing of the template.
        abstain_below: Least probability of a choice; None always chooses.
        adapter: Name of a loaded adapter.

    Returns:
        The choice and all probabilities.

    Raises:
        InputInvalid: There are no options, or two are equal.
        ContextOverflow: The prompt does not fit.
    """
    free = tuple(content_free) or tuple(f"{text or 'Input:'}\n" for text in CONTENT_FREE)
    question = Question(prompt, tuple(options), free if calibrate else ())
    return choose_many(scorer, [question], abstain_below=abstain_below, adapter=adapter)[0]


def choose_many(
    scorer: Scorer,
    questions: Sequence[Question],
    *,
    abstain_below: float | None = None,
    adapter: str | None = None,
) -> list[Choice]:
    """Answer many questions in one scoring run; equal prompts and options are scored once.

    Args:
        scorer: A model.
        questions: Prompts with their options.
        abstain_below: Least probability of a choice; None always chooses.
        adapter: Name of a loaded adapter.

    Returns:
        One choice a question, in the given order.
    """
    wanted: dict[tuple[str, str], None] = {}
    for question in questions:
        for prompt in (question.prompt, *question.content_free):
            # Sorted, because the rows of a batch can differ in the last bits by their place.
            wanted.update(((prompt, option), None) for option in sorted(question.options))
    pairs = list(wanted)
    found = dict(zip(pairs, scorer.score(pairs, adapter=adapter), strict=True))
    return [_choice(question, found, abstain_below) for question in questions]


def _choice(
    question: Question,
    found: dict[tuple[str, str], LogLikelihood],
    abstain_below: float | None,
) -> Choice:
    levels = {option: found[question.prompt, option].mean for option in question.options}
    for option in question.options:
        free = [found[prompt, option].mean for prompt in question.content_free]
        if free:
            levels[option] -= sum(free) / len(free)
    highest = max(levels.values())
    weights = {option: math.exp(level - highest) for option, level in levels.items()}
    total = math.fsum(weights.values())
    probabilities = {option: weight / total for option, weight in weights.items()}
    best = min(probabilities, key=lambda option: (-probabilities[option], option))
    if abstain_below is not None and probabilities[best] < abstain_below:
        return Choice(None, probabilities)
    return Choice(best, probabilities)
