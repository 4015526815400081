"""How much of the documents a set of records covers, and what it lacks.

Three views: by passage (which passages and sections have records of their own), by meaning
(which passages some record comes near to, wherever it was made) and by need (how many of the
records that size, weakness and wish ask of each section are there).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domainsmith.agents.curation.topics import group_topics
from domainsmith.data_connection.overlap import containment, plain_tokens, squeeze
from domainsmith.data_connection.sections import Section
from domainsmith.data_connection.text_space import Space
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import Passage, Record

__all__ = ["Atlas", "Coverage", "needs", "own_passage", "wanted_records"]

_QUARTILE = 0.25
"""A passage counts as reached by a record that is as near to it as three of four records are to
their own passages."""
_CONTRAST = 4.0
"""Power to which a section's weakness against the mean is raised."""
_STRONG = 2
_CONTRAST_BOUNDS = (0.4, 2.5)


def own_passage(record: Record, passages: Mapping[str, Passage]) -> str | None:
    """Return the passage that a record was made from, not the distractors beside it.

    Args:
        record: Any record with passages.
        passages: By id, of those that may be trained on.

    Returns:
        The id; None for refusals and for records of other documents.
    """
    known = [id for id in record.passage_ids if id in passages]
    if not known or is_refusal(record.output, record.language):
        return None
    if len(known) == 1:
        return known[0]
    answer = squeeze(record.output)
    holding = [id for id in known if answer and answer in squeeze(passages[id].text)]
    if len(holding) == 1:
        return holding[0]
    asked = set(plain_tokens(f"{record.instruction} {record.output}"))

    def likeness(id: str) -> float:
        return containment(asked, plain_tokens(f"{passages[id].header} {passages[id].text}"))

    return max(holding or known, key=likeness)  # of equal ones the first


Wanted = Callable[[Mapping[str, int]], Mapping[str, float]]
"""Records that each section has -> records wanted of each."""


@dataclass(frozen=True)
class Coverage:
    """What a set of records covers. Counts come with their totals.

    Args:
        records: Records that were looked at, refusals too.
        sections: (covered, all), of sections that the wish leaves in.
        passages: (covered, all): with at least one record of their own.
        reached: (reached, all): passages that a record comes near to in meaning.
        topics: (covered, all): topics of which at least half of the passages are reached.
        served: Share of the wanted records that is there, by need, 0 to 1.
        have: Records by section, of sections that have any.
    """

    records: int
    sections: tuple[int, int]
    passages: tuple[int, int]
    reached: tuple[int, int]
    topics: tuple[int, int]
    served: float
    have: Mapping[str, int] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """Return plain data for logs, without the counts of each section."""
        values = asdict(self)
        del values["have"]
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


