"""What is searched for a question: corrected, translated, taken apart, or asked more broadly.

Each step can be switched by itself. On ``auto`` a cheap rule proposes a step and a check decides:
words must be unknown to the collection before they are corrected, a list must not be a name of
the collection before it is taken apart, and the gate must doubt before a broader question is
asked. All questions go through each step as one batch; what was done is kept for the trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from domainsmith.chains.decompose import decompose
from domainsmith.chains.evidence import Evidence, rank_evidence
from domainsmith.chains.gate import THRESHOLD, Verdict, judge_many
from domainsmith.chains.merge import merge_evidence, merge_hits
from domainsmith.chains.other_things import about_the_same_model
from domainsmith.chains.query_options import QueryOptions
from domainsmith.chains.spelling import correct
from domainsmith.chains.split import Split
from domainsmith.chains.step_back import (
    broader_questions,
    held_terms,
    left_out_nothing_that_counts,
)
from domainsmith.chains.translate import needs_translation, translate
from domainsmith.chains.written import Writer
from domainsmith.data_connection.filters import PassageFilter
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.language import compact, detect_language
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.data_connection.split import passage_context
from domainsmith.model_io.generation import Embedder, Reranker, Scorer
from domainsmith.records import Hit, Language

__all__ = ["Found", "Search"]

_CHECKED = 3
"""Passages in which the words of a list are looked for as one name."""


@dataclass
class Found:
    """What was found for a question.

    Attributes:
        question: As asked, standing alone.
        query: What was searched; differs where spelling was corrected.
        language: Of the question.
        asked: The last question in the user's words, without what history added.
        hits: Best first; of all parts in turn where there are parts.
        evidence: Their sentences, best first; of a compound question, its parts have them.
        verdict: Whether they answer it.
        parts: The same of each part of a compound question.
        steps: What was done, by step, for the trace.
    """

    question: str
    query: str
    language: Language
    asked: str = ""
    hits: list[Hit] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    verdict: Verdict = field(default_factory=lambda: Verdict(False, 0.0, 0.0, 0.0))
    parts: tuple[Found, ...] = ()
    steps: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Search:
    """Finds passages for questions.

    Attributes:
        index: The open index.
        embedder: Its embedder.
        k: Passages a question.
        options: Which steps are taken.
        scorer: Judges readings and relevance; None leaves those checks out.
        writer: A strong model that writes queries itself, or None.
        reranker: Orders passages anew, or None.
        rerank_top: Passages that it reads.
        threshold: Of the gate.
        where: Which passages may be found; None allows all.
    """

    index: Index
    embedder: Embedder
    k: int = 5
    options: QueryOptions = field(default_factory=QueryOptions)
    scorer: Scorer | None = None
    writer: Writer | None = None
    reranker: Reranker | None = None
    rerank_top: int = 20
    threshold: float = THRESHOLD
    where: PassageFilter | None = None

    def find(self, questions: Sequence[str], asked: Sequence[str] | None = None) -> list[Found]:
        """Search for questions, as one batch, and judge what was found.

        Args:
            questions: Standing alone.
            asked: The users' own words where ``questions`` were completed from history: only
                what was asked now is taken apart.

        Returns:
            What was found for each, in order.
        """
        found = self.gather(questions, asked)
        leaves = [leaf for item in found for leaf in (item.parts or (item,))]
        self._judge(leaves)
        self._step_back(leaves)
        for item in found:
            if item.parts:
                item.verdict = max((p.verdict for p in item.parts), key=lambda v: v.score)
                item.evidence = _in_turn([part.evidence for part in item.parts])
        return found

    def gather(self, questions: Sequence[str], asked: Sequence[str] | None = None) -> list[Found]:
        """Search for questions, as one batch, without judging what was found.

        Args:
            questions: Standing alone.
            asked: See :meth:`find`.

        Returns:
            The hits for each, of its parts where it was taken apart; no evidence, no verdict.
        """
        found = [
            Found(text, text, detect_language(text), own)
            for text, own in zip(questions, asked or questions, strict=True)
        ]
        self._correct(found)
        splits = self._splits(found)
        translated = self._translations(found)
        queries = [item.query for item in found] + [text for text in translated if text]
        queries += [part for split in splits if split for part in split.parts]
        hits = iter(self._retrieve(queries))
        for item in found:
            item.hits = next(hits)
        for item, text in zip(found, translated, strict=True):
            if text:
                item.hits = merge_hits([next(hits), item.hits], self.k)
                item.steps["translate"] = {"searched": text}
        for item, split in zip(found, splits, strict=True):
            own_hits = [next(hits) for _ in split.parts] if split else []
            if split and not self._is_one_thing(split, item.hits):
                self._take_apart(item, split, own_hits)
        return found

    def _correct(self, found: Sequence[Found]) -> None:
        if self.options.spelling == "off":
            return
        texts = [item.query for item in found]
        judge = self.scorer if self.options.spelling == "auto" else None
        for item, made in zip(found, correct(texts, self.index, scorer=judge), strict=True):
            if made.changed:
                item.query = made.text
                for wrong, right in made.changed.items():
                    item.asked = item.asked.replace(wrong, right)
                item.steps["spelling"] = made.changed

    def _translations(self, found: Sequence[Found]) -> list[str]:
        texts = [""] * len(found)
        if self.options.translate == "off":
            return texts
        always = self.options.translate == "on"
        rows = [
            row
            for row, item in enumerate(found)
            if needs_translation(item.query, self.index, always=always)
        ]
        made = translate([found[row].query for row in rows], self.index, writer=self.writer)
        for row, text in zip(rows, made, strict=True):
            texts[row] = text
        return texts

    def _step_back(self, leaves: Sequence[Found]) -> None:
        """Ask the gate's doubtful questions more broadly, and judge what that finds."""
        mode = self.options.step_back
        chosen = [
            leaf
            for leaf in leaves
            if mode == "on"
            or (mode == "auto" and not leaf.verdict.answerable and not leaf.verdict.unknown_code)
        ]
        held = [
            held_terms([passage_context(hit.passage) for hit in leaf.hits], leaf.language)
            for leaf in chosen
        ]
        texts = broader_questions([leaf.query for leaf in chosen], held, writer=self.writer)
        pairs = [(leaf, text) for leaf, text in zip(chosen, texts, strict=True) if text]
        again: list[Found] = []
        for (leaf, text), hits in zip(pairs, self._retrieve([t for _, t in pairs]), strict=True):
            leaf.hits = merge_hits([hits, leaf.hits], self.k)
            leaf.steps["step_back"] = {"searched": text}
            # An answer to the broader question counts only if no name or number was left out.
            judged = text if left_out_nothing_that_counts(leaf.query, text) else leaf.query
            again.append(Found(judged, judged, leaf.language, judged, leaf.hits))
        self._judge(again)
        for (leaf, _), found in zip(pairs, again, strict=True):
            leaf.evidence, leaf.verdict = found.evidence, found.verdict

    def _splits(self, found: Sequence[Found]) -> list[Split | None]:
        if self.options.decompose == "off":
            return [None] * len(found)
        splits = decompose([item.asked for item in found], scorer=self.scorer, writer=self.writer)
        return [
            _with_history(split, item) if split else None
            for split, item in zip(splits, found, strict=True)
        ]

    def _is_one_thing(self, split: Split, hits: Sequence[Hit]) -> bool:
        """Tell whether the collection writes a list as one name."""
        if split.sure or not split.joint or self.options.decompose == "on":
            return False
        joint = compact(split.joint)
        return any(joint in compact(passage_context(hit.passage)) for hit in hits[:_CHECKED])

    def _take_apart(self, item: Found, split: Split, own: Sequence[list[Hit]]) -> None:
        item.parts = tuple(
            Found(part, part, item.language, part.removeprefix(_history(item)), hits)
            for part, hits in zip(split.parts, own, strict=True)
        )
        # Where the reading is a guess, the question as it was asked keeps a share of its own.
        lists = [*own] if split.sure else [*own, item.hits]
        item.hits = merge_hits(lists, self.k)
        item.steps["decompose"] = {"rule": split.rule, "parts": list(split.parts)}

    def _retrieve(self, queries: Sequence[str]) -> list[list[Hit]]:
        return retrieve(
            self.index,
            self.embedder,
            queries,
            k=self.k,
            reranker=self.reranker,
            rerank_top=self.rerank_top,
            where=self.where,
        )

    def _judge(self, found: Sequence[Found]) -> None:
        hits = [about_the_same_model(item.query, item.hits) for item in found]
        ranked = self._rank(found, hits)
        verdicts = judge_many(
            [item.query for item in found],
            hits,
            ranked,
            index=self.index,
            embedder=self.embedder,
            threshold=self.threshold,
        )
        for item, kept, evidence, verdict in zip(found, hits, ranked, verdicts, strict=True):
            # Where nothing is left, what was found is still shown below the refusal.
            item.hits, item.evidence, item.verdict = kept or item.hits, evidence, verdict

    def _rank(self, found: Sequence[Found], hits: Sequence[list[Hit]]) -> list[list[Evidence]]:
        """Rank sentences by what was asked now, and for a follow-up also by what it is about."""
        later = [row for row, item in enumerate(found) if item.asked != item.query]
        ranked = rank_evidence(
            [*(item.asked for item in found), *(found[row].query for row in later)],
            [*hits, *(hits[row] for row in later)],
            index=self.index,
            embedder=self.embedder,
        )
        own = ranked[: len(found)]
        for row, whole in zip(later, ranked[len(found) :], strict=True):
            own[row] = merge_evidence(own[row], whole)
        return own


def _in_turn(lists: Sequence[Sequence[Evidence]]) -> list[Evidence]:
    """Take the best sentence of each part, then the second of each."""
    rows = zip_longest(*lists)
    return [item for row in rows for item in row if item is not None]


def _history(item: Found) -> str:
    """Return what history put in front of a question."""
    return item.query.removesuffix(item.asked) if item.query != item.asked else ""


def _with_history(split: Split, item: Found) -> Split:
    front = _history(item)
    return replace(split, parts=tuple(f"{front}{part}" for part in split.parts))
