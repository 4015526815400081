"""Requests in traditional Chinese are understood as those in simplified characters are."""

from __future__ import annotations

import pytest

from domainsmith.agents.planner import Planner
from domainsmith.tools.toolset import TOOLS


@pytest.fixture(scope="module")
def planner():
    return Planner(TOOLS)


@pytest.mark.parametrize(
    ("request_", "steps"),
    [
        ("把 ./說明書 裡的文件加進來", [("add_documents", {"path": "./說明書"})]),
        ("顯示任務列表", [("list_jobs", {})]),
        ("選出最好的 100 條", [("select_data", {"count": 100})]),
        ("幫我啟動服務，端口 8080", [("serve_model", {"port": 8080})]),
        ("搜索“保養週期”", [("search_documents", {"query": "保養週期"})]),
        ("保固期是多久？", [("answer_question", {"question": "保固期是多久？"})]),
    ],
)
def test_they_become_the_same_steps(planner, request_, steps):
    plan = planner.plan(request_)
    assert [(step.tool, dict(step.arguments)) for step in plan.steps] == steps
