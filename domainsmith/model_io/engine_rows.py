"""Requests and scored pairs as rows of tokens, checked before anything is computed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from domainsmith.errors import ContextOverflow, InputInvalid
from domainsmith.model_io.adapters import Adapters
from domainsmith.model_io.decode_row import Row
from domainsmith.model_io.forward import Forward
from domainsmith.model_io.generation import GenerationRequest

if TYPE_CHECKING:
    from domainsmith.model_io.constrain import Grammars

__all__ = ["RowMaker"]


class RowMaker:
    """Makes rows for one model.

    Args:
        model: The transformers model.
        tokenizer: Its tokenizer.
        forward: Knows its vocabulary and its ends.
        adapters: Those that are loaded.
        lock: Held while constraints are set up.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        forward: Forward,
        adapters: Adapters,
        lock: threading.RLock,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._forward = forward
        self._adapters = adapters
        self._lock = lock
        self._grammars: Grammars | None = None

    @property
    def context_length(self) -> int:
        """Prompt and completion tokens that fit together."""
        return int(getattr(self._forward.config, "max_position_embeddings", 0) or 1 << 20)

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text; special tokens written out count as one.

        Raises:
            InputInvalid: The tokenizer knows a token that the model does not.
        """
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        if max(ids, default=0) >= self._forward.vocabulary:
            # Tokenizers may know tokens (of images, say) that the model has no embedding of.
            raise InputInvalid(
                "The text holds a token that the model does not know",
                where=self._tokenizer.convert_ids_to_tokens(max(ids)),
            )
        return ids

    def row(self, index: int, request: GenerationRequest) -> Row:
        """Make the row of a request.

        Args:
            index: Of the request in its list.
            request: What to answer.

        Raises:
            ContextOverflow: The prompt with its completion does not fit.
            InputInvalid: The prompt is empty, the adapter is not loaded or the constraint is bad.
        """
        prompt = self.tokens(request.prompt)
        if not prompt:
            raise InputInvalid("The prompt is empty", where=f"request {index}")
        self._adapters.check(request.adapter)
        virtual = self._virtual_tokens(request.adapter)
        prompt = [*virtual, *prompt]
        self._check_context(len(prompt), request.max_new_tokens, f"request {index}")
        grammar = None
        if request.constraint is not None:
            grammar = self.constraints().start(request.constraint, request.max_new_tokens)
        return Row(index, request, prompt, grammar, len(virtual))

    def pairs(
        self, pairs: Sequence[tuple[str, str]], adapter: str | None
    ) -> list[tuple[list[int], list[int]]]:
        """Tokenise prompts and completions that are to be scored, each apart.

        Args:
            pairs: (rendered prompt, completion) each.
            adapter: Name of a loaded adapter; None for the base weights.

        Raises:
            ContextOverflow: A pair does not fit into the context.
            InputInvalid: The adapter is not loaded or a prompt is empty.
        """
        self._adapters.check(adapter)
        virtual = self._virtual_tokens(adapter)
        made = []
        for number, (prompt, completion) in enumerate(pairs):
            ids = self.tokens(prompt), self.tokens(completion)
            if not ids[0]:
                raise InputInvalid("The prompt is empty", where=f"pair {number}")
            ids = [*virtual, *ids[0]], ids[1]
            self._check_context(len(ids[0]), len(ids[1]), f"pair {number}")
            made.append(ids)
        return made

    def _check_context(self, prompt: int, completion: int, where: str) -> None:
        over = prompt + completion - self.context_length
        if over > 0:
            raise ContextOverflow(
                f"The prompt has {prompt:,} tokens and its completion up to {completion:,}: "
                f"{over:,} more than the model's context of {self.context_length:,}",
                where=where,
                fix="Give fewer or shorter passages, or a smaller max_new_tokens.",
            )

    def _virtual_tokens(self, adapter: str | None) -> list[int]:
        """Return placeholders of an adapter's virtual tokens: all prompts begin with these."""
        states = self._adapters.virtual_states(adapter)
        return [-1] * (states[0][0].shape[2] if states else 0)

    def constraints(self) -> Grammars:
        """Return what compiles constraints, made at its first use."""
        with self._lock:
            if self._grammars is None:
                from domainsmith.model_io.constrain import Grammars

                width = int(self._model.get_output_embeddings().weight.shape[0])
                self._grammars = Grammars(self._tokenizer, width, sorted(self._forward.stop_ids))
            return self._grammars
