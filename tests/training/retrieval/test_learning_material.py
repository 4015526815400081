"""What is held out, which negatives are true, which batches are fair, what counts as better."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from domainsmith.records import Passage, RetrievalQuestion
from domainsmith.training.retrieval.collection import build_collection
from domainsmith.training.retrieval.examples import RankingExample, question_batches
from domainsmith.training.retrieval.held_out import hold_out
from domainsmith.training.retrieval.measures import first_right, measure
from domainsmith.training.retrieval.mining import mine


def _passage(document: str, ordinal: int, text: str, header: str = "") -> Passage:
    return Passage(
        document_id=f"document_{document}",
        document_path=document,
        ordinal=ordinal,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language="en",
    )


def _question(
    text: str, *passages: Passage, answer: str = "", route: str = "pattern"
) -> RetrievalQuestion:
    ids = tuple(passage.id for passage in passages)
    return RetrievalQuestion(
        question=text, language="en", passage_ids=ids, answer=answer, route=route
    )


def test_documents_that_copy_one_another_are_held_out_together() -> None:
    seed = random.randrange(1000)
    print(f"seed={seed}")
    texts = [f"Sentence number {n} of the manual." for n in range(6)]
    passages = [_passage("manual.md", n, text) for n, text in enumerate(texts)]
    passages += [_passage("manual.pdf", n, text.upper()) for n, text in enumerate(texts)]
    for number in range(8):
        passages += [_passage(f"{number}.md", n, f"{number} says {n}") for n in range(3)]
    held = hold_out(passages, share=0.3, seed=seed)
    assert held.unit == "document"
    assert held.of == 9
    assert 0 < held.units < held.of
    by_document = {p.document_path: p.id in held.passage_ids for p in passages}
    assert by_document["manual.md"] == by_document["manual.pdf"]
    assert all((p.id in held.passage_ids) == by_document[p.document_path] for p in passages)
    assert hold_out(passages, share=0.3, seed=seed) == held


def test_few_documents_hold_out_sections_and_say_so() -> None:
    passages = [_passage("one.md", n, f"text {n}", header=f"One > Part {n % 5}") for n in range(20)]
    held = hold_out(passages, share=0.2, seed=1)
    assert (held.unit, held.of) == ("section", 5)
    headers = {p.header for p in passages if p.id in held.passage_ids}
    assert len(headers) == held.units >= 1
    assert hold_out(passages[:1], share=0.5, seed=1).passage_ids == frozenset()


def test_a_question_of_both_parts_belongs_to_neither() -> None:
    passages = [_passage(f"{n}.md", 0, f"text {n}") for n in range(8)]
    held = hold_out(passages, share=0.3, seed=3).passage_ids
    inside = next(p for p in passages if p.id in held)
    outside = next(p for p in passages if p.id not in held)
    questions = [
        _question("in?", inside),
        _question("out?", outside),
        _question("both?", inside, outside),
    ]
    built = build_collection(passages, questions, share=0.3, seed=3)
    assert [q.question for q in built.learned] == ["out?"]
    assert [q.question for q in built.measured] == ["in?"]
    assert built.allowed.isdisjoint(held)


def test_people_are_measured_with_before_forms() -> None:
    passages = [_passage(f"{n}.md", 0, f"text {n}") for n in range(8)]
    held = hold_out(passages, share=0.3, seed=3).passage_ids
    inside = next(p for p in passages if p.id in held)
    formed = [_question(f"formed {n}?", inside) for n in range(120)]
    given = [_question(f"given {n}?", inside, route="given") for n in range(40)]
    assert build_collection(passages, formed, share=0.3, seed=3).kind == "forms of sentences"
    both = build_collection(passages, formed + given, share=0.3, seed=3)
    assert (both.kind, len(both.measured)) == ("people", 40)


def test_false_negatives_are_left_out_and_counted() -> None:
    right = _passage("a.md", 0, "The pump needs 13 seconds of rest after each run of the drum.")
    copy = _passage("b.md", 0, "The pump needs 13 seconds of a rest after each run of the drum.")
    holds = _passage("c.md", 0, "Everyone knows it: 13 seconds of rest, no more and no less.")
    near = _passage("d.md", 0, "The pump may rest.")
    wrong = _passage("e.md", 0, "The lamp is blue.")
    secret = _passage("f.md", 0, "Held out.")
    everything = {p.id: p for p in (right, copy, holds, near, wrong, secret)}
    question = _question("How long must the pump rest?", right, answer="13 seconds of rest")
    ranking = [copy.id, secret.id, holds.id, right.id, near.id, wrong.id]
    cosine = {right.id: 0.5, near.id: 0.75, wrong.id: 0.1}
    allowed = frozenset(everything) - {secret.id}
    mined = mine([question], [[ranking, []]], everything, [cosine], allowed=allowed, many=3)
    (example,) = mined.examples
    assert example.positive == right.text
    assert example.negatives == (wrong.text,)
    assert mined.dropped == {
        "negative: copy of the answer": 1,
        "negative: holds the answer": 1,
        "negative: likelier than the answer": 1,
    }
    none = mine([question], [[ranking, []]], everything, [cosine], allowed=frozenset(), many=3)
    assert not none.examples
    assert none.dropped == {"question: no passage to learn from": 1}


def test_no_batch_holds_a_text_twice() -> None:
    seed = random.randrange(1000)
    print(f"seed={seed}")
    examples = [RankingExample(f"question {n}", f"passage {n % 5}", ()) for n in range(20)]
    batches = question_batches(examples, size=4, steps=12, seed=seed)
    assert len(batches) == 12
    for batch in batches:
        texts = [examples[at].positive for at in batch]
        assert len(set(texts)) == len(texts) > 0
    turns = Counter(at for batch in batches for at in batch)
    assert set(turns) == set(range(20))
    assert max(turns.values()) - min(turns.values()) <= 2
    assert question_batches(examples, size=4, steps=12, seed=seed) == batches


def test_better_needs_an_interval_above_zero() -> None:
    assert first_right(["a", "b"], {"b"}) == 1
    assert first_right(["a", "b"], {"c"}) is None
    up = measure([3, None, 2, 5] * 20, [0, 1, 0, 1] * 20)
    assert up.better
    assert up.after["hit@1"] == 0.5
    assert up.before["mrr@10"] == pytest.approx((1 / 4 + 0 + 1 / 3 + 1 / 6) / 4, abs=1e-3)
    same = measure([0, 1, 2, 3] * 20, [1, 0, 3, 2] * 20)
    assert not same.better
    assert same.low <= 0 <= same.high
    assert not measure([], []).better
