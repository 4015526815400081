"""A judge: any model that gives an answer 1 to 5 points, or says which of two is better.

A model whose likelihoods can be read is not asked for a number: the score is the expectation over
the five digits, compared with what the model expects of an empty answer, so a weak model's liking
for one digit does not count. A served model is asked under a choice constraint; where the server
tells the likelihoods of its first token, they are used in the same way.

Pairs are judged in both orders and averaged, because models prefer a place (Zheng et al. 2023,
"Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", arXiv 2306.05685, section 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput

from domainsmith.chains.grading.subject import verdict
from domainsmith.errors import EndpointUnavailable, InputInvalid
from domainsmith.model_io.choose import Question, choose_many
from domainsmith.model_io.generation import Constraint, Generator, Scorer
from domainsmith.prompts import render
from domainsmith.records import Grade, Language, Message

__all__ = ["Case", "Judge", "Pair", "judge_grade", "load_judge"]

_POINTS = ("1", "2", "3", "4", "5")
_SIDES = ("A", "B")
_CONTEXT = 4000
"""Characters of a context that the judge reads."""


@dataclass(frozen=True)
class Case:
    """An answer to judge.

    Args:
        question: What was asked.
        answer: What was answered.
        language: Of the rubric.
        context: The passages that were at hand; empty without any.
        reference: A right answer, if there is one.
    """

    question: str
    answer: str
    language: Language
    context: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Pair:
    """Two answers to compare.

    Args:
        first: One answer with its question.
        other: The other answer.
    """

    first: Case
    other: str


class Judge:
    """Judges answers with a model.

    Args:
        name: Of the model, for grades and lineage.
        renderer: Renders prompts for ``scorer``; None for a chat model.
        scorer: Tells likelihoods; None for a chat model.
        chat: A LangChain chat model, where likelihoods cannot be had.
    """

    def __init__(
        self,
        name: str,
        *,
        renderer: Generator | None = None,
        scorer: Scorer | None = None,
        chat: BaseChatModel | None = None,
    ) -> None:
        if (scorer is None or renderer is None) == (chat is None):
            raise InputInvalid("A judge needs a scoring model or a chat model", where=name)
        self.name = name
        self._renderer = renderer
        self._scorer = scorer
        self._chat = chat

    def points(self, cases: Sequence[Case]) -> list[float]:
        """Score answers.

        Args:
            cases: Judged as one batch.

        Returns:
            Expected points of each, 1 to 5.
        """
        prompts = [_points_prompt(case) for case in cases]
        empty = [
            _points_prompt(Case("N/A", "N/A", case.language, "N/A", case.reference and "N/A"))
            for case in cases
        ]
        found = self._probabilities(prompts, empty, _POINTS)
        return [math.fsum(int(point) * share for point, share in item.items()) for item in found]

    def preferences(self, pairs: Sequence[Pair]) -> list[float]:
        """Compare answers, each pair in both orders.

        Args:
            pairs: Judged as one batch.

        Returns:
            Probability that the first answer of each is the better one, 0 to 1.
        """
        prompts, empty = [], []
        for pair in pairs:
            case = pair.first
            nothing = Case("N/A", "N/A", case.language, "N/A", case.reference and "N/A")
            for one, two in ((case.answer, pair.other), (pair.other, case.answer)):
                prompts.append(_pair_prompt(case, one, two))
                empty.append(_pair_prompt(nothing, "N/A", "N/A"))
        found = self._probabilities(prompts, empty, _SIDES)
        return [
            (as_a["A"] + as_b["B"]) / 2 for as_a, as_b in zip(found[::2], found[1::2], strict=True)
        ]

    def _probabilities(
        self, prompts: Sequence[str], empty: Sequence[str], options: tuple[str, ...]
    ) -> list[dict[str, float]]:
        if not prompts:
            return []
        if self._scorer is not None and self._renderer is not None:
            renderer = self._renderer
            asked = [
                Question(_rendered(renderer, prompt), options, (_rendered(renderer, free),))
                for prompt, free in zip(prompts, empty, strict=True)
            ]
            return [choice.probabilities for choice in choose_many(self._scorer, asked)]
        return self._asked(prompts, options)

    def _asked(self, prompts: Sequence[str], options: tuple[str, ...]) -> list[dict[str, float]]:
        chat = self._chat
        if chat is None:
            raise InputInvalid("A judge needs a scoring model or a chat model", where=self.name)
        messages: list[LanguageModelInput] = [[("user", prompt)] for prompt in prompts]
        rule = Constraint.choice(options)
        try:
            replies = chat.batch(messages, constraint=rule, logprobs=True, top_logprobs=10)
        except EndpointUnavailable:
            replies = chat.batch(messages, constraint=rule)  # a server that has no likelihoods
        return [_told(reply.response_metadata, str(reply.text), options) for reply in replies]


def load_judge(name: str, **options: Any) -> Judge:
    """Load a judge.

    Args:
        name: Any model name: ``default``, ``local:...`` or ``openai:URL#MODEL``.
        **options: ``device``, ``dtype`` and so on, for a local model.

    Returns:
        The judge.

    Raises:
        WeightsMissing: There is no such local model.
        InputInvalid: The name is none.
    """
    from domainsmith.model_io.catalog import parse_name
    from domainsmith.model_io.load import load_chat, load_engine

    if parse_name(name).scheme == "local":
        engine = load_engine(name, **options)
        return Judge(engine.model_name, renderer=engine, scorer=engine)
    return Judge(name, chat=load_chat(name, temperature=0.0))


def judge_grade(points: float, *, least: float, name: str) -> Grade:
    """Write a judge's points as a grade.

    Args:
        points: 1 to 5.
        least: Points that pass.
        name: Of the judge.
    """
    problem = "" if points >= least else f"{points:.2f} of 5 points by {name}"
    return verdict("judge", problem, (points - 1) / 4, note=f"{points:.2f} of 5 points by {name}")


def _points_prompt(case: Case) -> str:
    return render(
        "judge_points",
        case.language,
        context=_context(case),
        reference=_reference(case),
        question=case.question,
        answer=case.answer,
    )


def _pair_prompt(case: Case, one: str, two: str) -> str:
    return render(
        "judge_pair",
        case.language,
        context=_context(case),
        reference=_reference(case),
        question=case.question,
        first=one,
        second=two,
    )


def _context(case: Case) -> str:
    nothing = "（无）" if case.language == "zh" else "(none)"
    return case.context[:_CONTEXT] or nothing


def _reference(case: Case) -> str:
    return case.reference or ("（无）" if case.language == "zh" else "(none)")


def _rendered(renderer: Generator, prompt: str) -> str:
    return renderer.render([Message(role="user", content=prompt)])


def _told(metadata: Mapping[str, Any], text: str, options: tuple[str, ...]) -> dict[str, float]:
    """Read a served model's choice: by the likelihoods of its first token, else by its text."""
    content = (metadata.get("logprobs") or {}).get("content") or []
    weights = dict.fromkeys(options, 0.0)
    for entry in (content[0].get("top_logprobs") or []) if content else []:
        token = str(entry.get("token", "")).strip()
        if token in weights:
            weights[token] += math.exp(float(entry["logprob"]))
    total = math.fsum(weights.values())
    if total > 0:
        return {option: weight / total for option, weight in weights.items()}
    said = text.strip()
    if said not in options:
        raise InputInvalid("The judge's answer is none of the choices", where=said[:80])
    return {option: float(option == said) for option in options}
