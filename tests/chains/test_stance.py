"""An answer may deny only what the documents deny, and must not leave a denial out."""

from __future__ import annotations

import pytest

from domainsmith.chains.stance import denial_differs

EXCLUDED = "The plan does not pay for:\n- cosmetic surgery;\n- care abroad, except emergencies."
EXCLUDED_ZH = "下列费用不赔付：牙齿修复、美容手术。"
ROOM = "Service: Emergency room; Your co-pay: $250"


@pytest.mark.parametrize(
    ("answer", "said", "differs"),
    [
        ("The plan does not pay for emergency room services.", [EXCLUDED, ROOM], True),
        ("The plan does not pay for cosmetic surgery.", [EXCLUDED, ROOM], False),
        ("No, the plan doesn't pay for cosmetic surgery.", [EXCLUDED], False),
        ("No, the co-pay for the emergency room is $250.", [EXCLUDED, ROOM], False),
        ("Vinegar may be used.", ["Vinegar may not be used."], True),
        ("Vinegar may be used.", ["Vinegar may not be used.", "Vinegar may be used."], False),
        ("Coffee is fine.", ["Coffee is fine, but black tea must not be poured in."], False),
        ("", [EXCLUDED], False),
        (
            "急诊室的费用不赔付。",
            ["下列费用不赔付：牙齿修复、美容手术。", "急诊室：自付250元。"],
            True,
        ),
        ("美容手术的费用不赔付。", ["下列费用不赔付：牙齿修复、美容手术。"], False),
        ("可以使用醋清洗。", ["不可以使用醋清洗。"], True),
        ("保修期为两年。", ["保修期为两年。"], False),
    ],
)
def test_denials_of_an_answer(answer: str, said: list[str], differs: bool) -> None:
    assert denial_differs(answer, said) is differs
