import pytest

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import TrainingJob
from domainsmith.storage import jobs, process
from domainsmith.storage.database import Database


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path / "state.sqlite") as opened:
        yield opened


def spec(seed: int = 17) -> TrainingJob:
    return TrainingJob(
        base_model="b", base_sha256="c", dataset_id="d", dataset_sha256="e", seed=seed
    )


def test_a_job_is_stored_once(db):
    first = jobs.put_job(db, spec(), folder=db.path.parent / "jobs" / "one")
    jobs.set_state(db, first.id, "running", "step 1")
    again = jobs.put_job(db, spec(), folder="jobs/another")
    other = jobs.put_job(db, spec(18), folder="jobs/two")
    assert (first.job, first.folder, first.state, first.created_seq) == (
        spec(), "jobs/one", "queued", 1,
    )  # fmt: skip
    assert (again.state, again.message, again.folder) == ("running", "step 1", "jobs/one")
    assert [row.id for row in jobs.jobs(db)] == [first.id, other.id]
    assert jobs.job(db, other.id).identity is None


def test_its_process(db):
    row = jobs.put_job(db, spec(), folder="jobs/one")
    me = process.current()
    jobs.set_process(db, row.id, me, 4711)
    found = jobs.job(db, row.id)
    assert (found.identity, found.pgid) == (me, 4711)


def test_a_finished_job_does_not_become_lost(db):
    row = jobs.put_job(db, spec(), folder="jobs/one")
    assert jobs.set_state(db, row.id, "succeeded") is True
    assert jobs.set_state(db, row.id, "lost", only_from={"queued", "running"}) is False
    assert jobs.job(db, row.id).state == "succeeded"


def test_what_is_refused(db):
    row = jobs.put_job(db, spec(), folder="jobs/one")
    with pytest.raises(InputInvalid, match="outside"):
        jobs.put_job(db, spec(19), folder="/elsewhere")
    with pytest.raises(InputInvalid, match="sleeping"):
        jobs.set_state(db, row.id, "sleeping")
    for call in (
        lambda: jobs.job(db, "job_x"),
        lambda: jobs.set_state(db, "job_x", "lost", only_from={"running"}),
        lambda: jobs.set_process(db, "job_x", process.current(), 1),
    ):
        with pytest.raises(InputNotFound, match="job_x"):
            call()
