"""Asks a server until its answer is what was wanted: the loop, without the network.

The loop is a generator that yields what to send and takes what came back, so that the blocking and
the asynchronous chat model share it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatGeneration, ChatResult

from domainsmith.errors import InputInvalid, OutputInvalid
from domainsmith.model_io.remote_checks import NotHonouredError, with_ids
from domainsmith.model_io.remote_ladder import Step, Wanted
from domainsmith.model_io.remote_ways import language_of
from domainsmith.prompts import render

__all__ = ["Asked", "Reply", "Tries", "answer_of", "driven", "driven_async", "tries"]

_MEMORY = 1000


@dataclass(frozen=True)
class Asked:
    """One request.

    Args:
        messages: What is sent.
        options: Of the request.
    """

    messages: list[BaseMessage]
    options: dict[str, Any]


Reply = ChatResult | InputInvalid
"""What came back: an answer, or the server's refusal."""
Tries = Generator[Asked, Reply, ChatResult]


def tries(
    messages: list[BaseMessage],
    wanted: Wanted,
    options: Mapping[str, Any],
    *,
    limit: int,
    refused: set[str],
    place: str,
) -> Tries:
    """Ask for what is wanted, again with the error where the answer is wrong.

    Args:
        messages: The conversation.
        wanted: What the answer must be.
        options: Further options of each request; ``extra_body`` is merged.
        limit: Answers that are looked at; requests that the server refuses do not count.
        refused: Names of the steps that this server does not do; grows.
        place: URL and model, for errors.

    Yields:
        Requests; takes their answers or refusals.

    Returns:
        The good answer, with the usage of all tries together and their number in its metadata.

    Raises:
        OutputInvalid: No answer was good.
        InputInvalid: The server refuses the last way of asking too.
    """
    steps = _left(wanted.steps(), refused)
    passed: list[str] = []
    shown: list[BaseMessage] = []
    usage: UsageMetadata | None = None
    number = 0
    while True:
        step = steps[0]
        reply = yield Asked([*step.ask(messages), *shown], _merged(options, step))
        if isinstance(reply, InputInvalid):
            if len(steps) == 1:
                raise reply
            passed.append(steps.pop(0).name)
            continue
        # Now it is known that the format was refused, and not the conversation.
        refused.update(passed)
        number += 1
        message = answer_of(reply)
        usage = add_usage(usage, message.usage_metadata) if message.usage_metadata else usage
        try:
            good = step.read(message)
        except OutputInvalid as problem:
            if number >= limit:
                raise _hopeless(message, problem, number=number, place=place) from problem
            shown = _shown(messages, message, problem)
            if isinstance(problem, NotHonouredError) and len(steps) > 1:
                refused.add(steps.pop(0).name)
            continue
        return _result(reply, good, usage=usage, number=number, turn=len(messages))


def _left(steps: list[Step], refused: set[str]) -> list[Step]:
    """Leave out what the server does not do; the last way is always left."""
    if len(refused) > _MEMORY:
        refused.clear()
    return [step for step in steps[:-1] if step.name not in refused] + steps[-1:]


def _hopeless(
    message: AIMessage, problem: OutputInvalid, *, number: int, place: str
) -> OutputInvalid:
    return OutputInvalid(
        f"The model's answer cannot be used after {number} tries: {problem.what}",
        where=f"{place}: {_as_text(message)[-160:]}",
        fix="Raise max_tokens." if _was_cut(message) else "Use a stronger model.",
    )


def driven(
    steps: Tries, ask: Callable[[Asked], ChatResult], first: Reply | None = None
) -> ChatResult:
    """Run the loop.

    Args:
        steps: The loop.
        ask: Sends a request; raises ``InputInvalid`` where the server refuses it.
        first: The reply to the first request, if that was made already.
    """
    try:
        request = next(steps) if first is None else steps.send(first)
        while True:
            try:
                reply: Reply = ask(request)
            except InputInvalid as error:
                reply = error
            request = steps.send(reply)
    except StopIteration as end:
        result: ChatResult = end.value
        return result


async def driven_async(
    steps: Tries, ask: Callable[[Asked], Awaitable[ChatResult]], first: Reply | None = None
) -> ChatResult:
    """Run the loop; see :func:`driven`."""
    try:
        request = next(steps) if first is None else steps.send(first)
        while True:
            try:
                reply: Reply = await ask(request)
            except InputInvalid as error:
                reply = error
            request = steps.send(reply)
    except StopIteration as end:
        result: ChatResult = end.value
        return result


def _merged(options: Mapping[str, Any], step: Step) -> dict[str, Any]:
    body = {**(options.get("extra_body") or {}), **(step.options.get("extra_body") or {})}
    merged = {**options, **step.options}
    return {**merged, "extra_body": body} if body else merged


def answer_of(reply: ChatResult) -> AIMessage:
    """Return the message of a reply, with all its metadata."""
    generation = reply.generations[0]
    message = generation.message
    assert isinstance(message, AIMessage)
    metadata = {**(generation.generation_info or {}), **message.response_metadata}
    return message.model_copy(update={"response_metadata": metadata})


def _shown(
    messages: list[BaseMessage], message: AIMessage, problem: OutputInvalid
) -> list[BaseMessage]:
    """Show the model its answer and what is wrong with it."""
    again = render("answer_again", language_of(messages), problem=problem.what)
    return [AIMessage(_as_text(message)), HumanMessage(again)]


def _as_text(message: AIMessage) -> str:
    calls = [f"{call['name']}({json.dumps(call['args'])})" for call in message.tool_calls]
    calls += [f"{call['name']}({call['args']})" for call in message.invalid_tool_calls]
    return "\n".join(part for part in (message.text, *calls) if part) or "(empty)"


def _was_cut(message: AIMessage) -> bool:
    return message.response_metadata.get("finish_reason") == "length"


def _result(
    reply: ChatResult, good: AIMessage, *, usage: UsageMetadata | None, number: int, turn: int
) -> ChatResult:
    calls = list(with_ids(good.tool_calls, salt=turn))
    reason = "tool_calls" if calls else good.response_metadata.get("finish_reason")
    metadata = {**good.response_metadata, "finish_reason": reason, "tries": number}
    message = good.model_copy(
        update={"tool_calls": calls, "usage_metadata": usage, "response_metadata": metadata}
    )
    info = {"finish_reason": reason}
    generation = ChatGeneration(message=message, generation_info=info)
    return ChatResult(generations=[generation], llm_output=reply.llm_output)
