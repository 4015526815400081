"""The judge: expectations over score tokens, both orders of a pair, served models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from domainsmith.chains.grade import grade_records
from domainsmith.chains.grading.judge import Case, Judge, Pair, load_judge
from domainsmith.errors import InputInvalid
from domainsmith.model_io.generation import LogLikelihood
from domainsmith.records import Record

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine

CASE = Case("How heavy?", "3 kg.", "en", context="It weighs 3 kg.")


class Likes:
    """A model that prefers an answer by a word in it, and the first place on top of that."""

    model_name = "likes"
    context_length = 4096

    def render(self, messages: Sequence[Any], *, add_generation_prompt: bool = True) -> str:
        return str(messages[0].content)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(self, requests: Sequence[Any], **_: Any) -> Any:
        raise AssertionError("a judge that tells likelihoods is not asked to write")

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        return [LogLikelihood(self._level(prompt, option), 1) for prompt, option in pairs]

    def _level(self, prompt: str, option: str) -> float:
        if option in "12345":
            good = "Answer to grade: 3 kg." in prompt
            return -abs(int(option) - (5 if good else 1)) if "N/A" not in prompt else -1.0
        level = 1.0 if option == "A" else 0.0  # likes the first place
        if f"Answer {option}: 3 kg." in prompt:
            level += 2.0
        return level


@pytest.fixture
def judge() -> Judge:
    model = Likes()
    return Judge("likes", renderer=model, scorer=model)


def test_points_are_expectations(judge: Judge) -> None:
    good, bad = judge.points([CASE, Case("How heavy?", "9 kg.", "en")])
    assert 4 < good < 5
    assert 1 < bad < 2


def test_the_place_does_not_matter(judge: Judge) -> None:
    [first, second, same] = judge.preferences(
        [
            Pair(CASE, "9 kg."),
            Pair(Case("How heavy?", "9 kg.", "en"), "3 kg."),
            Pair(Case("How heavy?", "9 kg.", "en"), "8 kg."),
        ]
    )
    assert first > 0.8
    assert second < 0.2
    assert same == pytest.approx(0.5)


def test_a_judge_needs_one_kind_of_model() -> None:
    with pytest.raises(InputInvalid):
        Judge("none")


def served(*replies: AIMessage) -> Judge:
    return Judge("served", chat=GenericFakeChatModel(messages=iter(replies)))


def test_a_served_models_likelihoods_are_used() -> None:
    top = [{"token": "4", "logprob": -0.693147}, {"token": " 2", "logprob": -0.693147}]
    reply = AIMessage("4", response_metadata={"logprobs": {"content": [{"top_logprobs": top}]}})
    assert served(reply).points([CASE]) == [pytest.approx(3.0)]


def test_a_served_model_without_likelihoods_counts_as_it_says() -> None:
    assert served(AIMessage("2")).points([CASE]) == [2.0]
    with pytest.raises(InputInvalid):
        served(AIMessage("good")).points([CASE])


def test_the_judges_grade_has_a_reason(judge: Judge) -> None:
    item = Record(instruction="How heavy?", output="9 kg.", language="en", method="x", model="code")
    [graded] = grade_records([item], {}, scorer=None, judge=judge)
    told = graded.grades[-1]
    assert told.grader == "judge"
    assert not told.passed
    assert "of 5 points by likes" in told.reason


def test_the_embedded_model_can_judge_in_both_languages(engine: Engine) -> None:
    judge = load_judge("default")
    cases = [CASE, Case("多重？", "三公斤。", "zh", context="水泵重三公斤。")]
    assert all(1 <= points <= 5 for points in judge.points(cases))
    assert all(0 <= share <= 1 for share in judge.preferences([Pair(case, "9") for case in cases]))
