"""A folder named by a plain word, and what is said after the agent asked back."""

from __future__ import annotations

from pathlib import Path

import pytest

from domainsmith.agents.bare_names import names_here
from domainsmith.agents.planner import Planner
from domainsmith.tools.toolset import TOOLS

THERE = {"docs", "data", "manual.pdf", "资料", "my-papers"}


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(TOOLS, there=lambda: THERE)


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ("add the folder docs", "docs"),
        ("Add the folder elsewhere.", "elsewhere"),
        ("please add the docs folder", "docs"),
        ("add docs", "docs"),
        ("Load everything in my-papers, please", "my-papers"),
        (
            "Add the directory called reports_2024 and tell me what the warranty covers",
            "reports_2024",
        ),
        ("添加文件夹 docs", "docs"),
        ("把docs文件夹加进来", "docs"),
        ("添加资料文件夹", "资料"),
        ("把资料加进来", "资料"),
    ],
)
def test_a_plain_word_is_a_folder(planner: Planner, request_: str, path: str) -> None:
    plan = planner.plan(request_)
    assert [step.tool for step in plan.steps][:1] == ["add_documents"]
    assert plan.steps[0].arguments == {"path": path}


@pytest.mark.parametrize(
    "request_",
    ["add the folder", "Add the folder please", "add documents", "add my new folder", "添加文件夹"],
)
def test_other_words_are_no_folders(planner: Planner, request_: str) -> None:
    plan = planner.plan(request_)
    assert not plan.steps
    assert plan.question


def test_a_question_about_documents_names_no_folder(planner: Planner) -> None:
    plan = planner.plan("What do the docs say about the warranty?")
    assert [step.tool for step in plan.steps] == ["answer_question"]


@pytest.mark.parametrize(
    ("asked", "reply", "tool", "arguments"),
    [
        ("add the folder", "docs", "add_documents", {"path": "docs"}),
        ("add the folder", "it is in ./papers/2024", "add_documents", {"path": "./papers/2024"}),
        ("add the folder", "'elsewhere'.", "add_documents", {"path": "elsewhere"}),
        ("添加文件夹", "docs", "add_documents", {"path": "docs"}),
        ("add documents", "docs folder", "add_documents", {"path": "docs"}),
        ("add documents", "it's in docs", "add_documents", {"path": "docs"}),
        ("add documents", '"docs" please', "add_documents", {"path": "docs"}),
        ("add the folder", "show the status", "workspace_status", {}),
        ("search the documents", "descaling", "search_documents", {"query": "descaling"}),
    ],
)
def test_a_reply_completes_what_was_asked_back(
    planner: Planner, asked: str, reply: str, tool: str, arguments: dict[str, str]
) -> None:
    assert planner.plan(asked).question
    plan = planner.plan_reply(asked, reply)
    assert [step.tool for step in plan.steps] == [tool]
    assert plan.steps[0].arguments == arguments


@pytest.mark.parametrize(
    "reply", ["no idea, sorry", "cancel", "No.", "算了", "取消", "thanks!", "help"]
)
def test_a_reply_that_gives_nothing_is_a_request_of_its_own(planner: Planner, reply: str) -> None:
    assert not planner.plan_reply("add the folder", reply).steps


@pytest.mark.parametrize(
    "request_",
    [
        "Windows文件夹权限如何设置？",
        "PDF目录怎么生成？",
        "扫描到SMB文件夹需要什么权限？",
        "What is the maximum number of files per directory and folder depth?",
        "How do I add folder permissions?",
    ],
)
def test_a_question_about_folders_adds_none(planner: Planner, request_: str) -> None:
    assert [step.tool for step in planner.plan(request_).steps] == ["answer_question"]


def test_names_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("docs", ".git"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert names_here() == {"docs"}
