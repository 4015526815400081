import io
import json
import os
import re
import threading
import time
from dataclasses import replace

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from domainsmith.agents.state import AgentEvent, AgentResult, ApprovalRequest
from domainsmith.apps.cli.main import main
from domainsmith.apps.console import Console
from domainsmith.apps.terminal.approval import Approver, approval_lines
from domainsmith.apps.terminal.chat import Chat, last_thread
from domainsmith.apps.terminal.events import event_lines
from domainsmith.apps.terminal.reader import candidates, path_candidates, pipe_reader, prompt_reader
from domainsmith.apps.terminal.slash import REGISTRY
from domainsmith.apps.terminal.tail import LiveTail
from domainsmith.memory.feedback import corrected_answers
from domainsmith.progress import ProgressEvent
from domainsmith.records import Plan
from domainsmith.settings import Settings
from domainsmith.storage import lineage
from domainsmith.workspace import Workspace

REQUEST = ApprovalRequest(
    token="t",
    tool="train_model",
    arguments='{"epochs":2.0,"note":"a\\u001b[2Kb"}',
    thread_id="thread",
    plan_id="plan",
    step=4,
    estimate={"summary": "about 12 min"},
)


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(scope="module")
def kettle(tmp_path_factory, embedder):
    folder = tmp_path_factory.mktemp("kettle")
    (folder / "docs").mkdir()
    text = "# Orla kettle\n\n## Fuse\nThe Orla kettle needs a fuse of 13 A of the slow type.\n"
    (folder / "docs" / "manual.md").write_text(text, encoding="utf-8")
    root = folder / ".domainsmith"
    assert main(["--workspace", str(root), "--quiet", "add", str(folder / "docs")]) == 0
    return root


