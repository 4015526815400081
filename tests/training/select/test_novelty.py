"""The novelty filter decides as comparing with every kept text would."""

from __future__ import annotations

import random

import pytest

from domainsmith.data_connection.overlap import plain_tokens
from domainsmith.training.select.novelty import novelty_filter, rouge_l_f1, similar_to


def longest_common(left: list[str], right: list[str]) -> int:
    row = [0] * (len(right) + 1)
    for a in left:
        before = 0
        for at, b in enumerate(right, start=1):
            before, row[at] = row[at], before + 1 if a == b else max(row[at], row[at - 1])
    return row[-1]


def brute_force(texts: list[str], threshold: float) -> list[bool]:
    """Self-Instruct's filter: every text against every kept one, formula as in rouge_score."""
    kept: list[list[str]] = []
    decisions = []
    for text in texts:
        tokens = plain_tokens(text)
        scores = []
        for other in kept:
            common = longest_common(tokens, other)
            precision, recall = common / max(1, len(other)), common / max(1, len(tokens))
            both = precision + recall
            scores.append(2 * precision * recall / both if both > 0 else 0.0)
        novel = not scores or max(scores) <= threshold
        decisions.append(novel)
        if novel:
            kept.append(tokens)
    return decisions


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_decisions_equal_brute_force(threshold: float) -> None:
    source = random.Random(3)
    words = [
        "write",
        "a",
        "poem",
        "about",
        "the",
        "sea",
        "list",
        "three",
        "facts",
        "of",
        "行",
        "星",
    ]
    texts = [
        " ".join(source.choices(words, weights=range(len(words), 0, -1), k=source.randint(1, 14)))
        for _ in range(400)
    ]
    found = [verdict.kept for verdict in novelty_filter(texts, threshold=threshold)]
    assert found == brute_force(texts, threshold)
    assert 0 < sum(found) < len(found)


def test_exactly_seven_tenths_falls_as_in_the_reference() -> None:
    # F1 = 2 * 7 / (10 + 10): rounding alone decides, so the formula must be the same one.
    one = "a b c d e f g h i j"
    two = "a b c d e f g x y z"
    assert [v.kept for v in novelty_filter([one, two])] == brute_force([one, two], 0.7)


def test_equal_chinese_sentences_are_duplicates() -> None:
    first, second = novelty_filter(["请解释光合作用的过程。", "请解释光合作用的过程。"])
    assert first.kept
    assert not second.kept
    assert (second.nearest, second.f1) == (0, 1.0)
    assert rouge_l_f1("光合作用", "相对论") == 0.0


def test_texts_without_tokens_are_kept() -> None:
    assert all(verdict.kept for verdict in novelty_filter(["", "...", "!!"]))


def test_texts_of_other_groups_are_not_compared() -> None:
    texts = ["what does code seven mean here", "what does code eight mean here"]
    assert not novelty_filter(texts)[1].kept
    assert novelty_filter(texts, groups=[7, 8])[1].kept
    again = novelty_filter([*texts, texts[0]], groups=[7, 8, 7])[2]
    assert (again.kept, again.nearest) == (False, 0)


def test_other_texts_are_searched_by_group() -> None:
    texts = ["where is the green pump of line one", "where is the red pump"]
    others = ["where is the green pump of line two", "where is the red pump"]
    assert [v.nearest for v in similar_to(texts, others, threshold=0.8)] == [0, 1]
    found = similar_to(texts, others, threshold=0.8, groups=[1, 3], other_groups=[2, 3])
    assert [v.nearest for v in found] == [None, 1]
