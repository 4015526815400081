"""A served model as a ``Generator``: what writes training data need not run in this process.

Prompts become chat messages, constraints the server's guided decoding where it has that, and else
words, a check and another try (:mod:`domainsmith.model_io.remote_ladder`). A server tells no
likelihood of given texts, so there is no ``Scorer`` here: callers leave out what needs one.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

import openai
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from domainsmith.errors import ContextOverflow, EndpointUnavailable, InputInvalid, OutputInvalid
from domainsmith.model_io.generation import Completion, Constraint, FinishReason, GenerationRequest
from domainsmith.model_io.remote_chat import RemoteChat, open_remote_chat
from domainsmith.model_io.remote_errors import translated_api_errors
from domainsmith.model_io.remote_target import (
    context_length,
    split_target,
    without_credentials,
)
from domainsmith.prompts import render as render_prompt
from domainsmith.records import Language, Message, content_hash

__all__ = ["ChatPrompt", "RemoteGenerator", "estimated_tokens"]

_ASKED_AT_ONCE = 8
_TRIES = 4
"""Requests until a server that breaks off or answers with something else is given up."""
_PAUSE = 0.5
"""Seconds before the second of them; doubled before each further one."""
_UNKNOWN_CONTEXT = 4096
_FINAL = frozenset({400, 401, 403, 404, 422})
"""Answers of a server that another try does not change."""
_PIECE = re.compile(r"[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef]|[^\W_]+|[^\w\s]")
_WORD_LETTERS = 6


class ChatPrompt(str):
    """A prompt that remembers the messages it was rendered from.

    As a text it is a transcript, for counting and for logs; what is sent are the messages.
    """

    messages: tuple[Message, ...]

    def __new__(cls, messages: Sequence[Message]) -> ChatPrompt:
        """Render messages as a transcript."""
        turns = (f"{item.role}: {item.content}" for item in messages)
        prompt = super().__new__(cls, "\n".join(turns))
        prompt.messages = tuple(messages)
        return prompt


class RemoteGenerator:
    """A ``Generator`` on an OpenAI-compatible server; nothing is sent before the first use.

    Args:
        name: ``openai:URL#MODEL``. The key comes from ``DOMAINSMITH_API_KEY``, else
            ``OPENAI_API_KEY``.
        at_once: Requests that the server is given at the same time.
        **options: Of ``ChatOpenAI`` (``timeout`` in seconds, ``max_retries``).

    Attributes:
        is_weak: False: what somebody serves for this counts as a strong model.

    Raises:
        InputInvalid: The name is not of that form.
    """

    is_weak = False

    def __init__(self, name: str, *, at_once: int = _ASKED_AT_ONCE, **options: Any) -> None:
        url, model = split_target(name)
        address = without_credentials(url)
        self._name = f"{model}@{content_hash(address)[:12]}"
        self._place = f"{address} {model}"
        settings = {"max_retries": 5, "max_tries": 4, **options}
        self._chat: RemoteChat = open_remote_chat(name, **settings)
        self._at_once = max(1, at_once)
        self._context = 0

    @property
    def model_name(self) -> str:
        """The model and the first 12 digits of its address's hash."""
        return self._name

    @property
    def context_length(self) -> int:
        """Tokens that fit, as the server's list of models says; 4,096 if it does not."""
        if not self._context:
            try:
                with translated_api_errors(self._place):
                    rows = self._chat.root_client.models.list().data
            except EndpointUnavailable:
                rows = []  # the first request tells what is wrong
            self._context = context_length(rows, self._chat.model_name)
        return self._context or _UNKNOWN_CONTEXT

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        """Return chat messages as a prompt; the server's template renders them.

        Args:
            messages: The conversation.
            add_generation_prompt: Must be true: a server always answers.

        Raises:
            InputInvalid: ``add_generation_prompt`` is false.
        """
        if not add_generation_prompt:
            raise InputInvalid("A served model cannot leave the last turn open", where=self._place)
        return ChatPrompt(
            [
                item if isinstance(item, Message) else Message.model_validate(item)
                for item in messages
            ]
        )

    def count_tokens(self, text: str) -> int:
        """Estimate the tokens of a text, rather too many: the tokenizer is with the server."""
        return estimated_tokens(text)

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        """Yield one completion a request as they finish; ``index`` tells which.

        Args:
            requests: Prompts, from :meth:`render` or plain texts to be continued.
            batch_size: Requests at once; the generator's own number if 0.
            cancel: Lets requests that are not sent yet end as ``cancelled``.

        Yields:
            Completions. One whose every try broke its constraint, or whose prompt is too long for
            the server, is empty and ends as ``invalid``.

        Raises:
            EndpointUnavailable: The server does not answer as it should, after all tries.
            InputInvalid: The server refuses a request, or a request names an adapter.
        """
        if any(request.adapter for request in requests):
            raise InputInvalid(
                "A served model takes no adapter of this process",
                where=self._place,
                fix="Name the adapter as a model of its server: openai:URL#ADAPTER.",
            )
        jobs = deque(enumerate(requests))
        done: SimpleQueue[Completion | BaseException] = SimpleQueue()
        stop = threading.Event()

        def work() -> None:
            while jobs and not stop.is_set():
                try:
                    index, request = jobs.popleft()
                except IndexError:  # another thread was faster
                    return
                if cancel is not None and cancel.is_set():
                    done.put(Completion(index, "", 0, 0, "cancelled"))
                    continue
                try:
                    done.put(replace(self._complete(request, stop), index=index))
                except BaseException as error:  # noqa: BLE001 -- raised where it is waited for
                    done.put(error)

        # Daemons, so that an interrupt need not wait for answers that nobody reads any more.
        for number in range(min(batch_size or self._at_once, len(requests))):
            threading.Thread(target=work, name=f"asking {number}", daemon=True).start()
        try:
            for _ in requests:
                found = done.get()
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            stop.set()

    def _complete(self, request: GenerationRequest, stop: threading.Event) -> Completion:
        """Ask, and again where the answer broke off or was none.

        The client itself repeats what the server was too busy for.
        """
        for tried in range(1, _TRIES + 1):
            try:
                return self._ask(request)
            except (OutputInvalid, ContextOverflow):
                return Completion(0, "", estimated_tokens(request.prompt), 0, "invalid")
            except EndpointUnavailable as error:
                cause = error.__cause__
                final = isinstance(cause, openai.APIStatusError) and cause.status_code in _FINAL
                if final or tried == _TRIES or stop.wait(_PAUSE * 2 ** (tried - 1)):
                    raise
        raise AssertionError("the last try returns or raises")

    def _ask(self, request: GenerationRequest) -> Completion:
        options: dict[str, Any] = {
            "max_tokens": request.max_new_tokens,
            "temperature": min(2.0, request.temperature),
            "seed": request.seed % 2**31,
        }
        if request.top_p < 1:
            options["top_p"] = request.top_p
        if request.top_k:
            options["extra_body"] = {"top_k": request.top_k}
        if request.stop:
            options["stop"] = list(request.stop)
        asked, originals = _asked(request.constraint)
        if asked is not None:
            options["constraint"] = asked
        reply = self._chat.invoke(_messages(request.prompt), **options)
        assert isinstance(reply, AIMessage)
        text = originals.get(reply.text, reply.text)
        usage: Mapping[str, Any] = reply.usage_metadata or {}
        cut = reply.response_metadata.get("finish_reason") == "length"
        reason: FinishReason = "length" if cut and asked is None else "stop"
        return Completion(
            0,
            text,
            int(usage.get("input_tokens") or estimated_tokens(request.prompt)),
            int(usage.get("output_tokens") or estimated_tokens(text)),
            reason,
        )


