"""The job that tunes search: it runs, resumes, keeps only what is better, and can be undone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domainsmith.apps.assembly import Assembly
from domainsmith.data_connection.retrieve import retrieve
from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound
from domainsmith.model_io.late_interaction import LateInteractionReranker
from domainsmith.model_io.rerank import RerankerChain
from domainsmith.model_io.tuned_rerank import TunedReranker, blended
from domainsmith.records import Retriever, TrainingJob
from domainsmith.settings import Settings
from domainsmith.storage import jobs, lineage
from domainsmith.storage.atomic import hash_file
from domainsmith.storage.vectors import missing_vectors, vectors
from domainsmith.training import launch
from domainsmith.training.job_folder import JobFolder, JobSpec
from domainsmith.training.job_processes import group_members
from domainsmith.training.retrieval import heads, registry, tune, verdicts
from domainsmith.workspace import Workspace

MakeJob = Callable[..., tuple[TrainingJob, Path]]


def _folder(workspace: Workspace, job: TrainingJob, questions: Path) -> tuple[JobFolder, JobSpec]:
    folder = JobFolder(workspace.jobs_dir / job.id)
    spec = JobSpec(job, questions.relative_to(workspace.root).as_posix(), {})
    folder.write_spec(spec)
    return folder, spec


def _run(
    workspace: Workspace, job: TrainingJob, questions: Path, stop_after: int = 0
) -> tuple[Any, list[dict[str, Any]]]:
    folder, spec = _folder(workspace, job, questions)
    shown: list[dict[str, Any]] = []

    def stop() -> bool:
        steps = [change["step"] for change in shown if "step" in change]
        return bool(stop_after) and bool(steps) and steps[-1] >= stop_after

    result = tune.tune(folder, spec, stop=stop, show=lambda **change: shown.append(change))
    return result, shown


def _always_better(monkeypatch: pytest.MonkeyPatch) -> None:
    real = verdicts.measure

    def better(before: Any, after: Any) -> Any:
        return real(before, after).model_copy(update={"low": 0.1, "high": 0.2})

    monkeypatch.setattr(verdicts, "measure", better)


def test_kept_models_are_used_by_default_and_undone(
    collection: Workspace,
    tuning_job: MakeJob,
    tiny_embedder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _always_better(monkeypatch)
    job, questions = tuning_job()
    result, shown = _run(collection, job, questions)
    assert result is not None
    assert "embedder kept" in result.message
    assert shown[-1]["message"]
    embedder, reranker = (registry.retriever(collection, id) for id in result.model_ids)
    assert (embedder.facts.role, reranker.facts.form) == ("embedder", "cross-encoder")
    parents = {edge.parent for edge in lineage.ancestors(collection.db, embedder.id)}
    assert {job.id, job.dataset_id} <= parents
    assert any(name.startswith("passage_") for name in parents)

    settings = Settings(embed_model=str(tiny_embedder), threads=1)
    with_tuned = Assembly(collection, settings)
    name = with_tuned.embedder().model_name
    assert name.startswith(f"{embedder.id}@")
    assert not missing_vectors(collection.db, name)  # embedded by the job already
    chain = with_tuned.reranker()
    assert isinstance(chain, RerankerChain)
    assert [type(stage) for stage in chain.stages] == [LateInteractionReranker, TunedReranker]
    hits = retrieve(with_tuned.index(), with_tuned.embedder(), ["pump"], reranker=chain)[0]
    assert all(hit.words is not None and hit.reranked != hit.words for hit in hits)
    assert with_tuned.base_embedder().model_name.startswith("tiny@")
    off = Assembly(collection, settings.model_copy(update={"tuned_retrieval": False}))
    assert off.embedder().model_name.startswith("tiny@")
    assert isinstance(off.reranker(), LateInteractionReranker)
    other = Assembly(collection, Settings(threads=1))  # of another embedding model
    assert other.tuned_retrievers() == {}
    explicit = Assembly(collection, settings.model_copy(update={"reranker": "none"}))
    assert explicit.context().reranking() == {}

    before, now = registry.undo(collection)
    assert (sorted(before), now) == (sorted(result.model_ids), [])
    assert Assembly(collection, settings).embedder().model_name.startswith("tiny@")
    with pytest.raises(InputNotFound):
        registry.undo(collection)
    assert len(registry.retrievers(collection)) == 2


def test_what_is_not_better_is_not_kept(collection: Workspace, tuning_job: MakeJob) -> None:
    job, questions = tuning_job(embedder_steps=1, merge=0.01)
    result, _ = _run(collection, job, questions)
    assert result is not None
    assert result.model_ids == ()
    assert "embedder not kept" in result.message
    assert registry.in_use(collection) == {}
    assert registry.retrievers(collection) == []
    found = lineage.artifacts(collection.db, Retriever.kind)
    assert {item.payload["role"] for item in found} == {"embedder", "reranker"}
    for item in found:  # registered all the same, and its vectors are gone
        assert item.payload["kept"] is False
        assert "not above 0" in item.payload["reason"]
        assert vectors(collection.db, f"{item.id}@")[0] == []
    models = collection.db.read().execute("SELECT DISTINCT model FROM vectors").fetchall()
    assert len(models) == 1


def test_a_stopped_job_goes_on_to_the_same_weights(
    collection: Workspace, tuning_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    _always_better(monkeypatch)
    job, questions = tuning_job()
    whole, _ = _run(collection, job, questions)
    assert whole is not None
    weights = [
        hash_file(registry.retriever(collection, id).folder / "model.safetensors")
        for id in whole.model_ids
    ]
    for part in ("retrievers", "jobs"):
        (collection.root / part).rename(collection.root / f"{part}-before")
    for stop_after in (2, 4):  # within the embedder, then within the reranker
        stopped, shown = _run(collection, job, questions, stop_after=stop_after)
        assert stopped is None
        assert [c["step"] for c in shown if "step" in c][-1] == stop_after
    again, shown = _run(collection, job, questions)
    assert again is not None
    assert [c["step"] for c in shown if "step" in c] == [5]
    assert again.model_ids == whole.model_ids
    assert weights == [
        hash_file(registry.retriever(collection, id).folder / "model.safetensors")
        for id in again.model_ids
    ]


def test_bad_input_is_refused(collection: Workspace, tuning_job: MakeJob) -> None:
    job, questions = tuning_job()
    changed = job.model_copy(update={"base_sha256": "0" * 64})
    with pytest.raises(InputInvalid, match="base model"):
        _run(collection, changed, questions)
    collection.db.read()
    with collection.db.write() as connection:
        connection.execute("UPDATE passages SET is_current = 0 WHERE document_path <> 'pump.md'")
    with pytest.raises(InputEmpty, match="Too little"):
        _run(collection, job, questions)


@pytest.mark.timeout(300)
def test_a_killed_job_is_resumed_as_a_process(collection: Workspace, tuning_job: MakeJob) -> None:
    job, questions = tuning_job(embedder_steps=100, minutes=60)
    job_id = launch.launch(collection, job, dataset=questions)
    deadline = time.monotonic() + 200
    while launch.status(collection, job_id).step < 3:
        assert launch.status(collection, job_id).state == "running"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert launch.status(collection, job_id).eta_seconds is not None
    row = jobs.job(collection.db, job_id)
    assert row.pgid is not None
    for pid in group_members(row.pgid):
        os.kill(pid, signal.SIGKILL)
    while group_members(row.pgid):
        time.sleep(0.02)
    assert launch.status(collection, job_id).state == "lost"
    launch.resume(collection, job_id)
    last = launch.wait(collection, job_id, timeout_s=200)
    assert last.state == "succeeded"
    assert last.step == last.total_steps
    assert "embedder" in last.message
    assert launch.launch(collection, job, dataset=questions) == job_id  # recognised


def test_a_damaged_model_is_left_out(collection: Workspace) -> None:
    registry.use_retrievers(collection, ["retriever_none"])
    assert registry.in_use(collection) == {}
    registry.use_retrievers(collection, ["retriever_none"])
    registry.use_retrievers(collection, ["retriever_other"])
    assert registry.undo(collection) == (["retriever_other"], ["retriever_none"])


def test_blending_follows_scores_or_places() -> None:
    scores = [0.1, 0.9, 0.5]
    assert max(range(3), key=lambda at: blended(scores, 1.0)[at]) == 1
    assert max(range(3), key=lambda at: blended(scores, 0.0)[at]) == 0
    assert blended([], 0.5) == []
    assert blended([1.0, 1.0], 1.0) == [0.0, 0.0]
    assert list(heads.BLENDS) == sorted(heads.BLENDS)


class _Reversed:
    name = "reversed"

    def rerank(self, queries: list[str], passages: list[list[str]]) -> list[list[float]]:
        return [[float(at) for at in range(len(texts))] for texts in passages]


def test_the_rest_stays_below_in_its_order() -> None:
    scores = TunedReranker(_Reversed(), blend=1.0, top=2).rerank(["q"], [["a", "b", "c", "d"]])[0]
    assert sorted(range(4), key=lambda at: -scores[at]) == [1, 0, 2, 3]
