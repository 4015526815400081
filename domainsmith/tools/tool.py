"""What a tool is: a function the model may choose, with checked arguments and a plain result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from domainsmith.errors import InputInvalid
from domainsmith.progress import ProgressCallback, silent
from domainsmith.records import Language, canonical_json

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from domainsmith.chains.query_options import QueryOptions
    from domainsmith.data_connection.index import Index
    from domainsmith.model_io.engine import Engine
    from domainsmith.model_io.generation import Embedder, Generator, Reranker
    from domainsmith.workspace import Workspace

__all__ = [
    "ArtifactKind",
    "Models",
    "NoArguments",
    "Tool",
    "ToolArguments",
    "ToolContext",
    "ToolOptions",
    "ToolResult",
    "say",
]

ArtifactKind = Literal["passages", "raw_dataset", "selected_dataset", "adapter", "promoted"]
"""What steps hand on to each other; the planner fills gaps in this chain."""


class ToolArguments(BaseModel):
    """Arguments of a tool: unknown names and wrong types are refused, never coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NoArguments(ToolArguments):
    """A tool that needs to be told nothing."""


class Models(Protocol):
    """Where tools get the heavy things from; each is loaded on first use and kept."""

    def engine(self) -> Engine:
        """Return the chat model's engine; a remote model has none."""
        ...

    def generator(self) -> Generator:
        """Return what writes many texts: the engine, or a served model, which tells no scores."""
        ...

    def chat(self) -> Engine | BaseChatModel:
        """Return what answers: the engine, or a remote chat model."""
        ...

    def embedder(self) -> Embedder:
        """Return the embedding model."""
        ...

    def index(self) -> Index:
        """Return the workspace's open index, up to date with its database."""
        ...

    def reranker(self) -> Reranker | None:
        """Return what orders the passages found anew, or None; only asked for if one is set."""
        ...

    def refresh_search(self) -> None:
        """Let go of embedder, index and reranker: tuned ones may be in use from now on."""
        ...


@dataclass(frozen=True)
class ToolOptions:
    """Values of the settings that tools use as defaults."""

    chat_model: str = "default"
    embed_model: str = "default"
    tuned_retrieval: bool = True
    """Search with the models that ``tune_retrieval`` found better."""
    top_k: int = 5
    """Passages handed to the answer step."""
    reranker: str = "auto"
    """``auto``, ``none``, ``late-interaction``, ``likelihood`` or a cross-encoder's folder."""
    rerank_top: int = 20
    """Candidates that the reranker reads."""
    decompose: Literal["auto", "on", "off"] = "auto"
    step_back: Literal["auto", "on", "off"] = "auto"
    translate: Literal["auto", "on", "off"] = "auto"
    spelling: Literal["auto", "on", "off"] = "auto"
    """What a question goes through before it is searched."""
    chunk_tokens: int = 200
    """Largest passage, tokens."""
    records: int = 160
    """Training records wanted after selection; about twice as many are generated."""
    epochs: float = 2.0
    learning_rate: float = 5e-4
    """Peak learning rate per optimizer step."""
    lora_rank: int = 16
    max_steps: int = 0
    """Optimizer steps of a training; 0 takes ``epochs``."""
    device: str = "auto"
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    quantization: Literal["none", "8bit", "4bit"] = "none"
    threads: int = 0
    seed: int = 17
    port: int = 8077
    max_questions: int = 0
    """Questions taken from the file when evaluating; 0 takes all."""


