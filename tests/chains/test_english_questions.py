"""English questions: what they name, what an answer may be, and what is left alone."""

from __future__ import annotations

import pytest

from domainsmith.chains.question_patterns import pattern_questions, section_question
from domainsmith.chains.self_qa import sentence_facts
from domainsmith.chains.studies import is_study
from domainsmith.chains.synthesis.model_questions import stated_number
from domainsmith.chains.synthesis.number_fit import asks_for_number
from domainsmith.chains.titles_en import about_title, answers_heading, title_of
from domainsmith.records import Passage


def passage(header: str, text: str) -> Passage:
    return Passage(
        document_id="document_0",
        document_path="a.md",
        ordinal=0,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language="en",
    )


def asked(sentence: str, **given: str | bool) -> tuple[str, str] | None:
    found = next(pattern_questions(sentence, "en", **given), None)  # type: ignore[arg-type]
    return (found.question, found.answer) if found else None


@pytest.mark.parametrize(
    ("sentence", "title", "question", "answer"),
    [
        (
            "The acute period of the illness ends after 2 to 10 days.",
            "Hill fever",
            "Regarding Hill fever, when does The acute period of the illness end?",
            "After 2 to 10 days.",
        ),
        (
            "Mild rashes are treated by replacing lost fluids, salts, and minerals.",
            "",
            "How are Mild rashes treated?",
            "By replacing lost fluids, salts, and minerals.",
        ),
        (
            "If you feel dizzy, talk to your doctor.",
            "",
            "What should you do if you feel dizzy?",
            "Talk to your doctor.",
        ),
    ],
)
def test_forms_with_titles_and_whole_lists(
    sentence: str, title: str, question: str, answer: str
) -> None:
    found = asked(sentence, title=title)
    assert found is not None
    assert (found[0].lower(), found[1]) == (question.lower(), answer)


@pytest.mark.parametrize(
    "sentence",
    [
        "Once a year, the office sends a letter to all owners.",  # how often, not after what
        "While the worm is found in many lands, most people are never ill.",  # although
        "Symptoms may include a red rash.",  # what may happen is not allowed
        "Iron pills can also help older goats.",  # goes on with something
        "The kinds of control measures vary between the two places.",  # measures is no verb
        "The guests may not have symptoms.",
        "If left untreated, the fever can be fatal.",  # what is left?
        "Mild fevers can include.",  # a list that was cut off
        "All persons are treated at the same time.",  # no place
        "When a cyst is found, the following tests can be used.",  # which?
        "If a person has one kidney, this is called solitary.",
        "The procedure is performed by a trained nurse at a clinic.",  # which?
        "Thyroid hormones reach nearly every organ of the body.",  # no interval
        "Early Diagnosis Is Important Vision changes like these are signs.",  # a run-on heading
    ],
)
def test_what_says_nothing_by_itself_is_not_asked(sentence: str) -> None:
    found = asked(sentence)
    assert found is None, found


def test_a_title_is_said_only_where_the_question_names_nothing() -> None:
    assert about_title("When is the first dose given?", "Rabies") == (
        "Regarding Rabies, when is the first dose given?"
    )
    assert about_title("What happens if you can't exercise?", "Electrocardiogram") == (
        "Regarding Electrocardiogram, what happens if you can't exercise?"
    )
    assert about_title("What is rabies caused by?", "Rabies") == "What is rabies caused by?"
    assert about_title("What does CCHF stand for?", "Rabies") == "What does CCHF stand for?"


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("Rabies > Treatment", "Rabies"),
        ("Parasites - Scabies (itch mite)", "Scabies"),
        ("Service manual of the washer > Care", ""),
        ("price-list", ""),
        ("What I need to know > Diarrhoea", ""),
    ],
)
def test_titles_of_works_name_nothing(header: str, title: str) -> None:
    assert title_of(passage(header, "Some text.")) == title


def test_headings_are_answered_by_their_own_first_text() -> None:
    header = "Rabies > How is rabies treated?"
    good = passage(header, "Rabies is treated with a vaccine. It is given four times.")
    assert sentence_facts(good)[0].answer == (
        "Rabies is treated with a vaccine. It is given four times."
    )
    off = passage(header, "The bat lives in caves of the north.")
    assert all(fact.question != "How is rabies treated?" for fact in sentence_facts(off))
    later = sentence_facts(good, opens=False)
    assert all(fact.question != "How is rabies treated?" for fact in later)
    assert answers_heading("Who is at risk?", "Older people are.")
    assert not answers_heading("How many are there?", "There are some.")


