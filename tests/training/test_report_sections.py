"""Sections of a report in the language of its page."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from domainsmith.training.report_sections import estimate_section
from domainsmith.training.report_words import WORDS


@pytest.mark.parametrize(
    ("basis", "note"),
    [
        (
            "benchmark of this machine (57 GFLOP/s in matrix products)",
            "依据本机基准测试（矩阵乘法 57 GFLOP/s）",
        ),
        ("measured in job_1", "依据 job_1 的实测速度"),
        ("something else", "something else"),
    ],
)
def test_what_an_estimate_rests_on_is_told_in_chinese(basis: str, note: str) -> None:
    manifest = SimpleNamespace(seconds=1, trained_tokens=2, tokens_per_second=3, steps=4)
    training = {"estimate": {"basis": basis}, "manifest": manifest}
    assert note in estimate_section(training, WORDS["zh"])
