"""Questions about graphs: cycles, bridges, all answers or none; computed again from the triples."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from domainsmith.chains.synthesis.kv_graph import Graph
from domainsmith.chains.synthesis.kv_relation import relation
from domainsmith.records import Triple

NAMES = [f"N{at}" for at in range(6)]
RELATIONS = ["capital", "treats", "located in", "part of"]


def triple(subject: str, name: str, thing: str, language: str = "en") -> Triple:
    return Triple(subject=subject, relation=name, object=thing, source="t:1", language=language)  # type: ignore[arg-type]


@st.composite
def triples(draw: st.DrawFn) -> list[tuple[str, str, str]]:
    name = st.sampled_from(NAMES)
    return draw(
        st.lists(st.tuples(name, st.sampled_from(RELATIONS), name), min_size=1, max_size=25)
    )


@settings(max_examples=150, deadline=None)
@given(triples())
def test_every_answer_is_what_the_graph_says_and_no_hop_leads_back(
    found: list[tuple[str, str, str]],
) -> None:
    known = {item for item in found if item[0] != item[2]}
    graph = Graph([triple(*item) for item in found], whole=True, seed=3, language=None)
    for subject in graph.subjects:
        for fact in graph.facts(subject, most=99):
            kind, *plan = fact.plan
            said = set(re.findall(r"N\d", fact.answer))
            if kind == "objects":
                wanted = {o for s, r, o in known if (s, r) == tuple(plan)}
            elif kind == "subjects":
                wanted = {s for s, r, o in known if (r, o) == tuple(plan)}
            elif kind == "count":
                wanted = {o for s, r, o in known if (s, r) == tuple(plan)}
                assert int(fact.answer.split(":")[0].rstrip(".")) == len(wanted)
                continue
            else:
                start, first, second = plan
                (bridge,) = {o for s, r, o in known if (s, r) == (start, first)}
                wanted = {o for s, r, o in known if (s, r) == (bridge, second)}
                assert start not in wanted
                assert bridge not in wanted
                assert bridge not in fact.question, "the bridge is what must be found"
            assert said == wanted
            assert fact.question.endswith("?")


def test_a_cycle_gives_no_way_back() -> None:
    graph = Graph(
        [triple("France", "capital", "Paris"), triple("Paris", "located in", "France")],
        whole=True, seed=1, language=None,
    )  # fmt: skip
    asked = [fact for name in graph.subjects for fact in graph.facts(name, most=9)]
    assert {fact.kind for fact in asked} == {"lookup", "reverse"}


def test_a_part_of_a_graph_is_not_counted() -> None:
    items = [triple("A", "treats", "B"), triple("A", "treats", "C"), triple("D", "treats", "B")]
    graph = Graph(items, whole=False, seed=1, language=None)
    asked = [fact for name in graph.subjects for fact in graph.facts(name, most=9)]
    assert [(fact.kind, fact.answer) for fact in asked] == [("lookup", "B.")]


def test_wording_follows_the_form_of_the_relation() -> None:
    assert relation("hasCapital", "en").ask("France") == "What is the capital of France?"
    assert relation("http://x.org/rel#treats", "en").ask("Aspirin") == "What does Aspirin treat?"
    assert relation("born_in", "en").ask("Ada") == "Where was Ada born?"
    assert relation("symptom of", "en").ask("Fever") == "What is Fever a symptom of?"
    assert relation("causes", "en").ask(relation("treats", "en").phrase("A")) == (
        "What does the thing that A treats cause?"
    )
    assert relation("位于", "zh").ask("长安") == "长安位于哪里？"
    assert relation("首都", "zh").ask(relation("朝代", "zh").phrase("李白")) == (
        "李白的朝代的首都是什么？"
    )


def test_numbers_of_a_graph_are_ranked_as_a_table() -> None:
    items = [triple(name, "population", str(many)) for name, many in (("A", 3), ("B", 9), ("C", 5))]
    (table,) = Graph(items, whole=True, seed=1, language=None).pivots()
    assert table.heads == ("name", "population")
    assert table.rows == (("A", "3"), ("B", "9"), ("C", "5"))