class Atlas:
    """The documents of a curation as sections and topics, to measure records against.

    Args:
        passages: That may be trained on.
        sections: Of the passages.
        weights: Of the wish, by section; sections of weight 0 are left out.
        space: Places texts.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        sections: Sequence[Section],
        weights: Mapping[str, float],
        space: Space,
    ) -> None:
        self.by_id = {item.id: item for item in passages}
        self.titles = {item.key: item.title for item in sections}
        self.sections = [item for item in sections if weights[item.key] > 0]
        self.weights = dict(weights)
        self.section_of = {id: s.key for s in self.sections for id in s.passages}
        self.passages = [self.by_id[id] for section in self.sections for id in section.passages]
        self._space = space
        self._vectors = space.place(self.passages)
        self.topics = group_topics(self._vectors)
        self._row = {item.id: at for at, item in enumerate(self.passages)}

    def measure(self, records: Sequence[Record], wanted: Wanted) -> Coverage:
        """Measure what records cover.

        Args:
            records: Usable ones.
            wanted: Given the records that each section has, tells those wanted of it.

        Returns:
            The coverage.
        """
        own = [own_passage(record, self.by_id) for record in records]
        passages = {id for id in own if id in self.section_of}
        have = Counter(self.section_of[id] for id in own if id in self.section_of)
        reached = self._reached(records, own)
        topics = self._covered_topics(reached)
        shares = wanted(have)
        served = sum(min(float(have[key]), many) for key, many in shares.items())
        total = sum(shares.values())
        return Coverage(
            records=len(records),
            sections=(len(have), len(self.sections)),
            passages=(len(passages), len(self.passages)),
            reached=(int(reached.sum()), len(self.passages)),
            topics=topics,
            served=round(served / total, 4) if total else 1.0,
            have=dict(sorted(have.items())),
        )

    def _reached(self, records: Sequence[Record], own: Sequence[str | None]) -> NDArray[np.bool_]:
        rows = [at for at, id in enumerate(own) if id in self._row]
        if not rows:
            return np.zeros(len(self.passages), dtype=np.bool_)
        asked = [records[at] for at in rows]
        texts = [f"{record.instruction} {record.output}" for record in asked]
        vectors = self._space.embed(texts, [record.language for record in asked])
        at_home = np.array([self._row[str(own[at])] for at in rows])
        near = np.einsum("nd,nd->n", vectors, self._vectors[at_home])
        enough = float(np.quantile(near, _QUARTILE))
        best = np.full(len(self.passages), -1.0, dtype=np.float32)
        for start in range(0, len(vectors), 512):  # bounds the memory of the product
            part = self._vectors @ vectors[start : start + 512].T
            np.maximum(best, part.max(axis=1), out=best)
        found: NDArray[np.bool_] = best >= enough - 1e-6
        return found

    def _covered_topics(self, reached: NDArray[np.bool_]) -> tuple[int, int]:
        groups = np.array(self.topics, dtype=np.intp)
        if not len(groups):
            return (0, 0)
        sizes = np.bincount(groups)
        hits = np.bincount(groups, weights=reached.astype(np.float64), minlength=len(sizes))
        return (int((hits * 2 >= sizes).sum()), len(sizes))


def needs(
    sections: Sequence[Section],
    weights: Mapping[str, float],
    weakness: Mapping[str, float],
    mean: float,
) -> dict[str, float]:
    """Tell how much each section needs records.

    Args:
        sections: That are left in.
        weights: Of the wish.
        weakness: Of the student, 0 (knows it) to 1.
        mean: Weakness on average; sections that it was not asked about have it.

    Returns:
        Section key to need: size, weight, and weakness against the mean. A student that is weak
        everywhere differs little in its weakness, so small differences are made to count.
    """
    least, most = _CONTRAST_BOUNDS

    def contrast(key: str) -> float:
        ratio = weakness.get(key, mean) / mean if mean > 0 else 1.0
        return min(most, max(least, ratio**_CONTRAST))

    return {item.key: item.size * weights[item.key] * contrast(item.key) for item in sections}


def wanted_records(
    need: Mapping[str, float],
    target: int,
    *,
    have: Mapping[str, int] | None = None,
    most: Mapping[str, int] | None = None,
) -> dict[str, float]:
    """Share the records that are wanted among the sections.

    Args:
        need: Of each section.
        target: Records in all.
        have: Records that there are, by section.
        most: What sections can give at most that can give no more; the others get their rest.

    Returns:
        Section key to records wanted: one each, more in proportion to need. A section with a share
        of two or more has it before others have their one; where records do not suffice for all
        others, those that have records come first, then those of the greatest need.
    """
    bound = most or {}
    shares: dict[str, float] = {}
    open_need = {k: value for k, value in need.items() if value > 0 and bound.get(k, 1) > 0}
    left = float(target)
    while open_need:
        total = sum(open_need.values())
        wanted = _shared({key: left * n / total for key, n in open_need.items()}, have or {})
        full = [key for key in wanted if wanted[key] > bound.get(key, math.inf)]
        if not full:
            shares |= wanted
            break
        for key in full:
            shares[key] = float(bound[key])
            left -= shares[key]
            del open_need[key]
    return {key: shares[key] for key in need if key in shares}


def _shared(fair: Mapping[str, float], have: Mapping[str, int]) -> dict[str, float]:
    """Give each section at least one record, and much needed ones their fair share first."""
    least = {key: float(int(n)) if n >= _STRONG else 1.0 for key, n in fair.items()}
    total = sum(fair.values())
    rest = total - sum(least.values())
    if rest < 0:
        # What is needed far more than the rest, by a wish say, is not content with one.
        strong = {key: value for key, value in least.items() if value > 1}
        others = sorted(fair.keys() - strong, key=lambda key: (not have.get(key), -fair[key], key))
        places = round(total - sum(strong.values()))
        return strong | dict.fromkeys(others[:places], 1.0)
    lack = {key: max(0.0, n - least[key]) for key, n in fair.items()}
    scale = rest / (sum(lack.values()) or 1.0)
    return {key: least[key] + scale * lack[key] for key in fair}