def chat_over(root, lines, **options):
    """Run a chat over typed lines; returns it with what it wrote to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    console = Console(stdout=out, stderr=err)
    with Workspace.open(root) as workspace:
        reader = pipe_reader(io.StringIO("".join(f"{line}\n" for line in lines)))
        chat = Chat(workspace, Settings(), console, reader, **options)
        chat.run()
    return chat, out.getvalue(), err.getvalue()


def test_question_is_answered_and_judged(kettle, engine):
    lines = ["Which fuse does the Orla kettle need?", "/trace", "/feedback good", "/history"]
    chat, out, err = chat_over(kettle, lines)
    assert "13 A" in out
    assert "manual.md" in out
    assert f"noted for {chat.last_answer}" in out
    assert chat.results[0]["ok"] is True
    assert "error" not in err
    with Workspace.open(kettle) as workspace:
        (feedback,) = lineage.artifacts(workspace.db, "feedback")
        assert feedback.payload["answer_id"] == chat.last_answer
        assert last_thread(workspace) == chat.thread
    again, out, _ = chat_over(kettle, ["/history"], thread=chat.thread)
    assert "Which fuse does the Orla kettle need?" in out
    assert again.last_answer == chat.last_answer


def test_piped_chat_prints_one_envelope(kettle, engine, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("Which fuse does the Orla kettle need?\n"))
    assert main(["--workspace", str(kettle), "chat", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["command"] == "chat"
    assert "13 A" in found["data"]["turns"][0]["text"]


def test_slash_commands_answer_and_errors_do_not_end_the_chat(kettle, tmp_path):
    saved = tmp_path / "talk.md"
    lines = [
        "/help", "/jobs", "/model", "/hist", "/nonsense", "/feedback", "/trace answer_none",
        "/save", f"/save {saved}", f"/save {saved}", "/clear", "/exit", "/help",
    ]  # fmt: skip
    chat, out, err = chat_over(kettle, lines)
    for name in REGISTRY:
        assert name in out
    assert out.count("Leave (also Ctrl-D)") == 1  # nothing runs after /exit
    assert "chat model: default" in out
    assert saved.is_file()
    for sentence in (
        "No such command (/nonsense)",
        "Feedback is good or bad",
        "Nothing is stored under this id",
        "A file name is needed",
        "The file exists",
    ):
        assert sentence in err
    assert chat.leaving


def test_bare_words_leave_help_and_stay_out_of_requests(kettle):
    chat, out, _ = chat_over(kettle, ["帮助", "Help!", "quit", "/jobs"])
    assert "代码TN-201是什么意思？" in out
    assert "What does code TN-201 mean?" in out
    assert chat.leaving
    assert "no training jobs yet" not in out  # nothing runs after it
    assert chat.results == []


def test_a_correction_is_kept_for_preference_pairs(kettle, engine):
    asked = "Which fuse does the Orla kettle need?"
    chat, _, err = chat_over(kettle, ["/correct x", asked, "/correct A slow fuse of 13 A."])
    assert "There is no answer yet" in err
    with Workspace.open(kettle) as workspace:
        kept = [item.feedback for item in corrected_answers(workspace)]
    assert (chat.last_answer, "A slow fuse of 13 A.") in [
        (one.answer_id, one.correction) for one in kept
    ]


def test_answers_are_judged_and_corrected_by_a_command(kettle, engine, capsys):
    command = ["--workspace", str(kettle), "--json"]
    assert main([*command, "ask", "Which fuse does the Orla kettle need?"]) == 0
    answer = json.loads(capsys.readouterr().out)["data"]["id"]
    right = "A fuse of 13 A, slow."
    assert main([*command, "feedback", answer[:14], "bad", "--correction", right]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["answer_id"] == answer
    with Workspace.open(kettle) as workspace:
        assert right in [item.feedback.correction for item in corrected_answers(workspace)]
    assert main([*command, "feedback", answer, "good", "--correction", right]) == 2
    assert main([*command, "feedback", "answer_none", "bad"]) == 2


def test_what_was_interrupted_is_told_and_continued(kettle, engine, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    asked = "Which fuse does the Orla kettle need?"
    with monkeypatch.context() as patch:
        patch.setattr("domainsmith.agents.nodes.run_step", interrupted)
        first, _, err = chat_over(kettle, [asked])
    assert "/continue goes on" in err
    with Workspace.open(kettle) as workspace:
        assert last_thread(workspace) == first.thread  # though not one request was finished
    again, out, err = chat_over(kettle, ["continue", "/continue"], thread=first.thread)
    assert f"interrupted: {asked}" in err
    assert "13 A" in out
    assert [turn["request"] for turn in again.results] == [asked]
    assert "Nothing was interrupted" in err


def test_models_and_conversations_that_are_not_there_are_said_at_once(kettle, capsys):
    chat, _, err = chat_over(kettle, ["/model nosuch", "/save /no/such/folder/x.md"])
    assert "No model under that name" in err
    assert "No such folder" in err
    assert chat.assembly.settings.chat_model == "default"
    assert main(["--workspace", str(kettle), "chat", "--thread", "chat-none"]) == 2
    assert "No such conversation (chat-none)" in capsys.readouterr().err


def scripted(monkeypatch, turns):
    """Put a scripted agent in place of the graph."""
    asked = iter(turns)

    def run_request(graph, request, thread_id, approve, on_event):
        return next(asked)(request, approve, on_event)

    monkeypatch.setattr("domainsmith.agents.analyst.run_request", run_request)
    monkeypatch.setattr(Chat, "_agent", lambda self: None)


def result(request, text, ok=True):
    plan = Plan(request=request, steps=(), confidence=1.0)
    return AgentResult(text=text, plan=plan, results={}, ok=ok)


def test_ctrl_c_stops_the_turn_and_not_the_chat(kettle, monkeypatch):
    def stopped(request, approve, on_event):
        on_event(AgentEvent("progress", 1, "train_model", {
            "stage": "training", "done": 1, "total": 9, "message": "",
        }))  # fmt: skip
        raise KeyboardInterrupt

    scripted(monkeypatch, [stopped, lambda request, *_: result(request, "second")])
    chat, out, err = chat_over(kettle, ["first", "second"])
    assert "stopped; finished steps are kept" in err
    assert out == "second\n"
    assert ("note", "stopped by the person") in chat.transcript


def test_ctrl_c_on_an_empty_prompt_leaves_when_pressed_twice(kettle):
    def interrupted(prompt):
        raise KeyboardInterrupt

    err = io.StringIO()
    with Workspace.open(kettle) as workspace:
        console = Console(stdout=io.StringIO(), stderr=err)
        Chat(workspace, Settings(), console, interrupted).run()
    assert "Ctrl-C again" in err.getvalue()


def test_nothing_of_a_piped_input_is_taken_for_an_approval(kettle, monkeypatch):
    decided = []

    def asks(request, approve, on_event):
        decided.append(approve(REQUEST))
        return result(request, "done")

    scripted(monkeypatch, [asks, lambda request, *_: result(request, request)] * 2)
    _, out, err = chat_over(kettle, ["train", "y"], can_ask=False)
    assert decided == [False]
    assert "not approved" in err
    assert out.endswith("y\n")  # the next line is the next request
    chat_over(kettle, ["train"], can_ask=False, yes=True)
    assert decided == [False, True]


def test_paths_after_an_at_sign_reach_the_agent_as_paths(kettle, monkeypatch):
    scripted(monkeypatch, [lambda request, *_: result(request, request)] * 2)
    _, out, _ = chat_over(kettle, ["add @docs/a b@c.de", "@docs"])
    assert out == "add docs/a b@c.de\ndocs\n"


def test_model_output_cannot_steer_the_terminal(kettle, monkeypatch):
    attack = "safe \x1b]0;title\x07\x1b[2J\u202etext"
    scripted(monkeypatch, [lambda request, *_: result(request, attack)])
    screen = Screen()
    with Workspace.open(kettle) as workspace:
        reader = pipe_reader(io.StringIO("x\n"))
        Chat(workspace, Settings(), Console(stdout=screen, stderr=io.StringIO()), reader).run()
    shown = screen.getvalue()
    assert "safe text" in shown
    assert "title" not in shown
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown


def test_approval_shows_exact_arguments_with_hidden_characters_visible():
    lines = approval_lines(REQUEST, "Train the model")
    text = "\n".join(lines)
    assert "Step 4 wants to: Train the model (train_model)" in text
    assert "epochs = 2.0" in text
    assert "\x1b" not in text
    assert "[2Kb" in text
    assert "about 12 min" in text


def test_approval_is_asked_in_the_request_s_language():
    err, prompts = io.StringIO(), []
    request = replace(REQUEST, language="zh")
    approver = Approver(Console(stderr=err), lambda prompt: prompts.append(prompt) or "否")
    assert approver(request) is False
    assert "第 4 步要执行：训练模型（train_model）" in err.getvalue()
    assert "未获批准" in err.getvalue()
    assert "是否批准" in prompts[0]


@pytest.mark.parametrize(
    ("answer", "approved"),
    [("y", True), ("YES ", True), ("是", True), ("n", False), ("", False), ("yess", False)],
)
def test_only_a_clear_yes_approves(answer, approved):
    console = Console(stderr=io.StringIO())
    assert Approver(console, lambda prompt: answer)(REQUEST) is approved


def test_always_holds_for_this_tool_only():
    answers = iter(["a", "n"])
    approver = Approver(Console(stderr=io.StringIO()), lambda prompt: next(answers))
    assert approver(REQUEST) is True
    assert approver(REQUEST) is True
    assert approver(replace(REQUEST, tool="serve_model")) is False


def test_plan_and_steps_are_put_in_lines():
    steps = [
        {"number": 1, "tool": "add_documents", "arguments": {"path": "docs"}},
        {"number": 2, "tool": "generate_data", "arguments": {"count": None}},
    ]
    lines = event_lines(AgentEvent("plan", data={"steps": steps}))
    assert lines == ["plan:", '  1. add_documents(path="docs")', "  2. generate_data()"]
    assert event_lines(AgentEvent("plan", data={"steps": steps[:1]})) == []
    resumed = event_lines(AgentEvent("resumed", data={"plan": {"steps": steps}}))
    assert resumed == ["continuing where this request was interrupted", *lines[1:]]
    assert len(event_lines(AgentEvent("resumed", data={"plan": {}}))) == 1
    finished = AgentEvent("step_finished", 1, data={"status": "failed", "seconds": 2})
    assert event_lines(finished) == ["  failed in 2.0 s"]
    assert event_lines(finished, "zh") == ["  失败，用时 2.0 秒"]
    row = {"status": "done", "seconds": 2, "summary": "3 documents\nadded"}
    assert event_lines(AgentEvent("step_finished", 1, data={**row, "steps": 1})) == [
        "  done in 2.0 s"
    ]
    assert event_lines(AgentEvent("step_finished", 1, data={**row, "steps": 2})) == [
        "  done in 2.0 s",
        "  3 documents added",
    ]
    started = AgentEvent("step_started", 1, "add_documents", {"arguments": {"path": "\x1b[2Jx"}})
    assert "\x1b" not in event_lines(started)[0]


def test_live_line_fits_the_terminal_also_with_wide_characters(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    screen = Screen()
    tail = LiveTail(Console(stderr=screen))
    tail(ProgressEvent("生成训练数据生成训练数据", 3, 10))
    tail.clear()
    drawn = screen.getvalue().split("\x1b[K")[1].split("\r")[0]
    assert drawn
    from rich.cells import cell_len

    assert cell_len(drawn) <= 19
    assert screen.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (ProgressEvent("loading files", 1, 6), "正在读取文件  1/6 (16 %)"),
        (ProgressEvent("selecting (k_center)", 5, 6), "正在筛选（k_center）  5/6 (83 %)"),
        (ProgressEvent("evaluating base+retrieval", 2), "正在评估 base+retrieval  2"),
        (
            ProgressEvent("training", 3, 9, "about 12 s left  loss 1.585, 79 tok/s"),
            "正在训练  3/9 (33 %)  约剩 12 秒 损失 1.585, 79 词元/秒",
        ),
        (
            ProgressEvent(
                "smoke run", 1, 1, "documents: 8 of 9 records good (sentences 9); "
                "160 need about 2 min and 24220 tokens",
            ),
            "试运行  1/1 (100 %)  documents: 9 条记录中 8 条合格 (sentences 9)；"
            "160 条约需 2 分钟、24220 个词元",
        ),
    ],
)  # fmt: skip
def test_progress_is_told_in_the_language_of_the_request(event, shown):
    screen = io.StringIO()
    LiveTail(Console(stderr=screen), "zh")(event)
    assert screen.getvalue().strip() == shown


def test_remaining_time_is_told_once(monkeypatch):
    clock = iter([100.0, 120.0])
    monkeypatch.setattr("domainsmith.apps.terminal.tail.time.monotonic", lambda: next(clock))
    screen = io.StringIO()
    tail = LiveTail(Console(stderr=screen))
    for done in (1, 2):
        tail(ProgressEvent("generating documents", done, 4, "about 9 s left; 2 made"))
    assert screen.getvalue().splitlines()[-1].count(" left") == 1


def test_live_line_tells_that_work_goes_on_until_it_is_cleared(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("domainsmith.apps.terminal.tail._TICK_SECONDS", 3600.0)
    screen = Screen()
    tail = LiveTail(Console(stderr=screen))
    tail.begin("working")
    later = time.monotonic() + 3
    tail.tick(later)
    tail(ProgressEvent("embedding", 5, 10))
    tail.tick(later)
    tail.clear()
    tail.tick(later)  # too late: nothing runs any more
    shown = [part for part in screen.getvalue().split("\r\x1b[K") if part]
    assert re.fullmatch(r"  working  \d+ s", shown[0])
    assert re.fullmatch(r"  embedding  5/10 \(50 %\).*  \d+ s", shown[-1])
    assert screen.getvalue().endswith("\r\x1b[K")


def test_progress_in_a_pipe_is_few_lines():
    err = io.StringIO()
    tail = LiveTail(Console(stderr=err))
    for done in range(101):
        tail(ProgressEvent("embedding", done, 100))
    assert len(err.getvalue().splitlines()) == 2  # the first and the last report


def test_prompt_reads_chinese_and_keeps_history(tmp_path):
    history = tmp_path / "history"
    with create_pipe_input() as typed:
        read = prompt_reader(history, input=typed, output=DummyOutput())
        typed.send_text("保修多久?\r")
        assert read("you> ") == "保修多久?"
        typed.send_text("/help\r")
        assert read("you> ") == "/help"
        typed.send_text("\x04")
        with pytest.raises(EOFError):
            read("you> ")
    assert "保修多久" in history.read_text(encoding="utf-8")
    with create_pipe_input() as typed:
        read = prompt_reader(history, input=typed, output=DummyOutput())
        # Up goes through what was typed in the run before.
        threading.Timer(0.5, lambda: typed.send_text("\x1b[A\x1b[A")).start()
        threading.Timer(1.5, lambda: typed.send_text("\r")).start()
        assert read("you> ") == "保修多久?"


def test_commands_and_paths_are_completed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "文档").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "history").touch()
    assert [name for name, _, _ in candidates("/h")] == ["/help", "/history"]
    assert list(candidates("add @文")) == [("@文档/", 2, "")]
    assert list(candidates("/help x")) == []
    assert list(candidates("plain")) == []
    assert path_candidates("") == ["history", "文档/"]
    assert path_candidates(".h") == [".hidden/"]
    assert path_candidates("nowhere/x") == []


def test_ctrl_c_clears_a_line_with_text(tmp_path):
    with create_pipe_input() as typed:
        read = prompt_reader(tmp_path / "history", input=typed, output=DummyOutput())
        typed.send_text("half a thought\x03")
        threading.Timer(0.5, lambda: typed.send_text("whole\r")).start()
        assert read("you> ") == "whole"
        typed.send_text("\x03")
        with pytest.raises(KeyboardInterrupt):
            read("you> ")


def test_history_file_is_the_workspace_s_own(kettle):
    from domainsmith.apps.terminal.chat import history_file

    with Workspace.open(kettle) as workspace:
        assert os.path.commonpath([history_file(workspace), kettle]) == str(kettle)
