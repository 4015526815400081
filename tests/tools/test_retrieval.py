"""Questions for tuning search from documents, people and feedback; the tool's own sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from domainsmith.apps.cli.main import main
from domainsmith.data_connection.split import split
from domainsmith.errors import InputEmpty, InputInvalid, JobFailed
from domainsmith.memory.feedback import add_feedback
from domainsmith.records import (
    Answer,
    Citation,
    Document,
    Feedback,
    JobStatus,
    RetrievalSettings,
    content_hash,
)
from domainsmith.storage import lineage
from domainsmith.storage.documents import put_document
from domainsmith.storage.passages import passages
from domainsmith.tools.questions import remember_source
from domainsmith.tools.retrieval import (
    TUNE_RETRIEVAL,
    make_questions_and_job,
    tuning_result,
)
from domainsmith.tools.retrieval_questions import gather_questions
from domainsmith.tools.tool import ToolContext, ToolOptions
from domainsmith.training.retrieval.question_set import QuestionSet, read_questions
from domainsmith.workspace import Workspace

_TEXT = """# The drum

If the pump is blocked, press the blue switch for 13 seconds.

## Belt

The belt must be changed after 900 washes by a trained person with the right tool.
"""


@pytest.fixture
def ctx(tmp_path: Path):
    with Workspace.create(tmp_path / "w") as workspace:
        yield ToolContext(workspace, SimpleNamespace(), ToolOptions(threads=1), folder=tmp_path)


def _add(ctx: ToolContext) -> None:
    document = Document(
        path="drum.md",
        source_sha256=content_hash(_TEXT),
        media_type="text/markdown",
        title="The drum",
        language="en",
        text=_TEXT,
    )
    put_document(ctx.workspace.db, document, split(document, max_tokens=24), folder="docs")


def _file(folder: Path, *rows: tuple[str, str, str]) -> Path:
    lines = [
        {
            "key": key,
            "question": question,
            "answer": "yes",
            "language": "en",
            "gold": [{"document": "drum.md", "quote": quote}],
        }
        for key, question, quote in rows
    ]
    path = folder / "mine.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8")
    return path


def test_people_come_first_and_tests_stay_out(ctx: ToolContext, tmp_path: Path) -> None:
    _add(ctx)
    made = gather_questions(ctx, None, limit=0)
    asked = read_questions(made.path)
    formed = next(question for question in asked if question.route == "pattern")
    assert made.size == len(asked) == sum(made.routes.values())
    parents = {edge.parent for edge in lineage.ancestors(ctx.workspace.db, made.id)}
    assert set(formed.passage_ids) <= parents

    # The same words as a test question that lies beside the documents: never learned from.
    tests = _file(tmp_path, ("t", formed.question.upper(), "press the blue switch"))
    remember_source(ctx.workspace, tmp_path / "docs", tests)
    without = read_questions(gather_questions(ctx, None, limit=0).path)
    assert formed.question not in {question.question for question in without}

    given = _file(
        tmp_path,
        ("a", "Who changes it?", "a trained  person"),
        ("b", "Who knows?", "words that stand nowhere"),
    )
    both = gather_questions(ctx, given, limit=0)
    first = read_questions(both.path)[0]
    assert (first.route, first.question) == ("given", "Who changes it?")
    assert both.routes["given"] == 1
    payload = lineage.artifact(ctx.workspace.db, both.id).payload
    assert payload["made_by"]["dropped"]["given: its answer is in no passage"] == 1
    nothing = _file(tmp_path, ("b", "Who knows?", "words that stand nowhere"))
    with pytest.raises(InputInvalid, match="None of the given questions"):
        gather_questions(ctx, nothing, limit=0)


def test_good_answers_are_learned_from(ctx: ToolContext) -> None:
    _add(ctx)
    passage = passages(ctx.workspace.db)[0]
    ids = []
    for question, verdict in (("Blocked?", "good"), ("Bad?", "bad")):
        citation = Citation(
            number=1, passage_id=passage.id, document_path="drum.md", quote="press", support=1.0
        )
        answer = Answer(
            question=question, text="Press.", language="en", citations=(citation,), model="m"
        )
        ids.append(lineage.put_artifact(ctx.workspace.db, answer, parents=[passage.id]))
        add_feedback(ctx.workspace, Feedback(answer_id=ids[-1], verdict=verdict))
    learned = read_questions(gather_questions(ctx, None, limit=0).path)
    found = [question for question in learned if question.route == "feedback"]
    assert [(one.question, one.passage_ids) for one in found] == [("Blocked?", (passage.id,))]


def test_a_job_says_all_that_decides_it(ctx: ToolContext) -> None:
    _add(ctx)
    made, job = make_questions_and_job(ctx, None, RetrievalSettings(minutes=3))
    again, same = make_questions_and_job(ctx, None, RetrievalSettings(minutes=3))
    _, other = make_questions_and_job(ctx, None, RetrievalSettings(minutes=4))
    assert (made.id, job.id) == (again.id, same.id)
    assert job.id != other.id
    assert (job.method, job.dataset_id, job.threads) == ("retrieval", made.id, 1)


def test_what_cannot_be_tuned_is_refused(ctx: ToolContext) -> None:
    with pytest.raises(InputEmpty):
        TUNE_RETRIEVAL.call(ctx, {})
    remote = ToolContext(
        ctx.workspace, ctx.models, ToolOptions(embed_model="openai:http://127.0.0.1:1/v1#m")
    )
    with pytest.raises(InputInvalid, match="remote"):
        make_questions_and_job(remote, None, RetrievalSettings())
    with pytest.raises(InputInvalid):
        TUNE_RETRIEVAL.call(ctx, {"minutes": 0})


def test_not_better_is_an_answer(ctx: ToolContext, tmp_path: Path) -> None:
    made = QuestionSet("questions_1", tmp_path, "", {"pattern": 3})
    status = JobStatus(job_id="job_1", state="succeeded", message="embedder not kept")
    result = tuning_result(ctx, made, status)
    assert result.ok
    assert result.data["kept"] == []
    assert "Not better, not kept" in result.summary
    assert "Questions of your own" in result.summary
    assert "自己的问题" in tuning_result(replace(ctx, language="zh"), made, status).summary
    kept = status.model_copy(update={"model_ids": ("retriever_1",), "message": "embedder kept"})
    assert "--undo" in tuning_result(ctx, made, kept).summary
    with pytest.raises(JobFailed):
        tuning_result(ctx, made, status.model_copy(update={"state": "cancelled"}))


def test_the_command_without_models(ctx: ToolContext, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["-w", str(ctx.workspace.root)]
    assert main(["tune-retrieval", "--show", "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == []
    assert main(["tune-retrieval", "--undo", *where]) == 2
    assert "No tuned search model is in use" in capsys.readouterr().err
    assert main(["tune-retrieval", "--no-embedder", "--no-reranker", *where]) == 2
    assert main(["tune-retrieval", *where]) == 2
    assert "No question could be made" in capsys.readouterr().err
