"""How much words count, which other words stand for them, ranges, persons and denials."""

from __future__ import annotations

import pytest

from domainsmith.chains.asked_kind import lacks_asked_kind
from domainsmith.chains.decompose import decompose
from domainsmith.chains.near_words import near_words, shares
from domainsmith.chains.other_things import about_the_same_model, without_part_names
from domainsmith.chains.ranges import in_range
from domainsmith.chains.stance import stance
from domainsmith.chains.word_weight import word_weight
from domainsmith.data_connection.unit_words import without_stated_units
from domainsmith.model_io.generation import Embedder
from domainsmith.records import Hit, Passage


class _Counts:
    """An index of 20 passages: 15 say "tablet", none says "error" or "acupunctur"."""

    def idf(self, term: str) -> float:
        import math

        held = {"tablet": 15}.get(term, 0)
        return math.log(21 / (held + 0.5))


def test_a_small_collection_is_no_sample_of_the_language() -> None:
    index = _Counts()
    weights = {
        term: word_weight(index, term)  # type: ignore[arg-type]
        for term in ("tablet", "error", "acupunctur")
    }
    assert weights["tablet"] > 0.4 * weights["acupunctur"]
    assert weights["error"] < weights["tablet"] < weights["acupunctur"]


def test_other_words_for_the_same_count_in_part(embedder: Embedder) -> None:
    text = (
        "The plan covers dependent children and parents. Physiotherapy is paid. The cord is long."
    )
    near = near_words("Does it pay physio for my kids, with a cable?", [text], embedder)
    assert 0 < shares("kid", {"children"}, near) < 1
    assert shares("physio", {"physiotherapy"}, near) > 0.5
    assert shares("cabl", {"cord"}, near) > 0
    assert shares("plan", {"plan"}, near) == 1


def test_names_and_other_languages_have_no_near_words(embedder: Embedder) -> None:
    assert "sunday" not in near_words("Is it open on Sunday?", ["It opens on monday."], embedder)
    assert near_words("孩子可以参加吗？", ["儿童可以参加。"], embedder) == {}


@pytest.mark.parametrize(
    ("question", "statement", "fits"),
    [
        ("How much for a child of 15 kg?", "12 to 19 kg: 5 ml", True),
        ("How much for a child of 15 kg?", "20 to 29 kg: 7.5 ml", False),
        ("Can a 4 month old baby take it?", "Not for children under 6 months.", True),
        ("May a 17 year old use it?", "Only for guests over 18 years.", False),
        ("How much for 15 kg?", "The tank holds 2 l.", None),
        ("体重15公斤的孩子吃多少？", "12至19公斤：5毫升", True),
        ("体重15公斤的孩子吃多少？", "20至29公斤：7.5毫升", False),
    ],
)
def test_a_measure_lies_in_a_range(question: str, statement: str, fits: bool | None) -> None:
    assert in_range(question, statement) is fits


def test_the_reader_is_asked_about_and_denials_count() -> None:
    asked = "How do I cancel the policy?"
    assert stance(asked, "You may cancel at any time.") > stance(asked, "We may cancel for fraud.")
    denied = "Who should not take it?"
    assert stance(denied, "Do not take it if you are ill.") > stance(denied, "Take it with food.")
    assert stance("哪些情况不予赔付？", "战争造成的损失不予赔付。") > stance(
        "哪些情况不予赔付？", "火灾造成的损失予以赔付。"
    )
    assert stance("When does it open?", "It does not open on Sundays.") == 0


def test_a_part_is_not_its_whole_and_a_sister_model_is_another() -> None:
    assert "Drum" not in without_part_names("What does the drum cost?", "Part: Drum belt; Price: 9")
    assert "Drum" in without_part_names("What does the drum belt cost?", "Part: Drum belt")
    desk = "The warranty desk answers within three days."
    assert "warranty" not in without_part_names("How long is the warranty?", desk)
    assert "warranty" in without_part_names("How long does the warranty desk take?", desk)
    assert "warranty" in without_part_names("Who answers warranty questions?", desk)
    assert "Drum" in without_part_names("How do I clean the drum?", "Clean the Drum seal.")
    about = [_hit("Brisa 3 manual > Data", "Voltage: 230 V"), _hit("FAQ", "The Brisa 5 is red.")]
    kept = about_the_same_model("What is the voltage of the Brisa 5?", about)
    assert [hit.passage.header for hit in kept] == ["FAQ"]
    assert about_the_same_model("What is the voltage of the Brisa 3?", about) == about
    law = [_hit("Act > Section 12", "The fine for section 14 is 20.")]
    assert about_the_same_model("What is the fine under Section 14?", law) == law


@pytest.mark.parametrize(
    ("question", "sentence", "lacks"),
    [
        ("How often do I need to clean it?", "Brew group: weekly", False),
        ("How often does hearing loss occur?", "Rare (1 in 1,000 people): hearing loss", False),
        ("How high can the deposit be?", "It must not exceed one month's rent.", False),
        ("How far apart should I take them?", "Keep 2 hours apart", False),
        ("How much water fits in?", "Water tank; Price (EUR): 29.00", True),
        ("How much water fits in?", "Water tank: 1.8 l", False),
        ("How much descaler do I need?", "It is needed only once a year.", True),
        ("How many beans fit in?", "2. Fill the hopper.", True),
        ("What does the tank cost?", "Water tank: 1.8 l", True),
        ("What is the monthly premium?", "Pay it within 31 days.", True),
        ("In which year was it sold?", "It must reach 1250 rpm.", True),
    ],
)
def test_the_kind_of_value_that_people_ask_for(question: str, sentence: str, lacks: bool) -> None:
    assert lacks_asked_kind(question, [sentence]) is lacks


def test_an_adjective_is_found_as_its_measure() -> None:
    assert "warm" not in without_stated_units("How warm must it be?", "at least 20 °C")
    assert "deep" in without_stated_units("How deep is the pool?", "2.0 m deep")
    assert "loud" in without_stated_units("How loud is it?", "68 dB")  # nothing else is asked


def test_what_is_said_of_one_thing_is_no_list_of_things() -> None:
    parts = decompose(
        [
            "How old can my kids be and still be insured?",
            "How long does a filter last, and what does it cost?",
        ]
    )
    assert parts[0] is None
    assert parts[1] is not None
    assert parts[1].parts[1] == "What does a filter cost?"


def _hit(header: str, text: str) -> Hit:
    passage = Passage(
        document_id="document_0000000000000000",
        document_path="a.md",
        ordinal=0,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language="en",
    )
    return Hit(passage=passage, score=1.0)
