from __future__ import annotations

import pytest

from domainsmith.data_connection.unit_words import without_stated_units


@pytest.mark.parametrize(
    ("question", "text", "left"),
    [
        ("How many litres does the tank hold?", "| Tank | 1.8 l |", "does the tank hold?"),
        ("How many minutes does it take?", "It takes 5 min.", "does it take?"),
        ("How many euros is the tray?", "Tray: €24", "is the tray?"),
        ("How many degrees Celsius is the water?", "water at 63 °C", "is the water?"),
        ("水箱能装多少升水？", "水箱 | 1.8 L", "水箱能装"),
        ("加热要几分钟？", "加热需要5分钟。", "加热要"),
    ],
)
def test_a_unit_that_the_text_states_is_no_word_to_look_for(
    question: str, text: str, left: str
) -> None:
    assert left in without_stated_units(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How many litres does the tank hold?", "The tank weighs 3 kg and is 40 long."),
        ("How many metres is the hose?", "3 minutes later, 4 mm thick"),
        ("How many bolts hold the lid?", "4 bolts, 1.8 l"),
        ("Which litres are meant?", "1.8 l"),
        ("水箱能装多少升水？", "水箱重3公斤。"),
    ],
)
def test_another_unit_or_question_stays(question: str, text: str) -> None:
    assert without_stated_units(question, text) == question
