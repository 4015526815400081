"""Write docs/settings.md from the settings' own docstrings; ``--check`` fails if it is stale."""

from __future__ import annotations

import argparse
import ast
import inspect
import itertools
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from domainsmith import settings

TARGET = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
_INTRODUCTION = """\
# Settings

Generated from `domainsmith/settings.py` by `scripts/generate_settings_reference.py`; do not edit.

A value comes from a flag (`--set NAME=VALUE`, or a command's own), else a variable
(`DOMAINSMITH_NAME`), else the workspace's `domainsmith.toml`, else the default.
`domainsmith config show --origin` lists the values in force and where each comes from. From Python:
`Expert.open(FOLDER, NAME=VALUE)`. An unknown name or a bad value is an error that names its source.
"""
_VARIABLES = """\
## Variables that are no settings

| variable | meaning |
|---|---|
| `DOMAINSMITH_WORKSPACE` | the workspace's folder, where `--workspace` is not given; else the nearest `.domainsmith`, from the current folder upwards |
| `DOMAINSMITH_API_KEY` | the key for served models (else `OPENAI_API_KEY`), and the key that `serve` asks its clients for |
| `DOMAINSMITH_OFFLINE` | `1`: nothing is fetched from package indexes or model hubs (`HF_HUB_OFFLINE` does the same) |
| `DOMAINSMITH_MODELS` | the folder of fetched and converted weights; the user's cache folder if unset |
| `DOMAINSMITH_DATA` | the folder of the data sets that the benchmarks read |
| `HF_ENDPOINT`, `HF_TOKEN` | another model hub, and a token for gated or private models |
"""  # noqa: E501 - rows of a table
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def reference() -> str:
    """Build the document.

    Returns:
        Markdown with a row for each setting.

    Raises:
        ValueError: A setting has no docstring.
    """
    meanings = _docstrings()
    rows = ["| setting | default | values | meaning |", "|---|---|---|---|"]
    for name, field in settings.Settings.model_fields.items():
        if name not in meanings:
            raise ValueError(f"the setting {name} has no docstring")
        cells = (f"`{name}`", _default(field), ", ".join(_values(field)), meanings[name])
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join([_INTRODUCTION, *rows, "", _VARIABLES])


def _docstrings() -> dict[str, str]:
    """Return the text below each field, as one line of Markdown."""
    tree = ast.parse(inspect.getsource(settings.Settings))
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    found: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            assert isinstance(field.target, ast.Name)
            words = str(ast.literal_eval(text.value))
            found[field.target.id] = " ".join(words.split()).replace("``", "`")
    return found


def _default(field: FieldInfo) -> str:
    if isinstance(field.default, tuple):
        return "none"
    value = str(field.default)
    return f"`{value.lower() if isinstance(field.default, bool) else value}`"


def _values(field: FieldInfo) -> Iterator[str]:
    kind = field.annotation
    if get_origin(kind) is Literal:
        yield " ".join(f"`{choice}`" for choice in get_args(kind))
    elif isinstance(kind, types.GenericAlias):
        yield "names, separated by commas; in the file a list"
    else:
        names = {str: "text", int: "whole number", float: "number", bool: "`true` `false`"}
        assert kind in names
        yield names[kind]
    for bound in field.metadata:
        for name, words in _BOUNDS.items():
            if hasattr(bound, name):
                yield f"{words} {getattr(bound, name):,}"


def main() -> int:
    """Write or check the reference.

    Returns:
        0, or 1 if the check found a difference.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    wanted = reference()
    if not parser.parse_args().check:
        TARGET.write_text(wanted, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == wanted:
        return 0
    print(
        "error: docs/settings.md is stale. Run scripts/generate_settings_reference.py.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
