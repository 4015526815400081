"""A follow-up that asks for a weight gets a weight or a refusal, whatever the turn before said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from domainsmith.chains.answer import build_answer_chain
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.sources import add_folder
from domainsmith.workspace import Workspace
from tests.chains.test_answer import Scripted

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder

ENGLISH = """# Zorvex heater

The Zorvex heater has a 10 A slow fuse. The Zorvex heater draws 1200 W of power.
"""
CHINESE = """# 佐威暖风机

佐威暖风机使用10安的慢熔保险丝。佐威暖风机的功率为1200瓦。
"""
FOLLOW_UPS = [
    (
        ENGLISH,
        ("What fuse does the Zorvex heater have?", "It has a 10 A slow fuse."),
        "How heavy is it?",
        "The Zorvex heater draws 1200 W of power.",
        "The Zorvex heater weighs 4 kg.",
    ),
    (
        CHINESE,
        ("佐威暖风机使用什么保险丝？", "10安的慢熔保险丝。"),
        "它有多重？",
        "佐威暖风机的功率为1200瓦。",
        "佐威暖风机重4公斤。",
    ),
]


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize(("text", "turn", "question", "said", "weight"), FOLLOW_UPS)
def test_another_property_is_no_answer(
    tmp_path: Path,
    embedder: LocalEmbedder,
    weighed: bool,
    text: str,
    turn: tuple[str, str],
    question: str,
    said: str,
    weight: str,
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "heater.md").write_text(text + weight * weighed, encoding="utf-8")
    with Workspace.create(tmp_path / "space") as space:
        add_folder(space, tmp_path / "docs", embedder=embedder)
        with Index.open(space, embedder) as index:
            # The gate lets everything through: what is tested stands behind it.
            chain = build_answer_chain(space, index, embedder, Scripted(said), threshold=0.0)
            answer = chain.invoke({"question": question, "history": [turn]})
    if weighed:
        assert (answer.method, answer.text) == ("extracted", f"{weight} [1]")
    else:
        assert answer.refused
        assert "1200" not in answer.text
