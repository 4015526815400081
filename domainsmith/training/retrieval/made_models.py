"""The models that one tuning job makes, before they are stored: folders, facts, verdicts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domainsmith.errors import ArtifactCorrupt
from domainsmith.model_io.weights import weights_sha256
from domainsmith.records import Retriever, TrainingJob
from domainsmith.storage.atomic import atomic_folder, verify_folder, write_json
from domainsmith.training.job_folder import JobFolder

__all__ = ["MadeModels"]


class MadeModels:
    """The models in a job's folder, each whole or absent.

    Args:
        folder: The job's.
        job: What it is.
    """

    def __init__(self, folder: JobFolder, job: TrainingJob) -> None:
        self._folder, self._job = folder, job
        self._models = folder.path / "models"

    def make(self, role: str, fill: Callable[[Path], None]) -> Path:
        """Return the folder of a model, making it unless that was done.

        Args:
            role: ``embedder`` or ``reranker``.
            fill: Writes the model into the folder that it is given.
        """
        with suppress(ArtifactCorrupt):
            verify_folder(self._models / role)
            return self.at(role)
        with atomic_folder(self._models / role) as staging:
            fill(staging / "model")
            facts = self.facts(role, staging / "model")
            (staging / "model").rename(staging / facts.id)
        return self.at(role)

    def at(self, role: str) -> Path:
        """Return the folder of a model that was made."""
        return next(iter(sorted((self._models / role).glob(f"{Retriever.kind}_*"))))

    def folder_of(self, facts: Retriever) -> Path:
        """Return the folder of a model by what it is."""
        return next(iter(self._models.glob(f"*/{facts.id}")))

    def facts(self, role: str, made: Path, **found: Any) -> Retriever:
        """Describe a model.

        Args:
            role: ``embedder`` or ``reranker``.
            made: Its folder.
            found: What was found about it.
        """
        return Retriever.model_validate(
            {
                "role": role,
                "form": "cross-encoder" if role == "reranker" else role,
                "job_id": self._job.id,
                "questions_id": self._job.dataset_id,
                "base_model": self._job.base_model,
                "base_sha256": self._job.base_sha256,
                "weights_sha256": weights_sha256(made),
                **found,
            }
        )

    def verdict(self, role: str) -> Retriever | None:
        """Read what an earlier run of this job found about a model."""
        try:
            text = (self._models / f"{role}.json").read_text(encoding="utf-8")
            return Retriever.model_validate_json(text)
        except (OSError, ValidationError):
            return None

    def write_verdict(self, facts: Retriever) -> None:
        """Keep what was found about a model for a later run of this job."""
        write_json(self._models / f"{facts.role}.json", facts.model_dump(mode="json"))
        self.log("measured", **facts.model_dump(mode="json"))

    def log(self, event: str, **data: Any) -> None:
        """Add a line to the job's metrics."""
        self._folder.append_metrics({"event": event, **data})

    def clear(self) -> None:
        """Remove models and checkpoints; what was kept is stored elsewhere by now."""
        for leftover in (self._models, self._folder.path / "checkpoints"):
            shutil.rmtree(leftover, ignore_errors=True)
