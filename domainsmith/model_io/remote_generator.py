"""A served model as a ``Generator``: bounded parallel requests instead of batches."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import openai

from domainsmith.errors import InputInvalid, OutputInvalid
from domainsmith.model_io.generation import Completion, Constraint, GenerationRequest
from domainsmith.model_io.remote_chat import api_key, split_target, translated_api_errors
from domainsmith.records import Message

__all__ = ["RemoteGenerator"]

_PARALLEL = 8
_TRIES = 3
_CONTEXT = 8192
_POLL_S = 0.1


class RemoteGenerator:
    """Answers many prompts on a server.

    The server has the chat template, so a rendered prompt is the JSON of its messages here.
    Constraints are sent along as a JSON schema for servers that decode by it, and checked here for
    those that ignore it: an answer that breaks its constraint is asked for again with the reason.

    Args:
        name: ``openai:URL#MODEL``.
        client: Sends the requests.
        parallel: Requests in flight at most.
        context_length: Tokens that the model takes; servers have no common way to tell.
    """

    def __init__(
        self,
        name: str,
        client: openai.OpenAI,
        *,
        parallel: int = _PARALLEL,
        context_length: int = _CONTEXT,
    ) -> None:
        self._url, self._model = split_target(name)
        self._client = client
        self._parallel = parallel
        self._context_length = context_length

    @classmethod
    def connect(cls, name: str, **options: Any) -> RemoteGenerator:
        """Make a generator for a served model; nothing is sent yet.

        Args:
            name: ``openai:URL#MODEL``.
            **options: ``parallel`` and ``context_length``.
        """
        url, _ = split_target(name)
        client = openai.OpenAI(base_url=url, api_key=api_key(), timeout=120.0, max_retries=2)
        return cls(name, client, **options)

    @property
    def model_name(self) -> str:
        """The server's name of the model."""
        return self._model

    @property
    def context_length(self) -> int:
        """Prompt and completion tokens that fit together."""
        return self._context_length

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        """Return the messages as JSON."""
        if not add_generation_prompt:
            raise InputInvalid("A server always answers; it cannot continue a prompt")
        plain = [
            item.model_dump() if isinstance(item, Message) else dict(item) for item in messages
        ]
        if not plain:
            raise InputInvalid("There is no message to render")
        return json.dumps(plain, ensure_ascii=False)

    def count_tokens(self, text: str) -> int:
        """Estimate the tokens of a text: one a Chinese character, one for four others."""
        wide = sum(1 for character in text if character >= "\u2e80")
        return wide + -(-(len(text) - wide) // 4)

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        """Answer many requests; see ``Generator.generate``.

        Args:
            requests: Rendered by this generator. Adapters are the server's matter: a request that
                names one asks the server for a model of that name.
            batch_size: Requests in flight; 0 takes the generator's number.
            cancel: When set, no further request is sent and the open ones end as ``cancelled``.

        Yields:
            One completion a request, as they finish.

        Raises:
            EndpointUnavailable: The server cannot be used.
            OutputInvalid: An answer breaks its constraint after several tries.
        """
        cancel = cancel or threading.Event()
        pool = ThreadPoolExecutor(batch_size or self._parallel, thread_name_prefix="remote")
        try:
            open_ones: set[Future[Completion]] = {
                pool.submit(self._answer, index, request, cancel)
                for index, request in enumerate(requests)
            }
            while open_ones:
                done, open_ones = wait(open_ones, _POLL_S, FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _answer(
        self, index: int, request: GenerationRequest, cancel: threading.Event
    ) -> Completion:
        messages = _messages(request.prompt)
        prompt_tokens = completion_tokens = 0
        problem = ""
        for _ in range(_TRIES):
            if cancel.is_set():
                return Completion(index, "", prompt_tokens, completion_tokens, "cancelled")
            text, usage, reason = self._ask(messages, request)
            prompt_tokens += usage[0]
            completion_tokens += usage[1]
            text, problem = _checked(text, request.constraint)
            if not problem:
                finish: Any = "length" if reason == "length" else "stop"
                return Completion(index, text, prompt_tokens, completion_tokens, finish)
            messages = [
                *messages,
                {"role": "assistant", "content": text},
                {"role": "user", "content": problem},
            ]
        raise OutputInvalid(
            f"The served model breaks its constraint after {_TRIES} tries: {problem}",
            where=f"{self._url} {self._model}",
        )

    def _ask(
        self, messages: list[dict[str, Any]], request: GenerationRequest
    ) -> tuple[str, tuple[int, int], str]:
        options: dict[str, Any] = {}
        if request.constraint is not None and request.constraint.kind != "regex":
            schema = _wire_schema(request.constraint)
            options["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            }
        if request.top_k:
            options["extra_body"] = {"top_k": request.top_k}
        if request.stop:
            options["stop"] = list(request.stop)
        with translated_api_errors(f"{self._url} {self._model}"):
            answer: Any = self._client.chat.completions.create(
                model=request.adapter or self._model,
                messages=messages,  # type: ignore[arg-type]
                max_tokens=request.max_new_tokens,
                temperature=request.temperature,
                top_p=request.top_p,
                seed=request.seed,
                **options,
            )
        choice, usage = answer.choices[0], answer.usage
        counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        return choice.message.content or "", counts, str(choice.finish_reason)


def _messages(prompt: str) -> list[dict[str, Any]]:
    try:
        messages = json.loads(prompt)
    except ValueError as error:
        raise InputInvalid(
            "The prompt was not rendered by this generator", where=prompt[:80]
        ) from error
    if not isinstance(messages, list):
        raise InputInvalid("The prompt was not rendered by this generator", where=prompt[:80])
    return messages


def _wire_schema(constraint: Constraint) -> dict[str, Any]:
    if constraint.kind == "json_schema":
        return constraint.schema
    # Servers decode by schema, not by choice, so a choice travels as an object of one field.
    answer = {"type": "string", "enum": list(constraint.body)}
    return {
        "type": "object",
        "properties": {"answer": answer},
        "required": ["answer"],
        "additionalProperties": False,
    }


def _checked(text: str, constraint: Constraint | None) -> tuple[str, str]:
    """Return the answer proper and what is wrong with it, empty if nothing."""
    if constraint is None:
        return text, ""
    if constraint.kind == "regex":
        pattern = str(constraint.body)
        good = re.fullmatch(pattern, text.strip()) is not None
        return text.strip(), "" if good else f"The answer must match the pattern {pattern}"
    try:
        value = json.loads(_without_fence(text))
    except ValueError:
        if constraint.kind == "choice" and text.strip() in constraint.body:
            return text.strip(), ""
        return text, f"Answer with JSON of this schema only: {json.dumps(_wire_schema(constraint))}"
    if constraint.kind == "choice":
        chosen = value.get("answer") if isinstance(value, dict) else value
        good = isinstance(chosen, str) and chosen in constraint.body
        return str(chosen), "" if good else f"Answer with one of: {', '.join(constraint.body)}"
    problem = _schema_problem(value, constraint.schema)
    return json.dumps(value, ensure_ascii=False), problem


def _without_fence(text: str) -> str:
    match = re.fullmatch(r"\s*```(?:json)?\s*(.*?)\s*```\s*", text, re.DOTALL)
    return match.group(1) if match else text


def _schema_problem(value: Any, schema: Mapping[str, Any]) -> str:
    import jsonschema

    try:
        jsonschema.validate(value, dict(schema))
    except jsonschema.ValidationError as error:
        return f"The JSON breaks its schema: {error.message[:200]}"
    return ""
