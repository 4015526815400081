import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from domainsmith.storage import process

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def test_this_process_is_alive():
    me = process.current()
    assert me.pid == os.getpid()
    assert process.is_alive(me)
    assert process.of(os.getpid()) == me


def test_a_number_that_was_used_again_is_another_process():
    me = process.current()
    assert not process.is_alive(replace(me, start_ticks=me.start_ticks - 1))
    assert not process.is_alive(replace(me, boot_id="another start of the machine"))


def test_numbers_of_nobody():
    assert process.of(0) is None
    assert process.of(-1) is None
    assert process.of(4194305) is None


def test_an_ended_process_is_dead_also_before_it_is_reaped():
    child = subprocess.Popen(["sleep", "60"])
    identity = process.of(child.pid)
    assert identity is not None
    assert process.is_alive(identity)
    child.kill()
    deadline = time.monotonic() + 5
    while process.is_alive(identity) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not process.is_alive(identity)
    child.wait()
    assert not process.is_alive(identity)


def test_a_forked_child_has_its_own_identity():
    reader, writer = os.pipe()
    process.current()
    pid = os.fork()
    if pid == 0:
        os.write(writer, str(process.current().pid == os.getpid()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 10) == b"True"
    os.close(reader)
    os.close(writer)


@linux
def test_a_name_with_spaces_and_parentheses(tmp_path):
    program = tmp_path / "a) b (c 1 2"
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([str(program), "60"])
    try:
        identity = process.of(child.pid)
        assert identity is not None
        assert identity.start_ticks >= process.current().start_ticks
    finally:
        child.kill()
        child.wait()


_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c",
    "import os, time; from domainsmith.storage.process import die_with_parent;"
    f"die_with_parent({expected}); print(os.getpid(), flush=True); time.sleep(60)"],
    stdout=subprocess.PIPE, text=True)
print(child.stdout.readline().strip(), flush=True)
time.sleep(60)
"""


@linux
def test_a_child_dies_with_its_parent():
    code = _PARENT.replace("{expected}", "{__import__('os').getpid()}")
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = process.of(int(parent.stdout.readline()))
    assert child is not None
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while process.is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not process.is_alive(child)


@linux
def test_a_child_of_a_dead_parent_dies_at_once():
    pid = os.fork()
    if pid == 0:
        process.die_with_parent(1 << 22)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_other_systems_ask_ps(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    me = process.of(os.getpid())
    if me is None:
        pytest.skip("no ps here")
    assert process.is_alive(me)
    assert process.of(4194305) is None
    process.die_with_parent()
