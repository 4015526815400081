"""A quoted sentence comes with the line that leads its list, or with the items that it leads."""

from __future__ import annotations

import pytest

from domainsmith.chains.evidence import Evidence
from domainsmith.chains.statements import statements
from domainsmith.chains.whole_statements import whole_statement
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.embed import LocalEmbedder
from domainsmith.storage.passages import passages
from domainsmith.workspace import Workspace

ENGLISH = """# Ardwin policy

## Exclusions

The policy does not pay for:

- diving and climbing;
- cosmetic surgery.

Claims are paid in ten days.
"""
CHINESE = """# 安宁保险

## 责任免除

本保险不含意外险。下列费用不予赔付：
1. 整容；
2. 牙齿修复；

等待期为三十天；意外没有等待期。续保没有等待期。
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder):
    root = tmp_path_factory.mktemp("whole")
    (root / "docs").mkdir()
    (root / "docs" / "policy.md").write_text(ENGLISH, encoding="utf-8")
    (root / "docs" / "保险.md").write_text(CHINESE, encoding="utf-8")
    with Workspace.create(root / "w") as opened:
        add_folder(opened, root / "docs", embedder=embedder)
        yield opened


@pytest.mark.parametrize(
    ("quote", "whole"),
    [
        (
            "The policy does not pay for:",
            "The policy does not pay for:\n- diving and climbing;\n- cosmetic surgery.",
        ),
        ("- cosmetic surgery.", "The policy does not pay for: cosmetic surgery."),
        ("Claims are paid in ten days.", "Claims are paid in ten days."),
        ("下列费用不予赔付：", "下列费用不予赔付：\n1. 整容；\n2. 牙齿修复。"),
        ("2. 牙齿修复；", "下列费用不予赔付：2. 牙齿修复。"),
        ("等待期为三十天；", "等待期为三十天；意外没有等待期。"),
        ("意外没有等待期。", "等待期为三十天；意外没有等待期。"),
        ("续保没有等待期。", "续保没有等待期。"),
    ],
)
def test_what_belongs_to_a_sentence_comes_with_it(
    workspace: Workspace, quote: str, whole: str
) -> None:
    passage = next(item for item in passages(workspace.db) if quote in item.text)
    found = whole_statement(Evidence(passage, quote, quote.lstrip("- "), 1.0), workspace.db)
    assert found.text == whole
    assert found.quote == quote


def test_a_statement_that_has_its_lead_does_not_get_it_twice(workspace: Workspace) -> None:
    (passage,) = (item for item in passages(workspace.db) if "diving" in item.text)
    texts = [
        whole_statement(Evidence(passage, said.quote, said.text, 1.0), workspace.db).text
        for said in statements(passage)
    ]
    assert "The policy does not pay for: cosmetic surgery." in texts
    assert max(text.count("The policy does not pay for:") for text in texts) == 1
