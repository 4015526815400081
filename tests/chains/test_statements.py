"""What a passage states: FAQ answers, list items, rows, and which of them answer a question."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from langchain_core.runnables import Runnable

from domainsmith.chains.answer import build_answer_chain
from domainsmith.chains.statements import statements
from domainsmith.chains.step_back import left_out_nothing_that_counts
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Passage
from domainsmith.workspace import Workspace
from tests.chains.test_answer import Scripted

_FAQ = "Q: Does the Velo 2 fold?\nA: No. Only the Velo 4 folds.\n\nQ: Is it loud?\nA: 55 dB."
_LIST = (
    "The policy does not pay for:\n\n"
    "- cosmetic surgery, unless it repairs an injury;\n"
    "- fertility treatment;\n"
    "- trips of more than 90 days.\n\nAll claims go to the office."
)
_DOCUMENTS = {
    "velo.md": (
        "# Velo 2 folding scooter: manual\n\n## Data\n\n| Property | Value |\n|---|---|\n"
        "| Battery | 36 V |\n| Oil reservoir | 0.3 l |\n| Weight | 14 kg |\n| Cord | 1.2 m |\n\n"
        "## Faults\n\n| Code | Meaning | What to do |\n|---|---|---|\n"
        "| E05 | Brake worn | Replace the pads |\n| E08 | Motor hot | Wait 20 minutes |\n\n"
        "## Care\n\n| Part | How often | How |\n|---|---|---|\n"
        "| Chain | weekly | oil |\n| Brake | every 3 months | adjust |\n\n"
        "## Oil change\n\nThe oil change takes about 25 minutes.\n\n"
        "1. Drain the old oil.\n2. Pour 250 ml of oil into the reservoir.\n"
    ),
    "faq.txt": f"Velo owners ask\n\n{_FAQ}\n",
    "cover.md": (
        f"# Velo insurance\n\n## Excluded\n\n{_LIST}\n\n## Ending the policy\n\n"
        "You may end the policy with 30 days' notice. We may end the policy only for fraud.\n\n"
        "## Doses of cover\n\n| Weight of the rider | Premium class |\n|---|---|\n"
        "| 20 to 39 kg | A |\n| 40 to 69 kg | B |\n| 70 to 110 kg | C |\n\n"
        "Children up to 14 years ride free.\n"
    ),
    "prices.csv": (
        "Part,Price (EUR),Stock\nMotor cover,12.90,yes\nBrake pads,19.50,yes\n"
        "Chain oil 250 ml,8.90,no\nSaddle,31.00,yes\n"
    ),
}


@pytest.fixture(scope="module")
def ask(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[Runnable[object, object]]:
    folder = tmp_path_factory.mktemp("velo")
    for name, text in _DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    with Workspace.create(tmp_path_factory.mktemp("velo-workspace") / "w") as workspace:
        add_folder(workspace, folder, embedder=embedder)
        with Index.open(workspace, embedder) as index:
            yield build_answer_chain(workspace, index, embedder, Scripted(""))


def _passage(text: str) -> Passage:
    return Passage(
        document_id="document_0000000000000000",
        document_path="a.md",
        ordinal=0,
        text=text,
        header="",
        start=0,
        end=len(text),
        language="en",
        content="prose",
    )


def test_the_question_of_a_faq_is_no_answer() -> None:
    told = statements(_passage(_FAQ))
    assert [item.text for item in told] == ["No. Only the Velo 4 folds.", "55 dB."]
    assert "Does the Velo 2 fold?" in told[0].matched
    assert all(item.quote in _FAQ for item in told)


def test_a_chinese_faq_is_read_too() -> None:
    text = "问：机器能折叠吗？\n答：不能。\n\n问：响不响？\n答：55 分贝。"
    passage = _passage(text).model_copy(update={"language": "zh"})
    assert [item.text for item in statements(passage)] == ["不能。", "55 分贝。"]


def test_a_rhetorical_question_stays_in_its_paragraph() -> None:
    text = "Why fold it? Because it fits under a desk. The hinge locks."
    assert statements(_passage(text))[0].text == "Why fold it?"


def test_list_items_carry_the_line_above_them() -> None:
    told = statements(_passage(_LIST))
    assert told[0].text.startswith("The policy does not pay for:\n- cosmetic surgery")
    assert told[0].matched == "The policy does not pay for:"
    assert told[2].text == "The policy does not pay for: fertility treatment"
    assert told[2].quote == "- fertility treatment;"
    assert told[-1].text == "All claims go to the office."


def test_heads_that_say_nothing_are_left_out_of_rows() -> None:
    row = statements(_passage("| Property | Value |\n|---|---|\n| Weight | 14 kg |"))[0]
    assert row.text == "Weight: 14 kg"
    headed = statements(_passage("| Part | Price |\n|---|---|\n| Saddle | 31 EUR |"))[0]
    assert headed.text == "Part: Saddle; Price: 31 EUR"


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Does the Velo 2 fold?", "No. Only the Velo 4 folds."),
        ("What does error E05 mean?", "Brake worn"),
        ("How much oil fits into the reservoir?", "0.3 l"),
        ("How often do I need to oil the chain?", "weekly"),
        ("What is not covered by the policy?", "- trips of more than 90 days"),
        ("How do I end the policy?", "You may end the policy"),
        ("Which premium class has a rider of 45 kg?", "40 to 69 kg"),
        ("How heavy is it?", "14 kg"),
        ("What does a saddle cost?", "31.00"),
    ],
)
def test_people_ask_in_their_own_words(ask: Runnable, question: str, told: str) -> None:
    answer = ask.invoke(question)
    assert not answer.refused
    assert told in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "What does the motor cost?",  # only its cover has a price
        "What is the battery voltage of the Velo 4?",  # the manual is that of the Velo 2
        "What does E07 mean?",
    ],
)
def test_what_only_comes_near_is_refused(ask: Runnable, question: str) -> None:
    assert ask.invoke(question).refused


def test_a_follow_up_is_answered_about_what_it_points_back_at(ask: Runnable) -> None:
    history = [("How do I change the oil?", "1. Drain the old oil.")]
    answer = ask.invoke({"question": "How long does that take?", "history": history})
    assert "25 minutes" in answer.text


def test_a_phrase_of_the_asking_clause_counts() -> None:
    assert not left_out_nothing_that_counts(
        "What does the plan pay for acupuncture?", "What does the plan pay?"
    )
    assert left_out_nothing_that_counts(
        "My brother lives far away. What does the plan pay?", "What does the plan pay?"
    )


def test_a_small_table_is_a_list_for_a_question_that_names_no_row() -> None:
    rows = "| Chain | weekly |\n| Brake | monthly |"
    text = f"| Part | Period |\n|---|---|\n{rows}"
    passage = _passage(text).model_copy(
        update={"header": "Manual > Care periods", "content": "table"}
    )
    whole = statements(passage)[-1]
    assert whole.quote == rows
    assert whole.text == (
        "Care periods:\n- Part: Chain; Period: weekly\n- Part: Brake; Period: monthly"
    )
    assert whole.matched == "Part Period"
    one_row = passage.model_copy(update={"text": text.rpartition("\n")[0]})
    assert all("\n- " not in said.text for said in statements(one_row))
