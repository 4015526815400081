"""Tools: strict arguments, schemas as recorded, results, use through LangChain."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.storage import lineage
from domainsmith.tools.current import latest_ids, note_latest
from domainsmith.tools.questions import (
    find_questions_file,
    known_questions_file,
    remember_source,
)
from domainsmith.tools.tool import ToolContext, ToolResult
from domainsmith.tools.toolset import TOOLS, as_langchain, langchain_tools, tool_named
from domainsmith.workspace import Workspace

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"


class NoModels:
    def engine(self):
        raise AssertionError("a model was loaded")

    embedder = index = engine


@pytest.fixture
def ctx(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        yield ToolContext(workspace=workspace, models=NoModels(), folder=tmp_path)


def test_schemas_are_as_recorded():
    schemas = {
        language: [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description[language],
                    "parameters": tool.arguments.model_json_schema(),
                },
            }
            for tool in TOOLS.values()
        ]
        for language in ("en", "zh")
    }
    text = json.dumps(schemas, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    path = SNAPSHOTS / "tools.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "set UPDATE_SNAPSHOTS=1 to accept"


def test_every_tool_speaks_both_languages_and_refuses_unknown_arguments():
    for tool in TOOLS.values():
        assert set(tool.title) == set(tool.description) == {"en", "zh"}
        assert tool.arguments.model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("train_model", {"epochs": "3"}),
        ("train_model", {"epochs": 0}),
        ("generate_data", {"count": 2.5}),
        ("generate_data", {"count": 5, "shell": "rm -rf /"}),
        ("serve_model", {"port": 70000}),
        ("cancel_job", {"id": "../../etc"}),
        ("cancel_job", {}),
        ("add_documents", {"path": ""}),
    ],
)
def test_arguments_are_strict(ctx, name, arguments):
    with pytest.raises(InputInvalid, match=name):
        TOOLS[name].call(ctx, arguments)


def test_canonical_arguments_do_not_depend_on_order_or_absent_ones():
    tool = TOOLS["generate_data"]
    first = tool.canonical({"questions": "q.jsonl", "count": 5})
    assert first == tool.canonical({"count": 5, "questions": "q.jsonl"})
    assert first == '{"count":5,"questions":"q.jsonl"}'
    assert tool.canonical({}) == tool.canonical({"count": None}) == "{}"


def test_only_what_needs_approval_is_a_side_effect():
    assert {t.name for t in TOOLS.values() if t.side_effect} == {
        "train_model",
        "tune_retrieval",
        "serve_model",
        "cancel_job",
    }


def test_unknown_tool():
    with pytest.raises(InputNotFound):
        tool_named("rm")


def test_status_and_jobs_of_an_empty_workspace(ctx):
    status = TOOLS["workspace_status"].call(ctx, {})
    jobs = TOOLS["list_jobs"].call(ctx, {})
    chinese = TOOLS["workspace_status"].call(replace(ctx, language="zh"), {})
    assert status.data["documents"] == 0
    assert jobs.data["jobs"] == []
    assert "0 篇文档" in chinese.summary


def test_what_does_not_exist_is_said(ctx):
    for name, arguments in (
        ("trace_lineage", {"id": "answer_0123"}),
        ("show_job", {"id": "job_0123"}),
    ):
        with pytest.raises(InputNotFound):
            TOOLS[name].call(ctx, arguments)


def test_serving_needs_a_promoted_adapter(ctx):
    with pytest.raises(InputNotFound, match="promoted"):
        TOOLS["serve_model"].call(ctx, {})


def test_questions_lie_beside_the_folder_and_move_with_the_workspace(ctx, tmp_path):
    folder = tmp_path / "washer"
    folder.mkdir()
    (folder / "questions.jsonl").write_text("{}")
    assert find_questions_file(folder) is None, "what is inside the folder is learned"
    file = tmp_path / "washer-questions.jsonl"
    file.write_text("{}")
    assert find_questions_file(folder) == file
    remember_source(ctx.workspace, folder, file)
    assert known_questions_file(ctx.workspace) == file.resolve()
    payload = lineage.artifacts(ctx.workspace.db, "source")[0].payload
    assert not any(str(value).startswith("/") for value in payload.values())


def test_what_was_asked_for_again_is_the_latest_until_something_newer_is_made(ctx):
    for n in range(3):
        lineage.put_artifact(
            ctx.workspace.db, kind="dataset", id=f"dataset_{n}", payload={}, parents=()
        )
    note_latest(ctx.workspace, "raw", "dataset_0")
    assert latest_ids(ctx.workspace, "raw") == ["dataset_0", "dataset_2", "dataset_1"]
    assert latest_ids(ctx.workspace, "selected")[0] == "dataset_2"
    lineage.put_artifact(ctx.workspace.db, kind="dataset", id="dataset_3", payload={}, parents=())
    assert latest_ids(ctx.workspace, "raw")[0] == "dataset_3"


def test_notes_of_two_stages_at_once_are_both_kept(ctx):
    for n in range(2):
        lineage.put_artifact(
            ctx.workspace.db, kind="dataset", id=f"dataset_{n}", payload={}, parents=()
        )
    # Each takes turns between two ids, so that every note is written.
    together = threading.Barrier(2)

    def note(stage):
        together.wait()
        for turn in range(40):
            note_latest(ctx.workspace, stage, f"dataset_{turn % 2}")
        note_latest(ctx.workspace, stage, "dataset_0")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(note, ("raw", "selected")))
    for stage in ("raw", "selected"):
        assert latest_ids(ctx.workspace, stage)[0] == "dataset_0"


def test_langchain_form_gives_text_and_artifact(ctx):
    tool = as_langchain(TOOLS["workspace_status"], ctx)
    message = tool.invoke({"name": tool.name, "args": {}, "id": "call_1", "type": "tool_call"})
    assert "0 documents" in message.content
    assert isinstance(message.artifact, ToolResult)
    assert len(langchain_tools(ctx)) == len(TOOLS)


def test_langchain_form_refuses_side_effects_without_approval(ctx):
    ran = []

    def run(context, arguments):
        ran.append(arguments)
        return ToolResult(ok=True, summary="done")

    train = replace(TOOLS["train_model"], run=run)
    call = {"name": "train_model", "args": {"epochs": 2.0}, "id": "c", "type": "tool_call"}
    refused = as_langchain(train, ctx).invoke(call)
    assert "ApprovalDenied" in refused.content
    assert ran == []
    asked = []
    as_langchain(train, ctx, approve=lambda *a: not asked.append(a)).invoke(call)
    assert asked == [("train_model", {"epochs": 2.0})]
    assert len(ran) == 1


def test_errors_come_back_as_text_for_the_model(ctx):
    tool = as_langchain(TOOLS["show_job"], ctx)
    message = tool.invoke(
        {"name": "show_job", "args": {"id": "job_0123"}, "id": "c", "type": "tool_call"}
    )
    assert message.content.startswith("InputNotFound")
