"""A launcher that is killed anywhere: launching again leads to one success, of one run."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from domainsmith.errors import JobFailed
from domainsmith.records import TrainingJob
from domainsmith.storage import jobs, lineage
from domainsmith.storage.locks import try_hold
from domainsmith.training import job_processes, launch
from domainsmith.training.job_folder import JobFolder
from domainsmith.workspace import Workspace
from reliability.faults import arm
from reliability.forked import run_forked

from .conftest import DATASET

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the harness counts through /proc"
)
_STRIDE = 5
_RUN = """
import json, os, sys, time
folder = sys.argv[1]
notes = os.open(os.path.join(folder, "runs.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(notes, b"run\\n")
time.sleep(0.1)
beside = os.path.join(folder, "status.new")
with open(beside, "w") as file:
    json.dump({"job_id": os.path.basename(folder), "state": "succeeded", "step": 1}, file)
os.replace(beside, os.path.join(folder, "status.json"))
"""
"""Stands for the training, which takes seconds to start."""
_SUPERVISE = """
import sys
import threading
import time
from domainsmith.training import supervise
supervise.module_command = lambda name: [sys.executable, "-I", "-S", sys.argv[0] + ".run"]
sys.exit(supervise.main(sys.argv[1:]))
"""
"""The real supervisor, with the other training."""

Launcher = Callable[[Path], Callable[[], None]]


@pytest.fixture
def job() -> TrainingJob:
    return TrainingJob(
        base_model="default", base_sha256="00", dataset_id=DATASET, dataset_sha256="00"
    )


@pytest.fixture
def launcher(tmp_path: Path, job: TrainingJob) -> Launcher:
    """Makes the work of a process that launches the job in a workspace."""
    script = tmp_path / "supervise.py"
    script.write_text(_SUPERVISE)
    (tmp_path / "supervise.py.run").write_text(_RUN)

    def make(root: Path) -> Callable[[], None]:
        def work() -> None:
            job_processes.module_command = lambda name: [sys.executable, "-P", str(script)]
            with Workspace.open(root) as workspace:
                launch.launch(workspace, job)

        return work

    return make


def _assert_succeeds_once(root: Path, job_id: str, launch_again: Callable[[], None]) -> None:
    outcome = run_forked(launch_again)
    assert not outcome.error, outcome.error
    with Workspace.open(root) as workspace:
        assert launch.wait(workspace, job_id, timeout_s=60).state == "succeeded"
        row = jobs.job(workspace.db, job_id)
        assert row.state == "succeeded"
        assert len(jobs.jobs(workspace.db)) == 1
        assert {edge.parent for edge in lineage.ancestors(workspace.db, job_id)} >= {DATASET}
        folder = JobFolder(root / row.folder)
        assert (folder.path / "runs.txt").read_text() == "run\n"
        assert not [place.name for place in folder.path.iterdir() if place.name[0] == "."]
        for name in ("launch", "supervisor"):
            lock = try_hold(folder.lock(name), purpose="looking")
            assert lock is not None
            lock.release()


def _operations(root: Path, work: Callable[[], None], told: Path) -> list[str]:
    def counted() -> None:
        point = arm(root, None)
        work()
        told.write_text(json.dumps(point.names))

    outcome = run_forked(counted)
    assert not outcome.error, outcome.error
    names: list[str] = json.loads(told.read_text())
    return names


@pytest.mark.timeout(300)
def test_a_launcher_killed_at_any_write_is_made_good(
    make_workspace: Callable[[str], Workspace],
    launcher: Launcher,
    job: TrainingJob,
    tmp_path: Path,
) -> None:
    counted = make_workspace("counted").root
    names = _operations(counted, launcher(counted), tmp_path / "names.json")
    assert any(name.startswith("sqlite") for name in names)
    renames = {number for number, name in enumerate(names, start=1) if name == "replace"}
    # The last operations come after the start of the supervisor: it is known to nobody yet.
    late = set(range(len(names) - 8, len(names) + 1, 2))
    for point in sorted(renames | late | set(range(1, len(names) + 1, _STRIDE))):
        root = make_workspace(f"killed-{point}").root
        assert run_forked(launcher(root), root=root, fault_at=point).killed, point
        _assert_succeeds_once(root, job.id, launcher(root))


@pytest.mark.timeout(300)
def test_a_launcher_killed_while_the_supervisor_starts_is_made_good(
    make_workspace: Callable[[str], Workspace], launcher: Launcher, job: TrainingJob
) -> None:
    root = make_workspace("timed").root
    whole = run_forked(launcher(root)).seconds
    for part in (0.2, 0.4, 0.6, 0.8, 0.95):
        root = make_workspace(f"killed-{part}").root
        run_forked(launcher(root), kill_after_s=part * whole)
        _assert_succeeds_once(root, job.id, launcher(root))


@pytest.mark.timeout(120)
def test_a_job_that_nobody_started_is_told_as_lost_and_can_be_cancelled(
    make_workspace: Callable[[str], Workspace], job: TrainingJob
) -> None:
    workspace = make_workspace("queued")
    folder = JobFolder(workspace.jobs_dir / job.id)
    jobs.put_job(workspace.db, job, folder=f"jobs/{job.id}")
    with_lock = try_hold(folder.lock("launch"), purpose="launching")
    assert with_lock is not None
    assert launch.status(workspace, job.id).state == "running"  # somebody is at it
    with_lock.release()
    found = launch.status(workspace, job.id)
    assert found.state == "lost"
    assert "resume starts it" in found.message
    assert jobs.job(workspace.db, job.id).state == "lost"
    assert launch.cancel(workspace, job.id).state == "lost"


_DEAF_RUN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


@pytest.mark.timeout(120)
def test_a_cancel_that_has_to_kill_ends_as_cancelled_whoever_looks(
    make_workspace: Callable[[str], Workspace],
    launcher: Launcher,
    job: TrainingJob,
    tmp_path: Path,
) -> None:
    workspace = make_workspace("deaf")
    (tmp_path / "supervise.py.run").write_text(_DEAF_RUN)
    assert not run_forked(launcher(workspace.root)).error
    folder = launch.job_folder(workspace, job.id)
    deadline = time.monotonic() + 30
    while "deaf" not in folder.log_path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    seen: list[str] = []
    stop = threading.Event()

    def look() -> None:
        with Workspace.open(workspace.root) as other:
            while not stop.is_set():
                seen.append(launch.status(other, job.id).state)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        ended = launch.cancel(workspace, job.id, patience_s=0.3)
    finally:
        stop.set()
        watcher.join()
    assert ended.state == "cancelled"
    assert "killed" in ended.message
    assert "lost" not in seen
    assert launch.status(workspace, job.id) == folder.read_status()
    assert jobs.job(workspace.db, job.id).state == "cancelled"


@pytest.mark.timeout(120)
def test_a_supervisor_that_nobody_noted_is_found_by_its_lock(
    make_workspace: Callable[[str], Workspace],
    launcher: Launcher,
    job: TrainingJob,
    tmp_path: Path,
) -> None:
    workspace = make_workspace("unnoted")
    (tmp_path / "supervise.py.run").write_text(_DEAF_RUN)

    def killed_before_the_note() -> None:
        jobs.set_process = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        launcher(workspace.root)()

    assert run_forked(killed_before_the_note).killed
    assert jobs.job(workspace.db, job.id).identity is None
    assert launch.status(workspace, job.id).state == "running"
    ended = launch.cancel(workspace, job.id, patience_s=0.3)
    assert ended.state == jobs.job(workspace.db, job.id).state == "cancelled"
    pgid = jobs.job(workspace.db, job.id).pgid
    assert pgid is not None
    assert not job_processes.group_members(pgid)


@pytest.mark.timeout(60)
def test_a_start_that_takes_too_long_is_told(
    make_workspace: Callable[[str], Workspace],
    job: TrainingJob,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = make_workspace("slow")
    sleeper = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(job_processes, "module_command", lambda name: sleeper)
    monkeypatch.setattr(launch, "_START_S", 0.3)
    with pytest.raises(JobFailed, match="could not be started within"):
        launch.launch(workspace, job)
    found = launch.status(workspace, job.id)
    assert (found.state, jobs.job(workspace.db, job.id).state) == ("failed", "failed")
    assert "could not be started" in found.message
