"""A generator and scorer without a model: equal prompts give equal answers at no cost."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domainsmith.model_io.generation import Completion, GenerationRequest, LogLikelihood
from domainsmith.records import Message

__all__ = ["ScriptedModel"]


class ScriptedModel:
    """A ``Generator`` and ``Scorer`` whose words are a function of the prompt."""

    model_name = "scripted"
    context_length = 2048

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        """Join the messages.

        Args:
            messages: The conversation.
            add_generation_prompt: End with the assistant's mark.

        Returns:
            The prompt.
        """
        turns = [item if isinstance(item, Message) else Message(**item) for item in messages]
        end = "assistant:" if add_generation_prompt else ""
        return "".join(f"{turn.role}: {turn.content}\n" for turn in turns) + end

    def count_tokens(self, text: str) -> int:
        """Estimate tokens.

        Args:
            text: Any text.

        Returns:
            A quarter of its characters.
        """
        return len(text) // 4

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        """Answer each request with a question about hours or volts.

        Args:
            requests: Prompts.
            batch_size: Not used.
            cancel: Not used.

        Yields:
            Completions, the last request first, as a real engine may.
        """
        for index, request in reversed(list(enumerate(requests))):
            what = "hours" if _share(request.prompt) < 0.5 else "volts"
            text = f"How many {what} does the unit run for before it is checked?"
            yield Completion(index, text, len(request.prompt) // 4, 12, "stop")

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        """Judge completions by the hash of both texts.

        Args:
            pairs: (prompt, completion).
            adapter: Not used.

        Returns:
            Log-likelihoods of four tokens, -0.2 to -2.2 nats a token.
        """
        return [LogLikelihood(-4 * (0.2 + 2 * _share(" ".join(pair))), 4) for pair in pairs]


def _share(text: str) -> float:
    """Map a text to a number from 0 to below 1."""
    return hashlib.sha256(text.encode("utf-8")).digest()[0] / 256
