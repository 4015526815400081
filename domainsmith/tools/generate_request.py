"""What a generation is asked for: the tool's arguments as methods, options and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, JsonValue

from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.records import content_hash
from domainsmith.tools.knowledge import resolve_path
from domainsmith.tools.tool import ToolArguments, ToolContext

if TYPE_CHECKING:
    from domainsmith.chains.generate import GenerationOptions, Limits, MethodRequest

__all__ = ["GenerateData", "requested_limits", "requested_methods", "requested_options"]

_FILES = {"seeds": "self_instruct", "table": "self_kv"}
"""Arguments that name files, and the method whose option of the same name they set."""
_COUNT_SURPLUS = 1.2
"""Good candidates for each record of a count: some are copies of others, or leak a test."""


class GenerateData(ToolArguments):
    """Arguments of ``generate_data``."""

    count: int | None = Field(default=None, ge=1, le=1_000_000, description="Records to make")
    questions: str | None = Field(
        default=None, min_length=1, description="JSONL file of test questions to keep out"
    )
    methods: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Ways to make data, each NAME or NAME:SHARE (documents, dialogues, "
        "preferences, ...); documents if absent",
    )
    topic: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="What the data shall be about only: a subject of the documents, or a chapter "
        "or section by its number",
    )
    options: dict[str, JsonValue] | None = Field(
        default=None, description="Settings of the methods, named METHOD.NAME or NAME"
    )
    seeds: str | None = Field(
        default=None, min_length=1, description="File of seed tasks for self_instruct"
    )
    tables: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Table files for self_kv"
    )
    budget_minutes: float | None = Field(
        default=None, gt=0, description="Stop after so many minutes, with what there is"
    )
    budget_tokens: int | None = Field(
        default=None, ge=1, description="Stop after so many tokens of the model, in all"
    )
    floor: float | None = Field(
        default=None, ge=0, description="Least good records a unit of work; 0 never stops"
    )
    smoke_only: bool | None = Field(default=None, description="Only measure yields and estimate")
    engine: Literal["local", "ray"] | None = Field(
        default=None, description="Where units are processed: here (local) or on a Ray cluster"
    )
    workers: int | None = Field(default=None, ge=1, le=4096, description="Processes with ray")


def requested_methods(ctx: ToolContext, arguments: GenerateData) -> tuple[MethodRequest, ...]:
    """Read methods, shares and options.

    Args:
        ctx: What the tool works on; relative files start from its folder.
        arguments: As given.

    Returns:
        The methods in order.

    Raises:
        InputInvalid: All problems in one message.
    """
    from domainsmith.chains.synthesis.plan import MethodRequest
    from domainsmith.chains.synthesis.registry import METHODS

    problems: list[str] = []
    shares: dict[str, float] = {}
    for text in arguments.methods or ("documents",):
        name, colon, share = text.strip().partition(":")
        try:
            shares[name] = float(share) if colon else 1.0
        except ValueError:
            problems.append(f"the share of {name} is no number: {share}")
            shares[name] = 1.0
    # Said here already: later, models have been loaded.
    problems += [
        f"there is no method {name} (there are {', '.join(sorted(METHODS))})"
        for name in shares
        if name not in METHODS
    ]
    options = _own_options(arguments.options or {}, list(shares), problems)
    for method in ("preferences", "rankings"):
        _fill_in(ctx, options.get(method, {}))
    files: dict[str, Any] = {
        "seeds": arguments.seeds and str(resolve_path(ctx, arguments.seeds)),
        "table": [str(resolve_path(ctx, item)) for item in arguments.tables or ()],
    }
    for name, value in files.items():
        if value and _FILES[name] not in options:
            problems.append(f"a file of {name} is for the method {_FILES[name]}")
        elif value:
            options[_FILES[name]][name] = value
    if problems:
        raise InputInvalid(
            "The methods cannot be used: " + "; ".join(problems),
            fix="Correct all of it and try again.",
        )
    return tuple(MethodRequest(name, share, options[name]) for name, share in shares.items())


def _own_options(
    given: Mapping[str, Any], methods: Sequence[str], problems: list[str]
) -> dict[str, dict[str, Any]]:
    """Sort options by method; ``grading.NAME`` is an option of all of them."""
    options: dict[str, dict[str, Any]] = {name: {} for name in methods}
    for key, value in given.items():
        method, dot, name = key.rpartition(".")
        if method == "grading":
            for own in options.values():
                own.setdefault("grading", {})[name] = value
        elif not dot and len(methods) > 1:
            problems.append(f"option {key}: name its method as in {methods[0]}.{key}")
        elif (method or methods[0]) not in options:
            problems.append(f"option {key}: the run has no method {method}")
        else:
            options[method or methods[0]][name] = value
    return options


def _fill_in(ctx: ToolContext, options: dict[str, Any]) -> None:
    """Say where feedback and datasets lie, for methods that are made about them."""
    if options.get("source") == "feedback":
        from domainsmith.storage import lineage

        found = sorted(lineage.artifact_ids(ctx.workspace.db, "feedback"))
        options.setdefault("workspace", str(ctx.workspace.root))
        options.setdefault("state", content_hash(found)[:16])
    given = options.get("records")
    if isinstance(given, str) and given:
        dataset = ctx.workspace.datasets_dir / given / "data.jsonl"
        options["records"] = str(dataset if dataset.is_file() else resolve_path(ctx, given))


def requested_options(ctx: ToolContext, arguments: GenerateData) -> GenerationOptions:
    """Read what the run makes.

    With a count it is exactly so many records, if the documents give them. Without one it is a
    pool of about twice the setting ``records``, from which a selection afterwards chooses.

    Args:
        ctx: What the tool works on.
        arguments: As given.

    Raises:
        InputInvalid: The methods or their options cannot be used; all problems in one message.
        InputNotFound: A file of tables or seeds does not exist.
    """
    from domainsmith.chains.generate import GenerationOptions
    from domainsmith.chains.synthesis.plan import check_run

    methods, topic = requested_methods(ctx, arguments), (arguments.topic or "").strip()
    options = GenerationOptions(target=ctx.options.records, methods=methods, topic=topic)
    if arguments.count is not None:
        options = replace(options, target=arguments.count, surplus=_COUNT_SURPLUS, bounded=True)
    # Here and not only where the methods are built: by then, models have been loaded.
    check_run(options)
    _require_files(ctx, arguments)
    return options


def _require_files(ctx: ToolContext, arguments: GenerateData) -> None:
    named = [*(arguments.tables or ()), *([arguments.seeds] if arguments.seeds else [])]
    absent = [name for name in named if not resolve_path(ctx, name).is_file()]
    if absent:
        raise InputNotFound(
            f"There is no such file: {', '.join(absent)}",
            where=ctx.folder,
            fix="Correct the name, or give the whole path.",
        )


def requested_limits(arguments: GenerateData) -> Limits:
    """Read what may end the run early.

    Args:
        arguments: As given.
    """
    from domainsmith.chains.generate import Limits

    return Limits(
        floor=arguments.floor,
        seconds=60.0 * (arguments.budget_minutes or 0.0),
        tokens=arguments.budget_tokens or 0,
        smoke_only=bool(arguments.smoke_only),
    )
