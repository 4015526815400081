"""Chinese in traditional and in simplified characters."""

from __future__ import annotations

from domainsmith.data_connection.language import content_terms, search_terms
from domainsmith.data_connection.scripts_zh import in_script_of, is_traditional, simplified

TRADITIONAL = "1922年，約翰·阿斯特從北岩爵士手中收購了《泰晤士報》，皇后之後才知道。"


def test_every_character_keeps_its_place() -> None:
    plain = simplified(TRADITIONAL)
    assert plain == "1922年，约翰·阿斯特从北岩爵士手中收购了《泰晤士报》，皇后之后才知道。"
    assert len(plain) == len(TRADITIONAL)
    assert simplified("乾隆、著名、于是：keep 1 °C") == "乾隆、著名、于是：keep 1 °C"


def test_simplified_and_english_texts_are_told_apart() -> None:
    assert is_traditional(TRADITIONAL)
    assert not is_traditional(simplified(TRADITIONAL))
    assert not is_traditional("The valve opens at 5 bar.")


def test_both_scripts_give_the_same_terms() -> None:
    for terms in (search_terms, content_terms):
        assert terms(TRADITIONAL, "zh") == terms(simplified(TRADITIONAL), "zh")


def test_a_question_is_written_as_its_source_is() -> None:
    asked = "关于泰晤士报，哪一年约翰·阿斯特从北岩爵士手中收购了《泰晤士报》？"
    found = in_script_of(asked, TRADITIONAL)
    assert found == "關於泰晤士報，哪一年約翰·阿斯特從北岩爵士手中收購了《泰晤士報》？"
    assert in_script_of("皇后之后怎样？", TRADITIONAL) == "皇后之後怎樣？"
    assert in_script_of(asked, "没有") == asked
