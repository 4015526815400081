# ruff: noqa: PT012 - blocks that fail in their middle are what is tested
import errno
import os
import threading
from pathlib import Path

import pytest

from domainsmith.errors import ArtifactCorrupt, InputInvalid, ResourceExhausted
from domainsmith.storage import atomic, staging
from reliability.forked import Outcome, run_forked


def kill_everywhere(work, root: Path, check) -> int:
    """Run work with a kill at its 1st, 2nd, ... operation until it finishes."""
    for point in range(1, 500):
        outcome: Outcome = run_forked(work, root=root, fault_at=point)
        assert not outcome.error
        check()
        if not outcome.killed:
            return point - 1
    raise AssertionError("it never finished")


def test_a_file_is_old_or_new_at_every_crash_point(tmp_path):
    path = tmp_path / "value.json"
    atomic.write_json(path, {"value": "old"})
    seen = set()

    def check():
        seen.add(path.read_text())
        atomic.write_json(path, {"value": "old"})
        assert os.listdir(tmp_path) == ["value.json"]

    points = kill_everywhere(lambda: atomic.write_json(path, {"value": "new"}), tmp_path, check)

    assert points >= 5
    assert seen == {'{"value":"old"}\n', '{"value":"new"}\n'}


def test_lines_are_whole_at_every_crash_point(tmp_path):
    path = tmp_path / "log.jsonl"
    atomic.append_line(path, "first")

    def check():
        lines = atomic.read_lines(path)
        assert lines[0] == "first"
        assert set(lines[1:]) <= {"second line", "repaired"}
        atomic.append_line(path, "repaired")
        assert atomic.read_lines(path)[-1] == "repaired"
        assert path.read_bytes().endswith(b"\n")

    assert kill_everywhere(lambda: atomic.append_line(path, "second line"), tmp_path, check) >= 3


def test_a_folder_is_whole_or_absent_at_every_crash_point(tmp_path):
    target = tmp_path / "dataset"

    def make():
        with atomic.atomic_folder(target) as folder:
            (folder / "sub").mkdir()
            (folder / "data.jsonl").write_text("{}\n")
            (folder / "sub" / "more.bin").write_bytes(b"\0" * 100)

    def check():
        if target.exists():
            assert set(atomic.verify_folder(target)["files"]) == {"data.jsonl", "sub/more.bin"}
            staging.remove(target)
        atomic.sweep_staging(tmp_path)
        assert os.listdir(tmp_path) == []

    assert kill_everywhere(make, tmp_path, check) >= 10


def test_a_damaged_target_is_replaced_and_survives_crashes(tmp_path):
    target = tmp_path / "adapter"

    def make():
        with atomic.atomic_folder(target) as folder:
            (folder / "weights").write_text("good")

    def damage():
        if not target.exists():
            make()
        (target / "weights").write_text("bad")

    make()
    damage()

    def check():
        make()
        atomic.verify_folder(target)
        assert os.listdir(tmp_path) == ["adapter"]
        damage()

    kill_everywhere(make, tmp_path, check)


def test_an_existing_whole_folder_is_kept(tmp_path):
    target = tmp_path / "dataset"
    for text in ("one", "two"):
        with atomic.atomic_folder(target) as folder:
            (folder / "file").write_text(text)
    assert (target / "file").read_text() == "one"
    assert os.listdir(tmp_path) == ["dataset"]


def test_an_exception_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), atomic.atomic_folder(tmp_path / "x") as folder:
        (folder / "file").write_text("half")
        raise KeyError
    assert os.listdir(tmp_path) == []


def test_facts_in_the_manifest_are_kept(tmp_path):
    with atomic.atomic_folder(tmp_path / "x") as folder:
        (folder / "file").write_text("text")
        atomic.write_json(folder / "manifest.json", {"name": "washer"})
    manifest = atomic.verify_folder(tmp_path / "x")
    assert manifest["name"] == "washer"
    assert list(manifest["files"]) == ["file"]


@pytest.mark.parametrize("damage", ["change", "cut", "remove", "link", "manifest", "no manifest"])
def test_every_damage_is_found(tmp_path, damage):
    target = tmp_path / "x"
    with atomic.atomic_folder(target) as folder:
        (folder / "file").write_text("text")
    file, manifest = target / "file", target / "manifest.json"
    if damage == "change":
        file.write_text("tex!")
    elif damage == "cut":
        file.write_text("tex")
    elif damage == "remove":
        file.unlink()
    elif damage == "link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    elif damage == "manifest":
        manifest.write_text(manifest.read_text()[:-5])
    else:
        manifest.unlink()
    with pytest.raises(ArtifactCorrupt, match=r"x/"):
        atomic.verify_folder(target)


