"""Conversations on disk: strict reading, turns, deletion, feedback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.memory import conversations
from domainsmith.memory.conversations import Turn
from domainsmith.memory.feedback import add_feedback, corrected_answers
from domainsmith.records import Answer, Document, Feedback, Passage
from domainsmith.storage import lineage
from domainsmith.storage.documents import put_document, remove_document, replace_passages
from domainsmith.workspace import Workspace


def test_checkpoints_hold_plain_data_only(tmp_path):
    from langgraph.checkpoint.base import empty_checkpoint

    with conversations.open_checkpointer(tmp_path / "t.sqlite") as saver:
        config = {"configurable": {"thread_id": "a", "checkpoint_ns": ""}}
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {
            "evil": Path("/ok"),
            "bad": Feedback(answer_id="answer_1", verdict="good"),
        }
        checkpoint["channel_versions"] = {"evil": "1", "bad": "1"}
        saver.put(config, checkpoint, {"source": "input", "step": 0, "parents": {}}, {})
        values = saver.get_tuple(config).checkpoint["channel_values"]
    assert not isinstance(values.get("bad"), Feedback), "a class of ours is not brought to life"


def test_an_error_of_the_work_is_not_one_of_the_conversations_file(tmp_path):
    with (
        pytest.raises(ConnectionResetError),
        conversations.open_checkpointer(tmp_path / "t.sqlite"),
    ):
        raise ConnectionResetError("the model's server went away")


def test_strictness_is_on_and_permissive_reading_is_refused():
    conversations.assert_strict()
    code = (
        "from langgraph.checkpoint.serde import jsonplus\n"
        "from domainsmith.memory import conversations\n"
        "conversations.assert_strict()\n"
    )
    folder = Path(__file__).parents[2]
    env = {k: v for k, v in os.environ.items() if k != "LANGGRAPH_STRICT_MSGPACK"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**env, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "permissive deserialisation" in done.stderr


def test_turns_are_kept_once_in_order(tmp_path):
    path = tmp_path / "t.sqlite"
    for turn in (Turn(1, "q1", "a1", "answer_1"), Turn(2, "问", "答"), Turn(1, "q1", "a1b")):
        conversations.save_turn(path, "a", turn)
    conversations.save_turn(path, "b", Turn(1, "other", "x"))
    assert conversations.turns(path, "a") == [Turn(1, "q1", "a1b"), Turn(2, "问", "答")]
    assert conversations.history(path, "a", 1) == [("问", "答")]
    assert [(t.id, t.turns, t.first_question) for t in conversations.threads(path)] == [
        ("a", 2, "q1"),
        ("b", 1, "other"),
    ]
    assert conversations.delete_thread(path, "a")
    assert not conversations.delete_thread(path, "a")
    assert conversations.turns(path, "a") == []


def test_feedback_is_a_child_of_its_answer(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        answer = Answer(question="q", text="a", language="en", model="m")
        lineage.put_artifact(workspace.db, answer, parents=())
        feedback = Feedback(answer_id=answer.id, verdict="bad", correction="b")
        first = add_feedback(workspace, feedback)
        assert add_feedback(workspace, feedback) == first
        (stored,) = lineage.artifacts(workspace.db, "feedback")
        assert Feedback.model_validate(stored.payload) == feedback
        assert [e.parent for e in lineage.ancestors(workspace.db, first)] == [answer.id]
        with pytest.raises(InputNotFound):
            add_feedback(workspace, Feedback(answer_id="answer_0", verdict="good"))
        with pytest.raises(InputInvalid):
            add_feedback(workspace, Feedback(answer_id=first, verdict="good"))


def test_a_corrected_refusal_outlives_the_passages_that_were_near_to_it(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        document = Document(
            path="a.md",
            source_sha256="x",
            media_type="text/plain",
            title="A",
            language="en",
            text="ab",
        )
        near = [
            Passage(
                document_id=document.id,
                document_path="a.md",
                ordinal=number,
                text="ab"[number],
                start=number,
                end=number + 1,
                language="en",
            )
            for number in range(2)
        ]
        put_document(workspace.db, document, near, folder="docs")
        answer = Answer(
            question="q",
            text="The documents do not answer this question.",
            language="en",
            refused=True,
            model="m",
            nearest=tuple(passage.id for passage in near),
        )
        lineage.put_artifact(workspace.db, answer, parents=())
        add_feedback(workspace, Feedback(answer_id=answer.id, verdict="bad", correction="b"))
        replace_passages(workspace.db, document, near[:1])
        (corrected,) = corrected_answers(workspace)
        assert [passage.id for passage in corrected.passages] == [near[0].id]
        remove_document(workspace.db, "docs", "a.md")
        (corrected,) = corrected_answers(workspace)
        assert corrected.passages == ()
