"""The process that trains: ``python -m domainsmith.training.run JOBDIR``.

SIGTERM and SIGINT store a checkpoint and end the job as cancelled. Whatever goes wrong is said in
words in ``status.json``. The heavy imports come late, so that a stop works from the first moment.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.errors import DomainSmithError, InputInvalid
from domainsmith.records import AdapterManifest, JobState, JobStatus
from domainsmith.storage.atomic import atomic_folder, hash_file, verify_folder, write_json
from domainsmith.storage.process import die_with_parent
from domainsmith.training.job_folder import JobFolder, JobSpec

if TYPE_CHECKING:
    from domainsmith.training.methods.sft import SftResult
    from domainsmith.training.methods.step_watcher import StepReport

__all__ = ["EXIT_CANCELLED", "EXIT_FAILED", "failure_in_words", "main"]

EXIT_FAILED = 5
EXIT_CANCELLED = 130
_STATUS_INTERVAL_S = 0.5
_OUT_OF_MEMORY = (
    "Memory ran out",
    "Lower batch_tokens or max_length, close other programs, and resume the job.",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one job to its end.

    Args:
        argv: Arguments; None takes the command line's.

    Returns:
        0 if it succeeded, 5 if it failed, 130 if it was cancelled.
    """
    parser = argparse.ArgumentParser(prog="python -m domainsmith.training.run")
    parser.add_argument("job_folder", type=Path)
    parser.add_argument("--parent", type=int, default=0, help="end when this process ends")
    options = parser.parse_args(argv)
    if options.parent:
        die_with_parent(options.parent)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return _Run(JobFolder(options.job_folder), stop).run()


class _Run:
    """One run of a job: remembers the last status, so that the end can build on it."""

    def __init__(self, folder: JobFolder, stop: threading.Event) -> None:
        self.folder, self.stop = folder, stop
        self.status = JobStatus(job_id=folder.path.resolve().name, state="running")
        self.written = 0.0

    def run(self) -> int:
        try:
            self._show(message="loading")
            spec = self.folder.read_spec()
            if spec.job.method == "retrieval":
                return self._tune(spec)
            adapter_id = self._train(spec)
        except BaseException as error:  # noqa: BLE001 - the border: told in the status, exit code 5
            traceback.print_exc(file=sys.stderr)
            self._show(state="failed", message=failure_in_words(error))
            return EXIT_FAILED
        if adapter_id is None:
            return self._stopped()
        self._show(state="succeeded", adapter_id=adapter_id, message="", eta_seconds=0.0)
        return 0

    def _stopped(self) -> int:
        message = f"stopped at step {self.status.step}; its checkpoint is kept"
        self._show(state="cancelled", message=message)
        return EXIT_CANCELLED

    def _tune(self, spec: JobSpec) -> int:
        """Tune search; see :mod:`domainsmith.training.retrieval.tune`."""
        from domainsmith.training.retrieval.tune import tune

        result = tune(self.folder, spec, stop=self.stop.is_set, show=self._show)
        if result is None:
            return self._stopped()
        done = {"message": result.message, "model_ids": result.model_ids, "eta_seconds": 0.0}
        self._show(state="succeeded", step=self.status.total_steps, **done)
        return 0

    def _train(self, spec: JobSpec) -> str | None:
        """Train and store the adapter; returns its id, or None if the job was stopped."""
        from domainsmith.model_io.catalog import chat_model_folder, weights_sha256
        from domainsmith.training.dataset_folder import read_dataset

        dataset = self.folder.workspace_root / spec.dataset
        _check_same("dataset", spec.job.dataset_sha256, hash_file(dataset / "data.jsonl"), dataset)
        records = read_dataset(dataset)
        base = chat_model_folder(spec.job.base_model)
        _check_same("base model", spec.job.base_sha256, weights_sha256(base), base)
        if self.stop.is_set():
            return None
        from domainsmith.training.methods.sft import train

        for left_over in self.folder.path.glob(".adapter-*"):  # of a killed run of this job
            shutil.rmtree(left_over, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self.folder.path, prefix=".adapter-") as place:
            result = train(
                spec.job,
                records,
                base,
                self.folder.path,
                Path(place),
                stop=self.stop.is_set,
                report=self._report,
            )
            if not result.finished:
                return None
            return _store_adapter(self.folder.workspace_root, spec, result, Path(place))

    def _report(self, report: StepReport) -> None:
        self.folder.append_metrics(report.line | {"time": round(time.time(), 3)})
        changes: dict[str, Any] = {
            "step": report.step,
            "total_steps": report.total_steps,
            "loss": report.loss,
            "tokens_per_second": report.tokens_per_second,
            "eta_seconds": report.eta_seconds,
            "message": report.message,
        }
        now = time.monotonic()
        if now - self.written >= _STATUS_INTERVAL_S or report.step == report.total_steps:
            self.written = now
            self._show(**changes)
        else:
            self.status = self.status.model_copy(update=changes)

    def _show(self, *, state: JobState = "running", **changes: Any) -> None:
        self.status = self.status.model_copy(update=changes | {"state": state})
        self.folder.write_status(self.status)


def failure_in_words(error: BaseException) -> str:
    """Say why a job failed and what to do.

    Args:
        error: What ended it.

    Returns:
        One or two sentences.
    """
    if isinstance(error, DomainSmithError):
        return str(error)
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    lowered = text.lower()
    if isinstance(error, MemoryError) or any(
        mark in lowered for mark in ("out of memory", "can't allocate", "cannot allocate memory")
    ):
        return ". ".join(_OUT_OF_MEMORY)
    if isinstance(error, FloatingPointError):
        return "The loss is no longer a number. Lower the learning rate and launch a new job."
    if isinstance(error, OSError) and error.errno == 28:
        return "The disk is full. Free some space and resume the job; its checkpoint is kept."
    return f"{type(error).__name__}: {text}. The job's log has the details."


def _check_same(name: str, expected: str, found: str, where: Path) -> None:
    if expected != found:
        raise InputInvalid(
            f"The {name} is not the one that the job was made for",
            where=where,
            fix="Launch a new job.",
        )


def _store_adapter(root: Path, spec: JobSpec, result: SftResult, place: Path) -> str:
    """Store a trained adapter under the id of its manifest."""
    job = spec.job
    manifest = AdapterManifest(
        job_id=job.id,
        dataset_id=job.dataset_id,
        base_model=job.base_model,
        base_sha256=job.base_sha256,
        weights_sha256=hash_file(place / "adapter_model.safetensors"),
        method=job.method,
        # Empty: records and questions both take the expert text of their own language.
        system_prompt=job.system_prompt,
        chat_template_sha256=result.chat_template_sha256,
        final_loss=result.final_loss,
        validation_loss=result.validation_loss,
        steps=result.step,
        trained_tokens=result.trained_tokens,
        seconds=round(result.seconds, 3),
        tokens_per_second=round(result.trained_tokens / max(result.seconds, 1e-9), 1),
    )
    target = root / "adapters" / manifest.id
    with atomic_folder(target) as staging:
        for file in sorted(place.iterdir()):
            shutil.copyfile(file, staging / file.name)
        write_json(staging / "domainsmith.json", manifest.model_dump(mode="json"))
    verify_folder(target)
    return manifest.id


if __name__ == "__main__":
    sys.exit(main())
