"""What a run is asked for: methods with their shares and options, built and named."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from domainsmith.chains.synthesis.identity import materials_fingerprint, with_files
from domainsmith.chains.synthesis.limits import Limits
from domainsmith.chains.synthesis.meter import Meter, metered
from domainsmith.chains.synthesis.method import Materials, Method
from domainsmith.chains.synthesis.registry import (
    KINDS,
    METHODS,
    build_method,
    check_options,
)
from domainsmith.chains.synthesis.run import MethodRun
from domainsmith.chains.synthesis.spread import Here, Spread
from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound
from domainsmith.progress import ProgressCallback
from domainsmith.records import Record

__all__ = [
    "GenerationOptions",
    "MethodRequest",
    "PlannedMethod",
    "check_run",
    "plan_methods",
    "told_reasons",
]


@dataclass(frozen=True)
class MethodRequest:
    """One method of a run.

    Args:
        name: As in the registry.
        share: Its weight among the methods of the run.
        options: Its settings, as plain data.
    """

    name: str
    share: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GenerationOptions:
    """What a run makes. Every field is part of the dataset's identity.

    Args:
        target: Records wanted.
        seed: Of all choices.
        surplus: Candidates made for each record wanted, so that selection has a choice.
        methods: What makes them; all of one kind of item.
        bounded: Write no more than ``target`` items; otherwise everything that was made and may
            be used is written, for a selection afterwards.
        topic: What all of it shall be about, in the user's words; empty for everything.
    """

    target: int = 150
    seed: int = 17
    surplus: float = 2.0
    methods: tuple[MethodRequest, ...] = (MethodRequest("documents"),)
    bounded: bool = False
    topic: str = ""

    @property
    def reads_passages(self) -> bool:
        """Whether any of the methods generates from passages."""
        return any(item.name != "self_kv" for item in self.methods)

    def values(self) -> dict[str, Any]:
        """Return plain JSON data, with the content of files that options name."""
        return {
            **({"bounded": True} if self.bounded else {}),
            **({"topic": self.topic} if self.topic else {}),
            "target": self.target,
            "seed": self.seed,
            "surplus": self.surplus,
            "methods": [
                {"name": item.name, "share": item.share, "options": with_files(item.options)}
                for item in self.methods
            ],
        }


@dataclass(frozen=True)
class PlannedMethod:
    """A method that is ready to run.

    Args:
        request: What was asked for.
        method: Built from it.
        meter: Of the method's models.
        target: Good items wanted from it.
        fingerprint: Of its materials, to compare with those of another process.
        materials: What it was built from.
    """

    request: MethodRequest
    method: Method
    meter: Meter
    target: int
    fingerprint: str = ""
    materials: Materials | None = field(default=None, compare=False, repr=False)

    def with_target(self, target: int) -> PlannedMethod:
        """Return it with another target; its finished units stay finished.

        Args:
            target: Good items wanted from it.
        """
        assert self.materials is not None
        return _built(self.request, replace(self.materials, target=target))

    def run(
        self,
        log: Path,
        limits: Limits,
        progress: ProgressCallback,
        cancel: threading.Event | None = None,
        spread: Spread | None = None,
        *,
        tell_smoke: bool = True,
    ) -> MethodRun:
        """Return its run; see :class:`~domainsmith.chains.synthesis.run.MethodRun`.

        Args:
            log: Folder of its shards.
            limits: What may end it earlier.
            progress: Told the smoke run's yields, then each block.
            cancel: Ends it before its next block once it is set.
            spread: Where units are processed; in this process if None.
            tell_smoke: Report the smoke run's yields.
        """
        return MethodRun(
            self.method,
            log=log,
            target=self.target,
            limits=limits,
            progress=progress,
            cancel=cancel,
            spread=spread or Here(self.method, self.meter),
            tell_smoke=tell_smoke,
        )


def plan_methods(
    options: GenerationOptions,
    materials: Materials,
    nothing: MutableMapping[str, str] | None = None,
) -> list[PlannedMethod]:
    """Build the methods of a run.

    Args:
        options: What is asked for.
        materials: Passages and models; target, seed and options are filled in here.
        nothing: Filled with the methods that have nothing to work on and why, so that the others
            can go on without them; where it is None the first of them is an error.

    Returns:
        The methods, in the order asked for.

    Raises:
        InputInvalid: Names, shares and options that cannot be used, all of them.
        InputEmpty: A method has nothing to work on, or with ``nothing`` none has.
    """
    problems = _problems(options)
    total = sum(item.share for item in options.methods)
    planned: list[PlannedMethod] = []
    for request in options.methods:
        if request.name not in METHODS:
            continue
        target = math.ceil(options.target * options.surplus * request.share / (total or 1))
        own = replace(materials, target=target, seed=options.seed, options=dict(request.options))
        try:
            planned.append(_built(request, own))
        except InputInvalid as error:
            problems.append(_problem(error))
        except (InputEmpty, InputNotFound) as error:
            topical = isinstance(error, InputEmpty) or options.topic
            if nothing is None or len(options.methods) == 1 or not topical:
                raise
            nothing[request.name] = f"{error.what}" + (f" ({error.where})" if error.where else "")
    if problems:
        raise _cannot_begin(problems)
    if not planned and nothing:
        raise InputEmpty(
            f"No method has anything to work on: {told_reasons(nothing)}",
            fix="Add documents, or use other methods.",
        )
    return planned


def _built(request: MethodRequest, own: Materials) -> PlannedMethod:
    counted, meter = metered(own)
    method = build_method(request.name, counted)
    return PlannedMethod(request, method, meter, own.target, materials_fingerprint(own), own)


def told_reasons(nothing: Mapping[str, str]) -> str:
    """Return methods that found nothing, each with why.

    Args:
        nothing: Reasons by the method's name.
    """
    return "; ".join(f"{name}: {why}" for name, why in nothing.items())


def check_run(options: GenerationOptions) -> None:
    """Find what :func:`plan_methods` would refuse without regard to documents and models.

    Args:
        options: What is asked for.

    Raises:
        InputInvalid: Names, shares and options that cannot be used, all of them.
    """
    problems = _problems(options)
    for request in options.methods:
        try:
            check_options(request.name, request.options)
        except InputInvalid as error:
            problems.append(_problem(error))
    if problems:
        raise _cannot_begin(problems)


def _cannot_begin(problems: Sequence[str]) -> InputInvalid:
    return InputInvalid(
        f"The run cannot begin: {'; '.join(problems)}",
        fix="Correct all of it and run the command again.",
    )


def _problem(error: InputInvalid) -> str:
    return f"{error.what}" + (f" ({error.where})" if error.where else "")


def _problems(options: GenerationOptions) -> list[str]:
    problems = []
    if not options.methods:
        problems.append("no method is named")
    names = [item.name for item in options.methods]
    for name in sorted(set(names) - set(METHODS)):
        problems.append(f"there is no method {name}; use one of {sorted(METHODS)}")
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"{name} is named twice")
    for item in options.methods:
        if not (item.share > 0 and math.isfinite(item.share)):
            problems.append(f"the share of {item.name} is {item.share}, must be above 0")
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(KINDS.get(name, Record).kind, []).append(name)
    if len(kinds) > 1:
        said = ", ".join(f"{' and '.join(made)}: {kind}s" for kind, made in sorted(kinds.items()))
        problems.append(f"one dataset holds items of one kind ({said}); run them one by one")
    problems += _not_narrowed(options)
    if options.target < 1:
        problems.append(f"the target is {options.target}, must be at least 1")
    return problems


def _not_narrowed(options: GenerationOptions) -> list[str]:
    """Name the methods that work from nothing that a topic could choose among."""
    if not options.topic:
        return []
    problems = []
    for item in options.methods:
        if item.options.get("source", "documents") != "documents":
            source = item.options["source"]
            problems.append(f"{item.name} cannot be narrowed to a topic with source={source}")
        if item.name == "self_instruct" and item.options.get("domain", True) is False:
            problems.append("self_instruct cannot be narrowed to a topic with domain=false")
    return problems
