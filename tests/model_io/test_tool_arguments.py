from __future__ import annotations

from typing import Any

import pytest

from domainsmith.model_io.stated_numbers import stated_numbers
from domainsmith.model_io.text_spans import SPAN_OF
from domainsmith.model_io.tool_arguments import number_ways, told_arguments, with_numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("213 million people, 8.5 million square kilometers", (213_000_000, 8_500_000)),
        ("a=1, b=-3 and 2e-9", (1, -3, 2e-9)),
        ("5% of $1.2M, 100 m", (5, 0.05, 1_200_000, 100)),
        ("[100,200,300] and 22,33 in 2019-2020", (100_200_300, 100, 200, 300, 22, 33, 2019, 2020)),
        ("$12,000 per year", (12_000,)),
        ("two hundred and fifty dollars for twenty-five apples", (250, 25)),
        ("half a dozen, one or two", (0.5, 12, 1, 2)),
        ("三百二十元，两个，一百万，5万", (320, 2, 1_000_000, 50_000)),
        ("nothing is stated", ()),
    ],
)
def test_numbers_are_read(text: str, numbers: tuple[float, ...]) -> None:
    assert stated_numbers(text) == numbers


def tool(required: list[str], **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


def told(request: str, required: list[str], **properties: Any) -> dict[str, Any]:
    given = tool(required, **properties)
    (narrowed,) = told_arguments([given], request)
    assert given == tool(required, **properties), "the tool given must not change"
    found: dict[str, Any] = narrowed["function"]["parameters"]["properties"]
    return found


def test_required_arguments_come_first_and_unasked_ones_are_left_out() -> None:
    fields = {
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "detailed_report": {"type": "boolean"},
        "city": {"type": "string"},
    }
    assert list(told("Weather in Rome", ["city"], **fields)) == ["city"]
    assert list(told("Weather in Rome in celsius", ["city"], **fields)) == ["city", "unit"]
    assert list(told("A detailed forecast", ["city"], **fields)) == ["city", "detailed_report"]
    chinese = {"城市": {"type": "string"}, "单位": {"type": "string"}}
    assert list(told("北京天气，单位用摄氏度", ["城市"], **chinese)) == ["城市", "单位"]
    assert list(told("北京天气", ["城市"], **chinese)) == ["城市"]
    assert list(told("Anything", [], **fields)) == list(fields), "one of them must be meant"


def test_numbers_are_those_of_the_request_that_fit() -> None:
    fields: dict[str, Any] = {
        "amount": {"type": "number", "description": "In euros."},
        "years": {"type": "integer", "minimum": 3},
        "times": {"type": "array", "items": {"type": "integer"}},
    }
    found = told("5% of 2.5 for 10 years", list(fields), **fields)
    assert found["amount"]["enum"] == [0.05, 2.5, 10]
    assert found["amount"]["description"] == "In euros."
    assert found["years"]["enum"] == [5, 10]
    assert found["times"]["items"]["enum"] == [5, 10]
    percent = {"rate": {"type": "number", "description": "In percent."}}
    assert told("5% of 2.5", ["rate"], **percent)["rate"]["enum"] == [5, 2.5]
    assert told("No number", list(fields), **fields)["years"] == fields["years"]


def test_an_optional_number_needs_one_that_is_left_over() -> None:
    fields = {"price": {"type": "number"}, "most": {"type": "integer"}}
    assert list(told("It costs 12", ["price"], **fields)) == ["price"]
    assert list(told("It costs 12, 3 at most", ["price"], **fields)) == ["price", "most"]


def test_no_two_arguments_take_the_same_number() -> None:
    fields = {"low": {"type": "integer"}, "high": {"type": "integer"}}

    def ways(request: str) -> list[tuple[float, ...]]:
        (narrowed,) = told_arguments([tool(["low", "high"], **fields)], request)
        return [tuple(way.values()) for way in number_ways(narrowed["function"]["parameters"])]

    assert ways("from 3 to 7") == [(3, 7), (7, 3)]
    assert ways("3 only") == [(3, 3)]
    assert (3, 3) in ways("a field of 3 by 3, 4 high")
    assert ways("1 2 3 4 5 6 7") == []
    assert with_numbers({"properties": fields}, {"low": 3})["properties"]["low"] == {"const": 3}


def test_texts_are_copied_unless_they_are_composed() -> None:
    fields = {
        "city": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "sql": {"type": "string"},
        "note": {"type": "string", "description": "A summary of the request."},
        "day": {"type": "string", "format": "date"},
    }
    given = tool(list(fields), **fields)
    (narrowed,) = told_arguments([given], "Rome, please", copy=True)
    found = narrowed["function"]["parameters"]["properties"]
    assert [name for name, field in found.items() if SPAN_OF in str(field)] == ["city", "tags"]
    (free,) = told_arguments([given], " ", copy=True)
    assert SPAN_OF not in str(free)
