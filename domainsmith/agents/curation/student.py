"""What the student gets wrong: questions with exact answers, from memory and over the passage."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from domainsmith.chains.facts import CONTEXT_TOKENS, Fact
from domainsmith.data_connection.overlap import squeeze
from domainsmith.model_io.generation import GenerationRequest, Generator, Scorer
from domainsmith.model_io.messages import format_context, qa_messages
from domainsmith.records import Language, Passage, canonical_json, content_hash
from domainsmith.storage.atomic import append_line, read_lines
from domainsmith.training.metrics import token_f1

__all__ = ["Examined", "Examiner", "Probe", "probe_of", "weakness_by"]

_NEW_TOKENS = 40
_BLOCK = 16
"""Questions asked at once and logged as one line."""
_LIKELY_SHARE = 0.2
"""Weight of how unlikely the exact answer is against how wrong the given one is."""
_PRIOR = 1.5
"""Questions that the mean of all weighs as, in the mean of a section."""


@dataclass(frozen=True)
class Probe:
    """A question whose exact answer is known.

    Args:
        question: The question.
        answer: Words of the passage, or computed from its rows.
        passage: Where it stands.
        language: Of the question.
    """

    question: str
    answer: str
    passage: Passage
    language: Language

    @property
    def key(self) -> str:
        """Identity of question, answer and place."""
        return content_hash([self.question, self.answer, self.passage.id])[:16]


@dataclass(frozen=True)
class Examined:
    """How the student did on a probe.

    Args:
        key: The probe's.
        passage: Id of its passage.
        question: The question.
        closed_f1: Token F1 of the answer from memory.
        context_f1: Token F1 of the answer over the passage.
        closed_holds: Whether the answer from memory holds the exact one.
        context_holds: Whether the answer over the passage does.
        closed_likelihood: Mean log-likelihood of the exact answer from memory, nats a token.
        context_likelihood: The same over the passage.
    """

    key: str
    passage: str
    question: str
    closed_f1: float
    context_f1: float
    closed_holds: bool
    context_holds: bool
    closed_likelihood: float
    context_likelihood: float

    @property
    def weakness(self) -> float:
        """From 0 (right in both forms, and sure) to 1 (wrong in both)."""
        right = [
            1.0 if holds else f1
            for holds, f1 in (
                (self.closed_holds, self.closed_f1),
                (self.context_holds, self.context_f1),
            )
        ]
        doubt = 1 - (math.exp(self.closed_likelihood) + math.exp(self.context_likelihood)) / 2
        wrong = 1 - sum(right) / 2
        return round((1 - _LIKELY_SHARE) * wrong + _LIKELY_SHARE * doubt, 4)


def probe_of(fact: Fact) -> Probe:
    """Turn a fact into a question for the student."""
    return Probe(fact.question, fact.answer, fact.passage, fact.language)


class Examiner:
    """Asks the student, in batches, and keeps what it said.

    Args:
        generator: The student; renders the prompts too.
        scorer: The same model.
        log: Answers so far; each question is asked once.
        adapter: Name of a loaded adapter that the student answers with; None for the base.
        tell: Told (asked, of) after each batch.
    """

    def __init__(
        self,
        generator: Generator,
        scorer: Scorer,
        log: Path,
        *,
        adapter: str | None = None,
        tell: Callable[[int, int], None] = lambda asked, total: None,
    ) -> None:
        self._generator = generator
        self._scorer = scorer
        self._log = log
        self._adapter = adapter
        self._tell = tell
        self.student = adapter or generator.model_name
        """Name of the model that is asked."""
        self.results: dict[str, Examined] = {}
        for line in read_lines(log):
            for row in json.loads(line):
                self.results.setdefault(row["key"], Examined(**row))

    def ask(self, probes: Sequence[Probe]) -> list[Examined]:
        """Ask questions that were not asked before.

        Args:
            probes: Questions; each batch is on the disk before the next begins.

        Returns:
            How the student did on each of them, in order.
        """
        fresh = list({p.key: p for p in probes if p.key not in self.results}.values())
        for start in range(0, len(fresh), _BLOCK):
            rows = self._examine(fresh[start : start + _BLOCK])
            append_line(self._log, canonical_json([asdict(row) for row in rows]))
            self.results.update({row.key: row for row in rows})
            self._tell(min(start + _BLOCK, len(fresh)), len(fresh))
        return [self.results[probe.key] for probe in probes]

    def _examine(self, probes: Sequence[Probe]) -> list[Examined]:
        prompts = [prompt for probe in probes for prompt in self._prompts(probe)]
        requests = [
            GenerationRequest(prompt, max_new_tokens=_NEW_TOKENS, adapter=self._adapter)
            for prompt in prompts
        ]
        said = [""] * len(requests)
        for done in self._generator.generate(requests):
            said[done.index] = done.text.strip()
        exact = [probe.answer for probe in probes for _ in range(2)]
        levels = self._scorer.score(list(zip(prompts, exact, strict=True)), adapter=self._adapter)
        return [
            Examined(
                key=probe.key,
                passage=probe.passage.id,
                question=probe.question,
                closed_f1=round(token_f1(said[2 * at], probe.answer, probe.language), 4),
                context_f1=round(token_f1(said[2 * at + 1], probe.answer, probe.language), 4),
                closed_holds=_holds(said[2 * at], probe.answer),
                context_holds=_holds(said[2 * at + 1], probe.answer),
                closed_likelihood=round(min(0.0, levels[2 * at].mean), 4),
                context_likelihood=round(min(0.0, levels[2 * at + 1].mean), 4),
            )
            for at, probe in enumerate(probes)
        ]

    def _prompts(self, probe: Probe) -> tuple[str, str]:
        context = format_context(
            [probe.passage],
            probe.language,
            max_tokens=CONTEXT_TOKENS[probe.language],
            count=self._generator.count_tokens,
        )
        render = self._generator.render
        return (
            render(qa_messages(probe.question, language=probe.language)),
            render(qa_messages(probe.question, context=context, language=probe.language)),
        )


def _holds(said: str, answer: str) -> bool:
    """Tell whether an answer holds the exact one, white space and punctuation aside."""
    exact = squeeze(answer)
    return bool(exact) and exact in squeeze(said)


def weakness_by(
    results: Iterable[Examined], group_of: Mapping[str, str]
) -> tuple[dict[str, float], float]:
    """Average the student's weakness by group, drawn to the mean of all where few were asked.

    Args:
        results: Of all questions so far.
        group_of: Passage id to group; other passages are left out.

    Returns:
        Group to weakness, of all groups, 0 to 1; groups without a question have the mean.
        And the mean.
    """
    rows: dict[str, list[float]] = defaultdict(list)
    for result in results:
        if result.passage in group_of:
            rows[group_of[result.passage]].append(result.weakness)
    flat = [value for values in rows.values() for value in values]
    mean = sum(flat) / len(flat) if flat else 1.0
    groups = dict.fromkeys(group_of.values())
    return {
        group: round((sum(rows[group]) + _PRIOR * mean) / (len(rows[group]) + _PRIOR), 4)
        for group in groups
    }, round(mean, 4)
