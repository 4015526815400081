"""Annotated requests, and how like them a new request is.

Likeness mixes word and character patterns (both languages) with sentence vectors (English:
the embedded model knows no Chinese). Words that only one example uses count as "some word",
so a question about washing machines resembles one about contracts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from domainsmith.agents.annotated import Example, Label
from domainsmith.agents.concepts import concepts
from domainsmith.data_connection.language import normalise_width, tokenize
from domainsmith.records import Language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from domainsmith.model_io.generation import Embedder

__all__ = ["ExampleIndex"]

_LEXICAL_SHARE = 0.5
"""Weight of word patterns against sentence vectors, where there are such."""
_FIT_SHARE = 0.6
"""Weight of the fit against plain nearness."""
_RIDGE = 0.3
_TOP_WEIGHTS = (0.7, 0.2, 0.1)
_CONCEPT_WEIGHT = 1.5
_UNKNOWN = "<word>"


class ExampleIndex:
    """Nearest annotated requests.

    Args:
        examples: What to compare with.
        language: Their language.
        embedder: Gives sentence vectors for English; None compares by patterns only.
    """

    def __init__(
        self, examples: Sequence[Example], language: Language, embedder: Embedder | None = None
    ) -> None:
        import numpy as np

        self.examples = tuple(examples)
        self.labels: tuple[Label, ...] = tuple(dict.fromkeys(e.label for e in self.examples))
        self._language = language
        self._embedder = embedder if language == "en" else None
        documents = [_words(e.text, language) for e in self.examples]
        seen: dict[str, set[int]] = {}
        for words, example in zip(documents, self.examples, strict=True):
            for word in words:
                seen.setdefault(word, set()).add(example.source)
        self._known = {word for word, sources in seen.items() if len(sources) > 1}
        bags = [self._features(e.text) for e in self.examples]
        frequency = Counter(feature for bag in bags for feature in bag)
        self._columns = {feature: n for n, feature in enumerate(sorted(frequency))}
        self._idf = {
            feature: math.log((1 + len(bags)) / (0.5 + count))
            for feature, count in frequency.items()
        }
        self._lexical = np.stack([self._vector(bag) for bag in bags])
        self._dense = (
            self._embedder.embed([e.text for e in self.examples]) if self._embedder else None
        )
        self._targets = np.array(
            [[float(e.label == label) for label in self.labels] for e in self.examples]
        )
        self._fitted: tuple[bytes, NDArray[np.float64]] | None = None
        self._rows = {
            label: np.array([n for n, e in enumerate(self.examples) if e.label == label])
            for label in self.labels
        }

    def similarities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Compare texts with every example.

        Args:
            texts: Masked requests or clauses.

        Returns:
            Array of shape (texts, examples), 0 to about 1.
        """
        import numpy as np

        lexical = np.stack([self._vector(self._features(t)) for t in texts])
        dense = self._embedder.embed(list(texts)) if self._embedder else None
        return self._kernel(lexical, dense)

    def scores(
        self,
        texts: Sequence[str],
        pieces: Sequence[int] | None = None,
        *,
        without_source: int | None = None,
    ) -> list[dict[Label, float]]:
        """Tell how much each text asks for each sequence of tools.

        Args:
            texts: Masked requests or clauses.
            pieces: Number of clauses in each text; 1 if absent.
            without_source: Leave the examples of this line out, for leave-one-out measurements.

        Returns:
            One mapping per text: sequence of tools -> how strongly its examples speak for it.
        """
        import numpy as np

        likeness = self.similarities(texts)
        kept = np.array([e.source != without_source for e in self.examples])
        likeness[:, ~kept] = 0.0
        fitted = likeness @ self._weights(kept)
        allowed = np.array([e.pieces for e in self.examples])
        results: list[dict[Label, float]] = []
        for n, row in enumerate(likeness):
            row = np.where(allowed <= (pieces[n] if pieces else 1), row, 0.0)
            result: dict[Label, float] = {}
            for column, label in enumerate(self.labels):
                best = np.sort(row[self._rows[label]])[::-1][: len(_TOP_WEIGHTS)]
                weights = np.array(_TOP_WEIGHTS[: len(best)])
                near = float(best @ weights / weights.sum())
                if near > 0:
                    result[label] = near * (1 - _FIT_SHARE) + _FIT_SHARE * float(fitted[n, column])
            results.append(result)
        return results

    def foreign_share(self, text: str) -> float:
        """Return the share of a text's words that no two annotated requests use, 0 to 1."""
        words = _words(text, self._language)
        return sum(w not in self._known for w in words) / max(1, len(words))

    def _kernel(
        self, lexical: NDArray[np.float32], dense: NDArray[np.float32] | None
    ) -> NDArray[np.float64]:
        import numpy as np

        likeness = (lexical @ self._lexical.T).astype(np.float64)
        if dense is None or self._dense is None:
            return likeness
        share = _LEXICAL_SHARE
        return share * likeness + (1 - share) * (dense @ self._dense.T)

    def _weights(self, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Fit the labels to the examples (kernel ridge regression).

        Nearness alone lets one odd example decide; the fit learns which words decide.
        """
        import numpy as np

        key = kept.tobytes()
        if self._fitted is None or self._fitted[0] != key:
            gram = self._kernel(self._lexical, self._dense)[np.ix_(kept, kept)]
            targets = np.stack([self._targets[n] for n in np.flatnonzero(kept)])
            solved = np.linalg.solve(gram + _RIDGE * np.eye(len(gram)), targets)
            full = np.zeros_like(self._targets)
            full[kept] = solved
            self._fitted = (key, full)
        return self._fitted[1]

    def _features(self, text: str) -> Counter[str]:
        words = _words(text, self._language)
        plain = [w if w in self._known else _UNKNOWN for w in words]
        bag = Counter(f"w:{w}" for w in set(plain) if w != _UNKNOWN)
        bag.update({f"k:{concept}": 1 for concept in concepts(text, self._language)})
        # A long question about anything is mostly unknown words: that is telling too.
        bag["unknown"] = min(3, plain.count(_UNKNOWN))
        bag.update(f"b:{a} {b}" for a, b in pairwise(plain))
        bag.update([f"^{' '.join(plain[:1])}", f"^{' '.join(plain[:2])}", f"${plain[-1:]}"])
        stripped = normalise_width(text).rstrip().lower()
        bag["?"] = int(stripped.endswith("?"))
        if self._language == "zh":
            characters = "".join(ch for ch in stripped if "\u4e00" <= ch <= "\u9fff")
            bag.update(f"c:{characters[n : n + 1]}" for n in range(len(characters)))
        return +bag

    def _vector(self, bag: Counter[str]) -> NDArray[np.float32]:
        import numpy as np

        vector = np.zeros(len(self._columns), dtype=np.float32)
        outside = 0.0
        for feature, count in bag.items():
            weight = self._idf.get(feature, 0.0) * math.sqrt(count) * _weight(feature)
            if feature in self._columns:
                vector[self._columns[feature]] = weight
            elif feature.startswith("c:"):
                outside += 1.0
        norm = math.sqrt(float(vector @ vector) + outside)
        return vector / norm if norm else vector


def _weight(feature: str) -> float:
    return {"b:": 0.5, "c:": 0.5, "k:": _CONCEPT_WEIGHT}.get(
        feature[:2], 0.7 if feature[0] in "^$" else 1.0
    )


def _words(text: str, language: Language) -> list[str]:
    tokens = tokenize(text, language)
    if language == "zh":
        return [t for t in tokens if t.strip()]
    # "tuned", "tuning" and "tune" ask for the same thing.
    return [_stem(t) for t in tokens]


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "sl" else word