def test_a_manifest_cannot_name_files_elsewhere(tmp_path):
    (tmp_path / "secret").write_text("text")
    (tmp_path / "x").mkdir()
    entry = {"size": 4, "sha256": atomic.hash_file(tmp_path / "secret")}
    atomic.write_json(tmp_path / "x" / "manifest.json", {"files": {"../secret": entry}})
    with pytest.raises(ArtifactCorrupt, match="outside"):
        atomic.verify_folder(tmp_path / "x")


def test_links_are_refused(tmp_path):
    with pytest.raises(InputInvalid, match="link"), atomic.atomic_folder(tmp_path / "x") as folder:
        (folder / "link").symlink_to("/etc/hostname")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("fault", ["full", "full-once"])
def test_a_full_disk_keeps_a_whole_file(tmp_path, fault):
    path = tmp_path / "value.json"
    failures = 0
    for point in range(1, 8):
        atomic.write_json(path, "old")
        outcome = run_forked(
            lambda: atomic.write_json(path, "new"), root=tmp_path, fault_at=point, fault=fault
        )
        if outcome.error:
            assert "ResourceExhausted: The disk is full" in outcome.error
            failures += 1
        # The rename may be done when the sync of the folder fails.
        assert path.read_text() in (('"old"\n', '"new"\n') if outcome.error else ('"new"\n',))
    assert failures >= 4
    atomic.write_json(path, "old")
    assert os.listdir(tmp_path) == ["value.json"]


def test_a_short_write_is_undone(tmp_path, monkeypatch):
    path = tmp_path / "log"
    atomic.append_line(path, "first")
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
    with pytest.raises(ResourceExhausted, match="full"):
        atomic.append_line(path, "second")
    assert path.read_bytes() == b"first\n"


def test_the_file_size_limit_of_the_system_is_no_loss(tmp_path):
    path = tmp_path / "big"
    atomic.write_bytes(path, b"old")

    def work():
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(Exception, match="File too large"):
            atomic.write_bytes(path, b"x" * 5000)

    outcome = run_forked(work)
    assert not outcome.error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["big"]


def test_threads_append_whole_lines(tmp_path):
    path = tmp_path / "log"
    lines = [f"{number:04d}" * 50 for number in range(80)]
    threads = [
        threading.Thread(target=lambda part: [atomic.append_line(path, x) for x in part], args=[p])
        for p in (lines[0::4], lines[1::4], lines[2::4], lines[3::4])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(atomic.read_lines(path)) == lines


def test_lines_split_at_line_feeds_only(tmp_path):
    path = tmp_path / "log"
    atomic.append_line(path, "one\u2028still one\x0b\r")
    atomic.append_line(path, "")
    with path.open("ab") as file:
        file.write("半".encode()[:2])
    assert atomic.read_lines(path) == ["one\u2028still one\x0b\r", ""]
    assert atomic.read_lines(tmp_path / "missing") == []
    with pytest.raises(InputInvalid):
        atomic.append_line(path, "a\nb")
    path.write_bytes(b"\xff\n")
    with pytest.raises(ArtifactCorrupt):
        atomic.read_lines(path)


def test_left_overs_of_live_processes_stay(tmp_path):
    mine = tmp_path / staging.name_beside("tmp", "x")
    mine.write_text("at work")
    foreign = tmp_path / ".tmp-not-ours"
    foreign.write_text("?")
    assert atomic.sweep_staging(tmp_path) == []
    dead = tmp_path / mine.name.replace(f"-{os.getpid()}-", "-4194303-")
    dead.write_text("left")
    assert atomic.sweep_staging(tmp_path) == [dead.name]
    assert mine.exists()
    assert foreign.exists()
    assert atomic.sweep_staging(tmp_path / "missing") == []


def test_long_and_odd_names_work(tmp_path):
    for name in ("x" * 255, "a b\nc", "文档" * 20):
        atomic.write_text(tmp_path / name, name)
        assert (tmp_path / name).read_text() == name
    assert len(os.listdir(tmp_path)) == 3


def test_missing_folders_are_made(tmp_path):
    atomic.write_text(tmp_path / "a" / "b" / "c", "text")
    assert (tmp_path / "a" / "b" / "c").read_text() == "text"


def test_a_folder_in_the_way_is_told(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(Exception, match=os.strerror(errno.EISDIR)):
        atomic.write_text(tmp_path / "x", "text")
    assert os.listdir(tmp_path) == ["x"]


def test_what_another_machine_writes_on_the_same_disk_is_kept_until_it_is_old(tmp_path):
    elsewhere = tmp_path / f".staging-{'a' * 12}-4194303-1-{'b' * 12}-0"
    elsewhere.mkdir()
    (elsewhere / "data.jsonl").write_text("half")
    assert atomic.sweep_staging(tmp_path) == [], "its process may live where we cannot see it"
    os.utime(elsewhere, (0, 0))
    assert atomic.sweep_staging(tmp_path) == [elsewhere.name]
    assert not elsewhere.exists()
