"""The demo's last steps: asking the served model as any client of the OpenAI protocol would."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from domainsmith.errors import InputEmpty

__all__ = ["EndpointReply", "ask_endpoint", "free_port"]

_SECONDS = 120


@dataclass(frozen=True)
class EndpointReply:
    """What the endpoint answered.

    Args:
        id: Of the registered answer.
        text: The answer.
        method: How it was made; ``served`` is the model alone.
        refused: Whether it says that the documents do not answer.
    """

    id: str
    text: str
    method: str
    refused: bool


def ask_endpoint(url: str, model: str, question: str) -> EndpointReply:
    """Ask one question.

    Args:
        url: Of the endpoint, ending with ``/v1``.
        model: One of its models.
        question: The question.

    Returns:
        The reply; its text may say that the documents do not answer.

    Raises:
        InputEmpty: There was no answer, or an empty one.
    """
    import openai

    from domainsmith.model_io.messages import is_refusal

    with openai.OpenAI(
        base_url=url,
        # The server reads its key from the same variable; without one any text will do.
        api_key=os.environ.get("DOMAINSMITH_API_KEY") or "local",
        max_retries=0,
        timeout=_SECONDS,
        # The endpoint is on this machine: a proxy of the environment is not for it.
        http_client=openai.DefaultHttpxClient(trust_env=False),
    ) as client:
        try:
            reply = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": question}]
            )
        except openai.OpenAIError as error:
            raise InputEmpty(
                f"The endpoint gave no answer: {error}", where=url, fix="Read serve.log."
            ) from error
    text = (reply.choices[0].message.content or "").strip()
    if not text:
        raise InputEmpty(
            "The endpoint answered with an empty text", where=url, fix="Read serve.log."
        )
    details = (reply.model_extra or {}).get("domainsmith") or {}
    return EndpointReply(
        id=reply.id,
        text=text,
        method=str(details.get("method", "")),
        refused=bool(details.get("refused")) or is_refusal(text),
    )


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
