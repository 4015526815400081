"""The job that tunes search: embedder first, reranker after it, each kept only if it is better.

Every stage leaves its result in the job's folder whole or not at all, so a job that was killed
goes on at the stage, and within a training at the checkpoint, where it stood.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domainsmith.data_connection.split import passage_context
from domainsmith.errors import ArtifactCorrupt, InputEmpty, InputInvalid
from domainsmith.model_io.catalog import embedder_folder, weights_sha256
from domainsmith.model_io.embed import LocalEmbedder
from domainsmith.model_io.late_interaction import (
    TOKEN_WEIGHTS,
    LateInteractionReranker,
    token_weights,
)
from domainsmith.model_io.rerank import CrossEncoderReranker
from domainsmith.progress import ProgressEvent
from domainsmith.records import RetrievalSettings, Retriever, TrainingJob
from domainsmith.storage.atomic import atomic_folder, hash_file, verify_folder, write_json
from domainsmith.storage.passages import passages
from domainsmith.storage.vectors import forget_vectors
from domainsmith.training.job_folder import JobFolder, JobSpec
from domainsmith.training.retrieval.collection import Collection, build_collection
from domainsmith.training.retrieval.measures import measure
from domainsmith.training.retrieval.plan import TuningPlan, make_plan
from domainsmith.training.retrieval.question_set import read_questions
from domainsmith.training.retrieval.registry import (
    register_retriever,
    store_retriever,
    use_retrievers,
)
from domainsmith.training.retrieval.search import (
    Searched,
    Stopped,
    best_blend,
    open_search,
    score_heads,
    spoken_languages,
)
from domainsmith.workspace import Workspace

__all__ = ["TuningResult", "tune"]

_EMBEDDER_NEGATIVES = 1
_RERANK_MEASURED = 160
"""Questions that a reranker is measured with at most: each costs as long as a user would wait."""
_FEWEST_MEASURED = 8
_FEWEST_READ = 3
"""Candidates below which reading them anew is not worth it."""

Show = Callable[..., None]


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
        self.workspace, self.folder, self.spec = workspace, folder, spec
        self.job: TrainingJob = spec.job
        self.settings: RetrievalSettings = spec.job.retrieval or RetrievalSettings()
        self.stop, self.show = stop, show
        self.made = folder.path / "models"

    def run(self) -> TuningResult:
        base_folder = embedder_folder(self.job.base_model)
        collection = self._collection(base_folder)
        base = self._embedder_at(base_folder)
        texts = [passage_context(passage) for passage in collection.passages.values()]
        plan = make_plan(self.folder.path, base, texts, len(collection.learned), self.settings)
        self.show(total_steps=plan.embedder_steps + plan.reranker_steps, message="searching")
        found: list[Retriever] = []
        with closing(self._open(base, plan, "embedding passages")) as search:
            tuned = None
            if plan.embedder_steps:
                tuned, facts = self._tune_embedder(search, base_folder, collection, plan)
                found.append(facts)
            with closing(tuned or search) as best:
                if self.settings.reranker:
                    found.append(self._train_reranker(best, base_folder, collection, plan, found))
        return self._finish(found, collection)

    # ---- stages --------------------------------------------------------------------------

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
                f"{len(collection.learned)} questions to learn, {len(collection.measured)} to "
                f"measure, {collection.held_out.of} {collection.held_out.unit}s",
                where=self.workspace.root,
                fix="Add more documents, or give questions with --questions.",
            )
        self._log(
            "questions",
            learned=len(collection.learned),
            measured=len(collection.measured),
            asked_by=collection.kind,
            held_out_unit=collection.held_out.unit,
            held_out=collection.held_out.units,
            of=collection.held_out.of,
            passages=len(collection.passages),
            held_out_passages=len(collection.held_out.passage_ids),
        )
        return collection

    def _tune_embedder(
        self, search: Searched, base_folder: Path, collection: Collection, plan: TuningPlan
    ) -> tuple[Searched | None, Retriever]:
        """Train, embed everything anew, compare; returns the search if it is better."""
        facts = self._verdict("embedder")
        if facts is None:
            made = self._trained("embedder", search, base_folder, collection, plan)
            facts = self._measure_embedder(made, search, collection, plan)
            self._write_verdict(facts)
        if not facts.kept:
            return None, facts
        tuned = self._embedder_at(self._model_folder("embedder"))
        tuned.languages = facts.languages
        return self._open(tuned, plan, "embedding passages anew"), facts

    def _measure_embedder(
        self, made: Path, search: Searched, collection: Collection, plan: TuningPlan
    ) -> Retriever:
        tuned = self._embedder_at(made)
        with closing(self._open(tuned, plan, "embedding passages anew")) as after:
            return self._compare_embedder(made, search, after, collection)

    def _compare_embedder(
        self, made: Path, search: Searched, after: Searched, collection: Collection
    ) -> Retriever:
        self.show(message="measuring the embedder")
        known = search.embedder.languages
        languages = spoken_languages(after, collection, search.embedder)
        search.embedder.languages = known
        both = list(zip(search.places(collection), after.places(collection), strict=True))
        # Where a language was chosen on every second question, the others decide.
        asked = {question.language for question in collection.measured}
        chosen = bool(asked - set(_languages(search.embedder)))
        rows = both[1::2] if chosen else both
        result = measure([row[0] for row in rows], [row[1] for row in rows])
        if not result.better:
            forget_vectors(self.workspace.db, after.embedder.model_name)
        return self._facts(
            "embedder",
            made,
            languages=languages,
            measure=result,
            kept=result.better,
            reason=_reason(result.better, collection),
        )

    def _train_reranker(
        self,
        search: Searched,
        base_folder: Path,
        collection: Collection,
        plan: TuningPlan,
        before: list[Retriever],
    ) -> Retriever:
        """Make the rerankers that are wanted, take the better one, and compare."""
        facts = self._verdict("reranker")
        if facts is not None:
            return facts
        kept = any(one.kept for one in before)
        start = self._model_folder("embedder") if kept else base_folder
        wanted = self.settings.reranker_form
        made = []
        if plan.reranker_steps and wanted != "late-interaction":
            made.append(self._trained("reranker", search, start, collection, plan))
        if wanted != "cross-encoder":
            made.append(self._late_interaction(start, collection))
        self.show(message="measuring the reranker", eta_seconds=None)
        found = [self._measure_reranker(folder, search, collection) for folder in made]
        for _, facts in found:
            self._log("measured", **facts.model_dump(mode="json"))
        # Which one is taken is decided on other questions than those it is measured on.
        facts = max(found, key=lambda pair: (pair[1].top >= _FEWEST_READ, pair[0]))[1]
        self._write_verdict(facts)
        return facts

    def _late_interaction(self, start: Path, collection: Collection) -> Path:
        """Write the embedder in use with the rarity of its tokens in this collection."""
        role = "late-interaction"
        with suppress(ArtifactCorrupt):
            verify_folder(self.made / role)
            return self._model_folder(role)
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(start, local_files_only=True)
        texts = [passage_context(passage) for passage in collection.passages.values()]
        with atomic_folder(self.made / role) as staging:
            shutil.copytree(
                start, staging / "model", ignore=shutil.ignore_patterns("*.py*", "*.md")
            )
            write_json(
                staging / "model" / TOKEN_WEIGHTS,
                {str(id): weight for id, weight in token_weights(tokenizer, texts).items()},
            )
            facts = self._facts(role, staging / "model")
            (staging / "model").rename(staging / facts.id)
        return self._model_folder(role)

    def _measure_reranker(
        self, made: Path, search: Searched, collection: Collection
    ) -> tuple[float, Retriever]:
        """Return how good it is on one half of the questions, and its measure on the other."""
        form = "late-interaction" if (made / TOKEN_WEIGHTS).is_file() else "reranker"
        build = LateInteractionReranker if form == "late-interaction" else CrossEncoderReranker
        reranker = build(made, device=self.job.device, threads=self.job.threads)
        asked = [question.question for question in collection.measured[:_RERANK_MEASURED]]
        hits = search.hits(asked)
        most = self.settings.rerank_top
        scores, pace = score_heads(reranker, asked, hits, most, self.stop)
        top = min(most, int(self.settings.rerank_seconds / max(pace, 1e-9)))
        right = collection.right()[: len(asked)]
        blend, chosen_by, (without, with_it) = best_blend(scores, hits, right, max(top, 1))
        result = measure(without, with_it)
        kept = result.better and top >= _FEWEST_READ
        slow = f"reading {_FEWEST_READ} passages takes over {self.settings.rerank_seconds:g} s"
        facts = self._facts(
            form,
            made,
            blend=blend,
            top=top,
            seconds_per_passage=round(pace, 5),
            measure=result,
            kept=kept,
            reason=slow if top < _FEWEST_READ else _reason(kept, collection),
        )
        return chosen_by, facts

    def _finish(self, found: list[Retriever], collection: Collection) -> TuningResult:
        """Store what is kept, register everything, and use it from now on."""
        kept = [facts for facts in found if facts.kept]
        for facts in kept:
            store_retriever(self.workspace, facts, self._made_folder(facts))
        for facts in found:
            register_retriever(self.workspace, facts)
        if kept:
            use_retrievers(self.workspace, [facts.id for facts in kept])
        for leftover in (self.made, self.folder.path / "checkpoints"):
            shutil.rmtree(leftover, ignore_errors=True)
        message = "; ".join(_sentence(facts) for facts in found) or "nothing to tune"
        return TuningResult(tuple(facts.id for facts in kept), message)

    # ---- training ------------------------------------------------------------------------

    def _trained(
        self,
        role: str,
        search: Searched,
        start: Path,
        collection: Collection,
        plan: TuningPlan,
    ) -> Path:
        """Return the folder of the trained model, training it unless that is done."""
        with suppress(ArtifactCorrupt):
            verify_folder(self.made / role)
            return self._model_folder(role)
        self.show(message=f"looking for hard negatives for the {role}")
        is_embedder = role == "embedder"
        many = _EMBEDDER_NEGATIVES if is_embedder else self.settings.negatives
        mined = search.examples(collection, many=many)
        examples = mined.examples if is_embedder else [e for e in mined.examples if e.negatives]
        self._log("mined", role=role, examples=len(examples), dropped=dict(mined.dropped))
        if len(examples) < 2:
            raise InputEmpty("There are too few questions to learn from", where=role)
        with atomic_folder(self.made / role) as staging:
            self._train(role, start, examples, plan, staging / "model")
            facts = self._facts(role, staging / "model")
            (staging / "model").rename(staging / facts.id)
        shutil.rmtree(self.folder.path / "checkpoints" / role, ignore_errors=True)
        return self._model_folder(role)

    def _train(
        self, role: str, start: Path, examples: list[Any], plan: TuningPlan, target: Path
    ) -> None:
        checkpoints = self.folder.path / "checkpoints" / role
        common: dict[str, Any] = {
            "seed": self.job.seed,
            "device": self.job.device,
            "dtype": self.job.dtype,
            "threads": self.job.threads,
        }
        watch: dict[str, Any] = {"stop": self.stop, "report": self._reporter(role, plan)}
        s = self.settings
        if role == "embedder":
            from domainsmith.training.methods.embedder import EmbedderPlan, train_embedder

            embedder_plan = EmbedderPlan(
                steps=plan.embedder_steps,
                batch_questions=s.batch_questions,
                learning_rate=self.job.learning_rate,
                merge=s.merge,
                **common,
            )
            done = train_embedder(start, examples, embedder_plan, checkpoints, target, **watch)
        else:
            from domainsmith.training.methods.reranker import RerankerPlan, train_reranker

            reranker_plan = RerankerPlan(
                steps=plan.reranker_steps,
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

    def _reporter(self, role: str, plan: TuningPlan) -> Callable[[Any], None]:
        before = 0 if role == "embedder" else plan.embedder_steps
        later = plan.embed_seconds + plan.reranker_seconds if role == "embedder" else 0.0

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

    # ---- small things --------------------------------------------------------------------

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

    def _model_folder(self, role: str) -> Path:
        return next(iter(sorted((self.made / role).glob(f"{Retriever.kind}_*"))))

    def _made_folder(self, facts: Retriever) -> Path:
        """Return the folder in which this job left a model."""
        return next(iter(self.made.glob(f"*/{facts.id}")))

    def _facts(self, kind: str, made: Path, **found: Any) -> Retriever:
        """Describe a model of a kind: ``embedder``, ``reranker`` or ``late-interaction``."""
        return Retriever.model_validate(
            {
                "role": "embedder" if kind == "embedder" else "reranker",
                "form": "cross-encoder" if kind == "reranker" else kind,
                "job_id": self.job.id,
                "questions_id": self.job.dataset_id,
                "base_model": self.job.base_model,
                "base_sha256": self.job.base_sha256,
                "weights_sha256": weights_sha256(made),
                **found,
            }
        )

    def _verdict(self, role: str) -> Retriever | None:
        """Read what an earlier run of this job found about a model."""
        try:
            text = (self.made / f"{role}.json").read_text(encoding="utf-8")
            return Retriever.model_validate_json(text)
        except (OSError, ValidationError):
            return None

    def _write_verdict(self, facts: Retriever) -> None:
        write_json(self.made / f"{facts.role}.json", facts.model_dump(mode="json"))
        self._log("measured", **facts.model_dump(mode="json"))

    def _log(self, event: str, **data: Any) -> None:
        self.folder.append_metrics({"event": event, **data})


def _languages(embedder: LocalEmbedder) -> tuple[str, ...]:
    from domainsmith.data_connection.retrieve import embedder_speaks

    return tuple(name for name in ("en", "zh") if embedder_speaks(embedder, name))


def _reason(better: bool, collection: Collection) -> str:
    where = f"questions (asked by {collection.kind}) about held-out {collection.held_out.unit}s"
    if better:
        return f"better on {where}"
    return f"not better on {where}: the 95 % interval of the difference is not above 0"


def _sentence(facts: Retriever) -> str:
    word = "kept" if facts.kept else "not kept"
    if facts.measure is None:
        return f"{facts.form} {word} ({facts.reason})"
    m = facts.measure
    return (
        f"{facts.form} {word}: MRR@10 {m.before['mrr@10']:.3f} -> {m.after['mrr@10']:.3f} "
        f"[{m.low:+.3f}, {m.high:+.3f}], hit@1 {m.before['hit@1']:.3f} -> {m.after['hit@1']:.3f}, "
        f"hit@10 {m.before['hit@10']:.3f} -> {m.after['hit@10']:.3f}, n {m.questions}"
    )
