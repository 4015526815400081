"""Questions about passages: routes, no copies of their passage, both languages, one order."""

from __future__ import annotations

import random

from domainsmith.chains.dropped_words import dropped_words_question
from domainsmith.chains.retrieval_questions import (
    QuestionOptions,
    make_questions,
)
from domainsmith.data_connection.language import content_terms
from domainsmith.records import Language, Passage

_EN = "The main cause of a flooded drum is a hose of 35 cm that hangs below the level of the tank."
_ZH = "洗衣机的排水泵如果被异物堵住，应当在断开电源之后由维修人员用专用工具清理干净。"


def _passage(text: str, language: Language = "en", header: str = "", number: int = 0) -> Passage:
    return Passage(
        document_id="document_1",
        document_path=f"{language}.md",
        ordinal=number,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language=language,
        content="table" if "|" in text else "prose",
    )


def test_each_route_gives_its_questions() -> None:
    table = "| code | meaning |\n| --- | --- |\n| E21 | pump blocked |\n| E22 | door open |"
    passages = [
        _passage("Take the filter out and rinse it.", header="FAQ > How do I clean the filter?"),
        _passage("If the pump is blocked, press the blue switch for 13 seconds.", number=1),
        _passage(table, number=2),
        _passage("Colours fade.", header="Manual > Care of clothes", number=3),
        _passage(_ZH, "zh", number=4),
        _passage(_EN, number=5),
    ]
    made = make_questions(passages)
    assert set(made.counts) == {"heading", "pattern", "table", "section", "words"}
    by_route = {question.route: question for question in made.questions}
    assert by_route["heading"].question == "How do I clean the filter?"
    assert by_route["heading"].passage_ids == (passages[0].id,)
    assert by_route["table"].passage_ids == (passages[2].id,)
    assert {question.language for question in made.questions} == {"en", "zh"}
    assert make_questions(passages).questions == made.questions
    assert all(question.passage_ids for question in made.questions)


def test_dropped_words_never_copy_the_sentence() -> None:
    seed = random.randrange(1000)
    print(f"seed={seed}")
    for sentence, language in ((_EN, "en"), (_ZH, "zh")):
        whole = set(content_terms(sentence, language))
        made = {
            dropped_words_question(sentence, language, random.Random(seed * 100 + turn))
            for turn in range(40)
        } - {""}
        assert len(made) > 5
        for question in made:
            kept = set(content_terms(question, language)) & whole
            assert 2 <= len(kept) < len(whole), question
            assert "35" not in question
    assert dropped_words_question("Too short.", "en", random.Random(1)) == ""


def test_one_question_of_two_passages_has_both_as_answers() -> None:
    passages = [
        _passage("Rinse it.", header=f"Part {n} > How do I clean it?", number=n) for n in range(2)
    ]
    made = make_questions(passages)
    (question,) = [one for one in made.questions if one.route == "heading"]
    assert question.passage_ids == (passages[0].id, passages[1].id)
    assert made.dropped["asked before"] == 1


def test_the_limit_keeps_natural_questions_first() -> None:
    passages = [
        _passage(f"If lamp {n} is broken, press the blue switch {n} for long. {_EN}", number=n)
        for n in range(30)
    ]
    everything = make_questions(passages)
    few = make_questions(passages, options=QuestionOptions(limit=24))
    assert len(few.questions) == 24 < len(everything.questions)
    natural = sum(question.route == "pattern" for question in few.questions)
    assert natural > 12
    assert few.dropped["beyond the limit"] == len(everything.questions) - 24
