"""Scores against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from domainsmith.errors import InternalError
from domainsmith.training.metrics import (
    answer_tokens,
    bootstrap_interval,
    paired_difference,
    question_score,
    token_f1,
)


@pytest.mark.parametrize(
    ("text", "language", "tokens"),
    [
        ("The pump, at 4.5 bar.", "en", ["pump", "at", "4.5", "bar"]),
        ("E21: A 13 A fuse", "en", ["e", "21", "13", "fuse"]),
        ("水温４０°C，约30分钟", "zh", ["水", "温", "40", "c", "约", "30", "分", "钟"]),
        ("电压220V和a标志", "zh", ["电", "压", "220", "v", "和", "a", "标", "志"]),
        ("", "en", []),
    ],
)
def test_tokens(text: str, language: str, tokens: list[str]) -> None:
    assert answer_tokens(text, language) == tokens  # type: ignore[arg-type]


def test_f1_by_hand() -> None:
    # 2 shared of 3 said and of 4 wanted: P = 2/3, R = 1/2, F1 = 4/7.
    assert token_f1("pump blocked now", "blocked pump for hours", "en") == pytest.approx(4 / 7)
    # Repeated tokens count as often as both have them: 1 shared, P = 1/3, R = 1.
    assert token_f1("go go go", "go", "en") == pytest.approx(0.5)
    # 3 shared characters of 4 and of 5: P = 3/4, R = 3/5, F1 = 2/3.
    assert token_f1("清洗水泵", "清洗过滤泵", "zh") == pytest.approx(2 / 3)
    assert token_f1("", "pump", "en") == 0.0
    assert token_f1("the", "a", "en") == 1.0


def test_question_score() -> None:
    def score(text: str, reference: str, answerable: bool, refused: bool) -> float:
        return question_score(
            text, reference, answerable=answerable, refused=refused, language="en"
        )

    assert score("pump", "pump", True, False) == 1.0
    assert score("pump", "pump", True, True) == 0.0
    assert score("no idea", "", False, True) == 1.0
    assert score("pump", "", False, False) == 0.0


def test_bootstrap_is_seeded_and_covers() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, size=200)
    one, two = bootstrap_interval(values, seed=1), bootstrap_interval(values, seed=1)
    assert one == two
    assert one.low < one.mean < one.high
    # The normal approximation: 1.96 standard errors on each side.
    half = 1.96 * values.std() / np.sqrt(200)
    assert one.high - one.low == pytest.approx(2 * half, rel=0.05)
    assert bootstrap_interval([]).n == 0


def test_pairing_removes_what_questions_have_in_common() -> None:
    generator = np.random.default_rng(2)
    hard = generator.random(60)
    ours, theirs = hard * 0.8 + 0.15, hard * 0.8 + 0.1
    gap = paired_difference(list(ours), list(theirs))
    assert gap.mean == pytest.approx(0.05)
    assert gap.low == pytest.approx(0.05)
    with pytest.raises(InternalError, match="1 and 3 scores"):
        paired_difference([1.0], [1.0, 0.0, 1.0])
