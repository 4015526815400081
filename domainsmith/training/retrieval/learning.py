"""How the models of a tuning job are made: mined examples, steps, checkpoints, progress."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domainsmith.errors import InputEmpty
from domainsmith.records import RetrievalSettings, TrainingJob
from domainsmith.training.job_folder import JobFolder
from domainsmith.training.retrieval.collection import Collection
from domainsmith.training.retrieval.examples import RankingExample
from domainsmith.training.retrieval.made_models import MadeModels
from domainsmith.training.retrieval.plan import TuningPlan
from domainsmith.training.retrieval.search import Searched, Stopped

__all__ = ["Learning", "Show"]

_EMBEDDER_NEGATIVES = 1

Show = Callable[..., None]
"""Told changes of the job's status."""


@dataclass(frozen=True)
class Learning:
    """What the trainings of one job share.

    Args:
        folder: The job's.
        job: What it is.
        settings: Of the tuning.
        made: Where models go.
        collection: What is learned from.
        plan: Steps.
        stop: Asked often; True ends the run.
        show: Told changes of the job's status.
    """

    folder: JobFolder
    job: TrainingJob
    settings: RetrievalSettings
    made: MadeModels
    collection: Collection
    plan: TuningPlan
    stop: Callable[[], bool]
    show: Show

    def train(self, role: str, search: Searched, start: Path) -> Path:
        """Return the folder of a trained model, training it unless that is done.

        Args:
            role: ``embedder`` or ``reranker``.
            search: Finds hard negatives.
            start: Folder of the embedder that it starts from.

        Raises:
            InputEmpty: There are too few questions to learn from.
            Stopped: The stop sign was seen; a checkpoint is left.
        """

        def fill(target: Path) -> None:
            self._train(role, start, self._examples(role, search), target)

        folder = self.made.make(role, fill)
        shutil.rmtree(self.folder.path / "checkpoints" / role, ignore_errors=True)
        return folder

    def _examples(self, role: str, search: Searched) -> list[RankingExample]:
        self.show(message=f"looking for hard negatives for the {role}")
        is_embedder = role == "embedder"
        many = _EMBEDDER_NEGATIVES if is_embedder else self.settings.negatives
        mined = search.examples(self.collection, many=many)
        examples = mined.examples if is_embedder else [e for e in mined.examples if e.negatives]
        self.made.log("mined", role=role, examples=len(examples), dropped=dict(mined.dropped))
        if len(examples) < 2:
            raise InputEmpty("There are too few questions to learn from", where=role)
        return examples

    def _train(self, role: str, start: Path, examples: list[RankingExample], target: Path) -> None:
        checkpoints = self.folder.path / "checkpoints" / role
        common: dict[str, Any] = {
            "seed": self.job.seed,
            "device": self.job.device,
            "dtype": self.job.dtype,
            "threads": self.job.threads,
        }
        watch: dict[str, Any] = {"stop": self.stop, "report": self._reporter(role)}
        s = self.settings
        if role == "embedder":
            from domainsmith.training.methods.embedder import EmbedderPlan, train_embedder

            embedder_plan = EmbedderPlan(
                steps=self.plan.embedder_steps,
                batch_questions=s.batch_questions,
                learning_rate=self.job.learning_rate,
                merge=s.merge,
                **common,
            )
            done = train_embedder(start, examples, embedder_plan, checkpoints, target, **watch)
        else:
            from domainsmith.training.methods.reranker import RerankerPlan, train_reranker

            reranker_plan = RerankerPlan(
                steps=self.plan.reranker_steps,
                batch_questions=s.reranker_batch,
                negatives=s.negatives,
                learning_rate=s.reranker_learning_rate,
                max_tokens=s.reranker_tokens,
                layers=s.reranker_layers,
                **common,
            )
            done = train_reranker(start, examples, reranker_plan, checkpoints, target, **watch)
        if not done:
            raise Stopped

    def _reporter(self, role: str) -> Callable[[Any], None]:
        is_embedder, plan = role == "embedder", self.plan
        before = 0 if is_embedder else plan.embedder_steps
        later = plan.embed_seconds + plan.reranker_seconds if is_embedder else 0.0

        def report(progress: Any) -> None:
            self.folder.append_metrics(
                {"role": role, "step": before + progress.step, "loss": round(progress.loss, 4)}
            )
            left = (progress.steps - progress.step) * progress.seconds + later
            self.show(
                step=before + progress.step,
                loss=progress.loss,
                eta_seconds=round(left, 1),
                message=progress.message or f"training the {role}",
            )

        return report
