"""How a domain argues: templates that lay out rule, facts and conclusion."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import Language

__all__ = ["ArgumentForm", "built_in_forms", "read_form"]

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_LANGUAGES: tuple[Language, ...] = ("en", "zh")
_PARTS = {
    "question": {"case", "ask"},
    "answer": {"rule", "source", "finding", "conclusion"},
}
_NEEDED = {"question": {"case", "ask"}, "answer": {"rule", "source", "conclusion"}}


@dataclass(frozen=True)
class ArgumentForm:
    """A form of argument.

    Args:
        name: For reports.
        question: Template by language.
        answer: Template by language.
    """

    name: str
    question: Mapping[Language, str]
    answer: Mapping[Language, str]

    def filled(self, language: Language, values: Mapping[str, str]) -> tuple[str, str]:
        """Fill the question and the answer in.

        Args:
            language: One that the form has.
            values: A text for each placeholder; inserted as they are.

        Returns:
            Question and answer.
        """
        question, answer = (
            _PLACEHOLDER.sub(lambda match: values[match[1]], text[language])
            for text in (self.question, self.answer)
        )
        return question, answer


def built_in_forms() -> list[str]:
    """Return the names of the forms that come with the program, sorted."""
    folder = files(__package__) / "forms"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if "." in item.name)


def read_form(name: str) -> ArgumentForm:
    """Read a form.

    Args:
        name: A built-in one, or the path of a TOML file with a table ``en`` or ``zh`` or both,
            each with ``question`` and ``answer``.

    Returns:
        The form.

    Raises:
        InputNotFound: Neither.
        InputInvalid: The file is no such TOML; names every problem.
    """
    if name in built_in_forms():
        text = (files(__package__) / "forms" / f"{name}.toml").read_text(encoding="utf-8")
    elif Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8")
    else:
        raise InputNotFound(
            "There is no such form of argument",
            where=name,
            fix=f"Use one of {built_in_forms()} or the path of a TOML file.",
        )
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputInvalid(f"The form is no TOML: {error}", where=name) from error
    problems = _problems(values)
    if problems:
        raise InputInvalid(f"The form cannot be used: {'; '.join(problems)}", where=name)
    return ArgumentForm(
        name=Path(name).stem,
        question={name: values[name]["question"] for name in _LANGUAGES if name in values},
        answer={name: values[name]["answer"] for name in _LANGUAGES if name in values},
    )


def _problems(values: Mapping[str, object]) -> list[str]:
    problems = [f"[{name}] is no language (en, zh)" for name in values if name not in {"en", "zh"}]
    if not values:
        problems.append("there is no table [en] or [zh]")
    for language, table in values.items():
        for part, known in _PARTS.items():
            text = table.get(part) if isinstance(table, Mapping) else None
            if not isinstance(text, str) or not text.strip():
                problems.append(f"[{language}] has no {part}")
                continue
            found = set(_PLACEHOLDER.findall(text))
            for name in sorted(found - known):
                problems.append(f"[{language}] {part}: {{{{{name}}}}} is none of {sorted(known)}")
            for name in sorted(_NEEDED[part] - found):
                problems.append(f"[{language}] {part}: {{{{{name}}}}} is missing")
    return problems
