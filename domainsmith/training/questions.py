"""A person's own test questions, read from a file."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from domainsmith.counts import counted
from domainsmith.errors import InputEmpty, InputInvalid, translated_os_errors
from domainsmith.records import Question

__all__ = ["load_questions"]

_MAX_PROBLEMS = 20


def load_questions(path: Path) -> list[Question]:
    """Read test questions, one JSON object a line.

    Args:
        path: A JSONL file with ``key``, ``question``, ``language`` and, if answerable,
            ``answer`` and ``gold``.

    Returns:
        Questions in the file's order.

    Raises:
        InputNotFound: There is no such file.
        InputEmpty: It holds no question.
        InputInvalid: Lines break the form; all of them are named, up to twenty.
    """
    path = Path(path)
    with translated_os_errors(path):
        data = path.read_bytes()
    questions: list[Question] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        problem, question = _parse(line)
        if question is not None and question.key in seen:
            problem = f"the key {question.key!r} was used in line {seen[question.key]}"
        if problem or question is None:
            problems.append(f"line {number}: {problem}")
            continue
        seen[question.key] = number
        questions.append(question)
    if problems:
        more = len(problems) - _MAX_PROBLEMS
        listed = "; ".join(problems[:_MAX_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
        raise InputInvalid(
            f"Not a test question: {counted(len(problems), 'line')}: {listed}",
            where=path,
            fix="Correct them; the README shows the form.",
        )
    if not questions:
        raise InputEmpty("The file holds no questions", where=path)
    return questions


def _parse(line: bytes) -> tuple[str, Question | None]:
    try:
        value = json.loads(line.decode("utf-8-sig"))
        question = Question.model_validate(value)
    except UnicodeDecodeError:
        return "not UTF-8", None
    except json.JSONDecodeError as error:
        return f"not JSON ({error.msg})", None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        return f"{field}: {first['msg']}", None
    if not question.question.strip():
        return "question: it is empty", None
    if question.answerable and not question.answer.strip():
        return "answer: an answerable question needs one", None
    return "", question
