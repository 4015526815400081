"""How fast a chat model in this process is: loading, reading, writing, scoring, and its memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from domainsmith.errors import ContextOverflow
from domainsmith.model_io.catalog import Progress, chat_model_folder, parse_name
from domainsmith.model_io.generation import GenerationRequest

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine
    from domainsmith.model_io.loading import Quantization

__all__ = ["Speed", "measure_speed"]

_RUNS = 3
_ENOUGH_S = 6.0
"""A measurement is not repeated after this time."""
_PREFILL_ROWS, _PREFILL_TOKENS = 2, 512
_DECODE_TOKENS = 32
_PAIRS, _PAIR_PROMPT_TOKENS = 16, 128
_SENTENCE = "Note {number}: the drain pump of machine {number} runs before the drum is filled. "
_COMPLETION = " The pump runs before the drum is filled with water."


@dataclass(frozen=True, slots=True)
class Speed:
    """What a model does in a second on this machine.

    Attributes:
        name: The engine's name.
        device: Where it ran.
        dtype: Number type of the weights.
        threads: CPU threads of torch.
        load_s: Seconds from the folder to a usable engine.
        prefill_tokens_per_s: Prompt tokens read, prompts of 512 tokens, nothing shared.
        decode_tokens_per_s: Tokens written in a single answer.
        batch_size: Rows of the default batch.
        batch_decode_tokens_per_s: Tokens written in that batch, all rows together.
        score_pairs_per_s: Completions scored, each after a prompt of its own of 128 tokens.
        peak_memory_bytes: Most memory that the process has had so far, the libraries included.
        peak_device_bytes: Most memory on the accelerator; 0 without one.
    """

    name: str
    device: str
    dtype: str
    threads: int
    load_s: float
    prefill_tokens_per_s: float
    decode_tokens_per_s: float
    batch_size: int
    batch_decode_tokens_per_s: float
    score_pairs_per_s: float
    peak_memory_bytes: int
    peak_device_bytes: int


def measure_speed(
    name: str = "default",
    *,
    device: str = "auto",
    dtype: str = "auto",
    threads: int = 0,
    quantization: Quantization = "none",
    progress: Progress | None = None,
) -> Speed:
    """Load a model anew and measure it; medians of up to three runs.

    Args:
        name: A local chat model; its adapter, if it names one, is not used.
        device: See :func:`domainsmith.model_io.device.pick_device`.
        dtype: See :func:`domainsmith.model_io.device.pick_dtype`.
        threads: CPU threads of torch; 0 takes the physical cores.
        quantization: ``8bit`` and ``4bit`` need CUDA.
        progress: Receives one sentence before each step.

    Returns:
        The figures.

    Raises:
        InputInvalid: The name is that of a served model.
        WeightsMissing: There are no usable weights under the name.
        ContextOverflow: The model's context is too short for the measurement.
    """
    import torch

    from domainsmith.model_io.engine import Engine

    say = progress or (lambda text: None)
    source = parse_name(name)
    whole = name if source.scheme == "openai" else f"local:{source.target}"
    folder = chat_model_folder(whole, progress=progress)
    say("Loading the model")
    started = time.perf_counter()
    engine = Engine.load(
        folder, device=device, dtype=dtype, threads=threads, quantization=quantization
    )
    load_s = time.perf_counter() - started
    _make_ready(engine, name)
    say("Reading prompts")
    prefill = _prefill(engine)
    say("Writing one answer")
    decode = _decode(engine, 1)
    say("Writing a batch")
    batched = _decode(engine, engine.batch_size)
    say("Scoring")
    scored = _score(engine)
    return Speed(
        name=engine.model_name,
        device=str(engine.model.device),
        dtype=str(engine.model.dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        load_s=round(load_s, 2),
        prefill_tokens_per_s=round(prefill, 1),
        decode_tokens_per_s=round(decode, 1),
        batch_size=engine.batch_size,
        batch_decode_tokens_per_s=round(batched, 1),
        score_pairs_per_s=round(scored, 1),
        peak_memory_bytes=_peak_memory(),
        peak_device_bytes=_peak_device_memory(engine),
    )


def _make_ready(engine: Engine, name: str) -> None:
    import torch

    if engine.context_length < _PREFILL_TOKENS + 1:
        raise ContextOverflow(
            f"The measurement needs a context of {_PREFILL_TOKENS + 1} tokens", where=name
        )
    engine.share_prefix = False
    if engine.model.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    _answers(engine, [_text(engine, 0, 16)], 2)  # the first call of all prepares buffers


def _peak_device_memory(engine: Engine) -> int:
    import torch

    on_cuda = engine.model.device.type == "cuda"
    return int(torch.cuda.max_memory_allocated()) if on_cuda else 0


def _rate(run: Callable[[int], float]) -> float:
    """Return the median of a few runs, each of which tells its own rate."""
    rates: list[float] = []
    started = time.perf_counter()
    while len(rates) < _RUNS and (not rates or time.perf_counter() - started < _ENOUGH_S):
        rates.append(run(len(rates)))
    return median(rates)


def _prefill(engine: Engine) -> float:
    def run(number: int) -> float:
        prompts = [
            _text(engine, _PREFILL_ROWS * number + row, _PREFILL_TOKENS)
            for row in range(_PREFILL_ROWS)
        ]
        started = time.perf_counter()
        read, _ = _answers(engine, prompts, 1)
        return read / (time.perf_counter() - started)

    return _rate(run)


def _decode(engine: Engine, rows: int) -> float:
    prompts = [_text(engine, row, 24) for row in range(rows)]

    def run(number: int) -> float:
        started = time.perf_counter()
        _, first = _answers(engine, prompts, 1)
        between = time.perf_counter()
        _, written = _answers(engine, prompts, _DECODE_TOKENS)
        # The prompts and first tokens took as long the second time, so that is taken off.
        seconds = (time.perf_counter() - between) - (between - started)
        return (written - first) / max(seconds, 1e-9)

    return _rate(run)


def _score(engine: Engine) -> float:
    def run(number: int) -> float:
        pairs = [
            (_text(engine, _PAIRS * number + row, _PAIR_PROMPT_TOKENS), _COMPLETION)
            for row in range(_PAIRS)
        ]
        started = time.perf_counter()
        engine.score(pairs)
        return len(pairs) / (time.perf_counter() - started)

    return _rate(run)


def _answers(engine: Engine, prompts: list[str], tokens: int) -> tuple[int, int]:
    """Return the prompt tokens and completion tokens of one batch."""
    done = list(engine.generate([GenerationRequest(text, tokens) for text in prompts]))
    return sum(item.prompt_tokens for item in done), sum(item.completion_tokens for item in done)


def _text(engine: Engine, number: int, tokens: int) -> str:
    """Return a text of about so many tokens, never more, that differs from its first words on."""
    sentences, start = "", 1000 * (number + 1)
    while engine.count_tokens(sentences) < tokens:
        sentences += _SENTENCE.format(number=start)
        start += 1
    ids = engine.tokenizer.encode(sentences, add_special_tokens=False)[: tokens - 1]
    text: str = engine.tokenizer.decode(ids)
    return text


def _peak_memory() -> int:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
