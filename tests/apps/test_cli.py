import errno
import importlib.util
import io
import json
import os
import re
import resource
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import Options
from domainsmith.apps.cli.error_report import error_sentence, exit_code_for
from domainsmith.apps.cli.jobs import follow
from domainsmith.apps.cli.main import COMMANDS, cli, main
from domainsmith.errors import DomainSmithError, JobFailed, PortInUse, UserError
from domainsmith.records import Answer, JobStatus, Record, TrainingJob
from domainsmith.storage import jobs, lineage
from domainsmith.training.dataset_folder import write_dataset
from domainsmith.workspace import Workspace

MANUAL = """# Orla kettle

## Fuse
The Orla kettle needs a fuse of 13 A of the slow type.

## Warranty
The warranty on the Orla kettle lasts 30 months from the day of purchase.

## Cleaning
Clean the limescale filter of the Orla kettle every 45 days with citric acid.
"""
HEAVY = ("torch", "transformers", "langchain", "langchain_core", "langgraph", "chromadb", "peft",
         "trl", "sentence_transformers", "numpy", "pydantic", "rich", "fastapi", "uvicorn",
         "openai", "prompt_toolkit")  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]


def run(*arguments, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "domainsmith", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run each test in a folder of its own, without a workspace above it."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("DOMAINSMITH_") and name != "DOMAINSMITH_MODELS":
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def kettle(tmp_path_factory, embedder):
    """A workspace with one small document."""
    folder = tmp_path_factory.mktemp("kettle")
    (folder / "docs").mkdir()
    (folder / "docs" / "manual.md").write_text(MANUAL, encoding="utf-8")
    workspace = folder / ".domainsmith"
    assert main(["--workspace", str(workspace), "--quiet", "add", str(folder / "docs")]) == 0
    return workspace


def envelope(capsys):
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"schema_version", "command", "ok", "data", "error"}
    assert found["schema_version"] == 1
    return found


