"""Questions in traditional Chinese are read as those in simplified characters are."""

from __future__ import annotations

from domainsmith.chains.asked_kind import lacks_asked_kind
from domainsmith.chains.condense import needs_history
from domainsmith.chains.decompose import decompose
from domainsmith.chains.evidence import asks_number
from domainsmith.chains.values import stated_values


def test_they_point_back_and_ask_for_numbers_alike() -> None:
    assert needs_history("這個要多少錢？")
    assert asks_number("保固期有幾個月？")
    assert lacks_asked_kind("價格是多少？多少錢？", ["門在左邊。"])
    assert not lacks_asked_kind("多少錢？", ["每台三萬元。"])


def test_their_numerals_count() -> None:
    assert stated_values("期限為三個月，罰款五萬元") == {"月": {"3"}, "元": {"50000"}}


def test_parts_keep_the_characters_of_the_question() -> None:
    split = decompose(["潭影和楓影的重量分別是多少？"])[0]
    assert split is not None
    assert split.parts == ("潭影的重量是多少？", "楓影的重量是多少？")
