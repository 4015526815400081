import os
import re
import subprocess
import sys
import threading
import time

import pytest

from domainsmith.errors import WorkspaceLocked
from domainsmith.storage import locks

_HOLDER = """
import sys, time
from pathlib import Path
from domainsmith.storage.locks import hold
with hold(Path(sys.argv[1]), purpose="adding documents"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_process(tmp_path):
    """A real other process that holds ``tmp_path/lock``."""
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_the_holder_is_named(tmp_path, other_process):
    expected = rf"process {other_process.pid}, adding documents, since \d\d:\d\d:\d\d"
    with pytest.raises(WorkspaceLocked, match=expected), locks.hold(tmp_path / "lock", purpose="x"):
        pass
    assert locks.try_hold(tmp_path / "lock", purpose="x") is None


def test_a_killed_holder_frees_the_lock(tmp_path, other_process):
    other_process.kill()
    other_process.wait()
    with locks.hold(tmp_path / "lock", purpose="mine"):
        assert locks.holder(tmp_path / "lock")["pid"] == os.getpid()
    assert locks.holder(tmp_path / "lock") == {}


def test_a_living_holder_is_told_from_the_note_of_a_dead_one(tmp_path, other_process):
    found = locks.living_holder(tmp_path / "lock")
    assert found is not None
    assert found.pid == other_process.pid
    other_process.kill()
    other_process.wait()
    assert locks.holder(tmp_path / "lock")["pid"] == other_process.pid
    assert locks.living_holder(tmp_path / "lock") is None
    (tmp_path / "lock").write_text('{"pid": "x"}')
    assert locks.living_holder(tmp_path / "lock") is None
    assert locks.living_holder(tmp_path / "none") is None


def test_waiting_ends_when_the_lock_is_free(tmp_path, other_process):
    threading.Timer(0.2, other_process.kill).start()
    started = time.monotonic()
    with locks.hold(tmp_path / "lock", purpose="mine", wait_s=10):
        assert time.monotonic() - started < 5


def test_waiting_ends_at_its_limit(tmp_path, other_process):
    started = time.monotonic()
    with (
        pytest.raises(WorkspaceLocked),
        locks.hold(tmp_path / "lock", purpose="mine", wait_s=0.2),
    ):
        pass
    assert 0.2 <= time.monotonic() - started < 2


def test_another_thread_of_this_process_does_not_get_it(tmp_path):
    with locks.hold(tmp_path / "lock", purpose="mine"):
        assert locks.try_hold(tmp_path / "lock", purpose="again") is None
    handle = locks.try_hold(tmp_path / "lock", purpose="again")
    assert handle is not None
    handle.release()
    handle.release()


def test_a_forked_child_does_not_keep_the_lock(tmp_path):
    handle = locks.try_hold(tmp_path / "lock", purpose="parent")
    assert handle is not None
    pid = os.fork()
    if pid == 0:
        handle.release()
        time.sleep(60)
        os._exit(0)
    try:
        assert locks.try_hold(tmp_path / "lock", purpose="x") is None
        handle.release()
        with locks.hold(tmp_path / "lock", purpose="after"):
            pass
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_a_lock_without_a_note_is_still_a_lock(tmp_path):
    path = tmp_path / "lock"
    with locks.hold(path, purpose="mine"):
        os.truncate(path, 0)
        with (
            pytest.raises(WorkspaceLocked, match=re.escape("not known yet")),
            locks.hold(path, purpose="x"),
        ):
            pass


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match=r"Cannot access|No such"):
        locks.try_hold(tmp_path / "file" / "lock", purpose="x")
