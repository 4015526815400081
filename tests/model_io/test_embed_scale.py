from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from domainsmith.model_io.embed_scale import above_chance, chance_cosine

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder


class Shifted:
    """An embedder whose cosines are squeezed towards 1, as multilingual-e5's are."""

    dimension = 385

    def __init__(self, embedder: LocalEmbedder) -> None:
        self._embedder = embedder
        self.model_name = f"shifted {embedder.model_name}"

    def embed(self, texts: list[str]) -> np.ndarray:
        vectors = self._embedder.embed(texts) * np.float32(0.5)
        constant = np.full((len(texts), 1), np.sqrt(0.75), dtype=np.float32)
        return np.hstack([vectors, constant])


def test_the_scale_of_the_default_embedder_is_left_as_it_is(embedder: LocalEmbedder) -> None:
    chance = chance_cosine(embedder)
    assert -0.1 < chance < 0.2
    assert above_chance(0.4, chance) == 0.4


def test_a_squeezed_scale_is_stretched_back(embedder: LocalEmbedder) -> None:
    chance = chance_cosine(Shifted(embedder))  # type: ignore[arg-type]
    assert chance == pytest.approx(0.75 + 0.25 * chance_cosine(embedder), abs=1e-3)
    assert above_chance(0.75 + 0.25 * 0.6, chance) == pytest.approx(0.6, abs=0.03)
    assert above_chance(1.0, chance) == pytest.approx(1.0)


class Constant:
    """An embedder that tells nothing apart."""

    model_name = "constant"
    dimension = 4

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.full((len(texts), 4), 0.5, dtype=np.float32)


def test_cosines_of_an_embedder_that_tells_nothing_apart_count_as_nothing() -> None:
    chance = chance_cosine(Constant())  # type: ignore[arg-type]
    assert chance == pytest.approx(1.0)
    assert above_chance(1.0, chance) == 0.0
