"""From a request to a plan: nearest annotated requests, then the best consistent choice.

The request is cut into clauses. Every way of grouping neighbouring clauses is scored: each
group by the likeness of its nearest annotated requests to it, whose sequences of tools are the
candidates. Groups, candidates and literal arguments that fit together best win. Nothing here
knows any particular request, and nothing is read but the user's own words: documents and
results cannot add a step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from domainsmith.agents.annotated import Label, load_examples
from domainsmith.agents.arguments import copy_arguments, looks_like_question, narrowed_tool
from domainsmith.agents.assemble import Draft, assemble
from domainsmith.agents.clause_groups import ANSWER, joined_questions, merge_price, question_bonus
from domainsmith.agents.clauses import clauses
from domainsmith.agents.examples import ExampleIndex
from domainsmith.agents.replies import replied_value
from domainsmith.agents.spans import Span, find_spans, mask
from domainsmith.data_connection.language import detect_language
from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.records import Language, Plan

if TYPE_CHECKING:
    from domainsmith.model_io.generation import Embedder
    from domainsmith.tools.tool import Tool

__all__ = ["Candidate", "Planner"]

_GROUP_PENALTY = 0.05
"""Likeness that one more group must gain."""
_UNUSED_PENALTY = {
    "path": 0.25,
    "id": 0.25,
    "epochs": 0.12,
    "port": 0.12,
    "quote": 0.05,
    "count": 0.08,
}
_MISSING_PENALTY = 0.12
_LABELS_PER_GROUP = 4
_BEAM = 24
_FLOOR = 0.22
"""Below this likeness the request is taken for none of ours."""


@dataclass(frozen=True)
class Candidate:
    """One reading of a request.

    Args:
        drafts: Steps with their arguments, in the order of the words.
        score: Likeness less penalties; higher is better.
        likeness: How much the request resembles the annotated ones, 0 to about 1.
    """

    drafts: tuple[Draft, ...]
    score: float
    likeness: float = 0.0


@dataclass(frozen=True)
class _Partial:
    groups: tuple[tuple[int, int, Label], ...]
    total: float


class Planner:
    """Turns requests into plans.

    Args:
        tools: The tools by name.
        embedder: For English likeness; None compares by patterns only.
        there: Tells the names of folders and files that a request may name by a plain word.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool[Any]],
        embedder: Callable[[], Embedder] | None = None,
        there: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self.tools = tools
        self._there = there
        self._load_embedder = embedder
        self._indexes: dict[Language, ExampleIndex] = {}

    def index(self, language: Language) -> ExampleIndex:
        """Return the examples of a language, ready to compare with."""
        if language not in self._indexes:
            needs_vectors = language == "en" and self._load_embedder is not None
            embedder = self._load_embedder() if needs_vectors and self._load_embedder else None
            self._indexes[language] = ExampleIndex(load_examples(language), language, embedder)
        return self._indexes[language]

    def plan(
        self, request: str, *, language: Language | None = None, without_source: int | None = None
    ) -> Plan:
        """Plan a request.

        Args:
            request: The user's words.
            language: Their language; detected if None.
            without_source: Leave one example out, for measurements.

        Returns:
            The plan. No steps and no question: none of the tools serves the request. A question
            and no steps: an argument is missing.
        """
        language = language or detect_language(request)
        request = request.strip()
        ranked = self.candidates(request, language, without_source=without_source)
        return assemble(request, ranked[0].drafts, ranked[0].likeness, self.tools, language)

    def plan_reply(self, asked: str, reply: str, *, language: Language | None = None) -> Plan:
        """Plan a request with the answer to what was asked back about it.

        Args:
            asked: The request that lacked something.
            reply: What the user said then: what lacked, or something else altogether.
            language: The request's language; detected if None.

        Returns:
            The plan of the request with the reply in it, or that of the reply alone.
        """
        language = language or detect_language(asked)
        own = self.plan(reply)
        drafts = self.candidates(asked.strip(), language)[0].drafts
        for place, draft in enumerate(drafts):
            for name in self.tools[draft.tool].required_arguments:
                if name in dict(draft.arguments):
                    continue
                spans = find_spans(reply, language, self._there())
                value, only = replied_value(name, reply, spans, self._there())
                if value is None or (own.steps and not only):
                    return own
                filled = replace(draft, arguments=(*draft.arguments, (name, value)))
                drafts = (*drafts[:place], filled, *drafts[place + 1 :])
                return assemble(f"{asked}: {reply}", drafts, own.confidence, self.tools, language)
        return own

    def candidates(
        self, request: str, language: Language, *, without_source: int | None = None
    ) -> list[Candidate]:
        """Return the readings of a request, best first.

        Args:
            request: The user's words.
            language: Their language.
            without_source: Leave one example out, for measurements.

        Returns:
            At least one reading.
        """
        spans = find_spans(request, language, self._there())
        plain = simplified(request)  # same length: offsets stay
        pieces = clauses(plain, spans, language)
        partials = self._groupings(plain, spans, pieces, language, without_source)
        found: dict[tuple[Draft, ...], Candidate] = {}
        for partial in partials:
            candidate = self._fill(request, spans, partial, language)
            known = found.get(candidate.drafts)
            if known is None or candidate.score > known.score:
                found[candidate.drafts] = candidate
        ranked = sorted(found.values(), key=lambda c: (-c.score, len(c.drafts), str(c.drafts)))
        if ranked[0].likeness < _FLOOR:
            is_question = looks_like_question(plain, language)
            label: Label = ("answer_question",) if is_question else ()
            whole = _Partial(((0, len(request), label),), ranked[0].score)
            ranked.insert(0, self._fill(request, spans, whole, language))
        return ranked

    def _groupings(
        self,
        request: str,
        spans: list[Span],
        pieces: Sequence[tuple[int, int]],
        language: Language,
        without_source: int | None,
    ) -> list[_Partial]:
        """Search the ways to group clauses, keeping the best few at every joint."""
        count = len(pieces)
        ranges = [(a, b) for a in range(count) for b in range(a, count)]
        texts = [mask(request, spans, pieces[a][0], pieces[b][1]) for a, b in ranges]
        sizes_in_clauses = [b - a + 1 for a, b in ranges]
        index = self.index(language)
        rows = index.scores(texts, sizes_in_clauses, without_source=without_source)
        sizes = [max(1, end - start) ** 0.5 for start, end in pieces]
        everything = sum(sizes)
        beams: list[list[_Partial]] = [[_Partial((), 0.0)], *([] for _ in pieces)]
        for (a, b), row in zip(ranges, rows, strict=True):
            start, end = pieces[a][0], pieces[b][1]
            bonus = question_bonus(request[start:end], spans, start, end, index, language)
            row[ANSWER] = row.get(ANSWER, 0.0) + bonus
            best = sorted(row, key=lambda label: (-row[label], label))[:_LABELS_PER_GROUP]
            share = sum(sizes[a : b + 1]) / everything
            for partial in beams[a]:
                cost = _GROUP_PENALTY if partial.groups else 0.0
                beams[b + 1] += [
                    _Partial(
                        (*partial.groups, (start, end, label)),
                        partial.total + share * row[label] - cost - merge_price(label, b - a),
                    )
                    for label in best
                ]
            # Ranges come in the order of their first clause, so beams[a + 1] is complete
            # once every range that begins at or before ``a`` was seen.
            if b == count - 1:
                beams[a + 1] = sorted(beams[a + 1], key=lambda p: -p.total)[:_BEAM]
        return beams[count]

    def _fill(
        self, request: str, spans: list[Span], partial: _Partial, language: Language
    ) -> Candidate:
        """Give every step its arguments; score what is left over or missing."""
        free = set(spans)
        drafts: list[Draft] = []
        score = partial.total
        for start, end, label in joined_questions(request, partial.groups):
            for tool in (narrowed_tool(tool, request[start:end]) for tool in label):
                for arguments, used in copy_arguments(
                    tool, request, start, end, sorted(free, key=lambda s: s.start), language
                ):
                    free -= used
                    drafts.append(Draft(tool, tuple(arguments.items()), start))
        drafts, free = self._lend(drafts, free)
        for draft in drafts:
            names = dict(draft.arguments)
            missing = [n for n in self.tools[draft.tool].required_arguments if n not in names]
            score -= _MISSING_PENALTY * len(missing)
        score -= sum(_UNUSED_PENALTY[span.kind] for span in free)
        return Candidate(tuple(drafts), score, partial.total)

    def _lend(self, drafts: list[Draft], free: set[Span]) -> tuple[list[Draft], set[Span]]:
        """Give a path or id that no step used to the one step that lacks it."""
        takes = {"path": "path", "id": "id"}
        for span in sorted(free, key=lambda s: s.start):
            name = takes.get(span.kind)
            lacking = [
                n
                for n, d in enumerate(drafts)
                if name in self.tools[d.tool].required_arguments and name not in dict(d.arguments)
            ]
            if name is not None and len(lacking) == 1:
                n = lacking[0]
                drafts[n] = replace(drafts[n], arguments=((name, span.value),))
                free = free - {span}
        return drafts, free
