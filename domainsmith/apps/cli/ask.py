"""``domainsmith ask``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_adapters
from domainsmith.apps.cli.query_flags import query_flags
from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound, translated_os_errors

if TYPE_CHECKING:
    from domainsmith.data_connection.filters import PassageFilter
    from domainsmith.records import Answer

__all__ = ["command", "show_answer"]


@click.command("ask", cls=AppCommand)
@click.argument("question", nargs=-1)
@click.option("--file", type=click.Path(path_type=Path), help="Ask each line of a file.")
@click.option(
    "--adapter",
    metavar="ID",
    shell_complete=complete_adapters,
    help="Answer with this tuned adapter; the promoted one, if there is one, if absent.",
)
@click.option("--base", is_flag=True, help="Answer with the base model, without any adapter.")
@click.option("--top-k", type=click.IntRange(1, 50), help="Passages to use.")
@click.option("--model", metavar="NAME", help="Chat model (the setting chat_model).")
@click.option(
    "--only",
    metavar="GLOB",
    multiple=True,
    help="Use only documents whose path fits (`*.pdf`, `manuals/*`); may be repeated.",
)
@query_flags
@click.option(
    "--any", "beyond", is_flag=True, help="Answer also what the documents do not hold (unsafe)."
)
def command(
    app: App,
    question: tuple[str, ...],
    file: Path | None,
    adapter: str | None,
    base: bool,
    top_k: int | None,
    model: str | None,
    only: tuple[str, ...],
    beyond: bool,
    **query: str | None,
) -> Outcome:
    """Answer questions from the documents, with citations.

    QUESTION may also come from standard input, one a line. What the documents do not answer is
    refused in one sentence. A refusal is an answer: the exit code is 0.
    """
    if adapter and base:
        raise click.UsageError("--adapter and --base exclude each other.")
    app.override(chat_model=model, top_k=top_k, **query)
    questions = _questions(question, file)
    assembly = app.assembly()
    where = _filter(app, only) if only else None
    if adapter:
        adapter = assembly.load_adapter(adapter).id
    elif not base:
        adapter = assembly.answering_adapter()
    answers: list[Answer] = []
    for number, text in enumerate(questions):
        if number:
            app.console.data("")
        answer = assembly.answer(text, adapter=adapter, documents_only=not beyond, where=where)
        show_answer(app, answer)
        answers.append(answer)
    rows = [{"id": answer.id, **answer.model_dump(mode="json")} for answer in answers]
    return Outcome(rows[0] if len(rows) == 1 else rows)


def _filter(app: App, patterns: tuple[str, ...]) -> PassageFilter:
    from domainsmith.data_connection.filters import PassageFilter, matching_ids
    from domainsmith.storage.documents import document_paths

    where = PassageFilter(documents=patterns)
    if not matching_ids(app.workspace().db, where):
        names = list(document_paths(app.workspace().db).values())
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise InputNotFound(
            "No document fits --only",
            where=", ".join(patterns),
            fix=f"The documents are: {shown or 'none yet; add some first'}",
        )
    return where


def show_answer(app: App, answer: Answer) -> None:
    """Write an answer with its sources and conflicts on stdout.

    What is nearest to a refused question, what was searched instead and the id are notes.
    """
    from domainsmith.chains.nearest import change_lines, conflict_lines, nearest_lines, step_lines

    app.console.data(answer.text)
    for citation in answer.citations:
        page = f", page {citation.page}" if citation.page else ""
        header = f" ({citation.header})" if citation.header else ""
        app.console.data(f"[{citation.number}] {citation.document_path}{page}{header}")
    near = nearest_lines(app.workspace().db, answer)
    zh = answer.language == "zh"
    if near:
        app.console.note("文档中最接近的内容：" if zh else "Nearest in the documents:")
    for line in near:
        app.console.note(f"  {line}")
    differing = conflict_lines(answer)
    if differing:
        app.console.data("其他来源的说法不同：" if zh else "Other sources differ:")
    for line in differing:
        app.console.data(f"  {line}")
    for line in change_lines(answer):
        app.console.data(line)
    for line in step_lines(answer):
        app.console.note(line)
    model = answer.adapter_id or answer.model
    app.console.note(f"{model}  {answer.seconds:.1f} s  domainsmith trace {answer.id}")


def _questions(words: tuple[str, ...], file: Path | None) -> list[str]:
    try:
        lines = _lines(words, file)
        # Where the terminal is not UTF-8, Python lets bytes that are no text through as surrogates.
        "".join(lines).encode("utf-8")
    except UnicodeError as error:
        raise InputInvalid(
            "The questions are not valid UTF-8",
            where=file or ("the question" if words else "standard input"),
            fix="Save the text as UTF-8.",
        ) from error
    questions = [line.strip() for line in lines if line.strip()]
    if not questions:
        raise InputEmpty(
            "There is no question", where=file, fix='Write it: domainsmith ask "How ...?"'
        )
    return questions


def _lines(words: tuple[str, ...], file: Path | None) -> list[str]:
    if file is not None:
        with translated_os_errors(file):
            return file.read_text(encoding="utf-8").split("\n")
    if words and words != ("-",):
        return [" ".join(words)]
    return [] if sys.stdin.isatty() else sys.stdin.read().split("\n")
