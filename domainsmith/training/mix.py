"""A general mix: general instructions beside those of the domain, so that nothing is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from domainsmith.data_connection.overlap import squeeze
from domainsmith.errors import InputInvalid
from domainsmith.records import Question, Record, content_hash
from domainsmith.training.general_set import BadLine, GeneralSet
from domainsmith.training.select.leakage import leakage_reasons

__all__ = ["Mix", "MixReport", "mix_general"]

_CHUNK = 64


@dataclass(frozen=True)
class MixReport:
    """What a mix holds.

    Args:
        asked: Share of general tokens that was asked for, 0 to below 1.
        reached: Share that was reached.
        domain_tokens: Tokens of the domain's records.
        general_tokens: Tokens of the general ones.
        domain_records: Their number.
        general_records: Their number.
        languages: General tokens by language.
        wanted: The same as it was asked for; less was reached where the set holds no more.
        dropped: Of the general set: ``bad line``, ``leakage RULE``, ``exact copy``, ``too long``,
            ``masked`` and so on, with their numbers; what was simply not needed does not count.
        bad: Every bad line of the set.
    """

    asked: float
    reached: float
    domain_tokens: int
    general_tokens: int
    domain_records: int
    general_records: int
    languages: dict[str, int] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    bad: tuple[BadLine, ...] = ()

    def card(self) -> dict[str, Any]:
        """Return plain data for a dataset's card."""
        return asdict(self)


@dataclass(frozen=True)
class Mix:
    """Records to train on, general ones spread evenly among the others.

    Args:
        records: In the order of training.
        report: What they are.
    """

    records: tuple[Record, ...]
    report: MixReport


def mix_general(
    records: Sequence[Record],
    general: GeneralSet,
    *,
    share: float,
    count_tokens: Callable[[Record], int],
    seed: int,
    questions: Sequence[Question] = (),
    held_out_texts: Sequence[str] = (),
    max_tokens: int = 0,
    admit: Callable[[Record], Record | None] | None = None,
) -> Mix:
    """Blend general instructions into the records of a domain.

    General records are drawn in an order that depends on the seed and on each record alone, each
    language for itself: the languages of the domain's records get general tokens in proportion
    to their own. The last record of a language is taken if that comes closer to the share.

    Args:
        records: The domain's; all are kept, in order.
        general: From :func:`~domainsmith.training.general_set.read_general_set`.
        share: Of general tokens among all tokens, 0 to below 1.
        count_tokens: Tokens of a record as it is trained on.
        seed: Of the draw.
        questions: Test questions; general records that leak one are dropped, by the rules of the
            selection.
        held_out_texts: Passages that hold gold answers.
        max_tokens: Longer general records are dropped; 0 for no bound.
        admit: Grades or cleans a general record; None for one that may not be used.

    Returns:
        The mix and what was reached, which is less than was asked where the set is too small.

    Raises:
        InputInvalid: The share is not in its range, or there are no records.
    """
    if not 0 <= share < 1:
        raise InputInvalid(f"The share of general tokens is {share}, must be 0 to below 1")
    if not records:
        raise InputInvalid("There are no records to mix with", fix="Generate training data first.")
    own: Counter[str] = Counter()
    for record in records:
        own[record.language] += count_tokens(record)
    draw = _Draw(general, records, count_tokens, seed, questions, held_out_texts, max_tokens, admit)
    wanted = {language: own[language] * share / (1 - share) for language in sorted(own)}
    chosen = [item for language in wanted for item in draw.take(language, wanted[language])]
    domain, added = sum(own.values()), sum(draw.tokens.values())
    report = MixReport(
        asked=share,
        reached=round(added / (domain + added), 4) if domain + added else 0.0,
        domain_tokens=domain,
        general_tokens=added,
        domain_records=len(records),
        general_records=len(chosen),
        languages=dict(sorted(draw.tokens.items())),
        wanted={language: round(tokens) for language, tokens in wanted.items()},
        dropped=dict(sorted(draw.dropped.items())),
        bad=general.bad,
    )
    return Mix(tuple(_interleaved(records, chosen, seed)), report)


class _Draw:
    """Draws general records, language by language."""

    def __init__(
        self,
        general: GeneralSet,
        records: Sequence[Record],
        count_tokens: Callable[[Record], int],
        seed: int,
        questions: Sequence[Question],
        held_out_texts: Sequence[str],
        max_tokens: int,
        admit: Callable[[Record], Record | None] | None,
    ) -> None:
        self._ordered = sorted(general.records, key=lambda item: content_hash([seed, item.id]))
        self._seen = {squeeze(record.instruction) for record in records}
        self._count = count_tokens
        self._questions = questions
        self._held_out = held_out_texts
        self._most = max_tokens
        self._admit = admit
        self.tokens: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        if general.bad:
            self.dropped["bad line"] = len(general.bad)

    def take(self, language: str, wanted: float) -> list[Record]:
        """Take records of a language until the tokens are as near to the wanted ones as can be."""
        queue = [record for record in self._ordered if record.language == language]
        chosen: list[Record] = []
        total = 0
        if not wanted:
            return chosen
        for start in range(0, len(queue), _CHUNK):
            for record in self._usable(queue[start : start + _CHUNK]):
                tokens = self._count(record)
                if self._most and tokens > self._most:
                    self.dropped["too long"] += 1
                    continue
                if total + tokens - wanted > wanted - total:
                    return chosen
                total += tokens
                self.tokens[language] += tokens
                chosen.append(record)
        return chosen

    def _usable(self, records: Sequence[Record]) -> list[Record]:
        reasons = leakage_reasons(records, questions=self._questions, held_out_texts=self._held_out)
        usable = []
        for record, reason in zip(records, reasons, strict=True):
            key = squeeze(record.instruction)
            if reason is not None:
                self.dropped[f"leakage {reason.split(':')[0]}"] += 1
            elif key in self._seen:
                self.dropped["exact copy"] += 1
            elif (admitted := self._admit(record) if self._admit else record) is None:
                self.dropped["graded bad"] += 1
            else:
                self._seen.add(key)
                usable.append(admitted)
        return usable


def _interleaved(records: Sequence[Record], general: Sequence[Record], seed: int) -> list[Record]:
    """Spread the general records evenly among the others, whose order stays."""
    mixed = sorted(general, key=lambda item: content_hash([seed, "place", item.id]))
    placed = [((at + 0.5) / len(records), 0, at, item) for at, item in enumerate(records)]
    placed += [((at + 0.5) / len(mixed), 1, at, item) for at, item in enumerate(mixed)]
    return [item for *_, item in sorted(placed, key=lambda entry: entry[:3])]
