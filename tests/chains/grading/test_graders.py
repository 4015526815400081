"""Graders beyond questions: requests, dialogues, preferences, rankings, mixed languages, tone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from domainsmith.chains.grade import grade, grade_records
from domainsmith.chains.grading.options import GradingOptions
from domainsmith.chains.grading.toxicity import toxic_words
from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.model_io.generation import LogLikelihood
from domainsmith.records import Passage, Preference, Ranking, Record

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine

TEXT = "The pump weighs 3 kg and stands behind the lid. Ask li.wei@qq.com for spares."
PASSAGE = Passage(
    document_id="document_0",
    document_path="manual.md",
    ordinal=0,
    text=TEXT,
    start=0,
    end=len(TEXT),
    language="en",
)
BY_ID = {PASSAGE.id: PASSAGE}


def record(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "instruction": "How much does the pump weigh?",
        "output": "3 kg.",
        "language": "en",
        "method": "self_qa/pattern",
        "passage_ids": (PASSAGE.id,),
        "model": "code",
    }
    return Record(**(values | changes))


def preference(**changes: Any) -> Preference:
    values: dict[str, Any] = {
        "instruction": "How much does the pump weigh?",
        "chosen": "3 kg.",
        "rejected": "7 kg.",
        "margin": 1.0,
        "language": "en",
        "method": "preferences/corrupted",
        "passage_ids": (PASSAGE.id,),
        "model": "code",
    }
    return Preference(**(values | changes))


def ranking(**changes: Any) -> Ranking:
    values: dict[str, Any] = {
        "instruction": "How much does the pump weigh?",
        "answers": ("3 kg.", "About 3 kg.", "7 kg."),
        "scores": (1.0, 0.8, 0.1),
        "language": "en",
        "method": "rankings/answers",
        "passage_ids": (PASSAGE.id,),
        "model": "code",
    }
    return Ranking(**(values | changes))


def failed(item: Record | Preference | Ranking, **options: Any) -> set[str]:
    named = [PASSAGE] if item.passage_ids else []
    graded = grade(item, named, options=GradingOptions(**options))
    assert all(told.reason for told in graded if not told.passed)
    return {told.grader for told in graded if not told.passed}


@pytest.mark.parametrize(
    "item",
    [
        record(method="self_instruct", instruction="Describe the pump.", passage_ids=()),
        record(method="dialogues/followup", history=(("Where is the pump?", "Behind the lid."),)),
        record(instruction="水泵 pump 有多重？", output="3 kg。", language="zh"),
        record(instruction="What does 水泵 mean?", output="The pump."),
        record(
            method="self_instruct",
            instruction="Translate into Chinese: the pump",
            output="水泵",
            passage_ids=(),
        ),
        preference(),
        preference(chosen="The documents do not answer this question."),
        ranking(),
    ],
)
def test_good_items_of_every_kind_pass(item: Record | Preference | Ranking) -> None:
    assert failed(item) == set()


@pytest.mark.parametrize(
    ("item", "grader"),
    [
        (record(method="dialogues/x", history=(("Where?", " "),)), "format"),
        (record(method="self_instruct", output="ok <|im_end|>"), "format"),
        (preference(rejected="3 kg"), "format"),
        (preference(margin=0.0), "format"),
        (preference(rejected=" "), "format"),
        (preference(chosen="Ten tons of purple iron."), "grounding"),
        (ranking(scores=(0.1, 0.8, 1.0)), "format"),
        (ranking(scores=(1.0, 0.8)), "format"),
        (ranking(answers=("3 kg.", "3 kg", "7 kg.")), "format"),
        (record(instruction="水泵有多重？", output="Behind the big lid of it all.", language="zh",
                passage_ids=()), "language"),
        (record(instruction="Where is the pump?", output="Насос стоит под крышкой."), "language"),
        (record(output="3 kg, you idiot."), "toxicity"),
        (record(instruction="你这个傻逼水泵多重？", language="zh"), "toxicity"),
        (record(output="li.wei@qq.com"), "private"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(item: Record | Preference | Ranking, grader: str) -> None:
    assert grader in failed(item)


def test_a_worse_answer_may_be_rude_but_not_tell_addresses() -> None:
    [graded] = grade_records(
        [preference(rejected="Go away, you idiot. Ask li.wei@qq.com.")], BY_ID, scorer=None
    )
    assert all(told.passed for told in graded.grades)
    assert graded.rejected == "Go away, you idiot. Ask [EMAIL]."


def test_masks_reach_every_text_and_are_told() -> None:
    item = record(
        instruction="Who has spares?",
        input=f"[1] {TEXT}",
        output="Ask li.wei@qq.com.",
        history=(("My number is 13812345678.", "Thanks."),),
    )
    [graded] = grade_records([item], BY_ID, scorer=None)
    assert graded.output == "Ask [EMAIL]."
    assert graded.input.endswith("Ask [EMAIL] for spares.")
    assert graded.history == (("My number is [PHONE].", "Thanks."),)
    told = {one.grader: one for one in graded.grades}
    assert told["private"].passed
    assert told["private"].reason == "masked EMAIL x 2, PHONE x 1"
    assert told["grounding"].passed  # judged by the words before masking
    [kept] = grade_records([item], BY_ID, scorer=None, options={"allow": ["@qq.com"]})
    assert kept.output == item.output
    [strict] = grade_records([item], BY_ID, scorer=None, options={"mask": False})
    assert strict.output == item.output or strict.output == "Ask [EMAIL]."
    assert not {one.grader: one for one in strict.grades}["private"].passed


def test_only_the_chosen_graders_run() -> None:
    [graded] = grade_records([record()], BY_ID, scorer=None, options={"graders": ["length"]})
    assert [told.grader for told in graded.grades] == ["length"]
    assert record().id == graded.id


def test_bad_options_are_all_named() -> None:
    with pytest.raises(InputInvalid, match=r"graders.*grounded_share|grounded_share.*graders"):
        grade_records(
            [record()], BY_ID, scorer=None, options={"graders": ["x"], "grounded_share": 3}
        )


def test_a_file_extends_and_cuts_the_word_lists(tmp_path: Path) -> None:
    own = tmp_path / "words.txt"
    own.write_text("# ours\nmuppet*\n- idiot\n大笨蛋\n", encoding="utf-8")
    assert toxic_words("You idiot, you Muppets! 大笨蛋", str(own)) == ["muppets", "大笨蛋"]
    assert toxic_words("You idiot, you Muppets!") == ["idiot"]
    assert toxic_words("The scunthorpe class assesses cocks and ships") == []
    with pytest.raises(InputNotFound):
        toxic_words("x", str(tmp_path / "none.txt"))


class _Told:
    """Finds an answer likelier after a text that holds it."""

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        return [
            LogLikelihood(-3.0 if prompt.startswith("Text:") and "3" in answer else -6.0, 3)
            for prompt, answer in pairs
        ]


def test_an_answer_that_its_passage_does_not_help_is_named() -> None:
    right, wrong = record(), record(output="Behind the lid.")
    graded = grade_records([right, wrong], BY_ID, scorer=_Told())
    grades = [{told.grader: told for told in item.grades} for item in graded]
    assert grades[0]["likelihood"].passed
    assert grades[0]["likelihood"].score == 0.5
    assert grades[1]["likelihood"].score == 0.0


def test_the_real_model_finds_right_answers_likelier_after_their_passage(engine: Engine) -> None:
    right = [record(), record(instruction="Where does the pump stand?", output="Behind the lid.")]
    graded = grade_records(right, BY_ID, scorer=engine)
    for item in graded:
        assert next(told for told in item.grades if told.grader == "likelihood").score > 0.1
