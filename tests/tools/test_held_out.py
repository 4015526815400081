"""Which test questions are kept out of the data, and which are asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from domainsmith.errors import InputNotFound
from domainsmith.tools import selection
from domainsmith.tools.held_out import asked_questions, held_out_questions
from domainsmith.tools.questions import find_questions_file, known_questions_file, remember_source
from domainsmith.tools.tool import ToolContext
from domainsmith.workspace import Workspace


def _file(path, *keys):
    lines = [
        {"key": k, "question": f"What is {k}?", "answer": "It.", "language": "en"} for k in keys
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def ctx(tmp_path):
    for name in ("washer", "oven"):
        (tmp_path / name).mkdir()
        _file(tmp_path / f"{name}-questions.jsonl", f"{name} 1", "shared")
    with Workspace.create(tmp_path / "w") as workspace:
        yield ToolContext(workspace=workspace, models=None, folder=tmp_path)


def _add(ctx, name):
    folder = ctx.folder / name
    remember_source(ctx.workspace, folder, find_questions_file(folder))


def test_the_questions_of_all_folders_are_kept_out_of_the_data(ctx):
    assert held_out_questions(ctx, None) == ([], ())
    _add(ctx, "washer")
    _add(ctx, "oven")
    questions, files = held_out_questions(ctx, None)
    assert {q.key for q in questions} == {"washer 1", "oven 1", "shared"}
    assert len(questions) == 3, "each once"
    assert [f.name for f in files] == ["oven-questions.jsonl", "washer-questions.jsonl"]
    _file(ctx.folder / "mine.jsonl", "mine")
    questions, files = held_out_questions(ctx, "mine.jsonl")
    assert {q.key for q in questions} == {"washer 1", "oven 1", "shared", "mine"}
    with pytest.raises(InputNotFound, match="Check the name"):
        held_out_questions(ctx, "none.jsonl")


def test_adding_a_folder_again_makes_its_questions_the_asked_ones(ctx):
    assert asked_questions(ctx, None) == ([], None)
    _add(ctx, "washer")
    _add(ctx, "oven")
    assert known_questions_file(ctx.workspace).name == "oven-questions.jsonl"
    _add(ctx, "washer")
    questions, file = asked_questions(ctx, None)
    assert file.name == "washer-questions.jsonl"
    assert {q.key for q in questions} == {"washer 1", "shared"}
    assert len(held_out_questions(ctx, None)[0]) == 3


def test_a_selection_depends_on_the_held_out_passages(ctx, monkeypatch):
    ids, texts = [], []

    def write(ctx, task):
        ids.append(task.dataset_id)
        info = SimpleNamespace(id=task.dataset_id, records=1, sha256="", card={}, path=Path())
        return info, []

    models = SimpleNamespace(embedder=lambda: SimpleNamespace(model_name="hash@1"))
    raw = SimpleNamespace(id="dataset_raw", sha256="a", records=2, kind="record")
    monkeypatch.setattr(selection, "newest_dataset", lambda ctx, stage: raw)
    monkeypatch.setattr(selection, "_write_selection", write)
    monkeypatch.setattr(selection, "_held_out", lambda ctx, questions: (list(texts), []))
    own = replace(ctx, models=models)
    for _ in range(2):
        selection.SELECT_DATA.call(own, {"count": 1})
    texts.append("A passage added later that holds a gold answer.")
    selection.SELECT_DATA.call(own, {"count": 1})
    assert ids[0] == ids[1] != ids[2]
