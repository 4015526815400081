from __future__ import annotations

from typing import Any

import pytest

from benchmarks.bfcl_match import call_matches, calls_match
from benchmarks.tool_calls import lenient_calls

FUNCTION = {
    "name": "calculate_emissions",
    "parameters": {
        "type": "dict",
        "properties": {
            "distance": {"type": "integer"},
            "fuel_efficiency": {"type": "float"},
            "unit": {"type": "string"},
        },
        "required": ["distance", "fuel_efficiency"],
    },
}
ANSWER: dict[str, dict[str, list[Any]]] = {
    "calculate_emissions": {
        "distance": [12000],
        "fuel_efficiency": ["", 25.0],
        "unit": ["km", ""],
    }
}


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        ({"distance": 12000, "fuel_efficiency": 25}, True),
        ({"distance": 12000, "fuel_efficiency": 25.0, "unit": "K.M."}, True),
        ({"distance": 12000, "fuel_efficiency": 25, "unit": "m"}, False),
        ({"distance": "12000", "fuel_efficiency": 25}, False),
        ({"distance": 12000, "fuel_efficiency": 25, "other": 1}, False),
        # Required, though its possible values say that it may be absent (as in simple_python_200):
        # BFCL's own checker looks at the description first, and so a call needs it.
        ({"distance": 12000}, False),
    ],
)
def test_a_call_is_right_by_the_rules_of_the_checker(
    arguments: dict[str, Any], right: bool
) -> None:
    assert call_matches(("calculate_emissions", arguments), ANSWER, [FUNCTION]) is right


def test_several_calls_are_right_in_any_order() -> None:
    other = {"calculate_emissions": {**ANSWER["calculate_emissions"], "distance": [7]}}
    calls = [
        ("calculate_emissions", {"distance": distance, "fuel_efficiency": 25})
        for distance in (7, 12000)
    ]
    assert calls_match(calls, [ANSWER, other], [FUNCTION])
    assert not calls_match(calls[:1], [ANSWER, other], [FUNCTION])
    assert not calls_match([*calls, calls[0]], [ANSWER, other], [FUNCTION])
    assert calls_match([], [], [FUNCTION])
    assert not calls_match(calls, [], [FUNCTION])


def test_calls_are_read_leniently() -> None:
    text = 'Sure: [{"name": "f", "parameters": {"a": 1}}, {"name": "g", "arguments": {}}] {"x": 2'
    assert lenient_calls(text) == [("f", {"a": 1}), ("g", {})]
