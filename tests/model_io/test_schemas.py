from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from benchmarks.random_schemas import random_schemas
from domainsmith.errors import InputInvalid, OutputInvalid
from domainsmith.model_io.constrained_json import read_json, repaired
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Constraint, GenerationRequest
from domainsmith.model_io.json_position import JsonPosition
from domainsmith.model_io.patterns import bounded_pattern
from domainsmith.model_io.schema_check import check_schema
from domainsmith.model_io.string_formats import FORMAT_PATTERNS

CHECKER = jsonschema.Draft202012Validator.FORMAT_CHECKER


def ask(schema: dict[str, Any], **more: Any) -> GenerationRequest:
    more = {"max_new_tokens": 128, **more}
    return GenerationRequest("A record: ", constraint=Constraint.json_schema(schema), **more)


def test_random_schemas_are_always_met(engine: Engine) -> None:
    schemas = random_schemas(40, seed=5)
    requests = [
        ask(schema, temperature=float(number % 4 == 3), seed=number)
        for number, schema in enumerate(schemas)
    ]
    for done in engine.generate(requests):
        constraint = requests[done.index].constraint
        assert constraint is not None
        value = read_json(done.text, constraint)
        validator = jsonschema.Draft202012Validator(schemas[done.index], format_checker=CHECKER)
        validator.validate(value)
        assert done.finish_reason == "stop"


@pytest.mark.parametrize("temperature", [0.0, 3.0])
def test_formats_end_and_are_valid(engine: Engine, temperature: float) -> None:
    schemas = [{"type": "string", "format": name} for name in FORMAT_PATTERNS]
    requests = [
        ask(schema, temperature=temperature, seed=1, max_new_tokens=60) for schema in schemas
    ]
    for done in engine.generate(requests):
        value = json.loads(done.text)
        jsonschema.validate(value, schemas[done.index], format_checker=CHECKER)


def test_the_most_likely_token_is_the_same_with_and_without_the_short_cut(
    exact_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from domainsmith.model_io.constrain import RowGrammar

    requests = [ask(schema, max_new_tokens=90) for schema in random_schemas(2, seed=3)]
    quick = {done.index: done.text for done in exact_engine.generate(requests)}
    monkeypatch.setattr(RowGrammar, "_take_short_cut", lambda self, token: False)
    assert quick == {done.index: done.text for done in exact_engine.generate(requests)}


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"$ref": "#"}, "recursive without end"),
        (
            {
                "$defs": {
                    "Node": {
                        "type": "object",
                        "properties": {"next": {"$ref": "#/$defs/Node"}},
                        "required": ["next"],
                    }
                },
                "$ref": "#/$defs/Node",
            },
            "recursive without end",
        ),
        ({"type": "array", "items": {"$ref": "#"}, "minItems": 1}, "recursive without end"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "leave nothing"),
        ({"type": "string", "minLength": 5, "maxLength": 4}, "leave nothing"),
        ({"enum": []}, "empty|non-empty"),
        ({"type": "nonsense"}, "malformed"),
        ({"$ref": "#/$defs/absent"}, "absent"),
        (
            {"type": "object", "properties": {"a": False}, "required": ["a"]},
            "allows nothing",
        ),
    ],
)
def test_schemas_without_a_finite_instance_are_refused(
    engine: Engine, schema: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputInvalid, match=problem):
        check_schema(schema)
    with pytest.raises(InputInvalid):
        list(engine.generate([ask(schema)]))


def test_recursion_with_an_end_is_fine(engine: Engine) -> None:
    tree = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 8},
            "children": {"type": "array", "items": {"$ref": "#"}},
        },
        "required": ["name", "children"],
    }
    check_schema(tree)
    (done,) = engine.generate([ask(tree, max_new_tokens=60)])
    jsonschema.validate(json.loads(done.text), tree)


def test_what_a_grammar_cannot_say_is_repaired() -> None:
    numbers = {"type": "array", "items": {"type": "integer", "maximum": 9}, "uniqueItems": True}
    assert repaired([1, 2, 1, 3], numbers) == [1, 2, 3]
    assert repaired([9, 9], {**numbers, "minItems": 2}) == [9, 8]
    colours = {"enum": ["red", "blue"]}
    pair = {"type": "array", "items": colours, "uniqueItems": True, "minItems": 2}
    assert sorted(repaired(["red", "red"], pair)) == ["blue", "red"]
    wide = {"type": "integer", "multipleOf": 7, "minimum": -(10**6), "maximum": 10**6}
    assert repaired(100, wide) == 98
    inside = {"anyOf": [{"properties": {"size": wide}, "required": ["size"]}, {"type": "null"}]}
    assert repaired({"size": 10}, inside) == {"size": 7}
    with pytest.raises(OutputInvalid, match="breaks its schema"):
        repaired([True, True, True], {"items": {"type": "boolean"}, "minItems": 3, **pair})
    with pytest.raises(OutputInvalid, match="not complete"):
        read_json('{"a": ', Constraint.json_schema({"type": "object"}))


def test_long_texts_end_although_the_schema_has_no_bound(engine: Engine) -> None:
    free = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    wide = {
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": 200}},
        "required": ["text"],
    }
    prompt = "Count in one line: one two three four five six seven eight nine ten eleven"
    for schema, limit in ((free, 440), (wide, 200)):
        constraint = Constraint.json_schema(schema)
        request = GenerationRequest(prompt, max_new_tokens=300, constraint=constraint)
        (done,) = engine.generate([request])
        assert done.finish_reason == "stop"
        assert len(read_json(done.text, constraint)["text"]) <= limit


def test_patterns_get_bounds() -> None:
    assert bounded_pattern(r"^a+[*+]\+(b|c)*$") == r"^a{1,49}[*+]\+(b|c){0,48}$"
    assert bounded_pattern("x{2,}y{3}z{1,4}") == "x{2,50}y{3}z{1,4}"


def test_the_position_in_a_document() -> None:
    position = JsonPosition()
    position.read('{"a\\"红'.encode())
    assert position.in_text
    assert position.length == 3
    position.read(b'": -12.5')
    assert not position.in_text
    assert position.length == 5
