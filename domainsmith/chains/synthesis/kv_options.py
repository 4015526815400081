"""Settings of Self-KV, checked all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domainsmith.errors import InputInvalid
from domainsmith.records import Language

__all__ = ["KvOptions"]

_LISTS = ("table", "triples", "json", "tables")
_SHARES = ("closed_share", "paraphrase_share")


@dataclass(frozen=True)
class KvOptions:
    """What Self-KV reads and makes.

    Args:
        table: Files with tables: CSV, TSV, XLSX, and other formats whose text holds tables.
        triples: Files of subject, relation, object: ``.jsonl``, ``.csv``, ``.tsv``.
        json: Files of records: ``.json``, ``.jsonl``.
        sql: Address of a database.
        tables: Of the database; all if empty and there is no query.
        query: One SELECT statement instead.
        max_rows: A larger database table is sampled.
        per_row: Most questions about one row or one subject of the graph.
        closed_share: Share of facts that are also asked without their rows; those whose rows
            are too many to show are always asked so. 0 to 1.
        paraphrase_share: Share of questions that the model rewords. 0 to 1.
        paraphrase_languages: In which it may. The embedded model knows almost no Chinese.
        language: Of the questions; None takes each table's own.
    """

    table: tuple[str, ...] = ()
    triples: tuple[str, ...] = ()
    json: tuple[str, ...] = ()
    sql: str = ""
    tables: tuple[str, ...] = ()
    query: str = ""
    max_rows: int = 20_000
    per_row: int = 3
    closed_share: float = 0.6
    paraphrase_share: float = 0.4
    paraphrase_languages: tuple[Language, ...] = ("en",)
    language: Language | None = None

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> KvOptions:
        """Check settings.

        Args:
            options: Plain data; a path may stand alone instead of in a list.

        Returns:
            The settings.

        Raises:
            InputInvalid: Names every problem.
        """
        values, problems = dict(options), list[str]()
        unknown = sorted(set(values) - set(cls.__dataclass_fields__))
        if unknown:
            known = ", ".join(cls.__dataclass_fields__)
            problems.append(f"there is no setting {', '.join(unknown)} (there are {known})")
        for name in (*_LISTS, "paraphrase_languages"):
            if name in values:
                values[name] = _texts(name, values[name], problems)
        problems += _wrong(values)
        if problems:
            raise InputInvalid("; ".join(problems), where="self_kv")
        return cls(**values)

    def files(self) -> tuple[Path, ...]:
        """Return the files that are read, in order."""
        return tuple(Path(name) for name in (*self.table, *self.json, *self.triples))


def _wrong(values: Mapping[str, Any]) -> list[str]:
    """Return the problems of values whose lists are lists."""
    problems = [
        f"{name} must be a text"
        for name in ("sql", "query")
        if not isinstance(values.get(name, ""), str)
    ]
    for name in ("max_rows", "per_row"):
        value = values.get(name, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            problems.append(f"{name} is {value!r}, must be a whole number from 1")
    for name in _SHARES:
        value = values.get(name, 0)
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            problems.append(f"{name} is {value!r}, must be 0 to 1")
    languages = [*values.get("paraphrase_languages", ()), values.get("language") or "en"]
    if set(languages) - {"en", "zh"}:
        problems.append("a language must be en or zh")
    if not any(values.get(name) for name in ("table", "triples", "json", "sql")):
        problems.append(
            "there is nothing to read: give a table (--table FILE), triples, json or sql"
        )
    if (values.get("query") or values.get("tables")) and not values.get("sql"):
        problems.append("query and tables need sql, the address of a database")
    return problems


def _texts(name: str, value: Any, problems: list[str]) -> tuple[str, ...]:
    if isinstance(value, (str, Path)):
        value = [str(value)]
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        problems.append(f"{name} must be a text or a list of texts")
        return ()
    return tuple(value)