def test_help_imports_nothing_heavy_and_no_command():
    code = (
        "import sys\n"
        "from domainsmith.apps.cli.main import main\n"
        "assert main(['--help']) == 0\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    loaded = set(done.stderr.split())
    assert not loaded & set(HEAVY)
    ours = {name for name in loaded if name.startswith("domainsmith.apps.cli.")}
    assert ours == {f"domainsmith.apps.cli.{name}" for name in ("main", "command", "error_report")}


def cpu_seconds(code):
    """CPU seconds of a fresh interpreter: unlike wall-clock time, of use on a busy machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_is_quick():
    help_page = "from domainsmith.apps.cli.main import main; main(['--help'])"
    ours = min(cpu_seconds(help_page) for _ in range(5))
    peer = min(cpu_seconds("import pydantic, rich") for _ in range(5))
    assert ours <= 2 * peer
    assert ours < 0.2


def test_table_of_commands_says_what_the_commands_say():
    files = {path.stem for path in (ROOT / "domainsmith/apps/cli").glob("*.py")}
    assert {name.replace("-", "_") for name in COMMANDS} <= files
    context = click.Context(cli, info_name="domainsmith")
    for name, text in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command.name == name
        assert command.help.strip().split("\n")[0] == text


def all_commands():
    context = click.Context(cli)
    for name in COMMANDS:
        yield [name]
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            for inner in command.commands:
                yield [name, inner]


@pytest.mark.parametrize("path", list(all_commands()), ids=" ".join)
def test_each_command_has_help_with_the_common_options(path, capsys):
    assert main([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: domainsmith {' '.join(path)}" in shown
    for option in ("--workspace", "--json", "--quiet", "--yes", "--no-input", "--verbose", "--set"):
        assert option in shown


def test_exit_codes_in_the_help_are_those_of_the_errors(capsys):
    main(["--help"])
    shown = {int(code) for code in re.findall(r"^    (\d+) ", capsys.readouterr().out, re.M)}
    classes = [DomainSmithError]
    for kind in classes:
        classes.extend(kind.__subclasses__())
    assert {kind.exit_code for kind in classes} <= shown
    assert {0, 1, 124, 130} <= shown


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("generate_command_reference", "commands.md"),
        ("generate_settings_reference", "settings.md"),
    ],
)
def test_references_are_current(name, page):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == script.reference()


def test_unknown_command_and_option_are_usage_errors(capsys):
    assert main(["nonsense"]) == 2
    assert main(["ask", "--nonsense"]) == 2
    assert main([]) == 2
    errors = capsys.readouterr().err
    assert "No such command 'nonsense'" in errors
    assert "Run `domainsmith ask --help`" in errors


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(["asj"], "ask"), (["generat"], "generate"), (["models", "lst"], "list")],
)
def test_a_mistyped_command_names_the_near_one(typed, meant, capsys):
    assert main(typed) == 2
    assert f"Did you mean {meant}?" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell, capsys):
    assert main(["completion", shell]) == 0
    assert "_DOMAINSMITH_COMPLETE" in capsys.readouterr().out


def test_shell_completes_commands_options_and_ids(kettle, monkeypatch, capsys):
    def complete(words):
        done = run(
            _DOMAINSMITH_COMPLETE="bash_complete",
            COMP_WORDS=f"domainsmith {words}",
            COMP_CWORD=str(len(words.split(" "))),
            DOMAINSMITH_WORKSPACE=str(kettle),
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert complete("tr") == ["train", "trace"]
    assert "--follow" in complete("jobs logs --f")
    with Workspace.open(kettle) as workspace:
        document = lineage.find(workspace.db, "document_")[0]
    assert complete("trace docum") == [document]


def test_init_is_idempotent_and_says_so(tmp_path, capsys):
    assert main(["--json", "init"]) == 0
    first = envelope(capsys)
    assert first["data"] == {"workspace": str(tmp_path / ".domainsmith"), "created": True}
    assert main(["init", "--json"]) == 0
    assert envelope(capsys)["data"]["created"] is False
    assert main(["init", str(tmp_path / "new" / "place")]) == 0
    assert (tmp_path / "new" / "place" / ".domainsmith" / "state.sqlite").is_file()


def test_add_again_changes_nothing(kettle, capsys):
    docs = kettle.parent / "docs"
    assert main(["--workspace", str(kettle), "--json", "add", str(docs)]) == 0
    data = envelope(capsys)["data"]
    assert data["unchanged"] == 1
    assert data["added"] == data["changed"] == data["passages_new"] == 0


def test_ask_answers_with_a_citation_and_refuses(kettle, engine, monkeypatch, capsys):
    monkeypatch.chdir(kettle.parent / "docs")  # the workspace is found upwards
    assert main(["ask", "--json", "Which fuse does the Orla kettle need?"]) == 0
    answer = envelope(capsys)["data"]
    assert "13" in answer["text"]
    assert answer["citations"][0]["document_path"] == "manual.md"
    assert main(["ask", "Who won the football world cup in 1998?"]) == 0
    shown = capsys.readouterr()
    assert "do not answer" in shown.out
    assert "answer_" not in shown.out  # stdout is the answer alone
    assert "answer_" in shown.err


def test_trace_walks_both_ways_and_completes_ids(kettle, capsys):
    with Workspace.open(kettle) as workspace:
        passage = lineage.find(workspace.db, "passage_")[0]
        answer = Answer(question="q\x1b[2J", text="t", language="en", model="m")
        lineage.put_artifact(workspace.db, answer, parents=[passage])
    flags = ["--workspace", str(kettle), "trace"]
    assert main([*flags, answer.id[:14]]) == 0
    shown = capsys.readouterr().out
    assert passage in shown
    assert "manual.md" in shown
    assert "\x1b" not in shown
    assert main([*flags, "--json", passage, "--down"]) == 0
    assert [answer.id, passage, 1] in envelope(capsys)["data"]["descendants"]
    assert main([*flags, "passage_"]) == 2
    assert "ids begin so: passage_" in capsys.readouterr().err
    assert main([*flags, "nothing_1"]) == 2
    assert "Nothing is stored under this id (nothing_1)" in capsys.readouterr().err


def test_settings_show_where_they_come_from(kettle, monkeypatch, capsys):
    monkeypatch.setenv("DOMAINSMITH_TOP_K", "7")
    flags = ["--workspace", str(kettle), "--set", "seed=3", "config", "show", "--json"]
    assert main(flags) == 0
    data = envelope(capsys)["data"]
    assert data["top_k"] == {"value": 7, "origin": "environment"}
    assert data["seed"] == {"value": 3, "origin": "flag"}
    assert data["epochs"]["origin"] == "default"
    assert main(["--set", "top_k=none", "--set", "nonsense=1", "config", "show"]) == 2
    shown = capsys.readouterr().err
    assert "top_k (from flag)" in shown
    assert "nonsense (from flag)" in shown
    assert main(["--set", "top_k", "config", "show"]) == 2


def test_doctor_reports_and_fails_when_something_is_missing(kettle, monkeypatch, capsys):
    assert main(["--workspace", str(kettle), "doctor", "--json"]) == 0
    checks = {row["name"]: row for row in envelope(capsys)["data"]}
    assert checks["documents"]["value"].startswith("1 document, ")
    assert checks["index"]["state"] == "ok"
    from domainsmith.apps import doctor

    monkeypatch.setitem(doctor._LIBRARIES, "no-such-library", True)
    assert main(["--workspace", str(kettle), "doctor"]) == 1
    assert "no-such-library" in capsys.readouterr().out


def test_models_bench_measures_a_model(capsys, monkeypatch):
    for name, value in (("RUNS", 1), ("DECODE_TOKENS", 4), ("PREFILL_TOKENS", 64), ("PAIRS", 2)):
        monkeypatch.setattr(f"domainsmith.model_io.speed._{name}", value)
    assert main(["models", "bench", "--json", "--set", "dtype=float32", "--set=device=cpu"]) == 0
    data = envelope(capsys)["data"]
    assert (data["dtype"], data["device"]) == ("float32", "cpu")
    numbers = {name: value for name, value in data.items() if isinstance(value, int | float)}
    assert numbers.pop("peak_device_bytes") == 0
    assert all(value > 0 for value in numbers.values()), numbers
    assert data["peak_memory_bytes"] > 100e6
    assert main(["models", "bench", "openai:http://127.0.0.1:1/v1#m"]) == 2


def test_models_list_without_a_workspace(capsys):
    assert main(["models", "list", "--json"]) == 0
    assert envelope(capsys)["data"]["models"][0]["name"] == "default"


def test_export_needs_a_dataset(kettle, capsys):
    assert main(["--workspace", str(kettle), "export", "out.jsonl"]) == 2
    assert "There is no dataset yet" in capsys.readouterr().err


def test_jobs_of_a_workspace_without_any(kettle, capsys):
    assert main(["--workspace", str(kettle), "jobs", "list", "--json"]) == 0
    assert envelope(capsys)["data"] == []
    assert main(["--workspace", str(kettle), "jobs", "show", "job_123"]) == 2
    assert "jobs list" in capsys.readouterr().err


def test_deleting_weights_needs_approval(capsys):
    assert main(["models", "remove", "default", "--no-input"]) == 2
    assert "Give --yes" in capsys.readouterr().err


BAD_INPUT = {
    "missing folder": (["add", "nowhere"], 2, "No such file or folder (nowhere)"),
    "empty folder": (["add", "empty"], 2, "The folder holds no files (empty)"),
    "no workspace": (["ask", "x"], 2, "No workspace here or above"),
    "no such workspace": (["--workspace", "nowhere", "ask", "x"], 2, "No workspace here (nowhere)"),
    "no weights": (
        ["--workspace", "{kettle}", "ask", "--model", "local:/nowhere/m", "x"], 3, "/nowhere/m"
    ),
    "no question": (["--workspace", "{kettle}", "ask"], 2, "There is no question"),
    "no adapter": (["--workspace", "{kettle}", "serve", "--adapter", "adapter_1"], 2, "adapter_1"),
    "bad host": (["--workspace", "{kettle}", "serve", "--host", "0.0.0.0"], 2, "needs an API key"),
    "no dataset": (["--workspace", "{kettle}", "train"], 2, "There is no selected dataset"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_sentence_and_a_code(case, kettle, tmp_path, monkeypatch, capsys):
    arguments, code, sentence = BAD_INPUT[case]
    arguments = [part.replace("{kettle}", str(kettle)) for part in arguments]
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(arguments) == code
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.out == ""
    assert "Traceback" not in shown.err
    assert len([line for line in shown.err.splitlines() if line.startswith("error: ")]) == 1
    assert not (tmp_path / ".domainsmith").exists()
    assert main([*arguments, "--json"]) == code
    error = envelope(capsys)["error"]
    assert error["exit_code"] == code
    assert error["what"]


def test_verbose_shows_the_traceback(capsys):
    assert main(["--verbose", "add", "nowhere"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_files_that_cannot_be_read_are_named_and_the_others_kept(kettle, capsys):
    docs = kettle.parent / "docs"
    (docs / "broken.pdf").write_bytes(b"%PDF-1.7\nbroken")
    (docs / "secret.md").write_text("# Secret\n", encoding="utf-8")
    (docs / "secret.md").chmod(0)
    try:
        flags = ["--workspace", str(kettle), "add", str(docs)]
        assert main(flags) == 0
        errors = capsys.readouterr().err
        assert "warning: not added: broken.pdf: " in errors
        if os.geteuid():  # root may read everything
            assert "warning: not added: secret.md: " in errors
        assert main([*flags, "--strict", "--json"]) == 1
        found = envelope(capsys)
        assert found["ok"] is False
        assert found["data"]["unchanged"] >= 1
    finally:
        (docs / "broken.pdf").unlink()
        (docs / "secret.md").unlink()
        assert main(["--workspace", str(kettle), "--quiet", "add", str(docs)]) == 0


def test_port_in_use(kettle, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--workspace", str(kettle), "serve", "--port", str(port)]) == 3
    assert f"127.0.0.1:{port}" in capsys.readouterr().err


def test_newer_workspace_is_left_alone(tmp_path, capsys):
    root = tmp_path / "w"
    Workspace.create(root).close()
    with sqlite3.connect(root / "state.sqlite") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = (root / "state.sqlite").read_bytes()
    assert main(["--workspace", str(root), "ask", "x"]) == 3
    assert "999" in capsys.readouterr().err
    assert (root / "state.sqlite").read_bytes() == before


def test_full_disk_is_named_and_loses_nothing(kettle, monkeypatch, capsys):
    docs = kettle.parent / "docs"
    (docs / "second.md").write_text("# Second\n\nThe lid is green.\n", encoding="utf-8")
    from domainsmith.storage import documents

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(kettle / "state.sqlite"))

    def count():
        with Workspace.open(kettle) as workspace:
            return len(documents.documents(workspace.db))

    before = count()
    with monkeypatch.context() as patch:
        patch.setattr("domainsmith.data_connection.sources.add_folder", full)
        assert main(["--workspace", str(kettle), "add", str(docs)]) == 3
    shown = capsys.readouterr().err
    assert "disk is full" in shown
    assert "Traceback" not in shown
    assert count() == before
    (docs / "second.md").unlink()


def test_unexpected_errors_are_defects_without_a_traceback(monkeypatch, capsys):
    def broken(self):
        raise ValueError("odd\x1b[2J")

    monkeypatch.setattr(App, "workspace_path", broken)
    assert main(["ask", "x"]) == 70
    shown = capsys.readouterr().err
    assert shown.startswith("error: Unexpected ValueError: odd.")
    assert "\x1b" not in shown


def test_interrupt_is_130(monkeypatch, capsys):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(App, "workspace_path", interrupted)
    assert main(["ask", "x"]) == 130
    assert "error: Interrupted." in capsys.readouterr().err


def test_sentence_says_what_where_and_how_to_fix():
    error = PortInUse("The port is taken", where="127.0.0.1:1", fix="Choose another.")
    assert error_sentence(error, verbose=False) == (
        "error: The port is taken (127.0.0.1:1). Choose another."
    )
    assert exit_code_for(error) == 3
    assert exit_code_for(UserError("x")) == 2
    assert exit_code_for(TimeoutError()) == 124


def test_closed_pipe_is_quiet():
    command = f"{sys.executable} -m domainsmith config show | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.startswith("setting")
    assert done.stderr == ""


def test_terminal_encoding_never_ends_the_program(tmp_path):
    folder = tmp_path / "没有"
    done = run("add", str(folder), PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert "No such file or folder" in done.stderr


def test_questions_that_are_not_utf_8_are_bad_input(kettle, tmp_path, monkeypatch, capsys):
    file = tmp_path / "questions.txt"
    file.write_bytes("Größe?".encode("latin-1"))
    assert main(["--workspace", str(kettle), "ask", "--file", str(file)]) == 2
    assert main(["--workspace", str(kettle), "ask", "Gr\udcf6\udcdfe?"]) == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff?"), encoding="utf-8"))
    assert main(["--workspace", str(kettle), "ask"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len([line for line in errors if "not valid UTF-8" in line]) == 3


def test_folder_that_cannot_be_listed_is_not_taken_for_empty(tmp_path, monkeypatch, capsys):
    (tmp_path / "locked").mkdir()

    def denied(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with monkeypatch.context() as patch:
        patch.setattr("domainsmith.apps.cli.add.os.scandir", denied)
        assert main(["add", "locked"]) != 0
    shown = capsys.readouterr().err
    assert "ermission denied" in shown or "not allowed" in shown
    assert "no files" not in shown
    assert not (tmp_path / ".domainsmith").exists()


def test_a_person_is_asked_on_stderr(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert App(Options()).ask("really?\x1b[2J ") == "y"
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "really? "


@pytest.fixture
def datasets(tmp_path):
    """A workspace with a generated dataset and a selected one that is older."""
    with Workspace.create(tmp_path / "w") as workspace:
        for number, stage in enumerate(("selected", "raw")):
            record = Record(
                instruction=f"Q{number}", input="", output="A", language="en", method="self_qa",
                model="m",
            )  # fmt: skip
            name = f"dataset_{number:016x}"
            write_dataset(workspace, name, [record], parents=[], card={"stage": stage})
    return workspace.root


def test_export_takes_the_selected_dataset_and_nothing_but_datasets(datasets, tmp_path, capsys):
    export = ["--workspace", str(datasets), "export"]
    assert main([*export, "a.jsonl"]) == 0
    assert "dataset_0000000000000000" in capsys.readouterr().out
    assert main([*export, "b.jsonl", "--dataset", "dataset_0000000000000001"]) == 0
    assert json.loads((tmp_path / "b.jsonl").read_text())["instruction"] == "Q1"
    with Workspace.open(datasets) as workspace:
        lineage.put_artifact(workspace.db, kind="source", id="source_1", payload={}, parents=())
    capsys.readouterr()
    assert main([*export, "c.jsonl", "--dataset", "source_1"]) == 2
    assert "This is no dataset" in capsys.readouterr().err


def test_ask_reads_only_the_documents_that_it_is_told(kettle, engine, monkeypatch, capsys):
    monkeypatch.chdir(kettle.parent / "docs")
    assert main(["ask", "--json", "--only", "*.md", "Which fuse does the Orla kettle need?"]) == 0
    assert envelope(capsys)["data"]["citations"][0]["document_path"] == "manual.md"
    assert main(["ask", "--only", "nothing*", "Which fuse does the Orla kettle need?"]) == 2
    errors = capsys.readouterr().err
    assert "No document fits --only" in errors
    assert "The documents are: " in errors


def test_ask_takes_the_promoted_adapter_unless_told_otherwise(kettle, monkeypatch, capsys):
    asked = []

    def answer(self, question, history=None, adapter=None, **options):
        asked.append(adapter)
        return Answer(question=question, text="13 A", language="en", model="m", adapter_id=adapter)

    monkeypatch.setattr("domainsmith.apps.assembly.Assembly.answer", answer)
    monkeypatch.setattr(
        "domainsmith.apps.assembly.Assembly.answering_adapter", lambda self: "adapter_1"
    )
    monkeypatch.setattr(
        "domainsmith.apps.assembly.Assembly.load_adapter", lambda self, id: SimpleNamespace(id=id)
    )
    for flags in ([], ["--base"], ["--adapter", "adapter_2"]):
        assert main(["--workspace", str(kettle), "ask", "Which fuse?", *flags]) == 0
    assert asked == ["adapter_1", None, "adapter_2"]
    assert "adapter_1  " in capsys.readouterr().err
    assert main(["--workspace", str(kettle), "ask", "x", "--base", "--adapter", "a"]) == 2


def test_eval_compares_the_adapter_that_is_named(kettle, monkeypatch, capsys):
    monkeypatch.setattr(
        "domainsmith.training.registry.adapter", lambda w, prefix: SimpleNamespace(id="adapter_77")
    )
    monkeypatch.setattr("domainsmith.training.registry.register_adapter", lambda w, id: None)
    noted = []
    monkeypatch.setattr("domainsmith.tools.current.note_latest", lambda *note: noted.append(note))
    main(["--workspace", str(kettle), "eval", "--adapter", "adapter_7"])
    assert [note[1:] for note in noted] == [("adapter", "adapter_77")]


def test_followed_job_s_adapter_is_the_newest(kettle, monkeypatch):
    states = iter(
        [
            JobStatus(job_id="job_1", state="succeeded", adapter_id="adapter_1"),
            JobStatus(job_id="job_1", state="lost"),
        ]
    )
    monkeypatch.setattr("domainsmith.training.launch.status", lambda *_: next(states))
    noted = []
    monkeypatch.setattr("domainsmith.tools.current.note_latest", lambda *note: noted.append(note))
    with App(Options(workspace=str(kettle), quiet=True)) as app:
        follow(app, "job_1")
        assert [note[1:] for note in noted] == [("adapter", "adapter_1")]
        with pytest.raises(JobFailed, match="The job ended as lost"):
            follow(app, "job_1")


def test_a_followed_log_loses_nothing_that_is_just_being_written(kettle, monkeypatch, capsys):
    with Workspace.open(kettle) as workspace:
        job = TrainingJob(base_model="m", base_sha256="", dataset_id="d", dataset_sha256="")
        jobs.put_job(workspace.db, job, folder=f"jobs/{job.id}")
    log = kettle / "jobs" / job.id / "log.txt"
    log.parent.mkdir()
    whole = "第一行\n训练结束\n".encode()
    log.write_bytes(whole[:14])  # within a letter of the second line
    states = iter(["running", "succeeded"])

    def status(*_):
        log.write_bytes(whole)
        return JobStatus(job_id=job.id, state=next(states))

    monkeypatch.setattr("domainsmith.training.launch.status", status)
    assert main(["-w", str(kettle), "jobs", "logs", "--follow", job.id]) == 0
    assert capsys.readouterr().out == whole.decode()


@pytest.mark.parametrize("group", ["", "models", "jobs", "data", "config"])
def test_no_line_of_help_is_cut(group, capsys):
    assert main([*group.split(), "--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2]
    assert listed
    assert "..." not in listed