def estimated_tokens(text: str) -> int:
    """Count tokens without a tokenizer: a CJK character or sign is one, a word one in six letters.

    Args:
        text: Any text.
    """
    return sum(-(-len(piece) // _WORD_LETTERS) for piece in _PIECE.findall(text))


def _messages(prompt: str) -> list[AnyMessage]:
    """Return what is sent: the messages of a rendered prompt, or a text with what to do with it."""
    if not isinstance(prompt, ChatPrompt):
        language: Language = "zh" if re.search("[\u3400-\u9fff]", prompt[-400:]) else "en"
        return [HumanMessage(render_prompt("continue_text", language, text=prompt))]
    kinds: dict[str, type[SystemMessage | HumanMessage | AIMessage]] = {
        "system": SystemMessage,
        "user": HumanMessage,
        "assistant": AIMessage,
    }
    return [kinds[item.role](content=item.content) for item in prompt.messages]


def _asked(constraint: Constraint | None) -> tuple[Constraint | None, dict[str, str]]:
    """Leave out the blank that a continued text begins with and an answer does not.

    Returns:
        The constraint, and the choices that it stands for by the stripped ones.
    """
    if constraint is None or constraint.kind == "json_schema":
        return constraint, {}
    if isinstance(constraint.body, str):
        return Constraint.regex(re.sub(r"^ \??", "", constraint.body)), {}
    return Constraint.choice([text.strip() for text in constraint.body]), {
        text.strip(): text for text in constraint.body
    }
