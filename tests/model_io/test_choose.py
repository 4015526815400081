from __future__ import annotations

import pytest

from domainsmith.errors import InputInvalid
from domainsmith.model_io.choose import CONTENT_FREE, Choice, Question, choose, choose_many
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import LogLikelihood

COLOURS = [" blue", " green", " purple elephants"]


class Fixed:
    """A scorer with given log-likelihoods."""

    def __init__(self, levels: dict[tuple[str, str], LogLikelihood]) -> None:
        self.levels = levels

    def score(
        self, pairs: list[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        return [self.levels[pair] for pair in pairs]


def sentiment(review: str) -> str:
    return f"Great fun, I loved it. => good\nAwful, I hated it. => bad\n{review} =>"


def ask(engine: Engine, review: str, options: list[str], **more: float) -> Choice:
    free = [sentiment(text) for text in CONTENT_FREE]
    return choose(engine, sentiment(review), options, content_free=free, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("calibrate", [True, False])
def test_probabilities_sum_to_one_in_any_order(exact_engine: Engine, calibrate: bool) -> None:
    forward = choose(exact_engine, "The sky is", COLOURS, calibrate=calibrate)
    backward = choose(exact_engine, "The sky is", COLOURS[::-1], calibrate=calibrate)
    assert sum(forward.probabilities.values()) == pytest.approx(1.0)
    assert list(forward.probabilities) == COLOURS
    assert forward.option == backward.option
    assert forward.probabilities == pytest.approx(backward.probabilities, abs=1e-5)


def test_clear_cut_choices_are_right(exact_engine: Engine) -> None:
    options = [" good", " bad"]
    good = ask(exact_engine, "A wonderful film, I enjoyed every minute.", options)
    bad = ask(exact_engine, "Terrible, boring, a waste of money.", options)
    assert good.option == " good"
    assert bad.option == " bad"
    capitals = [" Rome", " Paris", " Berlin"]
    assert choose(exact_engine, "The capital of France is", capitals).option == " Paris"
    assert choose(exact_engine, "The sky is", COLOURS, calibrate=False).option == " blue"


def test_it_abstains_when_unsure(exact_engine: Engine) -> None:
    sure = choose(exact_engine, "The sky is", COLOURS, calibrate=False, abstain_below=0.4)
    assert sure.option == " blue"
    unsure = choose(exact_engine, "The sky is", COLOURS, calibrate=False, abstain_below=0.9999)
    assert unsure.option is None
    assert sum(unsure.probabilities.values()) == pytest.approx(1.0)


def test_many_questions_equal_single_ones(exact_engine: Engine) -> None:
    free = tuple(sentiment(text) for text in CONTENT_FREE)
    questions = [
        Question(sentiment(review), (" good", " bad"), free)
        for review in ("Great!", "Awful.", "Great!")
    ]
    many = choose_many(exact_engine, questions)
    single = [
        choose(exact_engine, question.prompt, question.options, content_free=free)
        for question in questions
    ]
    for left, right in zip(many, single, strict=True):
        assert left.option == right.option
        assert left.probabilities == pytest.approx(right.probabilities, abs=1e-4)


def test_calibration_removes_what_the_model_likes_anyway() -> None:
    levels = {
        ("q", "a"): LogLikelihood(-1.0, 1),
        ("q", "b"): LogLikelihood(-4.0, 2),
        ("free", "a"): LogLikelihood(-0.5, 1),
        ("free", "b"): LogLikelihood(-8.0, 2),
    }
    assert choose(Fixed(levels), "q", ["a", "b"], calibrate=False).option == "a"
    calibrated = choose(Fixed(levels), "q", ["a", "b"], content_free=["free"])
    assert calibrated.option == "b"
    # exp(-2 + 4) against exp(-1 + 0.5), per token.
    assert calibrated.probabilities["b"] == pytest.approx(1 / (1 + 2.718281828 ** (-2.5)))


def test_options_must_be_given_and_differ(exact_engine: Engine) -> None:
    with pytest.raises(InputInvalid, match="needs options"):
        choose(exact_engine, "x", [])
    with pytest.raises(InputInvalid, match="twice"):
        choose(exact_engine, "x", ["a", "a"])
