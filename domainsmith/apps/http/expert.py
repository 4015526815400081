"""The model side of the server: one engine, used by one thread at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from domainsmith.apps.http.protocol import ChatRequest, usage_body
from domainsmith.data_connection.language import detect_language
from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.model_io.generation import GenerationRequest
from domainsmith.model_io.messages import is_refusal, qa_messages
from domainsmith.records import Answer, Language
from domainsmith.storage import lineage
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine

__all__ = ["DEFAULT_MODEL", "WITH_DOCUMENTS", "Reply", "ServedExpert"]

DEFAULT_MODEL = "domainsmith"
"""Alias of the served adapter (or the base model) with documents."""
WITH_DOCUMENTS = "+documents"
BASE_MODEL = "base"
_DEFAULT_TOKENS = 512


@dataclass(frozen=True)
class Reply:
    """A finished answer.

    Args:
        answer: Registered in the workspace.
        text: What the client gets of it.
        finish_reason: ``stop`` or ``length``.
        usage: Token counts.
    """

    answer: Answer
    text: str
    finish_reason: str
    usage: dict[str, int]


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
    """

    workspace: Workspace
    engine: Engine
    answer: Callable[[str, list[tuple[str, str]], str | None], Answer]
    model_name: str
    adapter_id: str | None = None
    system: str = ""
    log: Callable[[str], None] = field(default=lambda line: None)

    @property
    def models(self) -> list[str]:
        """Ids of all models on offer, the default first."""
        names = [self.adapter_id] if self.adapter_id else []
        names.append(BASE_MODEL)
        offered = [variant for name in names for variant in (name, name + WITH_DOCUMENTS)]
        return [DEFAULT_MODEL, *offered]

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
        if len(request.messages) != 2 * len(request.history) + 1:
            raise InputInvalid("messages: user and assistant must take turns")

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
        """
        started = time.monotonic()
        if self.uses_documents(request):
            return self._from_documents(request)
        (completion,) = self.engine.generate([self._generation(request)], cancel=cancel)
        answer = self._register(request, completion.text, started)
        usage = usage_body(completion.prompt_tokens, completion.completion_tokens)
        return Reply(answer, completion.text, completion.finish_reason, usage)

    def stream(self, request: ChatRequest, cancel: threading.Event) -> Iterator[str | Reply]:
        """Answer a request in pieces.

        Args:
            request: A checked request.
            cancel: Set when nobody waits for the answer any more.

        Yields:
            Pieces of text, then the whole reply. With documents an answer is shown once it is
            checked against its sources, so it comes in one go.
        """
        if self.uses_documents(request):
            reply = self._from_documents(request)
            yield from _words(reply.text)
            yield reply
            return
        started = time.monotonic()
        completion = yield from self.engine.stream(self._generation(request), cancel)
        answer = self._register(request, completion.text, started)
        usage = usage_body(completion.prompt_tokens, completion.completion_tokens)
        yield Reply(answer, completion.text, completion.finish_reason, usage)

    def _alone(self, request: ChatRequest) -> str:
        if request.model == DEFAULT_MODEL:
            return self.adapter_id or BASE_MODEL
        return request.model.removesuffix(WITH_DOCUMENTS)

    def _adapter_name(self, request: ChatRequest) -> str | None:
        alone = self._alone(request)
        return None if alone == BASE_MODEL else alone

    def _prompt(self, request: ChatRequest) -> str:
        """Render the conversation; without a system message, as the adapter was trained."""
        turns: list[Any] = [message.plain for message in request.messages]
        if not any(turn["role"] == "system" for turn in turns):
            trained = self.system if self._adapter_name(request) else ""
            asked = qa_messages(
                request.question,
                language=_language(request.question),
                system=trained or None,
            )
            # One question is asked word for word as in training; a conversation keeps its turns.
            turns = list(asked) if len(turns) == 1 else [asked[0], *turns]
        return self.engine.render(turns)

    def _generation(self, request: ChatRequest) -> GenerationRequest:
        prompt = self._prompt(request)
        room = self.engine.context_length - self.engine.count_tokens(prompt)
        limit = request.token_limit or max(1, min(_DEFAULT_TOKENS, room))
        return GenerationRequest(
            prompt=prompt,
            max_new_tokens=limit,
            temperature=request.temperature or 0.0,
            top_p=request.top_p or 1.0,
            seed=request.seed or 0,
            stop=request.stops,
            adapter=self._adapter_name(request),
        )

    def _from_documents(self, request: ChatRequest) -> Reply:
        answer = self.answer(request.question, request.history, self._adapter_name(request))
        text, reason = self._limited(answer.text, request)
        history = "".join(message.text for message in request.messages)
        usage = usage_body(self.engine.count_tokens(history), self.engine.count_tokens(text))
        self.log(f"{answer.id} documents {answer.method} {answer.seconds:.1f} s")
        return Reply(answer, text, reason, usage)

    def _limited(self, text: str, request: ChatRequest) -> tuple[str, str]:
        """Cut a finished answer at its stop texts and token limit."""
        cuts = [at for stop in request.stops if (at := text.find(stop)) >= 0]
        text = text[: min(cuts)] if cuts else text
        limit = request.token_limit
        if limit is None or self.engine.count_tokens(text) <= limit:
            return text, "stop"
        low, high = 0, len(text)
        while low < high:  # the longest beginning within the limit
            middle = (low + high + 1) // 2
            if self.engine.count_tokens(text[:middle]) <= limit:
                low = middle
            else:
                high = middle - 1
        return text[:low], "length"

    def _register(self, request: ChatRequest, text: str, started: float) -> Answer:
        language = _language(request.question)
        adapter = self._adapter_name(request)
        answer = Answer(
            question=request.question,
            text=text,
            language=language,
            refused=is_refusal(text, language),
            method="served",
            model=self.model_name,
            adapter_id=adapter,
            seconds=time.monotonic() - started,
        )
        lineage.put_artifact(self.workspace.db, answer, parents=[adapter] if adapter else [])
        self.log(f"{answer.id} model alone {answer.seconds:.1f} s")
        return answer


def _language(text: str) -> Language:
    return detect_language(text)


def _words(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        start = 0
        for at, char in enumerate(line):
            if char == " ":
                yield line[start : at + 1]
                start = at + 1
        if start < len(line):
            yield line[start:]
