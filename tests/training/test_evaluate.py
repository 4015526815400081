"""Evaluation: questions read strictly, leaks refused, answers resumed, gate and report honest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound
from domainsmith.records import EvalReport, Question, QuestionGold, Record
from domainsmith.storage import lineage
from domainsmith.training.comparison import EvalAnswer
from domainsmith.training.evaluate import (
    ANSWER_CHAIN,
    System,
    evaluate,
    finished_report,
    register_report,
)
from domainsmith.training.gate import promote, promoted_adapter
from domainsmith.training.questions import load_questions
from domainsmith.training.report import write_report
from domainsmith.training.report_findings import what_got_worse
from domainsmith.workspace import Workspace

MakeWorkspace = Callable[[str], Workspace]


def _questions(count: int = 20) -> list[Question]:
    return [
        Question(
            key=f"q{number}",
            question=f"What does part {number} cost?",
            answer=f"{number} crowns" if number % 4 else "",
            answerable=bool(number % 4),
            category="price" if number % 2 else "other",
            language="en",
            gold=(QuestionGold(document="list.md", quote=f"part {number} costs {number} crowns"),)
            if number % 4
            else (),
        )
        for number in range(count)
    ]


def _system(good: bool, calls: list[str] | None = None) -> System:
    def answer(questions: Sequence[Question]) -> list[EvalAnswer]:
        if calls is not None:
            calls.extend(item.key for item in questions)
        return [
            EvalAnswer(item.answer if good else "<b>soap & water</b>", good and not item.answerable)
            for item in questions
        ]

    return answer


def test_all_problems_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    good = {"key": "a", "question": "Why?", "answer": "So.", "language": "en"}
    lines = [
        json.dumps(good),
        "{broken",
        json.dumps(good),
        json.dumps(good | {"key": "b", "answer": ""}),
        json.dumps(good | {"key": "c", "language": "fr"}),
        "",
        json.dumps(good | {"key": "d", "question": "为什么\u2028？", "language": "zh"}),
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputInvalid) as caught:
        load_questions(path)
    text = str(caught.value)
    assert text.startswith("Not a test question: 4 lines")
    assert "line 2: not JSON" in text
    assert "line 3: the key 'a' was used in line 1" in text
    assert "line 4: answer" in text
    assert "line 5: language" in text
    path.write_text("\n".join([lines[0], "", lines[6]]), encoding="utf-8")
    assert [item.key for item in load_questions(path)] == ["a", "d"]
    path.write_text("\n")
    with pytest.raises(InputEmpty):
        load_questions(path)
    with pytest.raises(InputNotFound):
        load_questions(tmp_path / "none.jsonl")


def test_example_questions_load() -> None:
    for name in ("washer", "washer-zh"):
        questions = load_questions(Path(f"examples/{name}-questions.jsonl"))
        assert len(questions) >= 60
        assert sum(not item.answerable for item in questions) >= 15


def test_scores_differences_and_verdict(make_workspace: MakeWorkspace) -> None:
    workspace, questions = make_workspace("w"), _questions()
    systems = {"base": _system(False), "tuned": _system(True)}
    report = evaluate(workspace, questions, systems, adapter_id="adapter_x", block=3)
    base, tuned = report.scores
    assert (base.system, base.overall.mean, tuned.overall.mean) == ("base", 0.0, 1.0)
    assert (tuned.refusal_recall.mean, tuned.refusal_recall.n) == (1.0, 5)
    assert (tuned.false_refusals.mean, tuned.false_refusals.n) == (0.0, 15)
    assert report.differences["tuned - base"].low == 1.0
    assert report.verdict == "better"
    assert set(report.leakage.values()) == {0}
    decision = promote(workspace, report)
    assert decision.promoted
    assert promoted_adapter(workspace) == "adapter_x"
    parents = {edge.parent for edge in lineage.ancestors(workspace.db, report.key)}
    assert "adapter_x" in parents


def test_worse_and_unclear_are_not_promoted(make_workspace: MakeWorkspace) -> None:
    workspace, questions = make_workspace("w"), _questions()
    systems = {"base": _system(True), "tuned": _system(False)}
    report = evaluate(workspace, questions, systems, adapter_id="adapter_y")
    assert report.verdict == "worse"
    assert not promote(workspace, report).promoted
    same = {"base": _system(True), "tuned": _system(True)}
    report = evaluate(workspace, questions, same, adapter_id="adapter_z")
    assert report.verdict == "no clear difference"
    assert "no clear difference" in promote(workspace, report).reason
    assert promoted_adapter(workspace) is None


def test_a_model_that_only_refuses_is_not_better(make_workspace: MakeWorkspace) -> None:
    def base(questions: Sequence[Question]) -> list[EvalAnswer]:
        return [
            EvalAnswer(item.answer if item.key == "q1" else "soap", False) for item in questions
        ]

    def tuned(questions: Sequence[Question]) -> list[EvalAnswer]:
        return [EvalAnswer("The documents do not say.", True) for _ in questions]

    systems = {"base": base, "tuned": tuned}
    report = evaluate(make_workspace("w"), _questions(40), systems, adapter_id="adapter_r")
    assert report.differences["tuned - base"].low > 0
    assert report.verdict == "no clear difference"
    assert "refusing more" in what_got_worse(report)[0]


def test_a_stopped_evaluation_goes_on_and_a_finished_one_is_recognised(
    make_workspace: MakeWorkspace,
) -> None:
    workspace, questions = make_workspace("w"), _questions()
    calls: list[str] = []

    def stopping(part: Sequence[Question]) -> list[EvalAnswer]:
        if len(calls) >= 8:
            raise KeyboardInterrupt
        return list(_system(True, calls)(part))

    with pytest.raises(KeyboardInterrupt):
        evaluate(workspace, questions, {"base": stopping}, block=4)
    assert len(calls) == 8
    report = evaluate(workspace, questions, {"base": _system(True, calls)}, block=4)
    assert calls == [item.key for item in questions]  # each asked once
    assert evaluate(workspace, questions, {"base": _system(True, calls)}, block=4) == report
    assert len(calls) == len(questions)


def test_leaks_make_the_report_impossible(make_workspace: MakeWorkspace) -> None:
    workspace, questions = make_workspace("w"), _questions()

    def record(instruction: str, output: str) -> Record:
        return Record(
            instruction=instruction, output=output, language="en", method="self_qa", model="code"
        )

    clean = record("How is the door opened?", "With the lever.")
    for leak, rule in (
        (record("what does part 3 COST", "nothing"), "question"),
        (record("Say it.", "I know that part 5 costs 5 crowns today."), "quote"),
    ):
        with pytest.raises(InputInvalid, match=f"1 training records .*{rule}"):
            evaluate(workspace, questions, {"base": _system(True)}, records=[clean, leak])
    evaluate(workspace, questions, {"base": _system(True)}, records=[clean])


def _report(workspace: Workspace) -> EvalReport:
    systems = {
        "base": _system(True),
        "tuned": _system(False),
        "base+retrieval": _system(False),
        "tuned+retrieval": _system(True),
    }
    return evaluate(workspace, _questions(), systems)


def test_report_says_what_got_worse_and_escapes(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("w")
    report = _report(workspace)
    worse = what_got_worse(report)
    assert "price: tuned 0.000 after base 1.000 (10 questions)" in worse
    assert not any("tuned+retrieval 0" in line for line in worse)
    page = write_report(workspace, report).read_text(encoding="utf-8")
    assert "&lt;b&gt;soap &amp; water&lt;/b&gt;" in page
    assert "<b>soap" not in page
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=|url\(|@import", page)
    assert page.count("<svg") == 2
    stored = json.loads((workspace.reports_dir / report.key / "report.json").read_text())
    assert EvalReport.model_validate(stored) == report


def test_report_in_chinese(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("w")
    page = write_report(workspace, _report(workspace), language="zh").read_text(encoding="utf-8")
    assert '<html lang="zh">' in page
    assert "变差的地方" in page


def test_a_report_that_a_kill_kept_out_of_the_lineage_is_entered(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, questions = make_workspace("w"), _questions()
    with monkeypatch.context() as patch:
        patch.setattr(lineage, "put_artifact", _killed)
        with pytest.raises(KeyboardInterrupt):
            evaluate(workspace, questions, {"base": _system(True)})
    assert lineage.artifacts(workspace.db, "report") == []
    (folder,) = [path.parent for path in workspace.reports_dir.glob("*/report.json")]
    known = finished_report(workspace, folder.name)
    assert known is not None
    for _ in range(2):
        register_report(workspace, known, questions)
    assert [item.id for item in lineage.artifacts(workspace.db, "report")] == [known.key]


def _killed(*args: object, **values: object) -> str:
    raise KeyboardInterrupt


def test_the_answer_chain_is_shown_last_and_takes_no_part_in_the_verdict(
    make_workspace: MakeWorkspace,
) -> None:
    workspace, questions = make_workspace("w"), _questions()
    raw = {
        "base": _system(False),
        "base+retrieval": _system(False),
        "tuned": _system(False),
        "tuned+retrieval": _system(False),
    }
    report = evaluate(workspace, questions, raw | {ANSWER_CHAIN: _system(True)})
    assert [score.system for score in report.scores] == [*raw, ANSWER_CHAIN]
    assert report.scores[-1].overall.mean == 1.0
    assert report.verdict == "no clear difference"
    assert not any(ANSWER_CHAIN in name for name in report.differences)
    page = write_report(workspace, report).read_text(encoding="utf-8")
    assert "takes no part in the verdict" in page
    assert page.index("<td>tuned+retrieval</td>") < page.index(f"<td>{ANSWER_CHAIN}</td>")
    without = write_report(workspace, evaluate(workspace, questions, raw))
    assert "takes no part" not in without.read_text(encoding="utf-8")
