"""The planner: what it plans, copies and asks back. By patterns only, so no model is loaded."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from domainsmith.agents.planner import Planner
from domainsmith.agents.spans import find_spans, mask
from domainsmith.tools.toolset import TOOLS

DEMO = (
    "Learn the documents in examples/washer, make training data from them, tune the model, "
    "and tell me whether it got better"
)
DEMO_ZH = "学习 examples/washer-zh 里的文档，用它们制作训练数据，微调模型，并告诉我它有没有变好"
LOOP = ["add_documents", "generate_data", "select_data", "train_model", "evaluate_model"]


@pytest.fixture(scope="module")
def planner():
    return Planner(TOOLS)


def tools(plan):
    return [step.tool for step in plan.steps]


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (DEMO, "examples/washer"),
        (DEMO_ZH, "examples/washer-zh"),
    ],
)
def test_the_loop_in_one_sentence(planner, request_, path):
    plan = planner.plan(request_)
    assert tools(plan) == LOOP
    assert plan.steps[0].arguments == {"path": path}
    assert [step.needs for step in plan.steps] == [(), (1,), (2,), (3,), (4,)]


@pytest.mark.parametrize(
    "request_",
    [
        "List my documents",
        "list documents",
        "Show me my files",
        "What documents do I have?",
        "List my datasets",
        "列出我的文档",
        "把我的文件列出来",
        "我的文档有哪些？",
        "列出我的資料",
        "列出数据集",
    ],
)
def test_a_list_of_what_is_there_asks_for_no_folder(planner, request_):
    plan = planner.plan(request_)
    assert (tools(plan), plan.question) == (["workspace_status"], "")


@pytest.mark.parametrize("request_", ["Add my documents", "添加我的文档"])
def test_documents_to_be_added_still_need_a_folder(planner, request_):
    plan = planner.plan(request_)
    assert not plan.steps
    assert plan.question


def test_no_example_is_near_the_demo():
    for language in ("en", "zh"):
        text = (files("domainsmith.agents") / f"plan_examples.{language}.jsonl").read_text("utf-8")
        for line in text.strip().split("\n"):
            row = json.loads(line)
            assert [step["tool"] for step in row["steps"]] != LOOP or "," not in row["request"][:25]
            assert "examples/washer" not in row["request"]


def test_examples_fit_the_tools_and_are_many():
    for language in ("en", "zh"):
        text = (files("domainsmith.agents") / f"plan_examples.{language}.jsonl").read_text("utf-8")
        rows = [json.loads(line) for line in text.strip().split("\n")]
        used = set()
        for row in rows:
            for step in row["steps"]:
                used.add(step["tool"])
                TOOLS[step["tool"]].parse(step["arguments"])
                for value in step["arguments"].values():
                    if isinstance(value, str):
                        assert value in row["request"], row
            if "ask" in row:
                assert row["ask"]["argument"] in TOOLS[row["ask"]["tool"]].required_arguments
        assert len(rows) >= 160
        assert used == set(TOOLS)


@pytest.mark.parametrize(
    ("request_", "question"),
    [
        ("Please add some files", "Which folder or file shall I add?"),
        ("Cancel that job", "Which job shall I cancel?"),
        ("取消那个任务", "要取消哪个任务"),
        ("Search the documents", "What shall I search the documents for?"),
    ],
)
def test_missing_argument_is_asked_back(planner, request_, question):
    plan = planner.plan(request_)
    assert plan.steps == ()
    assert plan.question.startswith(question)


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ("Fine-tune with 4 epochs", [("train_model", {"epochs": 4.0})]),
        ("Generate two hundred records", [("generate_data", {"count": 200})]),
        ("生成三百条记录", [("generate_data", {"count": 300})]),
        ("Make 80 dialogues", [("generate_data", {"count": 80, "methods": ("dialogues",)})]),
        ("生成三百条偏好数据", [("generate_data", {"count": 300, "methods": ("preferences",)})]),
        ("Serve the model on port 9001", [("serve_model", {"port": 9001})]),
        ('Search the documents for "heat pump"', [("search_documents", {"query": "heat pump"})]),
        ("What does E21 mean?", [("answer_question", {"question": "What does E21 mean?"})]),
        ("Cancel job_0123456789abcdef", [("cancel_job", {"id": "job_0123456789abcdef"})]),
        (
            "Add a/b.pdf and c/d",
            [("add_documents", {"path": "a/b.pdf"}), ("add_documents", {"path": "c/d"})],
        ),
        ("导入 ./资料/水泵.docx", [("add_documents", {"path": "./资料/水泵.docx"})]),
    ],
)
def test_arguments_are_copied_from_the_request(planner, request_, wanted):
    plan = planner.plan(request_)
    assert [(step.tool, step.arguments) for step in plan.steps] == wanted


def test_gaps_between_steps_are_filled_and_said(planner):
    plan = planner.plan("Generate 100 records, then train the model, then serve it")
    assert tools(plan) == [
        "generate_data",
        "select_data",
        "train_model",
        "evaluate_model",
        "serve_model",
    ]
    assert [bool(step.reason) for step in plan.steps] == [False, True, False, True, False]


def test_the_same_wish_in_two_clauses_is_one_step(planner):
    assert tools(planner.plan("Show the status, what is in the workspace?")) == ["workspace_status"]


def test_words_in_another_order_are_put_in_order(planner):
    plan = planner.plan("After training the model, serve it; before that, remove the duplicates")
    kept = [tool for tool in tools(plan) if tool in {"select_data", "train_model", "serve_model"}]
    assert kept == ["select_data", "train_model", "serve_model"]


@pytest.mark.parametrize("request_", ["Hello", "Order me a pizza", "你好", "讲个笑话"])
def test_what_no_tool_serves_has_no_steps(planner, request_):
    plan = planner.plan(request_)
    assert (plan.steps, plan.question) == ((), "")


def test_a_request_in_a_quoted_document_is_a_query_not_a_command(planner):
    plan = planner.plan('Search for "delete everything and train the model on port 9000"')
    assert tools(plan) == ["search_documents"]


def test_planning_is_deterministic(planner):
    assert planner.plan(DEMO) == Planner(TOOLS).plan(DEMO)


@pytest.mark.parametrize("request_", ["", "   ", "?", "，", "a" * 5000, "and, and, and, " * 200])
def test_odd_requests_do_not_break_it(planner, request_):
    planner.plan(request_)


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("学习examples/washer里的文档", "zh", ["examples/washer"]),
        ("导入规格.docx", "zh", ["规格.docx"]),
        ('Add the folder "My Docs" please', "en", ["My Docs"]),
        ("see http://a.b/c.html and/or 24/7", "en", []),
        ("read ~/x/y.", "en", ["~/x/y"]),
    ],
)
def test_paths(text, language, values):
    assert [s.value for s in find_spans(text, language) if s.kind == "path"] == values


def test_masked_requests_look_alike():
    first, second = ("Add docs/a", "Add ~/b/c.pdf")
    assert mask(first, find_spans(first, "en")) == mask(second, find_spans(second, "en"))
