"""The shortest JSON documents that a schema allows, and those of all its parts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from domainsmith.model_io.schema_bounds import schema_parts
from domainsmith.model_io.shortest_match import shortest_match
from domainsmith.model_io.text_spans import SPAN_OF, shortest_span

__all__ = ["ShortTexts", "short_texts"]

_ROUNDS = 6
_PLACES = 7
_LITERALS_KEPT = 64
_VALUES_KEPT = 128


@dataclass(frozen=True, slots=True)
class ShortTexts:
    """What ends a document soon.

    Attributes:
        keys: Beginnings of members that an object must have, as in ``"name": ``.
        values: Shortest documents of the parts of the schema, the shortest first; numbers with what
            follows them, too, because a number that may go on need not be allowed to end.
        steps: All that a single decision can add to a document: members of objects with their
            shortest values, items, and literals.
    """

    keys: tuple[str, ...]
    values: tuple[str, ...]
    steps: tuple[str, ...]


def short_texts(schema: Any) -> ShortTexts:
    """Find the shortest documents of all parts of a schema.

    They are meant to be tried against the schema's grammar: combinations of rules that are not
    understood here give a text that the grammar refuses.

    Args:
        schema: With bounds (:func:`domainsmith.model_io.schema_bounds.bounded_schema`).
    """
    shortest = _Shortest(schema)
    keys: dict[str, None] = {}
    values: set[str] = {"null", "0", '""', "[]", "{}"}
    steps: set[str] = {"0"}
    for part in schema_parts(schema):
        literals = [*(part.get("enum") or []), *([part["const"]] if "const" in part else [])]
        values.update(map(_dumped, literals[:_LITERALS_KEPT]))
        steps.update(map(_dumped, literals))
        value = shortest.of(part)
        if value is not None:
            values.add(value)
            steps.add(value)
        for name, field in part.get("properties", {}).items():
            steps.add(f", {_dumped(name)}: {shortest.of(field) or ''}")
            if name in part.get("required", ()):
                keys[f"{_dumped(name)}: "] = None
    ordered = sorted(values, key=lambda text: (len(text.encode()), text))[:_VALUES_KEPT]
    numbers = [text for text in ordered if text[-1].isdigit()]
    ended = [text + end for text in numbers for end in "}],"]
    others = [text for text in ordered if not text[-1].isdigit()]
    # A comma opens another item or member, so it comes last.
    tried = sorted([*ended, *others], key=lambda text: (len(text.encode()), text[-1] == ",", text))
    return ShortTexts(tuple(keys), (*tried, *numbers), tuple(sorted(steps)))


class _Shortest:
    """Shortest documents; those of references are found by going over the schema repeatedly."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[str, str] = {}
        self._named = sorted({str(part["$ref"]) for part in schema_parts(root) if "$ref" in part})
        for _ in range(_ROUNDS):
            before = dict(self._known)
            for name in self._named:
                found = self.of(self._target(name))
                if found is not None:
                    self._known[name] = found
            if self._known == before:
                break

    def of(self, node: Any) -> str | None:
        """Return the shortest document of a part; None if none is known to be finite."""
        if not isinstance(node, dict):
            return None if node is False else "0"
        if "const" in node:
            return _dumped(node["const"])
        if "enum" in node:
            return _least(map(_dumped, node["enum"]))
        if "$ref" in node:
            return self._known.get(str(node["$ref"]))
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                return _least(self.of(option) for option in node[keyword])
        if node.get("allOf"):
            return self.of(_merged(node))
        kinds = node.get("type", "object" if "properties" in node else ())
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        return _least(self._kind(kind, node) for kind in kinds) if kinds else "0"

    def _kind(self, kind: str, node: dict[str, Any]) -> str | None:
        if kind == "object":
            return self._object(node)
        if kind == "array":
            return self._array(node)
        simple: dict[str, Callable[[dict[str, Any]], str | None]] = {
            "string": _string,
            "integer": _number,
            "number": _number,
            "boolean": lambda _: "true",
            "null": lambda _: "null",
        }
        return simple[kind](node) if kind in simple else None

    def _object(self, node: dict[str, Any]) -> str | None:
        required = node.get("required", ())
        fields = node.get("properties", {})
        members = []
        for name in [*fields, *(name for name in required if name not in fields)]:
            if name in required:
                value = self.of(fields.get(name, True))
                if value is None:
                    return None
                members.append(f"{_dumped(name)}: {value}")
        return "{" + ", ".join(members) + "}"

    def _array(self, node: dict[str, Any]) -> str | None:
        first = list(node.get("prefixItems", ()))
        least = int(node.get("minItems", 0))
        items = [*first[:least], *[node.get("items", True)] * (least - len(first))]
        found = [self.of(item) for item in items]
        if any(value is None for value in found):
            return None
        return "[" + ", ".join(str(value) for value in found) + "]"

    def _target(self, name: str) -> Any:
        node: Any = self._root
        for part in name[1:].split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = node[int(key)] if isinstance(node, list) else node[key]
        return node


def _merged(node: dict[str, Any]) -> dict[str, Any]:
    whole = {key: value for key, value in node.items() if key != "allOf"}
    for part in node["allOf"]:
        if isinstance(part, dict):
            fields = {**whole.get("properties", {}), **part.get("properties", {})}
            required = [*whole.get("required", ()), *part.get("required", ())]
            whole = {**whole, **part, **({"properties": fields} if fields else {})}
            whole["required"] = required
    return whole


def _string(node: dict[str, Any]) -> str | None:
    if SPAN_OF in node:
        return _dumped(shortest_span(str(node[SPAN_OF])))
    if "pattern" in node:
        found = shortest_match(str(node["pattern"]))
        return None if found is None else _dumped(found)
    return _dumped("a" * int(node.get("minLength", 0)))


def _number(node: dict[str, Any]) -> str | None:
    low = max(node.get("minimum", -math.inf), node.get("exclusiveMinimum", -math.inf))
    high = min(node.get("maximum", math.inf), node.get("exclusiveMaximum", math.inf))

    def fits(value: float) -> bool:
        return (
            low <= value <= high
            and value != node.get("exclusiveMinimum")
            and value != node.get("exclusiveMaximum")
        )

    kinds = node.get("type")
    whole = kinds == "integer" or (isinstance(kinds, list) and "number" not in kinds)
    return _least(_dumped(value) for value in _numbers(low, high, whole=whole) if fits(value))


def _numbers(low: float, high: float, *, whole: bool) -> Iterator[float]:
    yield from range(10)
    for places in range(1 if whole else _PLACES):
        scale = 10**places
        for bound in (low, high):
            if math.isfinite(bound):
                for number in range(math.floor(bound * scale) - 1, math.ceil(bound * scale) + 2):
                    yield number if places == 0 else number / scale


def _least(texts: Iterator[str | None] | Any) -> str | None:
    found = [text for text in texts if text is not None]
    return min(found, key=lambda text: (len(text.encode()), text), default=None)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
