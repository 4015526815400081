"""Puts the parts together from the settings: models on first use, the tools' context."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.apps.answer_chains import workspace_answer_chain
from domainsmith.apps.chat_models import ChatModels
from domainsmith.apps.search_models import chosen_reranker, tuned_embedder
from domainsmith.errors import InputInvalid
from domainsmith.progress import ProgressCallback, silent
from domainsmith.records import Answer, Language
from domainsmith.settings import Settings
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.agents.policy import Policy
    from domainsmith.data_connection.filters import PassageFilter
    from domainsmith.data_connection.index import Index
    from domainsmith.model_io.engine import Engine
    from domainsmith.model_io.generation import Embedder, Generator, Reranker
    from domainsmith.tools.tool import ToolContext, ToolResult
    from domainsmith.training.registry import AdapterEntry
    from domainsmith.training.retrieval.registry import RetrieverEntry

__all__ = ["Assembly"]


class Assembly:
    """One workspace with its models; each is loaded on first use and kept.

    Args:
        workspace: The open workspace; closed by its owner.
        settings: Which models, and where they run.
    """

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self.workspace = workspace
        self.settings = settings
        self._lock = threading.RLock()
        self._chat_models = ChatModels(settings)
        self._embedder: Embedder | None = None
        self._index: Index | None = None
        self._reranker: Reranker | None = None
        self._chains: dict[tuple[Any, ...], Any] = {}

    def engine(self) -> Engine:
        """Return the chat model's engine.

        Raises:
            WeightsMissing: There are no weights under the settings' name.
            InputInvalid: The model is a remote one, which has no engine here.
        """
        return self._chat_models.engine()

    def generator(self) -> Generator:
        """Return what writes many texts: the engine, or the served model of a remote name.

        Raises:
            WeightsMissing: There are no weights under the settings' name.
        """
        return self._chat_models.generator()

    def chat(self) -> Any:
        """Return what answers: the engine, or the LangChain chat model of a remote name.

        Raises:
            WeightsMissing: There are no weights under the settings' name.
        """
        return self._chat_models.chat()

    def embedder(self) -> Embedder:
        """Return the embedding model.

        Raises:
            WeightsMissing: There are no weights under the settings' name.
        """
        with self._lock:
            if self._embedder is None:
                tuned = self.tuned_retrievers().get("embedder")
                self._embedder = (
                    self.base_embedder() if tuned is None else tuned_embedder(tuned, self.settings)
                )
            return self._embedder

    def base_embedder(self) -> Embedder:
        """Return the embedding model of the settings, also where a tuned one searches.

        Raises:
            WeightsMissing: There are no weights under the settings' name.
        """
        from domainsmith.model_io.load import load_embedder

        # Loading sets the threads of the whole process, so it must be told them too.
        return load_embedder(
            self.settings.embed_model, device=self.settings.device, threads=self.settings.threads
        )

    def tuned_retrievers(self) -> dict[str, RetrieverEntry]:
        """Return the tuned search models that the settings allow, by role."""
        from domainsmith.training.retrieval.registry import in_use

        if not self.settings.tuned_retrieval:
            return {}
        return in_use(self.workspace, base_model=self.settings.embed_model)

    def index(self) -> Index:
        """Return the workspace's open index, up to date with its database."""
        with self._lock:
            if self._index is None:
                from domainsmith.data_connection.index import Index

                self._index = Index.open(self.workspace, self.embedder())
            else:
                self._index.refresh()
            return self._index

    def reranker(self) -> Reranker | None:
        """Return what orders the passages found anew, or None if there is none.

        Raises:
            WeightsMissing: There are no weights under the settings' name.
            InputInvalid: A model is a remote one, or cannot do what the settings want of it.
        """
        with self._lock:
            if self._reranker is None:
                self._reranker = chosen_reranker(self)
            return self._reranker

    def refresh_search(self) -> None:
        """Let go of embedder, index and reranker; the next use takes those of the workspace."""
        with self._lock:
            if self._index is not None:
                self._index.close()
            self._embedder = self._index = self._reranker = None
            self._chains.clear()

    def load_adapter(self, adapter_id: str) -> AdapterEntry:
        """Put an adapter into the engine under its id, unless it is there.

        Args:
            adapter_id: A registered adapter, or the beginning of its id.

        Returns:
            The adapter.

        Raises:
            InputNotFound: There is no such adapter.
            ArtifactCorrupt: Its files differ from its manifest.
        """
        from domainsmith.training.registry import adapter

        entry = adapter(self.workspace, adapter_id)
        with self._lock:
            engine = self.engine()
            if entry.id not in engine.adapters:
                engine.add_adapter(entry.id, entry.folder)
        return entry

    def answering_adapter(self) -> str | None:
        """Return the id of the adapter that answers unless another is asked for, or None.

        It is the promoted one, if the chat model of the settings can answer with it.
        """
        from domainsmith.tools.adapters import answering_adapter

        entry = answering_adapter(self.context())
        return entry.id if entry else None

    def answer(
        self,
        question: str,
        history: list[tuple[str, str]] | None = None,
        adapter: str | None = None,
        *,
        top_k: int | None = None,
        documents_only: bool = True,
        where: PassageFilter | None = None,
    ) -> Answer:
        """Answer a question from the documents.

        Args:
            question: The question.
            history: Earlier (user, assistant) turns, oldest first.
            adapter: Id of a registered adapter; None for the base model.
            top_k: Passages to use; the settings' if None.
            documents_only: Refuse what the documents do not answer.
            where: Which passages may be found and cited; None allows all.

        Returns:
            The answer, registered with its lineage.
        """
        chain = self.answer_chain(adapter, top_k=top_k, documents_only=documents_only, where=where)
        answer: Answer = chain.invoke({"question": question, "history": history or []})
        return answer

    def answer_chain(
        self,
        adapter: str | None = None,
        *,
        top_k: int | None = None,
        documents_only: bool = True,
        where: PassageFilter | None = None,
    ) -> Any:
        """Return the answer chain for the base model or one adapter; see :meth:`answer`."""
        key = (adapter, top_k, documents_only, where)
        with self._lock:
            self.index()  # what was added since is found by a chain that was kept, too
            if key not in self._chains:
                self._chains[key] = workspace_answer_chain(
                    self, adapter, top_k=top_k, documents_only=documents_only, where=where
                )
            return self._chains[key]

    def context(
        self,
        *,
        progress: ProgressCallback = silent,
        language: Language = "en",
        folder: Path | None = None,
        **options: Any,
    ) -> ToolContext:
        """Build what the tools work on.

        Args:
            progress: Told where long work stands.
            language: Of the results' sentences.
            folder: What relative paths start from; the current folder if None.
            **options: Overrides of :class:`ToolOptions`; None values are left out.

        Returns:
            The context.
        """
        from domainsmith.tools.tool import ToolContext, ToolOptions

        values = self.settings.model_dump(exclude={"max_steps"})
        names = {item.name for item in fields(ToolOptions)}
        chosen = ToolOptions(**{key: values[key] for key in sorted(names & set(values))})
        given = {key: value for key, value in options.items() if value is not None}
        return ToolContext(
            workspace=self.workspace,
            models=self,
            options=replace(chosen, **given),
            progress=progress,
            language=language,
            folder=folder or Path.cwd(),
            curator=_curate,
        )

    def policy(self) -> Policy:
        """Return the agent's rules: the settings' allow rule and budget.

        Raises:
            InputInvalid: The allow rule names what is no tool, and so would allow nothing.
        """
        from domainsmith.agents.policy import Budget, Policy
        from domainsmith.tools.toolset import TOOLS

        if unknown := sorted(set(self.settings.approve) - set(TOOLS)):
            asking = ", ".join(tool.name for tool in TOOLS.values() if tool.side_effect)
            raise InputInvalid(
                "The setting approve names no tool",
                where=", ".join(unknown),
                fix=f"Tools that ask are {asking}.",
            )
        budget = Budget(steps=self.settings.max_steps, seconds=self.settings.max_seconds)
        return Policy(allow=self.settings.approve, budget=budget)

    def close(self) -> None:
        """Close the index; the models go with the process."""
        with self._lock:
            if self._index is not None:
                self._index.close()
                self._index = None
            self._chains.clear()

    @property
    def is_remote(self) -> bool:
        """Whether the chat model of the settings is served by another program."""
        return self._chat_models.is_remote


def _curate(ctx: ToolContext, arguments: Any) -> ToolResult:
    from domainsmith.agents.curation.result import run_curation

    return run_curation(ctx, arguments)
