"""Generation on a Ray cluster: the recipe of a worker, and the worker's side of it.

Every worker opens the workspace by its path, so on several machines it must lie on a file system
that all of them see.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.errors import InternalError
from domainsmith.tools.held_out import held_out_questions
from domainsmith.tools.tool import ToolContext, ToolOptions

if TYPE_CHECKING:
    from domainsmith.chains.synthesis.meter import Meter
    from domainsmith.chains.synthesis.method import Method
    from domainsmith.chains.synthesis.plan import PlannedMethod
    from domainsmith.chains.synthesis.several import SpreadFor
    from domainsmith.model_io.generation import Embedder, Generator
    from domainsmith.workspace import Workspace

__all__ = ["build_from_recipe", "ray_spread", "worker_recipe"]


def ray_spread(
    ctx: ToolContext, *, questions: str | None, workers: int | None, topic: str = ""
) -> SpreadFor:
    """Return what spreads a method's units over Ray.

    Args:
        ctx: What the tool works on.
        questions: The user's file of test questions, or None.
        workers: Processes at a time; the CPUs of this machine if None.
        topic: What the data shall be about only; empty for everything.

    Returns:
        For each planned method the place where its units are processed.

    Raises:
        DependencyMissing: Ray is not installed.
    """
    from domainsmith.chains.synthesis.ray_spread import RaySpread

    many = workers or os.cpu_count() or 1

    def spread(planned: PlannedMethod) -> RaySpread:
        recipe = worker_recipe(ctx, planned, questions=questions, workers=many, topic=topic)
        build = "domainsmith.tools.ray_workers:build_from_recipe"
        return RaySpread(build, recipe, workers=many, gpus=_gpus(ctx.options))

    return spread


def _gpus(options: ToolOptions) -> float | None:
    """Return the GPUs of a worker; None leaves it to the cluster."""
    from domainsmith.model_io.model_names import parse_name

    if options.device == "auto" and parse_name(options.chat_model).scheme == "local":
        return None
    return 1.0 if options.device.startswith("cuda") else 0.0


def worker_recipe(
    ctx: ToolContext,
    planned: PlannedMethod,
    *,
    questions: str | None,
    workers: int,
    topic: str = "",
) -> dict[str, Any]:
    """Say as plain data what a worker builds.

    Args:
        ctx: What the tool works on.
        planned: The method.
        questions: The user's file of test questions, or None.
        workers: Processes at a time, which share this machine's threads.
        topic: What the data shall be about only; empty for everything.

    Returns:
        JSON data for :func:`build_from_recipe`.
    """
    options = asdict(ctx.options)
    options["threads"] = options["threads"] or max(1, (os.cpu_count() or 1) // workers)
    return {
        "workspace": str(ctx.workspace.root.resolve()),
        "folder": str(ctx.folder.resolve()),
        "questions": questions,
        "topic": topic,
        "options": options,
        "method": planned.request.name,
        "method_options": dict(planned.request.options),
        "target": planned.target,
        "fingerprint": planned.fingerprint,
    }


def build_from_recipe(recipe: Mapping[str, Any]) -> tuple[Method, Meter]:
    """Open the workspace and its models in a worker and build the method.

    Args:
        recipe: From :func:`worker_recipe`.

    Returns:
        The method and the meter of its models.

    Raises:
        InternalError: The worker sees other passages or models than the run.
    """
    from domainsmith.chains.synthesis.identity import materials_fingerprint
    from domainsmith.chains.synthesis.meter import metered
    from domainsmith.chains.synthesis.method import Materials
    from domainsmith.chains.synthesis.registry import build_method
    from domainsmith.chains.synthesis.sources import narrowed, sort_passages
    from domainsmith.chains.written import scorer_of
    from domainsmith.storage.passages import passages
    from domainsmith.workspace import Workspace

    options = ToolOptions(**recipe["options"])
    with Workspace.open(Path(recipe["workspace"])) as workspace:
        models = _Models(workspace, options)
        ctx = ToolContext(workspace, models, options, folder=Path(recipe["folder"]))  # type: ignore[arg-type]
        exclude, _ = held_out_questions(ctx, recipe["questions"])
        source = sort_passages(passages(workspace.db, copies=True), exclude, needed=False)
        if recipe["method"] != "self_kv":
            source = narrowed(source, recipe["topic"], models.embedder())
        materials = Materials(
            passages=source.drawn,
            every=source.every,
            generator=models.generator(),
            scorer=scorer_of(models.generator()),
            embedder=models.embedder(),
            target=recipe["target"],
            seed=options.seed,
            options=recipe["method_options"],
            topic=recipe["topic"],
            beside=source.beside,
        )
    if materials_fingerprint(materials) != recipe["fingerprint"]:
        raise InternalError(
            "A worker sees other passages or models than the run that sent it work",
            where=recipe["workspace"],
            fix="Use one version of this program, one workspace and equal models everywhere.",
        )
    counted, meter = metered(materials)
    return build_method(recipe["method"], counted), meter


class _Models:
    """The models of a worker: the chat model, and the embedder that searches."""

    def __init__(self, workspace: Workspace, options: ToolOptions) -> None:
        self._workspace = workspace
        self._options = options

    def generator(self) -> Generator:
        from domainsmith.model_io.load import load_generator

        options = self._options
        return load_generator(
            options.chat_model,
            device=options.device,
            dtype=options.dtype,
            threads=options.threads,
            quantization=options.quantization,
        )

    def embedder(self) -> Embedder:
        from domainsmith.model_io.load import load_embedder
        from domainsmith.training.retrieval.registry import in_use

        options = self._options
        found = in_use(self._workspace, base_model=options.embed_model)
        tuned = found.get("embedder") if options.tuned_retrieval else None
        name = options.embed_model if tuned is None else str(tuned.folder)
        embedder = load_embedder(name, device=options.device, threads=options.threads)
        if tuned is not None:
            embedder.languages = tuned.facts.languages  # type: ignore[attr-defined]
        return embedder