def test_a_bare_yes_belongs_to_the_answer() -> None:
    text = "可以。把两双鞋装进网袋。"
    chinese = passage("常见问题 > 可以洗鞋吗？", text).model_copy(update={"language": "zh"})
    assert sentence_facts(chinese)[0].answer == text


def test_research_prose_is_known_without_a_title() -> None:
    assert is_study(passage("1690", "Ticks were counted [12]."))
    assert not is_study(passage("Rabies", "Ticks bite."))
    narrative = "After injection, blood samples were taken from the goats at several times."
    assert asked(narrative) is not None
    assert asked(narrative, study=True) is None


@pytest.mark.parametrize(
    ("question", "answer", "sentence", "fits"),
    [
        ("How many people took part?", "1257", "A total of 1257 people took part.", True),
        ("How long does the filter last?", "6 months", "The filter lasts 6 months.", True),
        ("What percentage of goats recovered?", "40%", "Of the goats 40% recovered.", True),
        ("What is the pressure of the boiler?", "3 bar", "The boiler has 3 bar.", True),
        ("When is the fee due?", "within 14 days", "The fee is due within 14 days.", True),
        ("What is the crime reference number?", "within 24 hours",
         "Theft must be reported within 24 hours with the crime reference number.", False),
        ("What is the notice period?", "21 days", "The notice period is 21 days.", True),
        ("What is the speed?", "3 hours", "At this speed it takes 3 hours.", False),
        ("What is the filter?", "60 members", "The list grew to 60 members.", False),
        ("What is the fever?", "12%", "The fever kills 12%.", False),
        ("What is the best acuity?", "6", "The acuity was 6/6.", False),
        ("What is the population-based trial?", "6 months", "The trial took 6 months.", False),
        ("How many goats recovered?", "14 days", "Goats recovered in 14 days.", False),
        ("How many people were ill?", "46", "Proof was found 46 in other places.", False),
        ("How long is the filter?", "40%", "The filter stops 40%.", False),
    ],
)  # fmt: skip
def test_a_number_answers_only_what_asks_for_one(
    question: str, answer: str, sentence: str, fits: bool
) -> None:
    assert asks_for_number(question, answer, sentence) is fits


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        (
            "The warranty lasts 2 years from the date of purchase, or 10,000 cups, "
            "whichever comes first.",
            "2 years from the date of purchase, or 10,000 cups, whichever comes first.",
        ),
        (
            "Descale the machine every 3 months, or when the blue lamp blinks.",
            "Every 3 months, or when the blue lamp blinks.",
        ),
        (
            "The warranty lasts 2 years, unless the seal is broken.",
            "2 years, unless the seal is broken.",
        ),
        ("The warranty lasts 2 years.", "2 years."),
    ],
)
def test_an_answer_keeps_its_alternative_and_its_exception(sentence: str, answer: str) -> None:
    found = asked(sentence)
    assert found is not None
    assert found[1] == answer


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        ("The limit is £1,500 unless the item is listed.", "£1,500"),
        ("Valuables are covered up to £10,000 in total.", "up to £10,000"),
        ("It makes 1,500,000 units a year.", "1,500,000 units"),
        ("You wait 30 minutes before you open it.", "30 minutes"),
        ("It costs $40 because it is small.", "$40"),
    ],
)
def test_a_stated_number_has_its_currency_and_no_word_that_is_no_unit(
    sentence: str, number: str
) -> None:
    found = stated_number(sentence)
    assert found is not None
    assert found[0] == number


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("2.2 What is not covered", 'What does the section "What is not covered" say?'),
        ("5.2 Changes that you must tell us about",
         'What does the section "Changes that you must tell us about" say?'),
        ("3 Freezer food", "What do the documents say about Freezer food?"),
        ("3 Contents cover > 3.1 Limits",
         'What do the documents say about limits under "Contents cover"?'),
        ("3.1 Limits", "What do the documents say about limits?"),
    ],
)  # fmt: skip
def test_half_sentences_of_headings_are_quoted(heading: str, question: str) -> None:
    assert section_question(f"Policy > {heading}", "en").lower() == question.lower()
