"""The model side of the server: one engine, used by one thread at a time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domainsmith.apps.http.bodies import usage_body
from domainsmith.apps.http.finished_text import limited, words
from domainsmith.apps.http.protocol import ChatRequest
from domainsmith.data_connection.language import detect_language
from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import Answer
from domainsmith.storage import lineage
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from langchain_core.messages import ToolCall

    from domainsmith.apps.http.alone import AloneAnswer
    from domainsmith.model_io.embed import LocalEmbedder
    from domainsmith.model_io.engine import Engine

__all__ = ["DEFAULT_MODEL", "WITH_DOCUMENTS", "Reply", "ServedExpert"]

DEFAULT_MODEL = "domainsmith"
"""Alias of the served adapter (or the base model) with documents."""
WITH_DOCUMENTS = "+documents"
BASE_MODEL = "base"
_ALONE_ONLY = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "structured_outputs",
)


@dataclass(frozen=True)
class Reply:
    """A finished answer.

    Args:
        answer: Registered in the workspace.
        text: What the client gets of it.
        finish_reason: ``stop``, ``length`` or ``tool_calls``.
        usage: Token counts.
        calls: Tools that it calls.
    """

    answer: Answer
    text: str
    finish_reason: str
    usage: dict[str, int]
    calls: tuple[ToolCall, ...] = ()


@dataclass
class ServedExpert:
    """Answers chat requests with the model alone or with the documents.

    Args:
        workspace: Where answers are registered.
        engine: The loaded base model.
        answer: The answer chain for (question, history, adapter name or None).
        model_name: For lineage.
        adapter_id: The served adapter, loaded into the engine under this name; None for base.
        system: The system prompt that the adapter was trained with; empty for the expert's.
        log: Called with one line for each answer.
        embedder: Answers requests for vectors; None refuses them.
    """

    workspace: Workspace
    engine: Engine
    answer: Callable[[str, list[tuple[str, str]], str | None], Answer]
    model_name: str
    adapter_id: str | None = None
    system: str = ""
    log: Callable[[str], None] = field(default=lambda line: None)
    embedder: LocalEmbedder | None = None

    @property
    def models(self) -> list[str]:
        """Ids of all models on offer, the default first."""
        names = [self.adapter_id] if self.adapter_id else []
        names.append(BASE_MODEL)
        offered = [variant for name in names for variant in (name, name + WITH_DOCUMENTS)]
        return [DEFAULT_MODEL, *offered]

    @property
    def context_length(self) -> int:
        """Tokens that a conversation and its answer may have together."""
        return self.engine.context_length

    def check(self, request: ChatRequest) -> None:
        """Refuse what cannot be honoured, before any work.

        Args:
            request: The request.

        Raises:
            InputNotFound: There is no such model.
            InputInvalid: A parameter has no effect with this model.
        """
        if request.model not in self.models:
            raise InputNotFound(
                f"There is no model {request.model[:100]!r}",
                fix="Take one of: " + ", ".join(self.models) + ".",
            )
        if not self.uses_documents(request):
            return
        alone = self._alone(request)
        if any(message.role in ("system", "developer") for message in request.messages):
            raise InputInvalid(
                f"messages: {request.model} has its own system prompt", fix=f"Use model {alone}."
            )
        if request.temperature or 0 < (request.top_p or 0) < 1:
            raise InputInvalid(
                f"temperature, top_p: {request.model} answers without sampling",
                fix=f"Leave them out or use model {alone}.",
            )
        self._check_plain(request, alone)
        if len(request.messages) != 2 * len(request.history) + 1:
            raise InputInvalid("messages: user and assistant must take turns")

    def _check_plain(self, request: ChatRequest, alone: str) -> None:
        """Refuse what has an effect on the model alone only."""
        fields = [name for name in _ALONE_ONLY if getattr(request, name) is not None]
        if request.response_format is not None and request.response_format.type == "text":
            fields.remove("response_format")
        if any(message.name for message in request.messages):
            fields.append("messages: name")
        if any(message.role == "tool" or message.tool_calls for message in request.messages):
            fields.append("messages: tool calls")
        if fields:
            raise InputInvalid(
                f"{', '.join(fields)}: {request.model} answers from the documents, in words",
                fix=f"Leave them out or use model {alone}.",
            )

    def uses_documents(self, request: ChatRequest) -> bool:
        """Tell whether a request's model answers from the documents."""
        return request.model == DEFAULT_MODEL or request.model.endswith(WITH_DOCUMENTS)

    def reply(self, request: ChatRequest, cancel: threading.Event) -> Reply:
        """Answer a request as a whole.

        Args:
            request: A checked request.
            cancel: Set when nobody waits for the answer any more.

        Returns:
            The registered answer and what the client gets of it.

        Raises:
            ContextOverflow: The conversation is longer than the model's context.
            InputInvalid: A schema or pattern cannot be satisfied.
            OutputInvalid: A call was cut before its end, or the answer breaks its format.
        """
        from domainsmith.apps.http.alone import answer_alone

        started = time.monotonic()
        if self.uses_documents(request):
            return self._from_documents(request)
        found = answer_alone(
            self.engine,
            request,
            adapter=self._adapter_name(request),
            system=self._trained_system(request),
            cancel=cancel,
        )
        return self._reply(request, found, started)

    def stream(self, request: ChatRequest, cancel: threading.Event) -> Iterator[str | Reply]:
        """Answer a request in pieces.

        Args:
            request: A checked request.
            cancel: Set when nobody waits for the answer any more.

        Yields:
            Pieces of text, then the whole reply. With documents an answer is shown once it is
            checked against its sources, so it comes in one go.
        """
        from domainsmith.apps.http.alone import stream_alone

        if self.uses_documents(request):
            reply = self._from_documents(request)
            yield from words(reply.text)
            yield reply
            return
        started = time.monotonic()
        found = yield from stream_alone(
            self.engine,
            request,
            adapter=self._adapter_name(request),
            system=self._trained_system(request),
            cancel=cancel,
        )
        yield self._reply(request, found, started)

    def _alone(self, request: ChatRequest) -> str:
        if request.model == DEFAULT_MODEL:
            return self.adapter_id or BASE_MODEL
        return request.model.removesuffix(WITH_DOCUMENTS)

    def _adapter_name(self, request: ChatRequest) -> str | None:
        alone = self._alone(request)
        return None if alone == BASE_MODEL else alone

    def _trained_system(self, request: ChatRequest) -> str:
        return self.system if self._adapter_name(request) else ""

    def _from_documents(self, request: ChatRequest) -> Reply:
        answer = self.answer(request.question, request.history, self._adapter_name(request))
        text, reason = limited(
            answer.text,
            stops=request.stops,
            limit=request.token_limit,
            count=self.engine.count_tokens,
        )
        history = "".join(message.text for message in request.messages)
        usage = usage_body(self.engine.count_tokens(history), self.engine.count_tokens(text))
        self.log(f"{answer.id} documents {answer.method} {answer.seconds:.1f} s")
        return Reply(answer, text, reason, usage)

    def _reply(self, request: ChatRequest, found: AloneAnswer, started: float) -> Reply:
        """Register an answer of the model alone."""
        language = detect_language(request.question)
        adapter = self._adapter_name(request)
        called = [{"name": call["name"], "arguments": call["args"]} for call in found.calls]
        answer = Answer(
            question=request.question,
            text=found.text or (json.dumps(called, ensure_ascii=False) if called else ""),
            language=language,
            refused=is_refusal(found.text, language),
            method="served",
            model=self.model_name,
            adapter_id=adapter,
            seconds=time.monotonic() - started,
        )
        lineage.put_artifact(self.workspace.db, answer, parents=[adapter] if adapter else [])
        self.log(f"{answer.id} model alone {answer.seconds:.1f} s")
        usage = usage_body(found.prompt_tokens, found.completion_tokens)
        return Reply(answer, found.text, found.finish_reason, usage, found.calls)
