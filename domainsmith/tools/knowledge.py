"""Tools about what the documents say: add them, search them, answer from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from domainsmith.counts import counted
from domainsmith.errors import InputEmpty, InputInvalid
from domainsmith.records import Answer, Hit
from domainsmith.storage import documents as document_store
from domainsmith.tools.questions import find_questions_file, remember_source
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult, say

if TYPE_CHECKING:
    from domainsmith.data_connection.add_report import AddReport

__all__ = ["ADD_DOCUMENTS", "ANSWER_QUESTION", "SEARCH_DOCUMENTS", "resolve_path"]

_MANY = 0.2
"""Share of passages from which on it is worth saying that the embedder does not know them."""
_SHOWN = 5
"""Failed files and found passages that a summary names."""
_QUOTED = 200
"""Characters of a quote below an answer."""


class AddDocuments(ToolArguments):
    """Arguments of ``add_documents``."""

    path: str = Field(min_length=1, max_length=4096, description="Folder or file to read")


class SearchDocuments(ToolArguments):
    """Arguments of ``search_documents``."""

    query: str = Field(min_length=1, max_length=2000, description="Words to look for")


class AnswerQuestion(ToolArguments):
    """Arguments of ``answer_question``."""

    question: str = Field(min_length=1, max_length=4000, description="A question in plain words")


def resolve_path(ctx: ToolContext, path: str) -> Path:
    """Turn a user's path into an absolute one.

    Args:
        ctx: Relative paths start from its folder.
        path: As the user wrote it; ``~`` is the home folder.

    Returns:
        The path; it need not exist.

    Raises:
        InputInvalid: It holds a NUL character.
    """
    if "\0" in path:
        raise InputInvalid("The path holds a NUL character", where=repr(path))
    return Path(os.path.abspath(ctx.folder / Path(path).expanduser()))


def _add_documents(ctx: ToolContext, arguments: AddDocuments) -> ToolResult:
    from domainsmith.data_connection.sources import add_folder

    folder = resolve_path(ctx, arguments.path)
    report = add_folder(
        ctx.workspace,
        folder,
        embedder=ctx.models.embedder(),
        chunk_tokens=ctx.options.chunk_tokens,
        progress=ctx.progress,
        index=ctx.models.index(),
    )
    if not report.passages_total:
        raise InputEmpty(
            "Nothing could be read from the documents",
            where=folder,
            fix="Check that it holds readable PDF, DOCX, XLSX, HTML, CSV, Markdown or text files.",
        )
    questions = find_questions_file(folder)
    remember_source(ctx.workspace, folder, questions)
    done = not (report.documents_added or report.changed or report.removed or report.renamed)
    hint = _unspoken(ctx)
    return ToolResult(
        ok=True,
        summary=_added(ctx, arguments.path, report, done=done) + (f" {hint}" if hint else ""),
        artifact_ids=tuple(document_store.document_paths(ctx.workspace.db)),
        data={
            "already_done": done,
            **report.as_dict(),
            "hint": hint,
            "questions_file": None if questions is None else str(questions),
        },
    )


def _unspoken(ctx: ToolContext) -> str:
    """Say it if many documents are in a language that the embedder was not trained on."""
    from domainsmith.data_connection.retrieve import embedder_speaks
    from domainsmith.storage.passages import language_counts

    counts = language_counts(ctx.workspace.db)
    if embedder_speaks(ctx.models.embedder(), "zh") or (
        counts.get("zh", 0) < _MANY * sum(counts.values())
    ):
        return ""
    return say(
        ctx,
        "Many passages are Chinese, which this embedder does not know: words alone find them. "
        'embed_model = "multilingual" in domainsmith.toml ranks both languages.',
        "许多段落是中文，而当前的嵌入模型不懂中文，只能按词语检索。在 domainsmith.toml 中设置 "
        'embed_model = "multilingual" 后，两种语言都能按含义检索。',
    )


def _added(ctx: ToolContext, path: str, report: AddReport, *, done: bool) -> str:
    summary = say(
        ctx,
        f"{'Already done: ' if done else ''}{path}: "
        f"{counted(report.documents_added, 'document')} added, "
        f"{report.changed} changed, {report.unchanged} unchanged, {report.removed} removed; "
        f"{counted(report.passages_total, 'passage')} ({report.passages_new} new); "
        f"{counted(len(report.failed), 'file')} failed.",
        f"{'已经完成：' if done else ''}{path}：新增 {report.documents_added} 篇文档，"
        f"更改 {report.changed} 篇，未变 {report.unchanged} 篇，移除 {report.removed} 篇；"
        f"共 {report.passages_total} 个段落（新 {report.passages_new} 个）；"
        f"{len(report.failed)} 个文件失败。",
    )
    if report.failed:
        named = "; ".join(f"{f.path}: {f.reason}" for f in report.failed[:_SHOWN])
        summary += say(ctx, f" Failed: {named}", f" 失败：{named}")
    return summary


def _also(ctx: ToolContext, hit: Hit) -> str:
    if not hit.places:
        return ""
    names = ", ".join(hit.places[:_SHOWN])
    return say(ctx, f" (also in {names})", f"（另见 {names}）")


def _search_documents(ctx: ToolContext, arguments: SearchDocuments) -> ToolResult:
    from domainsmith.data_connection.retrieve import retrieve

    found: list[Hit] = retrieve(
        ctx.models.index(),
        ctx.models.embedder(),
        [arguments.query],
        k=ctx.options.top_k,
        **ctx.reranking(),
    )[0]
    if not found:
        return ToolResult(
            ok=False,
            summary=say(ctx, "No passage matches.", "没有匹配的段落。"),
            data={"hits": []},
        )
    lines = [
        f"[{n}] {hit.passage.document_path} "
        f"{f'p. {hit.passage.page} ' if hit.passage.page else ''}{hit.passage.header}: "
        f"{' '.join(hit.passage.text.split())[:200]}"
        f"{_also(ctx, hit)}"
        for n, hit in enumerate(found, 1)
    ]
    head = say(ctx, f"{counted(len(found), 'passage')}:", f"{len(found)} 个段落：")
    return ToolResult(
        ok=True,
        summary="\n".join([head, *lines[:_SHOWN]]),
        artifact_ids=tuple(hit.passage.id for hit in found),
        data={"hits": [hit.model_dump(mode="json") for hit in found]},
    )


def _answer_question(ctx: ToolContext, arguments: AnswerQuestion) -> ToolResult:
    from domainsmith.chains.answer import build_answer_chain
    from domainsmith.tools.adapters import answering_adapter

    adapter, system = None, None
    if (entry := answering_adapter(ctx)) is not None:
        assert entry.manifest is not None
        adapter, system = entry.id, entry.manifest.system_prompt or None
        engine = ctx.models.engine()
        if adapter not in engine.adapters:
            engine.add_adapter(adapter, entry.folder)
    chain = build_answer_chain(
        ctx.workspace,
        ctx.models.index(),
        ctx.models.embedder(),
        ctx.models.chat(),
        top_k=ctx.options.top_k,
        adapter=adapter,
        adapter_id=adapter,
        system=system,
        query=ctx.query_options(),
        **ctx.reranking(),
    )
    answer: Answer = chain.invoke({"question": arguments.question, "history": list(ctx.history)})
    model = [say(ctx, f"Answered with {adapter}.", f"由 {adapter} 回答。")] if adapter else []
    return ToolResult(
        ok=True,
        summary="\n".join([answer.text, *_source_lines(ctx, answer), *model]),
        artifact_ids=(answer.id,),
        data={"answer": answer.model_dump(mode="json"), "adapter_id": adapter},
    )


def _source_lines(ctx: ToolContext, answer: Answer) -> list[str]:
    """Say what an answer rests on, what else was near, and where sources or versions differ."""
    from domainsmith.chains.nearest import change_lines, conflict_lines, nearest_lines

    lines = [
        f"[{c.number}] {c.document_path}{f', p. {c.page}' if c.page else ''}: {_in_a_line(c.quote)}"
        for c in answer.citations
    ]
    if near := nearest_lines(ctx.workspace.db, answer):
        lines += [say(ctx, "Nearest in the documents:", "文档中最接近的内容：")]
        lines += [f"- {line}" for line in near]
    if differing := conflict_lines(answer):
        lines.append(say(ctx, "Other sources differ:", "其他来源的说法不同："))
        lines += [f"- {line}" for line in differing]
    return [*lines, *change_lines(answer)]


def _in_a_line(quote: str) -> str:
    """Shorten a quote: a list of steps was quoted whole in the answer, and stays in the record."""
    line = " ".join(quote.split())
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED].rstrip()}..."


ADD_DOCUMENTS = Tool(
    name="add_documents",
    title={"en": "Add documents", "zh": "添加文档"},
    description={
        "en": "Read a folder or file into the workspace: split it into passages and index them.",
        "zh": "把文件夹或文件读入工作区：切分成段落并建立索引。",
    },
    arguments=AddDocuments,
    run=_add_documents,
    writes=True,
    produces=("passages",),
)
SEARCH_DOCUMENTS = Tool(
    name="search_documents",
    title={"en": "Search documents", "zh": "搜索文档"},
    description={
        "en": "Show the passages that fit some words best, without an answer.",
        "zh": "显示与关键词最相符的段落，不作回答。",
    },
    arguments=SearchDocuments,
    run=_search_documents,
    requires=("passages",),
)
ANSWER_QUESTION = Tool(
    name="answer_question",
    title={"en": "Answer a question", "zh": "回答问题"},
    description={
        "en": "Answer a question from the documents, with citations; refuse if they do not say.",
        "zh": "根据文档回答问题并注明出处；文档没有说明时拒绝回答。",
    },
    arguments=AnswerQuestion,
    run=_answer_question,
    requires=("passages",),
)
