import os
import signal
import threading
import time
from pathlib import Path

import pytest

from domainsmith.errors import WorkspaceLocked
from domainsmith.storage import effects
from domainsmith.storage.database import Database
from reliability.forked import run_forked


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path / "state.sqlite") as opened:
        yield opened


def test_done_once(db):
    calls = []

    def run():
        calls.append(1)
        return {"文": [1, 2.5]}

    first = effects.once(db, "key", kind="test", run=run)
    again = effects.once(db, "key", kind="test", run=run)
    assert first == effects.EffectResult({"文": [1, 2.5]}, repeated=False)
    assert again == effects.EffectResult({"文": [1, 2.5]}, repeated=True)
    assert calls == [1]


def test_a_failed_effect_may_be_tried_again(db):
    def fail():
        raise KeyError("first")

    for in_transaction in (False, True):
        key = f"key {in_transaction}"
        with pytest.raises(KeyError, match="first"):
            effects.once(db, key, kind="test", run=fail, in_transaction=in_transaction)
        result = effects.once(
            db, key, kind="test", run=lambda: {"n": 2}, in_transaction=in_transaction
        )
        assert result == effects.EffectResult({"n": 2}, repeated=False)


def test_a_result_that_is_no_data_fails(db):
    with pytest.raises(TypeError):
        effects.once(db, "key", kind="test", run=lambda: {"x": object()})
    assert effects.once(db, "key", kind="test", run=lambda: {}).repeated is False


def test_another_thread_waits_or_is_told(db):
    started, go = threading.Event(), threading.Event()

    def slow():
        started.set()
        go.wait(5)
        return {"by": "first"}

    thread = threading.Thread(
        target=effects.once, args=(db, "k"), kwargs={"kind": "t", "run": slow}
    )
    thread.start()
    started.wait(5)
    with pytest.raises(WorkspaceLocked, match="right now"):
        effects.once(db, "k", kind="t", run=dict)
    threading.Timer(0.1, go.set).start()
    assert effects.once(db, "k", kind="t", run=dict, wait_s=5).result == {"by": "first"}
    thread.join()


def test_a_process_killed_between_start_and_done_is_taken_over(db, tmp_path):
    def work():
        effects.once(db, "k", kind="t", run=lambda: os.kill(os.getpid(), signal.SIGKILL))

    assert run_forked(work).killed
    assert db.read().execute("SELECT state FROM effects").fetchall() == [("started",)]
    result = effects.once(db, "k", kind="t", run=lambda: {"n": 1})
    assert result == effects.EffectResult({"n": 1}, repeated=False, takeovers=1)
    assert effects.once(db, "k", kind="t", run=dict) == effects.EffectResult(
        {"n": 1}, repeated=True, takeovers=1
    )


def test_recover_finds_what_a_killed_process_had_done(db, tmp_path):
    made = tmp_path / "made"

    def work():
        def run():
            made.write_text("yes")
            os.kill(os.getpid(), signal.SIGKILL)

        effects.once(db, "k", kind="t", run=run)

    def recover():
        return {"text": made.read_text()} if made.exists() else None

    def run():
        raise AssertionError("it was done already")

    assert run_forked(work).killed
    result = effects.once(db, "k", kind="t", run=run, recover=recover)
    assert result == effects.EffectResult({"text": "yes"}, repeated=False, takeovers=1)


def test_recover_is_not_asked_the_first_time(db):
    def recover():
        raise AssertionError("nothing was interrupted")

    assert effects.once(db, "k", kind="t", run=lambda: {"n": 1}, recover=recover).result == {"n": 1}


def count_in(db: Database):
    def run():
        db.read().execute("INSERT INTO embedders VALUES ((SELECT count(*) FROM embedders), 1)")
        return {}

    return run


def test_in_a_transaction_it_is_exactly_once_at_every_crash_point(tmp_path):
    path = tmp_path / "state.sqlite"
    Database.open(path).close()

    def work():
        with Database.open(path) as db:
            effects.once(db, "k", kind="t", run=count_in(db), in_transaction=True)

    for point in range(1, 100):
        outcome = run_forked(work, root=tmp_path, fault_at=point)
        assert not outcome.error
        if not outcome.killed:
            break
    assert point > 3
    with Database.open(path) as db:
        assert db.read().execute("SELECT count(*) FROM embedders").fetchone() == (1,)


def test_two_processes_ask_at_once(tmp_path):
    path = tmp_path / "state.sqlite"
    Database.open(path).close()
    log = tmp_path / "log"

    def work():
        def run():
            with log.open("a") as file:
                file.write("x")
            time.sleep(0.1)
            return {}

        with Database.open(path) as db:
            effects.once(db, "k", kind="t", run=run, wait_s=10)

    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                work()
                os._exit(0)
            finally:
                os._exit(1)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0, 0]
    assert Path(log).read_text() == "x"
