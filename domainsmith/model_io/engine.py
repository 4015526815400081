"""A language model in this process: batched generation, scoring, adapters."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from domainsmith.model_io.adapters import Adapters
from domainsmith.model_io.chat_template import render_chat
from domainsmith.model_io.cpu_attention import use_cpu_attention
from domainsmith.model_io.decode import DecodeRun
from domainsmith.model_io.decode_row import Row, Statistics
from domainsmith.model_io.device import keep_freed_memory, pick_device, pick_dtype, set_threads
from domainsmith.model_io.engine_rows import RowMaker
from domainsmith.model_io.engine_runs import BatchRuns
from domainsmith.model_io.forward import Forward
from domainsmith.model_io.generation import Completion, GenerationRequest, LogLikelihood
from domainsmith.model_io.loading import Quantization, load_model
from domainsmith.model_io.packed_linear import pack_linear_layers
from domainsmith.model_io.prefix_cache import DEFAULT_BYTES, PrefixCache
from domainsmith.records import Message

__all__ = ["Engine"]

_BATCH = {"cpu": 32, "cuda": 64, "mps": 16}
_WEAK_PARAMETERS = 1_000_000_000


class Engine:
    """A causal language model with its tokenizer and adapters.

    It satisfies ``Generator`` and ``Scorer``. Several threads may use one engine: they take turns
    step by step, so that a slow consumer of one generation never blocks another.

    Args:
        model: A loaded transformers model in evaluation mode.
        tokenizer: Its tokenizer.
        name: Goes into records and lineage.
        folder: Where it was loaded from.
        prefix_cache_bytes: Bound of the states of prompt beginnings that are kept for later calls;
            None takes 256 MB (2 GB on CUDA), 0 keeps none. Outputs do not depend on it.

    Attributes:
        is_weak: Whether it is of a size (below a billion parameters) that needs help with what a
            larger model does by itself, such as filling in the arguments of a call.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        name: str,
        folder: Path,
        prefix_cache_bytes: int | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.folder = folder
        self.statistics = Statistics()
        self.share_prefix = True
        self.force_tokens = True
        self.is_weak = int(model.num_parameters()) < _WEAK_PARAMETERS
        self._name = name
        self._adapters = Adapters(model)
        self._forward = Forward(model, tokenizer, self._adapters)
        if prefix_cache_bytes is None:
            prefix_cache_bytes = DEFAULT_BYTES.get(self._forward.device.type, 0)
        self.prefix_cache = PrefixCache(prefix_cache_bytes)
        self._lock = threading.RLock()
        self._runs = BatchRuns(self._forward, self.prefix_cache, self.statistics, self._lock)
        self._rows = RowMaker(model, tokenizer, self._forward, self._adapters, self._lock)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        threads: int = 0,
        quantization: Quantization = "none",
        name: str = "",
        prefix_cache_bytes: int | None = None,
    ) -> Engine:
        """Load a model folder.

        Args:
            folder: With ``config.json``, tokenizer and safetensors; nothing is fetched.
            device: See :func:`domainsmith.model_io.device.pick_device`.
            dtype: See :func:`domainsmith.model_io.device.pick_dtype`.
            threads: CPU threads of torch; 0 takes the physical cores.
            quantization: ``8bit`` and ``4bit`` need CUDA and bitsandbytes.
            name: Goes into records; the folder's name if empty.
            prefix_cache_bytes: See the class; None for the default.

        Returns:
            The engine.

        Raises:
            WeightsMissing: The folder holds no usable weights.
            DependencyMissing: Quantisation was asked for without bitsandbytes.
            InputInvalid: Quantisation was asked for without CUDA, or no such device or dtype.
        """
        set_threads(threads)
        folder = Path(folder)
        place = pick_device(device)
        model, tokenizer = load_model(folder, place, pick_dtype(dtype, place), quantization)
        if place == "cpu":
            keep_freed_memory()
        pack_linear_layers(model)
        use_cpu_attention(model)
        return cls(
            model,
            tokenizer,
            name=name or folder.name,
            folder=folder,
            prefix_cache_bytes=prefix_cache_bytes,
        )

    @property
    def model_name(self) -> str:
        """Name that goes into records and lineage."""
        return self._name

    @property
    def context_length(self) -> int:
        """Prompt and completion tokens that fit together."""
        return self._rows.context_length

    @property
    def batch_size(self) -> int:
        """Rows that are decoded together unless a call says otherwise."""
        return _BATCH.get(self._forward.device.type, 16)

    @property
    def adapters(self) -> tuple[str, ...]:
        """Names of the loaded adapters, sorted."""
        return self._adapters.names

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        """Turn chat messages into a prompt with the model's own chat template.

        Some templates (SmolLM2's) put a system text of their own where the first message is not a
        system message. Here that never happens: an empty system message is put first then, and a
        template that knows no system role gets the system text in front of the first user text.

        Args:
            messages: Role and content each.
            add_generation_prompt: End with the beginning of the assistant's turn.

        Returns:
            The prompt, special tokens written out.

        Raises:
            InputInvalid: There is no message, no template, or the template refuses these roles.
        """
        return render_chat(
            self.tokenizer, messages, add_generation_prompt=add_generation_prompt, where=self.folder
        )

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text; special tokens written out count as one."""
        return len(self._rows.tokens(text))

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        """Answer many requests.

        Rows of different adapters share a batch, except those of DoRA adapters, which peft cannot
        mix: these are answered adapter by adapter. What prompts share is computed once, and
        beginnings that an earlier call computed are taken from :attr:`prefix_cache`. Tokens that a
        constraint leaves no choice about are appended without sampling.

        Which rows share a batch depends on the requests alone, not on their order or on timing, so
        a list gives the same completions on every run with the same device, dtype, threads and
        batch size, whatever was computed before.

        Args:
            requests: In any order.
            batch_size: Rows decoded together; 0 takes a number that suits the device and the
                lengths.
            cancel: When set, the rows that are not finished end as ``cancelled`` within one token,
                with what they have.

        Yields:
            One completion a request, as they finish.

        Raises:
            ContextOverflow: A prompt with its completion does not fit; nothing is computed then.
            InputInvalid: An adapter is not loaded or a constraint cannot be compiled.
            ModelError: The model computed values that are not numbers.
            ResourceExhausted: Memory does not suffice even for a single row.
        """
        rows = [self._rows.row(index, request) for index, request in enumerate(requests)]
        groups: dict[str, list[Row]] = {}
        for row in rows:
            apart = "" if self._adapters.mixes(row.adapter) else str(row.adapter)
            groups.setdefault(apart, []).append(row)
        for apart in sorted(groups):
            group = groups[apart]
            slots = batch_size or self._runs.slots(group, self.batch_size)
            yield from self._runs.completions(self._decode_run(group, slots), slots, cancel)

    def stream(
        self, request: GenerationRequest, cancel: threading.Event | None = None
    ) -> Generator[str, None, Completion]:
        """Answer one request piece by piece.

        Args:
            request: What to answer.
            cancel: Ends the answer within one token when set.

        Yields:
            Text as it becomes certain: never a part of a character or of a stop text.

        Returns:
            The whole completion, as the value of ``StopIteration``.
        """
        row = self._rows.row(0, request)
        return (yield from self._runs.pieces(self._decode_run([row], 1), row, cancel))

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        """Return the log-likelihood of each completion after its prompt.

        Prompt and completion are tokenised apart, so that a completion's tokens do not depend on
        the prompt's last letters. Equal prompts are computed once.

        Args:
            pairs: (rendered prompt, completion) each.
            adapter: Name of a loaded adapter; None takes the base weights.

        Returns:
            One value a pair, in the given order.

        Raises:
            ContextOverflow: A pair does not fit into the context.
            InputInvalid: The adapter is not loaded or a prompt is empty.
        """
        return self._runs.scores(self._rows.pairs(pairs, adapter), adapter)

    def check(self, request: GenerationRequest) -> None:
        """Raise what :meth:`generate` would raise for a request before computing anything.

        Raises:
            ContextOverflow: The prompt with its completion does not fit.
            InputInvalid: The prompt is empty, the adapter is not loaded or the constraint is bad.
        """
        self._rows.row(0, request)

    def add_adapter(self, name: str, folder: Path) -> None:
        """Load an adapter beside the base weights.

        Args:
            name: To be named by requests; a loaded adapter of that name is replaced.
            folder: With ``adapter_config.json`` and ``adapter_model.safetensors``.

        Raises:
            WeightsMissing: The folder holds no adapter.
            InputInvalid: It was made for another model.
        """
        with self._lock:
            self._adapters.add(name, Path(folder))
            self.prefix_cache.forget(name)

    def remove_adapter(self, name: str) -> None:
        """Unload an adapter; the base weights stay.

        Raises:
            InputInvalid: There is none of that name.
        """
        with self._lock:
            self._adapters.remove(name)
            self.prefix_cache.forget(name)

    def _decode_run(self, rows: list[Row], slots: int) -> DecodeRun:
        return self._runs.begin(
            rows, slots, share_prefix=self.share_prefix, force_tokens=self.force_tokens
        )
