import ctypes
import os
import signal
import subprocess
import sys
import time

import pytest

from reliability.forked import adopt_orphans, run_forked

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="uses prctl")


@pytest.fixture
def reaper():
    adopt_orphans()
    yield
    ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)


def test_a_process_that_outlives_its_killed_parent_is_counted(reaper):
    def work():
        subprocess.Popen(["sleep", "60"])
        os.kill(os.getpid(), signal.SIGKILL)

    outcome = run_forked(work)
    assert (outcome.killed, outcome.orphans) == (True, 1)


def test_a_late_kill_does_not_happen():
    outcome = run_forked(lambda: None, kill_after_s=5)
    assert (outcome.killed, outcome.error) == (False, "")


def test_an_early_kill_happens():
    started = time.monotonic()
    assert run_forked(lambda: time.sleep(60), kill_after_s=0.05).killed
    assert time.monotonic() - started < 5


def test_another_signal_is_an_error():
    outcome = run_forked(lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert (outcome.killed, outcome.error) == (False, "died of signal 15")


def test_points_are_counted_below_the_folder_only(tmp_path):
    def work():
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "file").write_text("text")
        (tmp_path / "out").write_text("text")

    outcome = run_forked(work, root=tmp_path / "in")
    assert outcome.points == 3
    assert outcome.last_points == ("mkdir", "open", "opened")
