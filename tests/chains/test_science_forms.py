"""Questions about English research prose, by the form of its sentences."""

from __future__ import annotations

import pytest

from domainsmith.chains.frames_zh import Frame
from domainsmith.chains.patterns_science_en import science_question
from domainsmith.chains.question_patterns import pattern_questions, proper_names
from domainsmith.chains.studies import work_of
from domainsmith.chains.synthesis.model_questions import stated_number
from domainsmith.records import Passage

WORK = "Spread of Hill Fever in Mountain Villages of the North"


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "However, hill fever is mainly transmitted by the bite of grey ticks [4], which hide",
            "What is hill fever mainly transmitted by?",
            "The bite of grey ticks.",
        ),
        (
            "It has been shown that HFV-2 infection is associated with kidney failure in goats",
            "What is HFV-2 infection associated with?",
            "Kidney failure in goats.",
        ),
        (
            "About 30% of mountain farmers are infected every year",
            "What percentage of mountain farmers are infected every year?",
            "About 30%.",
        ),
        (
            "The incubation period of hill fever is 4 to 9 days [2]",
            "What is the incubation period of hill fever?",
            "4 to 9 days.",
        ),
        (
            "Respiratory viruses cause most winter fevers, and they spread fast",
            "What do Respiratory viruses cause?",
            "Most winter fevers.",
        ),
        (
            "Hill fever virus was first identified in Norway in 1987",
            "Where and when was Hill fever virus first identified?",
            "In Norway in 1987.",
        ),
        (
            "The risk of mountain fever was higher in shepherds than in city dwellers",
            "Was the risk of mountain fever higher in shepherds or in city dwellers?",
            "In shepherds.",
        ),
        (
            "We tested several tick species for viruses using the grey tick assay (GTA)",
            "What does GTA stand for?",
            "Grey tick assay.",
        ),
        (
            "It can be mistaken for bacterial lung infections such as whooping cough and pneumonia",
            "What are examples of bacterial lung infections?",
            "Whooping cough and pneumonia.",
        ),
        (
            "The HFV-2 protease plays a key role in virus assembly (Smith et al., 2004)",
            "In what does the HFV-2 protease play a key role?",
            "In virus assembly.",
        ),
    ],
)
def test_sentences_of_research_prose(sentence: str, question: str, answer: str) -> None:
    assert science_question(sentence) == (question, answer, science_question(sentence)[2])  # type: ignore[index]


@pytest.mark.parametrize(
    "sentence",
    [
        "This was associated with kidney failure",
        "These patients were treated with iodine",
        "The virus is transmitted by ticks",
        "Results are shown in Table 2 and were confirmed by us",
        "None of the goats was infected by HFV-2",
        "It was followed by a second step",
        "We found that they cause fever",
    ],
)
def test_what_points_at_other_sentences_is_not_asked(sentence: str) -> None:
    assert science_question(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "start", "answer"),
    [
        (
            "The aim of this study was to count grey ticks in six valleys",
            "What was the aim of the study",
            "To count grey ticks in six valleys.",
        ),
        (
            "A total of 214 goats were tested for antibodies",
            "How many goats were tested in the study",
            "214.",
        ),
        (
            "RNA was extracted from ticks using the QuickPrep kit (Norbio, Oslo)",
            "How was RNA extracted from ticks in the study",
            "Using the QuickPrep kit (Norbio, Oslo).",
        ),
        (
            "The median age of patients was 41 years",
            "What was the median age of patients in the study",
            "41 years.",
        ),
        (
            "The most common symptoms were fever and rash",
            "What were the most common symptoms in the study",
            "Fever and rash.",
        ),
    ],
)
def test_what_a_study_did_is_asked_with_its_title(sentence: str, start: str, answer: str) -> None:
    found = science_question(sentence, WORK)
    assert found is not None
    assert (found[0], found[1]) == (f"{start} “{WORK}”?", answer)
    assert science_question(sentence) is None


def test_a_study_is_known_by_its_title_or_its_citations() -> None:
    def passage(header: str, text: str) -> Passage:
        return Passage(
            document_id="document_1",
            document_path="a.txt",
            ordinal=0,
            text=text,
            header=header,
            start=0,
            end=len(text),
            language="en",
            content="prose",
        )

    assert work_of(passage(WORK, "Ticks bite.")) == WORK
    assert work_of(passage("Hill fever in the north > Methods", "Ticks bite [3].")) != ""
    assert work_of(passage("Manual of the washer > Care", "Clean the drum.")) == ""
    narrative = "After three weeks, the goats were moved to another valley."
    assert not list(pattern_questions(narrative, "en", work=WORK))
    assert [item.form for item in pattern_questions(narrative, "en")] == ["case"]


def test_a_word_that_is_mostly_small_is_no_name() -> None:
    texts = [
        "Of Severe cases, most severe cases, and severe rashes, of severe kind; in Oslo, and Oslo."
    ]
    assert proper_names(texts) == {"Oslo"}


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        ("The virus was isolated from bats in Guangdong (Smith et al., 2005) [12].", None),
        ("The genes PKN3 and IFITM1 are listed in Table 2.", None),
        ("See https://example.org/articles/PMC5444036/ for details.", None),
        ("In 2003 the fever was seen in 26 countries [4].", "26 countries"),
        ("Store the pump (model 612) at 5 °C.", "5 °C"),
    ],
)
def test_citations_codes_and_years_are_no_stated_numbers(sentence: str, number: str | None) -> None:
    found = stated_number(sentence)
    assert (found and found[0]) == number


@pytest.mark.parametrize(
    "sentence",
    [
        "17世纪时，其嫩芽常作为蔬菜。",
        "刘六、刘七转向南攻沧州。",
        "1963年12月至1967年4月为陆军战士。",
        "后来减为六门。",
        "‧台北‧我》是张雨生发行的第六张国语专辑。",
        "女子对男子的性别比为100：92.2。",
    ],
)
def test_chinese_forms_leave_out_what_is_no_statement(sentence: str) -> None:
    assert not list(pattern_questions(sentence, "zh", frame=Frame("article", "某某")))
