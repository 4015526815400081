"""Whether any sentence holds the kind of value that a question asks for."""

from __future__ import annotations

import pytest

from domainsmith.chains.asked_kind import lacks_asked_kind


@pytest.mark.parametrize(
    ("question", "sentence", "lacks"),
    [
        ("In which year was the mill built?", "The mill was built of red brick.", True),
        ("In which year was the mill built?", "The mill was built in 1874.", False),
        ("How long is the warranty?", "The warranty covers the pump and the seals.", True),
        ("How long is the warranty?", "The warranty runs for two years.", False),
        ("How many litres does the pot hold?", "The pot has 3 legs and a lid.", True),
        ("How many litres does the pot hold?", "It holds up to 4 l of soup.", False),
        ("How much does a ticket cost?", "Tickets are sold at the gate.", True),
        ("How much does a ticket cost?", "A ticket is EUR 4.50.", False),
        ("How much does the bolt cost?", "item: Bolt; price: 12", False),
        ("How heavy is the anvil?", "The anvil weighs 90 kg.", False),
        ("What colour is the anvil?", "The anvil is heavy.", False),
        ("锅炉保修多久？", "锅炉保修由厂家负责。", True),
        ("保修期多长？", "保修期由厂家规定。", True),
        ("保修期是多长？", "保修期为两年。", False),
        ("几号前要交租金？", "租金每平方米 26 元。", True),
        ("几号前要交租金？", "租金应在 10 日前缴纳。", False),
        ("一天吃几次？", "饭后十二小时内不再补服。", True),
        ("一天吃几次？", "每日一次。", False),
        ("书丢了赔多少钱？", "按定价的两倍赔偿。", False),
        ("锅炉保修多久？", "锅炉保修两年。", False),
        ("水箱能装多少升水？", "水箱在左侧，有 3 个接口。", True),
        ("水箱能装多少升水？", "水箱容量为 12 升。", False),
        ("门票多少钱？", "门票在入口处出售。", True),
        ("门票多少钱？", "门票 20 元一张。", False),
        ("How long is the warranty? How heavy is it?", "It weighs 90 kg.", False),
        ("How long is the warranty? How heavy is it?", "It runs for two years.", True),
        ("How heavy is the anvil? And the saw?", "The saw has 40 teeth.", True),
        ("锅炉保修多久？它有多重？", "锅炉重 90 公斤。", False),
        ("锅炉保修多久？它有多重？", "锅炉保修两年。", True),
        ("谁修建了这座桥？", "桥很长。", False),
    ],
)
def test_what_is_asked_for_must_stand_somewhere(question: str, sentence: str, lacks: bool) -> None:
    assert lacks_asked_kind(question, ["Something else entirely.", sentence]) is lacks
