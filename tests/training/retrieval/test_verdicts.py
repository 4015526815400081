"""Who decides whether a tuned model is kept."""

from __future__ import annotations

import pytest

from domainsmith.training.retrieval.collection import Collection
from domainsmith.training.retrieval.held_out import HeldOut
from domainsmith.training.retrieval.verdicts import CLOZE, REORDERED, Places, judged, reordered

MANY = 60
BETTER = Places([3] * MANY, [0] * MANY)
WORSE = Places([0] * MANY, [3] * MANY)
SAME = Places([0, 3] * (MANY // 2), [0, 3] * (MANY // 2))
NONE = Places([], [])


def collection(kind: str) -> Collection:
    return Collection({}, (), (), kind, HeldOut(frozenset(), "document", 2, 10))


@pytest.mark.parametrize(
    ("kind", "asked", "cloze", "kept", "by"),
    [
        ("people", BETTER, WORSE, True, "people"),
        ("people", SAME, BETTER, False, "people"),
        ("all routes", SAME, BETTER, True, CLOZE),
        ("all routes", BETTER, SAME, True, "all routes"),
        ("all routes", SAME, SAME, False, "all routes"),
        ("all routes", WORSE, BETTER, False, CLOZE),
        ("all routes", BETTER, WORSE, False, "all routes"),
        ("forms of sentences", BETTER, NONE, True, "forms of sentences"),
        ("all routes", BETTER, Places([3] * 8, [3] * 8), True, "all routes"),  # too few to decide
    ],
)
def test_who_decides(kind: str, asked: Places, cloze: Places, kept: bool, by: str) -> None:
    verdict = judged(collection(kind), asked, cloze)

    assert verdict.kept is kept
    assert kind in verdict.reason
    assert verdict.measure.better is (kept or WORSE in (asked, cloze))
    assert set(verdict.also) == {kind, *([CLOZE] if len(cloze.before) >= 40 else [])} - {by}


@pytest.mark.parametrize(("places", "kept"), [(BETTER, True), (SAME, True), (WORSE, False)])
def test_an_embedder_must_not_lose_what_late_interaction_gains(places: Places, kept: bool) -> None:
    verdict = reordered(judged(collection("people"), BETTER, NONE), places)

    assert verdict.kept is kept
    assert ("late interaction" in verdict.reason) is not kept
    assert verdict.also[REORDERED].questions == MANY
