"""Jobs as processes: they finish, survive kills bit for bit, stop, and are found again."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from domainsmith.errors import InputNotFound, JobFailed, WorkspaceLocked
from domainsmith.records import JobStatus, TrainingJob
from domainsmith.storage import jobs, lineage
from domainsmith.storage.atomic import hash_file
from domainsmith.storage.process import is_alive
from domainsmith.training import launch, registry
from domainsmith.training.checkpoint import newest_checkpoint
from domainsmith.training.job_folder import child_environment
from domainsmith.training.job_processes import group_members
from domainsmith.workspace import Workspace

MakeWorkspace = Callable[[str], Workspace]
MakeJob = Callable[..., TrainingJob]


def _wait_for_step(workspace: Workspace, job_id: str, step: int, limit_s: float = 240) -> None:
    deadline = time.monotonic() + limit_s
    while launch.status(workspace, job_id).step < step:
        assert time.monotonic() < deadline, launch.status(workspace, job_id)
        assert launch.status(workspace, job_id).state == "running"
        time.sleep(0.02)


def _kill_child(workspace: Workspace, job_id: str) -> None:
    """Kill the training process, not its supervisor."""
    row = jobs.job(workspace.db, job_id)
    assert row.pgid is not None
    (child,) = [pid for pid in group_members(row.pgid) if pid != row.pgid]
    os.kill(child, signal.SIGKILL)


@pytest.mark.timeout(600)
def test_a_real_job_trains_smollm2(
    make_workspace: MakeWorkspace, make_job: MakeJob, chat_model_path: Path
) -> None:
    workspace = make_workspace("real")
    job = make_job("default", chat_model_path, workspace, max_steps=3, checkpoint_steps=2)
    seen: list[JobStatus] = []
    job_id = launch.launch(workspace, job, estimate={"seconds": 1.0})
    last = launch.wait(workspace, job_id, progress=seen.append)
    assert (last.state, last.step, last.total_steps) == ("succeeded", 3, 3)
    assert last.adapter_id is not None
    assert any(status.state == "running" for status in seen)
    entry = registry.adapter(workspace, last.adapter_id)
    assert entry.manifest is not None
    assert entry.manifest.job_id == job_id
    assert entry.manifest.system_prompt == ""  # the expert text of the question's language
    assert entry.manifest.weights_sha256 == hash_file(entry.folder / "adapter_model.safetensors")
    assert str(workspace.root) not in (entry.folder / "adapter_config.json").read_text()
    parents = {edge.parent for edge in lineage.ancestors(workspace.db, entry.id)}
    assert {job_id, job.dataset_id} <= parents
    steps = launch.job_folder(workspace, job_id).read_steps()
    assert [line["step"] for line in steps] == [1, 2, 3]
    assert all(line["loss"] > 0 and line["computed_tokens"] > 0 for line in steps)
    # The same job again is recognised, at once and without a process.
    assert launch.launch(workspace, job) == job_id
    assert launch.status(workspace, job_id) == last


@pytest.mark.timeout(600)
def test_killed_and_resumed_gives_the_same_bytes(
    make_workspace: MakeWorkspace, make_job: MakeJob, tiny_model: Path
) -> None:
    seed = random.randrange(1000)
    print(f"seed={seed}")
    chooser = random.Random(seed)
    whole, killed = make_workspace("whole"), make_workspace("killed")
    options = {"max_steps": 80, "checkpoint_steps": 7, "lora_dropout": 0.1}
    job = make_job(f"local:{tiny_model}", tiny_model, whole, **options)
    launch.launch(whole, job)
    launch.launch(killed, job)
    _wait_for_step(killed, job.id, chooser.randint(1, 50))
    _kill_child(killed, job.id)
    with pytest.raises(JobFailed, match="signal 9"):
        launch.wait(killed, job.id)
    # Then the whole group, supervisor included: nobody is left to write a last word.
    launch.resume(killed, job.id)
    pgid = jobs.job(killed.db, job.id).pgid
    assert pgid is not None
    # Past the first checkpoint, so that there is one to damage.
    _wait_for_step(killed, job.id, max(8, launch.status(killed, job.id).step + 1))
    os.killpg(pgid, signal.SIGKILL)
    with pytest.raises(JobFailed, match="lost"):
        launch.wait(killed, job.id)
    # And the newest checkpoint is damaged.
    checkpoints = launch.job_folder(killed, job.id).path / "checkpoints"
    newest = newest_checkpoint(checkpoints).checkpoint
    assert newest is not None
    with (newest.folder / "optimizer.safetensors").open("r+b") as file:
        file.truncate(100)
    launch.resume(killed, job.id)
    resumed, reference = launch.wait(killed, job.id), launch.wait(whole, job.id)
    assert resumed.adapter_id == reference.adapter_id  # made from weights, losses and inputs
    files = [
        registry.adapter_folder(workspace, str(reference.adapter_id)) / "adapter_model.safetensors"
        for workspace in (whole, killed)
    ]
    assert hash_file(files[0]) == hash_file(files[1])
    lines = launch.job_folder(killed, job.id).read_lines()
    assert any("skipped" in text for line in lines for text in line.get("skipped_checkpoints", []))
    left = [place.name for place in (killed.root / "jobs" / job.id).iterdir()]
    assert not [name for name in left if name.startswith((".adapter", ".staging"))]


_LAUNCHER = """
import os, signal, sys
from pathlib import Path
from domainsmith.records import TrainingJob
from domainsmith.training.launch import launch
from domainsmith.workspace import Workspace
workspace = Workspace.open(Path(sys.argv[1]))
print(launch(workspace, TrainingJob.model_validate_json(sys.argv[2])), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.timeout(600)
def test_a_job_outlives_its_launcher_is_adopted_and_cancelled(
    make_workspace: MakeWorkspace, make_job: MakeJob, tiny_model: Path
) -> None:
    workspace = make_workspace("adopted")
    job = make_job(f"local:{tiny_model}", tiny_model, workspace, max_steps=5000)
    launcher = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, str(workspace.root), job.model_dump_json()],
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert launcher.returncode == -signal.SIGKILL, launcher.stderr
    assert [status.state for status in launch.adopt_jobs(workspace)] == ["running"]
    _wait_for_step(workspace, job.id, 3)
    row = jobs.job(workspace.db, job.id)
    assert row.identity is not None
    assert row.pgid is not None
    assert os.getsid(row.identity.pid) == row.pgid != os.getsid(0)
    assert launch.launch(workspace, job) == job.id  # found, not started twice
    assert jobs.job(workspace.db, job.id).identity == row.identity
    ended = launch.cancel(workspace, job.id)
    assert ended.state == "cancelled"
    assert not group_members(row.pgid)
    assert not is_alive(row.identity)
    assert jobs.job(workspace.db, job.id).state == "cancelled"
    found = newest_checkpoint(launch.job_folder(workspace, job.id).path / "checkpoints")
    assert found.checkpoint is not None
    assert found.checkpoint.step == ended.step
    assert launch.cancel(workspace, job.id) == ended  # a second one changes nothing


