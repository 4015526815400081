"""Questions about a knowledge graph: one and two hops, back again, and how many.

A graph may hold cycles. A second hop is asked only from a bridge that is the one object of its
relation, and never if it leads back to where the question began or to the bridge itself. All
objects are answered, or none is asked for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from domainsmith.chains.amounts import parse_amount, parse_date
from domainsmith.chains.facts import seeded
from domainsmith.chains.synthesis.kv_fact import KvFact, finished
from domainsmith.chains.synthesis.kv_relation import Relation, relation
from domainsmith.chains.synthesis.kv_words import kv_words
from domainsmith.data_connection.tables import DataTable
from domainsmith.records import Language, Triple

__all__ = ["Graph"]

_MAX_ANSWERS = 6
_LEAST_PIVOT = 3
_SAME = re.compile(r"synonym|alias|known|same|equivalent|similar|同义|别名|又名|简称", re.I)


class Graph:
    """A knowledge graph and its questions.

    Args:
        triples: Each once; order decides the order of answers.
        whole: All triples are here, so "how many" and "which all" may be asked.
        seed: Of all choices.
        language: Of the questions; None takes each triple's own.
    """

    def __init__(
        self, triples: Sequence[Triple], *, whole: bool, seed: int, language: Language | None
    ) -> None:
        self.triples = _one_spelling(triples)
        self._whole, self._seed, self._language = whole, seed, language
        self._out: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._back: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, item in enumerate(self.triples):
            self._out[item.subject][item.relation].append(at)
            self._back[item.object, item.relation].append(at)
        self.subjects = tuple(self._out)

    def facts(self, subject: str, *, most: int) -> list[KvFact]:
        """Ask about a subject.

        Args:
            subject: Its name.
            most: Most questions; of each kind one before a second of any.

        Returns:
            Different facts, in a random but fixed order; the first is a plain one.
        """
        source = seeded(self._seed, "kv graph", subject)
        kinds = [
            list(self._lookups(subject)),
            list(self._hops(subject)),
            list(self._reversals(subject)),
            list(self._counts(subject)),
        ]
        for made in kinds:
            source.shuffle(made)
        turns = [made[turn] for turn in range(most) for made in kinds if turn < len(made)]
        return turns[:most]

    def pivots(self) -> list[DataTable]:
        """Return tables of the relations that say one number or date of each subject.

        Returns:
            One table a relation with at least three subjects; comparisons and rankings of its
            values are made as for any table.
        """
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        plural: set[str] = set()
        for subject, relations in self._out.items():
            for name, places in relations.items():
                value = self.triples[places[0]].object
                if len(places) > 1 or not (parse_amount(value) or parse_date(value)):
                    plural.add(name)
                found[name].append((subject, value))
        tables = []
        for name, rows in found.items():
            if name not in plural and len(rows) >= _LEAST_PIVOT:
                heads = (_subject_head(rows), self._relation(name, rows).words)
                tables.append(DataTable(name, name, heads, tuple(rows), self._whole))
        return tables

    def _relation(self, name: str, rows: Sequence[tuple[str, str]]) -> Relation:
        places = self._out[rows[0][0]][name]
        return self._worded(self.triples[places[0]])

    def _worded(self, item: Triple) -> Relation:
        return relation(item.relation, self._language or item.language)

    def _objects(self, subject: str, name: str) -> list[str]:
        return [self.triples[at].object for at in self._out[subject][name]]

    def _lookups(self, subject: str) -> Iterator[KvFact]:
        for name, places in self._out[subject].items():
            objects = self._objects(subject, name)
            if len(objects) > _MAX_ANSWERS or (len(objects) > 1 and not self._whole):
                continue
            worded = self._worded(self.triples[places[0]])
            asked = worded.ask(subject, len(objects), number=_numbers(objects))
            plan = ("objects", subject, name)
            yield self._fact("lookup", asked, objects, worded, (subject,), places, plan)

    def _hops(self, subject: str) -> Iterator[KvFact]:
        for first, places in self._out[subject].items():
            if len(places) != 1:
                continue  # the bridge must be one thing
            bridge = self.triples[places[0]].object
            for second, onward in self._out.get(bridge, {}).items():
                if first == second and _SAME.search(first):
                    continue
                ends = self._objects(bridge, second)
                back = {subject, bridge} & set(ends)
                if back or len(ends) > _MAX_ANSWERS or (len(ends) > 1 and not self._whole):
                    continue
                near = self._worded(self.triples[places[0]])
                far = self._worded(self.triples[onward[0]])
                if near.language != far.language:
                    continue
                asked = far.ask(near.phrase(subject), len(ends), number=_numbers(ends))
                plan = ("two_hop", subject, first, second)
                rows = [*places, *onward]
                yield self._fact("two_hop", asked, ends, far, (subject,), rows, plan)

    def _reversals(self, subject: str) -> Iterator[KvFact]:
        if not self._whole:
            return
        for name, places in self._out[subject].items():
            for at in places:
                thing = self.triples[at].object
                holders = self._back[thing, name]
                if parse_amount(thing) or parse_date(thing):
                    continue
                if len(holders) > _MAX_ANSWERS or holders[0] != at:
                    continue  # asked once, about the first of them
                worded = self._worded(self.triples[at])
                names = [self.triples[place].subject for place in holders]
                asked = worded.ask_back(thing, len(names))
                plan = ("subjects", name, thing)
                yield self._fact("reverse", asked, names, worded, (thing,), holders, plan)

    def _counts(self, subject: str) -> Iterator[KvFact]:
        if not self._whole:
            return
        for name, places in self._out[subject].items():
            worded = self._worded(self.triples[places[0]])
            if len(places) < 2 or worded.form != "noun":
                continue
            objects = self._objects(subject, name)
            few = objects if len(objects) <= _MAX_ANSWERS - 1 else []
            answer = kv_words(worded.language).counted(len(objects), few)
            asked = worded.ask_number(subject)
            plan = ("count", subject, name)
            yield self._fact("count", asked, [answer], worded, (subject,), places, plan)

    def _fact(
        self,
        kind: str,
        asked: str,
        answers: Sequence[str],
        worded: Relation,
        keys: tuple[str, ...],
        places: Sequence[int],
        plan: tuple[object, ...],
    ) -> KvFact:
        language = worded.language
        answer = finished(kv_words(language).listing(answers), language)
        return KvFact(kind, asked, answer, language, keys, tuple(places), (), plan)


def _one_spelling(triples: Sequence[Triple]) -> tuple[Triple, ...]:
    """Write a name with the capitals that it had first; each triple once."""
    first: dict[str, str] = {}
    found: dict[tuple[str, str, str], Triple] = {}
    for item in triples:
        subject = first.setdefault(item.subject.casefold(), item.subject)
        thing = first.setdefault(item.object.casefold(), item.object)
        if subject != thing:
            changed = item.model_copy(update={"subject": subject, "object": thing})
            found.setdefault((subject, item.relation.casefold(), thing), changed)
    return tuple(found.values())


def _numbers(objects: Sequence[str]) -> bool:
    return all(parse_amount(thing) is not None for thing in objects)


def _subject_head(rows: Sequence[tuple[str, str]]) -> str:
    text = "".join(subject for subject, _ in rows[:5])
    return "名称" if any("一" <= letter <= "鿿" for letter in text) else "name"
