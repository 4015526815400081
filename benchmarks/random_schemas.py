"""Random JSON schemas from a seed, like those that people write for tools and extractions."""

from __future__ import annotations

import random
from typing import Any

__all__ = ["random_schema", "random_schemas"]

_NAMES = (
    "name", "title", "size", "count", "price", "status", "tags", "items", "address", "owner",
    "date", "code", "kind", "score", "notes", "active", "parts", "unit", "level", "email",
    "type", "enum", "名称", "数量", "日期", "状态",
)  # fmt: skip
_WORDS = (
    "red",
    "green",
    "dark blue",
    'in "quotes"',
    "back\\slash",
    "红色",
    "待处理",
    "n/a",
    "ok",
    "10%",
)
_PATTERNS = (
    "^[A-Z]{2}-[0-9]{3}$",
    "^(north|south)-[a-z]{1,4}$",
    "^[0-9]{4}(/[0-9]{2})?$",
    "^#[0-9a-f]{6}$",
    "^\\+[0-9]{2} [0-9]{4,6}$",
    "^[\\u4e00-\\u9fff]{2,4}$",
)
_FORMATS = ("date", "time", "date-time", "email", "uuid", "ipv4", "ipv6", "hostname", "uri")


def random_schemas(count: int, *, seed: int = 17) -> list[dict[str, Any]]:
    """Return ``count`` schemas of objects; the same seed gives the same ones."""
    return [random_schema(random.Random(f"{seed}-{number}")) for number in range(count)]


def random_schema(source: random.Random) -> dict[str, Any]:
    """Return one schema of an object, at times with definitions that it refers to."""
    schema = _object(source, depth=source.choice((1, 2, 2, 3)))
    if source.random() < 0.2:
        schema["$defs"] = {"Part": _object(source, depth=1)}
        extra: dict[str, Any] = {"$ref": "#/$defs/Part"}
        if source.random() < 0.5:
            extra = {"type": "array", "items": extra, "maxItems": 2}
        schema["properties"]["part_of"] = extra
        if source.random() < 0.5:
            schema.setdefault("required", []).append("part_of")
    return schema


def _object(source: random.Random, depth: int) -> dict[str, Any]:
    names = source.sample(_NAMES, source.randint(1, 4))
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _value(source, depth - 1) for name in names},
    }
    required = [name for name in names if source.random() < 0.7]
    if required or source.random() < 0.5:
        schema["required"] = required
    if source.random() < 0.5:
        schema["additionalProperties"] = False
    return schema


def _value(source: random.Random, depth: int) -> dict[str, Any]:
    leaves = (_string, _string, _integer, _number, _enum, _const, _boolean)
    nests = (_object, _array, _array, _any_of, _nullable)
    if depth > 0 and source.random() < 0.5:
        return source.choice(nests)(source, depth)
    if source.random() < 0.15:
        return source.choice((_array, _any_of, _nullable))(source, 0)
    return source.choice(leaves)(source)


def _string(source: random.Random) -> dict[str, Any]:
    kind = source.random()
    if kind < 0.25:
        return {"type": "string", "pattern": source.choice(_PATTERNS)}
    if kind < 0.5:
        return {"type": "string", "format": source.choice(_FORMATS)}
    schema: dict[str, Any] = {"type": "string"}
    if source.random() < 0.8:
        schema["maxLength"] = source.randint(3, 16)
    if source.random() < 0.4:
        schema["minLength"] = source.randint(1, 3)
    return schema


def _integer(source: random.Random) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    low = source.choice((-1000, -17, -1, 0, 1, 5, 18, 99))
    if source.random() < 0.7:
        schema[source.choice(("minimum", "exclusiveMinimum"))] = low
    if source.random() < 0.7:
        high = low + source.choice((2, 9, 100, 12345))
        schema[source.choice(("maximum", "exclusiveMaximum"))] = high
    if not schema.keys() & {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}:
        schema.update({"multipleOf": source.choice((2, 5, 10))} if source.random() < 0.3 else {})
    return schema


def _number(source: random.Random) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "number"}
    low = source.choice((-273.15, -1.5, 0, 0.5, 1, 3.25))
    if source.random() < 0.7:
        schema[source.choice(("minimum", "exclusiveMinimum"))] = low
    if source.random() < 0.7:
        high = low + source.choice((0.25, 1, 10, 1000.5))
        schema[source.choice(("maximum", "exclusiveMaximum"))] = high
    return schema


def _enum(source: random.Random) -> dict[str, Any]:
    if source.random() < 0.2:
        return {"enum": source.sample((1, 2, 3.5, None, True, "one", "二"), 3)}
    return {"type": "string", "enum": source.sample(_WORDS, source.randint(1, 5))}


def _const(source: random.Random) -> dict[str, Any]:
    return {"const": source.choice((*_WORDS, 0, 42, -1.5, True, None))}


def _boolean(source: random.Random) -> dict[str, Any]:
    del source
    return {"type": "boolean"}


def _array(source: random.Random, depth: int) -> dict[str, Any]:
    least = source.choice((0, 0, 1, 2))
    schema: dict[str, Any] = {"type": "array", "items": _value(source, depth - 1)}
    if source.random() < 0.1:
        items = [_value(source, 0) for _ in range(source.randint(1, 3))]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
    if least:
        schema["minItems"] = least
    if source.random() < 0.7:
        schema["maxItems"] = least + source.randint(1, 2)
    if least < 2 and source.random() < 0.15:
        schema["uniqueItems"] = True
    return schema


def _any_of(source: random.Random, depth: int) -> dict[str, Any]:
    options = [_value(source, depth - 1) for _ in range(source.randint(2, 3))]
    return {"anyOf": options}


def _nullable(source: random.Random, depth: int) -> dict[str, Any]:
    inner = _value(source, depth - 1)
    if isinstance(inner.get("type"), str) and "enum" not in inner and source.random() < 0.5:
        return {**inner, "type": [inner["type"], "null"]}
    return {"anyOf": [inner, {"type": "null"}]}