@dataclass(frozen=True)
class ToolContext:
    """What every tool is given.

    Args:
        workspace: The open workspace.
        models: Loads the chat model, the embedder and the index on first use.
        options: Defaults from the settings.
        progress: Told where long work stands.
        language: The language of the results' sentences.
        folder: What relative paths of the user start from.
        history: Earlier (question, answer) turns of the conversation, oldest first.
        ahead: Names and arguments of the plan's steps that will have run before this tool, but
            have not yet; for estimates.
        curator: The agent behind ``curate_data``, which stands above the tools; None where the
            applications did not put it in.
    """

    workspace: Workspace
    models: Models
    options: ToolOptions = field(default_factory=ToolOptions)
    progress: ProgressCallback = silent
    language: Language = "en"
    folder: Path = field(default_factory=Path)
    history: tuple[tuple[str, str], ...] = ()
    ahead: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    curator: Callable[[ToolContext, Any], ToolResult] | None = None

    def reranking(self) -> dict[str, Any]:
        """Return the keyword arguments that retrieval takes for its reranker."""
        if self.options.reranker == "none":
            return {}
        reranker = self.models.reranker()
        if reranker is None:
            return {}
        return {"reranker": reranker, "rerank_top": self.options.rerank_top}

    def query_options(self) -> QueryOptions:
        """Return which steps a question goes through before it is searched."""
        from domainsmith.chains.query_options import QueryOptions

        names = ("decompose", "step_back", "translate", "spelling")
        return QueryOptions(**{name: getattr(self.options, name) for name in names})


@dataclass(frozen=True)
class ToolResult:
    """What a tool did.

    Args:
        ok: False if it did not do what was asked; the summary then says why.
        summary: One to three sentences with the numbers, in the context's language.
        artifact_ids: Ids of what was made or found, main one first.
        data: Plain JSON data for programs.
    """

    ok: bool
    summary: str
    artifact_ids: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for checkpoints and the effects table."""
        return {
            "ok": self.ok,
            "summary": self.summary,
            "artifact_ids": list(self.artifact_ids),
            "data": self.data,
        }


A = TypeVar("A", bound=ToolArguments)


@dataclass(frozen=True)
class Tool(Generic[A]):
    """A function the model may choose.

    Args:
        name: What it is called by.
        title: Its name for people, by language.
        description: What it does and when to use it, by language.
        arguments: Its arguments.
        run: Does it.
        side_effect: True if it changes something outside the workspace's data or costs much, so
            that a person must approve it.
        writes: True if it changes the workspace; such tools never run in parallel.
        requires: What must exist before.
        produces: What exists afterwards.
        estimate: Tells the cost before it runs, as plain data with a ``summary``.
        holds: Tells from the ``data`` of an earlier result whether it is still true; None if
            nothing can undo it.
    """

    name: str
    title: Mapping[Language, str]
    description: Mapping[Language, str]
    arguments: type[A]
    run: Callable[[ToolContext, A], ToolResult]
    side_effect: bool = False
    writes: bool = False
    requires: tuple[ArtifactKind, ...] = ()
    produces: tuple[ArtifactKind, ...] = ()
    estimate: Callable[[ToolContext, A], dict[str, Any]] | None = None
    holds: Callable[[ToolContext, Mapping[str, Any]], bool] | None = None

    @cached_property
    def required_arguments(self) -> tuple[str, ...]:
        """Names of the arguments without a default, in order."""
        return tuple(n for n, f in self.arguments.model_fields.items() if f.is_required())

    def parse(self, arguments: Mapping[str, Any]) -> A:
        """Check arguments.

        Args:
            arguments: Plain data, as a model or a person gave it.

        Returns:
            The checked arguments.

        Raises:
            InputInvalid: All problems, in one message.
        """
        try:
            # JSON mode: strict, yet 2 is accepted where a float is asked for.
            return self.arguments.model_validate_json(canonical_json(dict(arguments)))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or 'arguments'}: {item['msg']}"
                for item in error.errors()
            )
            raise InputInvalid(
                f"The arguments of {self.name} do not fit: {problems}",
                fix=f"It takes: {', '.join(self.arguments.model_fields) or 'nothing'}.",
            ) from error

    def canonical(self, arguments: Mapping[str, Any]) -> str:
        """Return the checked arguments as canonical JSON, without absent ones."""
        return canonical_json(self.parse(arguments).model_dump(mode="json", exclude_none=True))

    def call(self, ctx: ToolContext, arguments: Mapping[str, Any]) -> ToolResult:
        """Check the arguments and run.

        Args:
            ctx: What the tool works on.
            arguments: Plain data.

        Returns:
            The result.

        Raises:
            DomainSmithError: The tool could not do it.
        """
        return self.run(ctx, self.parse(arguments))


def say(ctx: ToolContext, en: str, zh: str) -> str:
    """Choose the sentence in the context's language."""
    return zh if ctx.language == "zh" else en
