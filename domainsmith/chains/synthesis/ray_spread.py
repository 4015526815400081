"""Units spread over the processes of a Ray cluster, as Ray tasks.

Units travel as JSON. Each worker process builds the method once from a recipe, plain data that
says which workspace and settings to open, and keeps it for all rounds. Results come back in the
order of the units, so the items are those of a run in one process.

Ray Data is not used: when a reader stops early, it cancels the tasks that run, and a cancellation
that meets the end of its task aborts the whole process ("Tried to complete task that was not
pending", Ray 2.60). Here tasks are only begun as workers get free, and those that run then end.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from domainsmith.chains.synthesis.meter import Meter
from domainsmith.chains.synthesis.method import DataBlock, Method, Unit
from domainsmith.chains.synthesis.shards import block_values, read_block
from domainsmith.chains.synthesis.spread import measured_block
from domainsmith.errors import (
    DependencyMissing,
    DomainSmithError,
    EndpointUnavailable,
    ResourceExhausted,
)
from domainsmith.records import canonical_json

__all__ = ["RaySpread", "connect"]

_AHEAD = 8
"""Results that each worker may be ahead of the one that is waited for."""
_built: dict[str, tuple[Method, Meter]] = {}
_lock = threading.Lock()


class RaySpread:
    """Processes units on Ray.

    Args:
        build: ``module:function``; the function makes a method and the meter of its models from
            the recipe, in any process.
        recipe: Plain JSON data.
        workers: Tasks that run at a time.
        gpus: GPUs for each of them; None takes one if the cluster has any.

    Raises:
        DependencyMissing: Ray is not installed.
        EndpointUnavailable: The cluster does not answer.
        ResourceExhausted: It has not the GPUs that one task needs.
    """

    def __init__(
        self, build: str, recipe: Mapping[str, Any], *, workers: int, gpus: float | None = 0.0
    ) -> None:
        self._build = build
        self._recipe = canonical_json(dict(recipe))
        self._workers = workers
        connect(workers)
        self.gpus = _gpus_each(gpus)

    def blocks(self, units: Sequence[Unit]) -> Iterator[DataBlock]:
        """Process units, some ahead of what is asked for.

        Args:
            units: Of one round.

        Yields:
            Blocks in the order of the units.

        Raises:
            DomainSmithError: As a worker raised it.
            ResourceExhausted: Workers die, of too little memory for one.
            EndpointUnavailable: A machine of the cluster is gone.
        """
        if not units:
            return
        import ray

        work: Any = ray.remote(_work).options(num_cpus=1, num_gpus=self.gpus or None)
        running: dict[Any, int] = {}
        done: dict[int, str] = {}
        begun = 0
        for wanted in range(len(units)):
            while wanted not in done:
                while (
                    begun < len(units)
                    and len(running) < self._workers
                    and begun < wanted + _AHEAD * self._workers
                ):
                    unit = canonical_json([units[begun].key, units[begun].payload])
                    running[work.remote(unit, self._build, self._recipe)] = begun
                    begun += 1
                ended, _ = ray.wait(list(running), num_returns=1)
                for task in ended:
                    done[running.pop(task)] = _result(task)
            yield _block(done.pop(wanted))


def _gpus_each(wanted: float | None) -> float:
    """Say how many GPUs a task gets. Ray hides all of them from a task that asks for none."""
    import ray

    there = float(ray.cluster_resources().get("GPU", 0.0))
    if wanted is None:
        return min(1.0, there)
    if wanted > there:  # Ray would wait for them without end
        raise ResourceExhausted(
            f"A task needs {wanted:g} GPU and the Ray cluster has {there:g}",
            where="--engine ray",
            fix="Add a machine with a GPU to the cluster, or set device to auto or cpu.",
        )
    return wanted


def connect(workers: int) -> None:
    """Join the cluster of ``RAY_ADDRESS``, or start one on this machine.

    Args:
        workers: CPUs of a cluster that is started here.

    Raises:
        DependencyMissing: Ray is not installed.
        EndpointUnavailable: The cluster does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise DependencyMissing(
            "The engine ray needs the library ray",
            where="--engine ray",
            fix="Install it: pip install 'domainsmith[ray]'.",
        ) from error
    if ray.is_initialized():
        return
    address = os.environ.get("RAY_ADDRESS")
    here: dict[str, Any] = {} if address else {"num_cpus": workers, "include_dashboard": False}
    try:
        ray.init(
            address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **here
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise EndpointUnavailable(
            f"Ray does not answer: {error}",
            where=address or "this machine",
            fix="Check the cluster.",
        ) from error


def _work(unit: str, build: str, recipe: str) -> str:
    """Process one unit, in a worker."""
    key, payload = json.loads(unit)
    try:
        method, meter = _method(build, recipe)
        block = measured_block(method, Unit(key, payload), meter)
    except DomainSmithError as error:
        told = {
            "type": type(error).__name__,
            "what": error.what,
            "where": error.where,
            "fix": error.fix,
        }
        return canonical_json({"error": told})
    return canonical_json(block_values(block))


def _result(task: Any) -> str:
    """Fetch what a task returned; Ray has tried anew what died with its worker."""
    import ray
    from ray.exceptions import (
        NodeDiedError,
        ObjectLostError,
        OutOfMemoryError,
        RaySystemError,
        WorkerCrashedError,
    )

    try:
        return str(ray.get(task))
    except (OutOfMemoryError, WorkerCrashedError) as error:
        raise ResourceExhausted(
            f"A worker of Ray died again and again: {error}",
            where="--engine ray",
            fix="Use fewer --workers or a machine with more memory; the same command goes on.",
        ) from error
    except (NodeDiedError, ObjectLostError, RaySystemError) as error:
        raise EndpointUnavailable(
            f"The Ray cluster lost a machine: {error}",
            where="--engine ray",
            fix="Check the cluster; the same command goes on where it stopped.",
        ) from error


def _block(told: str) -> DataBlock:
    values = json.loads(told)
    if "error" in values:
        error = values["error"]
        kind = _error_class(error["type"])
        raise kind(error["what"], where=error["where"], fix=error["fix"])
    return read_block(values)


def _method(build: str, recipe: str) -> tuple[Method, Meter]:
    """Return the method of a recipe, built once a process."""
    name = f"{build} {recipe}"
    with _lock:
        if name not in _built:
            module, _, function = build.partition(":")
            _built.clear()  # one model at a time
            _built[name] = getattr(import_module(module), function)(json.loads(recipe))
        return _built[name]


def _error_class(name: str) -> type[DomainSmithError]:
    import domainsmith.errors

    kind = getattr(domainsmith.errors, name, DomainSmithError)
    return (
        kind if isinstance(kind, type) and issubclass(kind, DomainSmithError) else DomainSmithError
    )
