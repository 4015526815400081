"""Refuses JSON schemas that no finite document can satisfy, before anything is decoded."""

from __future__ import annotations

from typing import Any

import jsonschema

from domainsmith.errors import InputInvalid

__all__ = ["check_schema"]

_RANGES = (
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minimum", "maximum"),
    ("exclusiveMinimum", "maximum"),
    ("minimum", "exclusiveMaximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
)


def check_schema(schema: dict[str, Any]) -> None:
    """Raise if a schema is malformed or has no finite instance.

    Found are wrong keywords, references to nothing, bounds that cross, empty enumerations, and
    recursion through required parts. What is left to chance is found by validating the output.

    Raises:
        InputInvalid: With the place of the fault.
    """
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise InputInvalid(
            f"The schema is malformed: {error.message[:200]}", where=error.json_path
        ) from error
    _Finite(schema).check(schema, "$", ())


class _Finite:
    """Walks a schema along the parts that a document must have."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root

    def check(self, node: Any, where: str, open_refs: tuple[str, ...]) -> None:
        """Raise if ``node`` has no finite instance."""
        if node is False:
            raise InputInvalid("The schema allows nothing here", where=where)
        if not isinstance(node, dict):
            return
        self._check_bounds(node, where)
        if "$ref" in node:
            self._check_reference(str(node["$ref"]), where, open_refs)
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                self._check_options(node[keyword], f"{where}.{keyword}", open_refs)
        for number, part in enumerate(node.get("allOf", ())):
            self.check(part, f"{where}.allOf[{number}]", open_refs)
        kinds = node.get("type", ())
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        if not kinds or tuple(kinds) == ("object",):
            for name in node.get("required", ()):
                part = node.get("properties", {}).get(name, True)
                self.check(part, f"{where}.{name}", open_refs)
        if tuple(kinds) == ("array",):
            self._check_items(node, where, open_refs)

    def _check_bounds(self, node: dict[str, Any], where: str) -> None:
        for low, high in _RANGES:
            if low in node and high in node:
                strict = low.startswith("exclusive") or high.startswith("exclusive")
                if node[low] > node[high] or (strict and node[low] == node[high]):
                    raise InputInvalid(
                        f"{low} {node[low]} and {high} {node[high]} leave nothing", where=where
                    )
        if node.get("enum") == []:
            raise InputInvalid("The enumeration is empty", where=where)

    def _check_reference(self, name: str, where: str, open_refs: tuple[str, ...]) -> None:
        if name in open_refs:
            raise InputInvalid(
                f"The schema is recursive without end through {name}",
                where=where,
                fix="Make the recursive part optional, nullable or an array.",
            )
        self.check(self._target(name, where), where, (*open_refs, name))

    def _target(self, name: str, where: str) -> Any:
        node: Any = self._root
        if not name.startswith("#"):
            raise InputInvalid("Only references within the schema can be used", where=name)
        try:
            for part in name[1:].split("/")[1:]:
                key = part.replace("~1", "/").replace("~0", "~")
                node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise InputInvalid(f"The schema refers to {name}, which is absent", where=where) from (
                error
            )
        return node

    def _check_options(self, options: Any, where: str, open_refs: tuple[str, ...]) -> None:
        problem: InputInvalid | None = None
        for number, option in enumerate(options):
            try:
                self.check(option, f"{where}[{number}]", open_refs)
            except InputInvalid as error:
                problem = problem or error
            else:
                return
        if problem is not None:
            raise problem

    def _check_items(self, node: dict[str, Any], where: str, open_refs: tuple[str, ...]) -> None:
        first = node.get("prefixItems", ())
        least = int(node.get("minItems", 0))
        for number, part in enumerate(first[:least]):
            self.check(part, f"{where}[{number}]", open_refs)
        if least > len(first):
            self.check(node.get("items", True), f"{where}[]", open_refs)
