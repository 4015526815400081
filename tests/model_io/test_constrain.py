from __future__ import annotations

import json
import re

import jsonschema
import pytest
from pydantic import BaseModel

from domainsmith.errors import InputInvalid
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Constraint, GenerationRequest
from domainsmith.model_io.schema_bounds import bounded_schema, text_limit


class Part(BaseModel):
    name: str
    count: int


class Order(BaseModel):
    title: str
    parts: list[Part]
    urgent: bool


COLOURS = {
    "type": "object",
    "properties": {"颜色": {"enum": ["红色", "蓝色"]}},
    "required": ["颜色"],
}
NAMES = {
    "type": "object",
    "properties": {"names": {"type": "array", "items": {"type": "string"}, "minItems": 2}},
    "required": ["names"],
}
SCHEMAS = [COLOURS, NAMES, Order.model_json_schema()]


@pytest.mark.parametrize("temperature", [0.0, 1.3])
def test_json_is_always_valid(engine: Engine, temperature: float) -> None:
    requests = [
        GenerationRequest(
            engine.render([{"role": "user", "content": "Order two hoses and a pump, 紧急"}]),
            max_new_tokens=bound,
            temperature=temperature,
            seed=bound,
            constraint=Constraint.json_schema(schema),
        )
        for schema in SCHEMAS
        for bound in (30, 60)
    ]
    for done in engine.generate(requests):
        schema = SCHEMAS[done.index // 2]
        jsonschema.validate(json.loads(done.text), schema)
        assert done.finish_reason == "stop"


def test_choices_and_patterns(engine: Engine) -> None:
    choice = Constraint.choice(["answer", "answer with tools", "拒绝回答", "红色"])
    pattern = Constraint.regex(r"E[0-9]{2}(-[A-C])?")
    requests = [
        GenerationRequest(
            "Anything: ", max_new_tokens=8, temperature=2.0, seed=seed, constraint=constraint
        )
        for seed in range(6)
        for constraint in (choice, pattern)
    ]
    for done in engine.generate(requests):
        if done.index % 2:
            assert re.fullmatch(r"E[0-9]{2}(-[A-C])?", done.text)
        else:
            assert done.text in choice.body


def test_constrained_and_free_rows_share_a_batch(exact_engine: Engine) -> None:
    prompt = exact_engine.render([{"role": "user", "content": "Is water wet?"}])
    free = GenerationRequest(prompt, max_new_tokens=6)
    bound = GenerationRequest(prompt, max_new_tokens=6, constraint=Constraint.choice(["no", "不"]))
    together = {done.index: done.text for done in exact_engine.generate([free, bound])}
    (single,) = exact_engine.generate([free])
    assert together[0] == single.text
    assert together[1] in ("no", "不")


def test_a_choice_is_completed_whatever_the_bound(engine: Engine) -> None:
    only = Constraint.choice(["a rather long choice that takes many tokens"])
    (done,) = engine.generate([GenerationRequest("x", max_new_tokens=1, constraint=only)])
    assert done.text == only.body[0]


def test_constraints_that_cannot_be_met_are_refused(engine: Engine) -> None:
    small = GenerationRequest("x", max_new_tokens=3, constraint=Constraint.json_schema(Order))
    with pytest.raises(InputInvalid, match="shortest output"):
        list(engine.generate([small]))
    with pytest.raises(InputInvalid, match="cannot be compiled"):
        list(engine.generate([GenerationRequest("x", constraint=Constraint.regex("(["))]))
    with pytest.raises(InputInvalid):
        Constraint.choice([])


def test_constraint_values_are_hashable_and_keep_property_order() -> None:
    schema = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}
    constraint = Constraint("json_schema", schema)  # type: ignore[arg-type]
    assert hash(constraint) == hash(Constraint.json_schema(schema))
    assert list(constraint.schema["properties"]) == ["b", "a"]
    assert Constraint("choice", ["x", "x", "y"]).body == ("x", "y")  # type: ignore[arg-type]


def test_bounds_are_added_at_every_level() -> None:
    schema = {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "enum": {"type": "array", "items": {"type": "string", "maxLength": 5}},
            "code": {"type": "string", "pattern": "^x$"},
            "size": {"type": ["integer", "null"], "minimum": 3},
        },
    }
    properties = bounded_schema(schema)["properties"]
    assert text_limit(schema) > 5
    assert properties["enum"]["maxItems"] > 0
    assert properties["enum"]["items"]["maxLength"] == 5
    assert "maxLength" not in properties["code"]
    assert properties["size"]["minimum"] == 3
    assert properties["size"]["maximum"] > 10**6
    assert "minimum" not in bounded_schema({"enum": [1], "type": "integer"})
    assert text_limit({"type": "string", "maxLength": 2000}) == 2000
