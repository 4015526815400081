"""The files of one training job: what it is, how it stands, what it measured.

``jobs/<id>/`` holds ``spec.json`` (written once), ``status.json`` (replaced as a whole),
``metrics.jsonl`` (appended), ``log.txt`` (output of the processes) and ``checkpoints/``. Nothing
in it is an absolute path: the workspace is two folders up.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

import domainsmith
from domainsmith.errors import ArtifactCorrupt
from domainsmith.records import JobStatus, TrainingJob
from domainsmith.storage.atomic import append_line, read_lines, write_json

__all__ = ["FINAL_STATES", "JobFolder", "JobSpec", "child_environment", "module_command"]

FINAL_STATES = frozenset({"succeeded", "failed", "cancelled", "lost"})


def module_command(name: Literal["run", "supervise"]) -> list[str]:
    """Return the start of a command line that runs a module of this package.

    Args:
        name: The module. ``-P`` keeps files of the user's folder (``random.py``) from being
            imported instead of libraries.
    """
    return [sys.executable, "-P", "-m", f"domainsmith.training.{name}"]


def child_environment() -> dict[str, str]:
    """Return the environment of a job's processes: this package is found, no network is used.

    Its compute threads look for work for about a quarter of a millisecond before they sleep: a
    training step is thousands of short operations, between which sleeping and waking cost a tenth
    to a quarter of the time. libgomp's own default of some milliseconds is a little faster still
    on an idle machine, but on a busy one the waiting takes whole time slices from the work.
    """
    package_parent = str(Path(domainsmith.__path__[0]).resolve().parent)
    paths = [package_parent, *filter(None, [os.environ.get("PYTHONPATH")])]
    fixed = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}
    fixed["GOMP_SPINCOUNT"] = os.environ.get("GOMP_SPINCOUNT", "20000")
    return {**os.environ, **fixed, "PYTHONPATH": os.pathsep.join(paths)}


@dataclass(frozen=True)
class JobSpec:
    """What a job's process is told.

    Args:
        job: All that decides the result.
        dataset: The dataset's folder, relative to the workspace.
        estimate: What was foreseen before the launch, as plain data; empty if nothing was.
    """

    job: TrainingJob
    dataset: str
    estimate: dict[str, Any]


@dataclass(frozen=True)
class JobFolder:
    """Reads and writes the files of a job.

    Args:
        path: ``<workspace>/jobs/<id>``.
    """

    path: Path

    @property
    def workspace_root(self) -> Path:
        """The workspace that the job belongs to."""
        return self.path.resolve().parent.parent

    @property
    def log_path(self) -> Path:
        """Output of the job's processes."""
        return self.path / "log.txt"

    @property
    def metrics_path(self) -> Path:
        """One JSON object a line: steps and events."""
        return self.path / "metrics.jsonl"

    def lock(self, name: Literal["launch", "supervisor"]) -> Path:
        """Return a lock's file.

        Args:
            name: ``launch`` is held while processes are started, ``supervisor`` while one lives.
        """
        return self.path / f"{name}.lock"

    def write_spec(self, spec: JobSpec) -> None:
        """Store what the job is; a later launch of the same job keeps the first.

        Args:
            spec: The job with its surroundings.
        """
        if not (self.path / "spec.json").is_file():
            value = {
                "job": spec.job.model_dump(mode="json"),
                "dataset": spec.dataset,
                "estimate": spec.estimate,
            }
            write_json(self.path / "spec.json", value)

    def read_spec(self) -> JobSpec:
        """Read what the job is.

        Raises:
            ArtifactCorrupt: The file is missing or damaged.
        """
        place = self.path / "spec.json"
        try:
            value = json.loads(place.read_text(encoding="utf-8"))
            job = TrainingJob.model_validate(value["job"])
            return JobSpec(job, str(value["dataset"]), dict(value["estimate"]))
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            raise ArtifactCorrupt(
                "The job's specification cannot be read", where=place, fix="Launch the job anew."
            ) from error

    def read_status(self) -> JobStatus | None:
        """Return the last status, or None before the first or if it is damaged."""
        try:
            text = (self.path / "status.json").read_text(encoding="utf-8")
            return JobStatus.model_validate_json(text)
        except (OSError, ValidationError):
            return None

    def write_status(self, status: JobStatus) -> None:
        """Replace the status, stamped with the time of day.

        Args:
            status: How the job stands.
        """
        stamped = status.model_copy(update={"updated": time.time()})
        write_json(self.path / "status.json", stamped.model_dump(mode="json"))

    def append_metrics(self, line: dict[str, Any]) -> None:
        """Add a line to the metrics.

        Args:
            line: Plain data.
        """
        append_line(self.metrics_path, json.dumps(line, ensure_ascii=False, sort_keys=True))

    def read_steps(self) -> list[dict[str, Any]]:
        """Return the measurements of each optimizer step, each once, in order.

        Steps that a resumed run repeated count as it measured them.
        """
        steps = {int(line["step"]): line for line in self.read_lines() if "event" not in line}
        return [steps[step] for step in sorted(steps)]

    def read_lines(self) -> list[dict[str, Any]]:
        """Return all lines of the metrics: steps and events as they happened."""
        return [json.loads(line) for line in read_lines(self.metrics_path)]
