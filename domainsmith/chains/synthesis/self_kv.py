"""Self-KV: tables, records and graphs become questions whose answers are exact by construction.

Rows give look-ups, two-hop questions, comparisons and "which have"; whole tables give counts,
rankings, sums and averages, computed by code; graphs give one and two hops, back and counts. A
template words each question and the model may reword it; a wording that loses a name, a number
or a word that decides the answer is thrown away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator as Rounds
from collections.abc import Sequence
from typing import Any

from domainsmith.chains.facts import seeded
from domainsmith.chains.grade import grade
from domainsmith.chains.synthesis.kv_aggregates import aggregate_facts
from domainsmith.chains.synthesis.kv_context import (
    RowPassages,
    rows_context,
    rows_passage,
    triples_passage,
)
from domainsmith.chains.synthesis.kv_fact import KvFact
from domainsmith.chains.synthesis.kv_options import KvOptions
from domainsmith.chains.synthesis.kv_paraphrase import PROMPT, paraphrases
from domainsmith.chains.synthesis.kv_rows import TableRows
from domainsmith.chains.synthesis.kv_sources import KvSources, read_sources
from domainsmith.chains.synthesis.kv_topic import TopicRows
from domainsmith.chains.synthesis.method import DataBlock, Materials, Unit
from domainsmith.prompts import prompt_sha256
from domainsmith.records import Grade, Passage, Record

__all__ = ["SelfKv", "build"]

_SMOKE = 3
_PER_UNIT = 8
_UNITS = 8
"""Units in a round."""
_COMPUTED_PER_ROUND = 16


def build(materials: Materials) -> SelfKv:
    """Read the sources and build the method.

    Args:
        materials: With the options of :class:`~.kv_options.KvOptions`.

    Returns:
        The method.

    Raises:
        InputInvalid: Options or files break a rule; names every problem.
        InputNotFound: A file, database or table does not exist, or nothing in them speaks of the
            topic.
        InputEmpty: Nothing can be asked about.
        InputUnreadable: A file or database cannot be read.
    """
    options = KvOptions.read(materials.options)
    return SelfKv(materials, options, read_sources(options, seed=materials.seed))


class SelfKv:
    """See the module; :func:`build` makes one.

    Args:
        materials: Models, passages and seed.
        options: Limits and shares.
        sources: Tables and graphs.
    """

    name = "self_kv"
    version = 1

    def __init__(self, materials: Materials, options: KvOptions, sources: KvSources) -> None:
        self._materials, self._options, self._sources = materials, options, sources
        self.content = sources.database
        tables = sources.tables
        self._rows = [TableRows(table, tables, materials.seed) for table in tables]
        self._about = TopicRows(materials.topic, sources)
        self._computed: dict[int, list[KvFact]] = {}
        self._passages = RowPassages(materials.shown)

    def rounds(self) -> Rounds[Sequence[Unit], Sequence[DataBlock], None]:
        """Yield a smoke run, then rounds of rows, subjects and computed questions in turns."""
        pieces = list(self._pieces())
        source = seeded(self._materials.seed, "kv order")
        source.shuffle(pieces)
        computed = [
            (at, number)
            for at in range(len(self._sources.tables))
            for number in range(len(self._all_computed(at)))
        ]
        source.shuffle(computed)
        first = pieces[0]
        smoke = {**first, "stop": min(first["start"] + _SMOKE, first["stop"])}
        yield [Unit("smoke", smoke), Unit("smoke computed", {"computed": computed[:_SMOKE]})]
        pieces[0] = {**first, "start": smoke["stop"]}
        computed = computed[_SMOKE:]
        for number in range(0, max(len(pieces), 1), _UNITS):
            units = [
                Unit(f"rows {number + at}", piece)
                for at, piece in enumerate(pieces[number : number + _UNITS])
                if piece["start"] < piece["stop"]
            ]
            share = computed[:_COMPUTED_PER_ROUND]
            computed = computed[_COMPUTED_PER_ROUND:]
            for at in range(0, len(share), _PER_UNIT):
                payload = {"computed": [list(pair) for pair in share[at : at + _PER_UNIT]]}
                units.append(Unit(f"computed {number + at}", payload))
            if units:
                yield units
        for at in range(0, len(computed), _PER_UNIT):
            payload = {"computed": [list(pair) for pair in computed[at : at + _PER_UNIT]]}
            yield [Unit(f"more computed {at}", payload)]

    def block(self, unit: Unit) -> DataBlock:
        """Ask about the rows, subjects or computed questions of a unit."""
        block = DataBlock(unit.key)
        asked = list(self._asked(unit.payload))
        block.counts["rows"] = unit.payload.get("stop", 0) - unit.payload.get("start", 0)
        if unit.key == "smoke":
            block.dropped.update(self._sources.dropped)
        block.counts["questions"] = len(asked)
        made = self._reworded(asked, block)
        records = [record for item in made for record in self._records(*item, block)]
        block.items = list(records)
        block.counts.update(Counter(record.method for record in records))
        return block

    def _pieces(self) -> list[dict[str, Any]]:
        """Return ranges of rows and of subjects."""
        found = []
        sizes = [("table", len(rows)) for rows in self._about.tables]
        sizes += [("graph", len(subjects)) for subjects in self._about.graphs]
        places = Counter[str]()
        for kind, size in sizes:
            for start in range(0, size, _PER_UNIT):
                stop = min(start + _PER_UNIT, size)
                found.append({"kind": kind, "at": places[kind], "start": start, "stop": stop})
            places[kind] += 1
        # A piece of a graph pivot would ask again what the graph asks; it only computes.
        return [
            piece
            for piece in found
            if piece["kind"] == "graph" or piece["at"] not in self._sources.pivots
        ]

    def _all_computed(self, at: int) -> list[KvFact]:
        if at not in self._computed:
            facts = aggregate_facts(self._sources.tables[at]) if at in self._about.whole else []
            if at in self._sources.pivots:
                for row in self._about.tables[at]:
                    asked = self._rows[at].facts(row, most=self._options.per_row)
                    facts += [fact for fact in asked if fact.kind == "compare"]
            self._computed[at] = facts
        return self._computed[at]

    def _asked(self, payload: dict[str, Any]) -> list[tuple[str, int, KvFact]]:
        """Return facts with the kind and number of their source."""
        if "computed" in payload:
            return [("table", at, self._all_computed(at)[n]) for at, n in payload["computed"]]
        at, most = payload["at"], self._options.per_row
        found = []
        for place in range(payload["start"], payload["stop"]):
            if payload["kind"] == "table":
                facts = self._rows[at].facts(self._about.tables[at][place], most=most)
            else:
                subject = self._about.graphs[at][place]
                facts = self._sources.graphs[at].facts(subject, most=most)
            found += [(payload["kind"], at, fact) for fact in facts]
        return found

    def _reworded(
        self, asked: Sequence[tuple[str, int, KvFact]], block: DataBlock
    ) -> list[tuple[str, int, KvFact, str]]:
        """Let the model reword some questions; "" marks those that it did not."""
        wanted = [
            number
            for number, (_, _, fact) in enumerate(asked)
            if fact.language in self._options.paraphrase_languages
            and seeded(self._materials.seed, "reword", fact.question).random()
            < self._options.paraphrase_share
        ]
        facts = [asked[number][2] for number in wanted]
        found = paraphrases(
            facts,
            self._materials.generator,
            self._materials.scorer,
            counts=block.counts,
            dropped=block.dropped,
        )
        block.counts["reworded"] = sum(1 for text in found if text)
        texts = dict(zip(wanted, found, strict=True))
        return [(*item, texts.get(number, "")) for number, item in enumerate(asked)]

    def _records(
        self, kind: str, at: int, fact: KvFact, reworded: str, block: DataBlock
    ) -> list[Record]:
        source = seeded(self._materials.seed, "kv context", fact.question)
        passages = self._shown(kind, at, fact, source)
        count = self._materials.generator.count_tokens
        context = rows_context(passages, fact.language, count) if passages else ""
        if not context:
            block.dropped["context: too many rows to show"] += 1
        made = [self._record(kind, at, fact, reworded, context)] if context else []
        if not context or source.random() < self._options.closed_share:
            made.append(self._record(kind, at, fact, reworded, ""))
        return [_graded(record, passages) for record in made]

    def _shown(self, kind: str, at: int, fact: KvFact, source: Any) -> list[Passage]:
        if kind == "graph":
            graph = self._sources.graphs[at]
            return [triples_passage(graph.triples, fact, source, self._sources.graph_names[at])]
        first = rows_passage(self._sources.tables[at], fact, source)
        if first is None:
            return []
        if fact.plan[0] != "joined":
            return [first]
        other = next(t for t in self._sources.tables if t.data.name == fact.plan[3])
        far = KvFact(
            "lookup", "", "", fact.language, (), (fact.plan[4],), (fact.plan[5],), ("lookup",)
        )
        second = rows_passage(other, far, source)
        return [first, second] if second is not None else []

    def _record(self, kind: str, at: int, fact: KvFact, reworded: str, context: str) -> Record:
        ids: tuple[str, ...] = ()
        if kind == "table":
            table = self._sources.tables[at]
            shown = [table.rows[row] for row in fact.rows[:20]]
            ids = self._passages.of(table.data.source, shown)
        return Record(
            instruction=reworded or fact.question,
            input=context,
            output=fact.answer,
            language=fact.language,
            method=f"{self.name}/{fact.kind}",
            passage_ids=ids,
            model=self._materials.generator.model_name if reworded else "code",
            prompt_sha256=prompt_sha256(PROMPT, fact.language) if reworded else "",
            seed=self._materials.seed,
        )


def _graded(record: Record, passages: Sequence[Passage]) -> Record:
    """Grade a record; that its answer is grounded is known, since code read or computed it."""
    sure = Grade(grader="grounding", score=1.0, passed=True, reason="read or computed by code")
    grades = tuple(sure if item.grader == "grounding" else item for item in grade(record, passages))
    return record.model_copy(update={"grades": grades})
