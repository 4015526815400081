"""The job that tunes search: embedder first, reranker after it, each kept only if it is better.

Every stage leaves its result in the job's folder whole or not at all, so a job that was killed
goes on at the stage, and within a training at the checkpoint, where it stood.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from domainsmith.counts import counted
from domainsmith.data_connection.split import passage_context
from domainsmith.errors import InputEmpty, InputInvalid
from domainsmith.model_io.catalog import embedder_folder, weights_sha256
from domainsmith.model_io.embed import LocalEmbedder
from domainsmith.progress import ProgressEvent
from domainsmith.records import RetrievalSettings, Retriever
from domainsmith.storage.atomic import hash_file
from domainsmith.storage.passages import passages
from domainsmith.storage.vectors import forget_vectors
from domainsmith.training.job_folder import JobFolder, JobSpec
from domainsmith.training.retrieval.collection import Collection, build_collection
from domainsmith.training.retrieval.learning import Learning, Show
from domainsmith.training.retrieval.made_models import MadeModels
from domainsmith.training.retrieval.plan import TuningPlan, make_plan
from domainsmith.training.retrieval.question_set import read_questions
from domainsmith.training.retrieval.registry import (
    register_retriever,
    store_retriever,
    use_retrievers,
)
from domainsmith.training.retrieval.search import Searched, Stopped, open_search
from domainsmith.training.retrieval.verdicts import better_embedder, better_reranker, sentence
from domainsmith.workspace import Workspace

__all__ = ["TuningResult", "tune"]

_FEWEST_MEASURED = 8


@dataclass(frozen=True)
class TuningResult:
    """What a finished job made.

    Args:
        model_ids: Kept models, in use now.
        message: What was kept, what was not, and why.
    """

    model_ids: tuple[str, ...]
    message: str


def tune(
    folder: JobFolder, spec: JobSpec, *, stop: Callable[[], bool], show: Show
) -> TuningResult | None:
    """Run the job to its end.

    Args:
        folder: The job's.
        spec: What it is; its ``dataset`` is a folder of questions.
        stop: Asked often; True ends the run, and what was finished is kept.
        show: Called with changes of the job's status.

    Returns:
        The result, or None if it was stopped.

    Raises:
        InputEmpty: There are too few documents to learn from some and measure on others.
        InputInvalid: The questions or the base model are not those that the job was made for.
    """
    with Workspace.open(folder.workspace_root) as workspace:
        try:
            return _Tuning(workspace, folder, spec, stop, show).run()
        except Stopped:
            return None


class _Tuning:
    """One run: what its stages share."""

    def __init__(
        self,
        workspace: Workspace,
        folder: JobFolder,
        spec: JobSpec,
        stop: Callable[[], bool],
        show: Show,
    ) -> None:
        self.workspace, self.folder, self.spec, self.job = workspace, folder, spec, spec.job
        self.settings: RetrievalSettings = spec.job.retrieval or RetrievalSettings()
        self.stop, self.show = stop, show
        self.made = MadeModels(folder, spec.job)

    def run(self) -> TuningResult:
        base_folder = embedder_folder(self.job.base_model)
        collection = self._collection(base_folder)
        base = self._embedder_at(base_folder)
        texts = [passage_context(passage) for passage in collection.passages.values()]
        plan = make_plan(self.folder.path, base, texts, len(collection.learned), self.settings)
        self.show(total_steps=plan.embedder_steps + plan.reranker_steps, message="searching")
        learning = Learning(
            self.folder,
            self.job,
            self.settings,
            self.made,
            collection,
            plan,
            self.stop,
            self.show,
        )
        found: list[Retriever] = []
        with closing(self._open(base, plan, "embedding passages")) as search:
            tuned = None
            if plan.embedder_steps:
                tuned, facts = self._tune_embedder(search, base_folder, learning)
                found.append(facts)
            with closing(tuned or search) as best:
                if plan.reranker_steps:
                    start = self.made.at("embedder") if tuned else base_folder
                    found.append(self._train_reranker(best, start, learning))
        return self._finish(found)

    def _collection(self, base_folder: Path) -> Collection:
        """Read the questions and divide them; check that all is what the job was made for."""
        dataset = self.folder.workspace_root / self.spec.dataset
        for name, expected, got in (
            ("questions", self.job.dataset_sha256, hash_file(dataset / "data.jsonl")),
            ("base model", self.job.base_sha256, weights_sha256(base_folder)),
        ):
            if expected != got:
                raise InputInvalid(
                    f"The {name} of the job changed since it was made",
                    where=self.folder.path.name,
                    fix="Run `domainsmith tune-retrieval` again.",
                )
        collection = build_collection(
            passages(self.workspace.db),
            read_questions(dataset),
            share=self.settings.held_out_share,
            seed=self.job.seed,
        )
        if len(collection.measured) < _FEWEST_MEASURED or not collection.learned:
            raise InputEmpty(
                f"Too little to learn from some documents and measure on others: "
                f"{counted(len(collection.learned), 'question')} to learn, "
                f"{len(collection.measured)} to "
                f"measure, {collection.held_out.of} {collection.held_out.unit}s",
                where=self.workspace.root,
                fix="Add more documents, or give questions with --questions.",
            )
        self.made.log(
            "questions",
            learned=len(collection.learned),
            measured=len(collection.measured),
            asked_by=collection.kind,
            cloze=len(collection.cloze),
            held_out_unit=collection.held_out.unit,
            held_out=collection.held_out.units,
            of=collection.held_out.of,
            passages=len(collection.passages),
            held_out_passages=len(collection.held_out.passage_ids),
        )
        return collection

    def _tune_embedder(
        self, search: Searched, base_folder: Path, learning: Learning
    ) -> tuple[Searched | None, Retriever]:
        """Train, embed everything anew, compare; returns the search if it is better."""
        facts = self.made.verdict("embedder")
        if facts is None:
            made = learning.train("embedder", search, base_folder)
            tuned = self._embedder_at(made)
            with closing(self._open(tuned, learning.plan, "embedding passages anew")) as after:
                self.show(message="measuring the embedder")
                found = better_embedder(search, after, learning.collection)
            facts = self.made.facts("embedder", made, **found)
            if not facts.kept:
                forget_vectors(self.workspace.db, tuned.model_name)
            self.made.write_verdict(facts)
        if not facts.kept:
            return None, facts
        tuned = self._embedder_at(self.made.at("embedder"))
        tuned.languages = facts.languages
        return self._open(tuned, learning.plan, "embedding passages anew"), facts

    def _train_reranker(self, search: Searched, start: Path, learning: Learning) -> Retriever:
        """Train it, and compare search with it to search without."""
        facts = self.made.verdict("reranker")
        if facts is None:
            made = learning.train("reranker", search, start)
            self.show(message="measuring the reranker", eta_seconds=None)
            facts = self.made.facts("reranker", made, **better_reranker(made, search, learning))
            self.made.write_verdict(facts)
        return facts

    def _finish(self, found: list[Retriever]) -> TuningResult:
        """Store what is kept, register everything, and use it from now on."""
        kept = [facts for facts in found if facts.kept]
        for facts in kept:
            store_retriever(self.workspace, facts, self.made.folder_of(facts))
        for facts in found:
            register_retriever(self.workspace, facts)
        if kept:
            use_retrievers(self.workspace, [facts.id for facts in kept])
        self.made.clear()
        message = "; ".join(sentence(facts) for facts in found) or "nothing to tune"
        return TuningResult(tuple(facts.id for facts in kept), message)

    def _embedder_at(self, folder: Path) -> LocalEmbedder:
        return LocalEmbedder(folder, device=self.job.device, threads=self.job.threads)

    def _open(self, embedder: LocalEmbedder, plan: TuningPlan, what: str) -> Searched:
        def progress(event: ProgressEvent) -> None:
            total = event.total or event.done
            self.show(
                message=f"{what} {event.done}/{total}",
                eta_seconds=round((total - event.done) * plan.seconds_per_text, 1),
            )

        return open_search(self.workspace, embedder, stop=self.stop, progress=progress)
