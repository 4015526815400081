"""Whether a function call is one of the possible answers, by the rules of BFCL's AST checker.

Our own code after ``bfcl_eval/eval_checker/ast_eval/ast_checker.py`` (ShishirPatil/gorilla, commit
6ea5797, Apache-2.0), for Python's categories that are not live. The rules that are kept:

1. As many calls as answers, in any order, each with its answer's name; none where no tool fits.
2. Every required parameter is there, and no parameter that the answer does not list.
3. A listed parameter may be absent only if ``""`` is among its possible values.
4. Types are exact, except that an integer may stand for a float; a list for a tuple.
5. Strings are compared in lower case without spaces and without ``,./-_*^`` and with ``'`` as
   ``"``; also within lists and dictionaries.
6. A list equals a possible list, in order; a dictionary has each key's value among the possible
   ones, and lacks only keys that may be ``""``; lists of dictionaries go element by element.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["call_matches", "calls_match"]

_IGNORED = re.compile(r"[ ,./\-_*^]")
_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "float": (float, int),
    "number": (float, int),
    "boolean": (bool,),
    "string": (str,),
    "array": (list,),
    "tuple": (list, tuple),
    "dict": (dict,),
    "any": (object,),
}


def calls_match(
    calls: Sequence[tuple[str, Mapping[str, Any]]],
    answers: Sequence[Mapping[str, Mapping[str, Sequence[Any]]]],
    functions: Sequence[Mapping[str, Any]],
) -> bool:
    """Return whether calls are right, in any order.

    Args:
        calls: Name and arguments each.
        answers: One for each call that is right; none where no tool fits.
        functions: Descriptions in BFCL's form.
    """
    left = list(calls)
    for answer in answers:
        # As in BFCL, each answer takes the first call that is left and matches.
        found = next((one for one in left if call_matches(one, answer, functions)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def call_matches(
    call: tuple[str, Mapping[str, Any]] | None,
    answer: Mapping[str, Mapping[str, Sequence[Any]]],
    functions: Sequence[Mapping[str, Any]],
) -> bool:
    """Return whether a call is right.

    Args:
        call: Name and arguments; None if there was none.
        answer: The name, and the possible values of each parameter.
        functions: Descriptions in BFCL's form.
    """
    ((name, possible),) = answer.items()
    if call is None or call[0] != name:
        return False
    arguments = call[1]
    (function,) = (item for item in functions if item["name"] == name)
    properties = function["parameters"]["properties"]
    if not set(function["parameters"].get("required", ())) <= set(arguments):
        return False
    for parameter, value in arguments.items():
        if parameter not in properties or parameter not in possible:
            return False
        if not _value_matches(value, possible[parameter], properties[parameter]["type"]):
            return False
    return all("" in values for key, values in possible.items() if key not in arguments)


def _value_matches(value: Any, possible: Sequence[Any], kind: str) -> bool:
    if isinstance(value, bool) and kind in ("integer", "float", "number"):
        return False
    if not isinstance(value, _TYPES.get(kind, (object,))):
        # A possible value of that very type (the name of a variable, say) is right as well.
        return any(type(value) is type(one) and _plain(value) == _plain(one) for one in possible)
    if isinstance(value, dict):
        return any(isinstance(one, dict) and _dict_matches(value, one) for one in possible)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return any(
            isinstance(one, list)
            and len(one) == len(value)
            and all(
                isinstance(item, dict) and isinstance(wanted, dict) and _dict_matches(item, wanted)
                for item, wanted in zip(value, one, strict=True)
            )
            for one in possible
        )
    return any(_plain(value) == _plain(one) for one in possible)


def _dict_matches(value: Mapping[str, Any], wanted: Mapping[str, Sequence[Any]]) -> bool:
    if not set(value) <= set(wanted):
        return False
    for key, item in value.items():
        if not any(_plain(item) == _plain(one) for one in wanted[key]):
            return False
    return all("" in values for key, values in wanted.items() if key not in value)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _IGNORED.sub("", value).lower().replace("'", '"')
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
