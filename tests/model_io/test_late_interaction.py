"""Reranking by single words: rare words decide, order and batching do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domainsmith.data_connection.word_weights import word_weights
from domainsmith.model_io import late_interaction
from domainsmith.model_io.late_interaction import LateInteractionReranker
from domainsmith.model_io.token_vectors import has_token_vectors

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder

PASSAGES = [
    "The machine stands on a level floor, and the door stays open after each wash.",
    "The machine shows E-21 when the drain pump of the machine is blocked by a coin.",
    "The machine washes at 40 degrees, and the lamp of the machine is green. " * 6,
]
QUESTION = "What blocks the drain pump of the machine?"


def rarity(term: str) -> float:
    """Every passage speaks of the machine; the other words are rare."""
    return 0.1 if term.startswith("machin") else 3.0


def test_tokens_stand_for_characters(embedder: LocalEmbedder) -> None:
    texts = ["Which electromagnet?", "", "泵在哪里"]
    first, empty, chinese = embedder.token_vectors(texts, asked=True)

    assert has_token_vectors(embedder)
    pieces = [texts[0][start:end] for start, end in first.spans]
    assert (pieces[0], pieces[-1]) == ("Which", "?")
    assert "".join(pieces) == texts[0].replace(" ", "")
    assert first.vectors.shape == (len(pieces), embedder.dimension)
    assert first.vectors.norm(dim=1).tolist() == pytest.approx([1.0] * len(pieces), abs=1e-4)
    assert (len(empty.vectors), empty.ids) == (0, ())
    assert len(chinese.spans) == len(texts[2])


def test_pieces_of_a_rare_word_weigh_as_the_word(embedder: LocalEmbedder) -> None:
    question = "Is the machine's electromagnet E-21 there?"
    (tokens,) = embedder.token_vectors([question])
    seen: list[str] = []
    weights = word_weights(lambda term: seen.append(term) or rarity(term))(question, tokens)

    by_piece: dict[str, set[float]] = {}
    for (start, end), weight in zip(tokens.spans, weights, strict=True):
        by_piece.setdefault(question[start:end], set()).add(weight)
    (function,) = by_piece["the"]
    assert by_piece["?"] == {0.0}
    assert by_piece["Is"] == {function}
    assert 0 < function < max(by_piece["machine"]) < max(by_piece["21"])
    assert len(by_piece) > 8  # the long word is cut into pieces, none of which is asked for
    assert "electromagnet" in seen
    assert not {"electro", "electrom", "mag", "##mag"} & set(seen)
    (chinese,) = embedder.token_vectors(["泵的门"])
    assert word_weights(rarity, lambda _: False)("泵的门", chinese) == [0.0] * 3
    assert word_weights(rarity)("泵的门", chinese) == pytest.approx([5 / 6, 1 / 3, 5 / 6])


def test_the_passage_with_the_words_comes_first(embedder: LocalEmbedder) -> None:
    reranker = LateInteractionReranker(embedder, word_weights(rarity))
    (scores,) = reranker.rerank([QUESTION], [PASSAGES])
    assert reranker.name == f"late-interaction:{embedder.model_name}"
    assert max(range(3), key=lambda at: scores[at]) == 1
    assert all(-1 <= score <= 1 for score in scores)
    # Kept vectors and another batch give the same scores, up to the last digits of bfloat16.
    (again,) = reranker.rerank([QUESTION], [PASSAGES[::-1]])
    assert again[::-1] == pytest.approx(scores, abs=1e-6)
    fresh = LateInteractionReranker(embedder, word_weights(rarity))
    (alone,) = fresh.rerank([QUESTION], [PASSAGES[1:2]])
    assert alone[0] == pytest.approx(scores[1], abs=0.02)
    assert reranker.rerank(["", "pump"], [[*PASSAGES, ""], []]) == [[0.0] * 4, []]
    assert reranker.rerank([], []) == []


def test_a_language_that_the_embedder_does_not_know_is_not_judged(
    embedder: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    weigh = word_weights(rarity, lambda language: language == "en")
    reranker = LateInteractionReranker(embedder, weigh)
    monkeypatch.setattr(reranker, "_passages", lambda texts: pytest.fail("computed for nothing"))
    assert reranker.rerank(["排水泵为什么堵塞？"], [PASSAGES]) == [[0.0, 0.0, 0.0]]


def test_few_vectors_are_kept(embedder: LocalEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_interaction, "_KEPT_BYTES", 40_000)
    reranker = LateInteractionReranker(embedder, word_weights(rarity))
    first = reranker.rerank([QUESTION], [PASSAGES])
    assert list(reranker._kept) == [PASSAGES[2]]  # the longest alone is more than the limit
    assert reranker._bytes == reranker._kept[PASSAGES[2]].nbytes
    assert reranker.rerank([QUESTION], [PASSAGES])[0] == pytest.approx(first[0], abs=0.02)


def test_unrelated_texts_are_at_about_zero(embedder: LocalEmbedder) -> None:
    reranker = LateInteractionReranker(embedder, word_weights(rarity))
    question = "Which bird sings at night?"
    (scores,) = reranker.rerank([question], [[question, "The loan runs for six years."]])
    same, unrelated = (reranker.above_chance(score) for score in scores)
    assert same > 0.8
    assert abs(unrelated) < 0.25
    assert reranker.above_chance(1.0) == 1.0
