"""The engine ray: equal items on a local cluster of two workers; errors come back as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(
        not __import__("importlib.util").util.find_spec("ray"),
        reason="ray is not installed: pip install 'domainsmith[ray]'",
    ),
]
ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from domainsmith.chains.synthesis.ray_spread import RaySpread
from domainsmith.chains.synthesis.run import MethodRun
from domainsmith.errors import InputInvalid, ResourceExhausted
from domainsmith.records import content_hash
from tests.chains.synthesis.ray_method import build

log = Path(sys.argv[2])
spread = RaySpread("tests.chains.synthesis.ray_method:build", {"units": 7}, workers=2)
method, meter = build({"units": 7})
hashes, processes = [], set()
for name, place in (("here", None), ("ray", spread)):
    run = MethodRun(method, log=log / name, target=9, spread=place)
    blocks = list(run.blocks())
    items = [item.model_dump(mode="json") for block in blocks for item in block.items]
    hashes.append(content_hash(items))
    processes |= {block.counts["process"] for block in blocks}
    print(name, len(items), run.stopped, run.tally.tokens)
assert hashes[0] == hashes[1], hashes
assert len(processes) > 1, processes
broken = RaySpread("tests.chains.synthesis.ray_method:build", {"units": 0}, workers=2)
try:
    list(broken.blocks([*next(method.rounds())]))
except InputInvalid as error:
    assert error.where == "units", error
else:
    raise AssertionError("no error came back")
dying = RaySpread("tests.chains.synthesis.ray_method:build", {"units": 1, "dies": True}, workers=2)
try:
    list(dying.blocks([*next(method.rounds())]))
except ResourceExhausted as error:
    assert "died again and again" in error.what, error
else:
    raise AssertionError("dead workers were not told of")
"""


def test_two_workers_make_the_items_of_one_process(tmp_path: Path) -> None:
    # A process of its own: Ray starts threads and children that outlive a test.
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    }
    done = subprocess.run(
        [sys.executable, str(program), str(ROOT), str(tmp_path / "log")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "ray 9 target 15" in done.stdout


GPUS = """
import sys
import ray

sys.path.insert(0, sys.argv[1])
from domainsmith.chains.synthesis.ray_spread import RaySpread
from domainsmith.errors import ResourceExhausted

ray.init(address="local", num_cpus=1, num_gpus=2, include_dashboard=False)
for wanted in (None, 0.0, 1.0, 3.0):
    try:
        print(RaySpread("a:b", {}, workers=1, gpus=wanted).gpus)
    except ResourceExhausted as error:
        print(error.what)
"""


def test_workers_take_the_gpus_that_the_cluster_has() -> None:
    # Ray hides the GPUs from a task that asks for none, and waits for those that do not exist.
    done = subprocess.run(
        [sys.executable, "-c", GPUS, str(ROOT)],
        cwd=ROOT,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    printed = done.stdout.split("\n")[:-1]
    assert printed == ["1.0", "0.0", "1.0", "A task needs 3 GPU and the Ray cluster has 2"]
