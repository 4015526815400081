"""What the curator measures and shares out: topics, needs, quotas, weakness."""

from __future__ import annotations

import numpy as np
import pytest

from domainsmith.agents.curation.coverage import needs, own_passage, wanted_records
from domainsmith.agents.curation.student import Examined, Examiner, Probe, weakness_by
from domainsmith.agents.curation.topics import group_topics
from domainsmith.data_connection.sections import Section, find_sections
from domainsmith.data_connection.text_space import Space
from domainsmith.model_io.generation import Completion, LogLikelihood
from domainsmith.records import Passage, Record


def passage(text, header="Manual > 1 Pump", ordinal=0, language="en", path="manual.md"):
    return Passage(
        document_id="d",
        document_path=path,
        ordinal=ordinal,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language=language,
    )


def test_topics_are_groups_of_near_rows_numbered_by_appearance():
    turns = np.array([0.0, 0.1, 2.0, 2.1, 4.0, 4.1])
    rows = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
    assert group_topics(rows, 3) == [0, 0, 1, 1, 2, 2]
    assert group_topics(rows[:0]) == []
    assert group_topics(rows[:1]) == [0]


def test_long_sections_are_cut_so_that_nothing_hides_in_them():
    items = [passage(f"Part {n} is red.", ordinal=n) for n in range(14)]
    sections = find_sections(items)
    assert [len(section.passages) for section in sections] == [6, 6, 2]
    assert sections[0].title == "manual.md: 1 Pump (1/3)"


def test_records_are_shared_out_by_need_with_one_for_each():
    shares = wanted_records({"a": 1.0, "b": 1.0, "c": 2.0}, 11)
    assert shares == {"a": 2.75, "b": 2.75, "c": 5.5}
    uneven = wanted_records({"a": 1.0, "b": 0.1, "c": 2.0}, 6)
    assert uneven["b"] == 1.0
    assert uneven["c"] > 3
    assert sum(uneven.values()) == pytest.approx(6)
    full = wanted_records({"a": 1.0, "b": 1.0, "c": 2.0}, 11, most={"c": 1})
    assert full == {"a": 5.0, "b": 5.0, "c": 1.0}
    assert sum(wanted_records({"a": 0.0, "b": 3.0}, 4).values()) == 4.0


def test_with_more_sections_than_records_what_has_some_stays_wanted():
    need = {"a": 1.0, "b": 5.0, "c": 4.0, "d": 3.0}
    assert set(wanted_records(need, 2)) == {"b", "c"}
    assert set(wanted_records(need, 2, have={"a": 1})) == {"a", "b"}


def test_a_wish_is_heard_although_there_are_more_sections_than_records():
    need = {"wished": 30.0, **{f"s{n}": 1.0 for n in range(20)}}
    shares = wanted_records(need, 10)
    assert shares["wished"] == 6.0
    assert sum(shares.values()) == 10.0


def test_a_wish_is_heard_with_as_many_records_as_sections_too():
    need = {"wished": 8.0, **{f"s{n:02}": 1.0 for n in range(50)}}
    for target in (49, 51, 53, 55, 57):
        shares = wanted_records(need, target)
        assert shares["wished"] >= 6.0, target
        assert sum(shares.values()) == pytest.approx(target)
    few = wanted_records(need, 51, most={"wished": 4})
    assert few["wished"] == 4.0
    assert sum(few.values()) == pytest.approx(51)


def test_small_differences_of_a_weak_student_count():
    sections = [Section(key, key, (key,), 1.0) for key in "ab"]
    found = needs(sections, {"a": 1.0, "b": 1.0}, {"a": 0.95, "b": 0.80}, 0.875)
    assert found["a"] > 1.8 * found["b"]
    assert needs(sections, {"a": 0.0, "b": 1.0}, {}, 0.0) == {"a": 0.0, "b": 1.0}


def test_a_record_belongs_to_the_passage_that_holds_its_answer():
    one, two = passage("The pump weighs 3 kg."), passage("The valve weighs 9 kg.", ordinal=1)
    by_id = {one.id: one, two.id: two}
    values = {"language": "en", "method": "self_qa", "model": "code"}
    grounded = Record(
        instruction="How heavy is the valve?",
        input="...",
        output="9 kg.",
        passage_ids=(one.id, two.id),
        **values,
    )
    refusal = grounded.model_copy(update={"output": "The documents do not answer this question."})
    assert own_passage(grounded, by_id) == two.id
    assert own_passage(refusal, by_id) is None


def test_chinese_passages_are_placed_by_their_words():
    texts = ["更换排水泵之前先断开电源。", "断开电源之后才能更换排水泵。", "保修期为二十四个月。"]
    items = [passage(text, ordinal=n, language="zh") for n, text in enumerate(texts)]
    space = Space(items, None)
    placed = space.place(items)
    assert np.allclose(np.linalg.norm(placed, axis=1), 1.0)
    assert placed[0] @ placed[1] > 0.5 > placed[0] @ placed[2]


class Student:
    """Knows one answer over its passage and none from memory."""

    model_name = "student"

    def __init__(self):
        self.asked = 0

    def render(self, messages, *, add_generation_prompt=True):
        return messages[-1].content

    def count_tokens(self, text):
        return len(text.split())

    def generate(self, requests, **_):
        self.asked += len(requests)
        for index, request in enumerate(requests):
            knows = "The pump weighs 3 kg." in request.prompt
            yield Completion(index, "It weighs 3 kg." if knows else "No idea.", 1, 1, "stop")

    def score(self, pairs, *, adapter=None):
        return [LogLikelihood(-1.0 if "3 kg" in prompt else -8.0, 2) for prompt, _ in pairs]


def test_the_student_is_asked_once_and_what_it_said_is_kept(tmp_path):
    pump = passage("The pump weighs 3 kg.")
    probes = [
        Probe("How heavy is the pump?", "3 kg.", pump, "en"),
        Probe("What colour is the valve?", "Red.", passage("The valve is red."), "en"),
    ]
    student, log = Student(), tmp_path / "student.jsonl"
    knows, knows_not = Examiner(student, student, log).ask(probes)
    again = Examiner(student, student, log)
    assert again.ask(probes) == [knows, knows_not]
    assert student.asked == 4
    assert (knows.context_holds, knows.closed_holds, knows_not.context_holds) == (
        True,
        False,
        False,
    )
    assert 0.3 < knows.weakness < 0.7 < knows_not.weakness <= 1.0


def test_few_questions_say_little_about_a_section():
    def result(passage, right):
        return Examined("k", passage, "q", float(right), float(right), right, right, 0.0, 0.0)

    group = {"p": "one", "q": "two", "r": "three"}
    rows = [result("p", False), *[result("q", False)] * 9]
    weakness, mean = weakness_by([*rows, *[result("r", True)] * 10], group)
    assert mean == pytest.approx(0.4, abs=0.1)
    assert weakness["two"] > weakness["one"] > mean > weakness["three"]