@pytest.mark.timeout(600)
def test_failures_are_told_in_words(
    make_workspace: MakeWorkspace, make_job: MakeJob, tiny_model: Path, tmp_path: Path
) -> None:
    workspace = make_workspace("failing")
    too_long = make_job(f"local:{tiny_model}", tiny_model, workspace, max_length=32)
    no_weights = make_job(f"local:{tmp_path / 'nothing'}", tiny_model, workspace)
    for job in (too_long, no_weights):
        launch.launch(workspace, job)
    with pytest.raises(JobFailed, match="the limit is 32"):
        launch.wait(workspace, too_long.id)
    with pytest.raises(JobFailed, match="nothing"):
        launch.wait(workspace, no_weights.id)
    assert jobs.job(workspace.db, too_long.id).state == "failed"
    missing = too_long.model_copy(update={"dataset_id": "dataset_none"})
    with pytest.raises(InputNotFound, match="dataset"):
        launch.launch(workspace, missing)


def test_a_job_of_another_container_is_not_lost(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "w") as workspace:
        job = TrainingJob(base_model="m", base_sha256="", dataset_id="d", dataset_sha256="")
        jobs.put_job(workspace.db, job, folder=f"jobs/{job.id}")
        folder = launch.job_folder(workspace, job.id)
        folder.write_status(JobStatus(job_id=job.id, state="running", step=3))
        # Its number means nothing here, and its lock is held all the same.
        place = folder.lock("supervisor")
        place.write_text(json.dumps({"pid": 4194303, "start_ticks": 1, "boot_id": "elsewhere"}))
        with place.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            assert launch.status(workspace, job.id).state == "running"
            with pytest.raises(WorkspaceLocked, match="cannot be reached"):
                launch.cancel(workspace, job.id)
        assert launch.status(workspace, job.id).state == "lost"
