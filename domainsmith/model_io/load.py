"""Names to loaded models, each loaded once a process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domainsmith.errors import InputInvalid
from domainsmith.model_io.catalog import (
    Progress,
    chat_model_folder,
    embedder_folder,
    parse_name,
    weights_sha256,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from domainsmith.model_io.engine import Engine
    from domainsmith.model_io.generation import Embedder, Generator
    from domainsmith.model_io.loading import Quantization
    from domainsmith.model_io.rerank import CrossEncoderReranker

__all__ = ["load_chat", "load_embedder", "load_engine", "load_generator", "load_reranker"]

_KEPT = 4
"""Models of each kind that are kept; the least recently asked for goes first, and its memory is
freed when nobody uses it any more."""

_NUMBERS = ("max_tokens", "temperature", "top_p", "top_k", "seed")
"""Options of a chat model that must be numbers."""

_loaded: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
_lock = threading.RLock()


def load_engine(
    name: str = "default",
    *,
    device: str = "auto",
    dtype: str = "auto",
    threads: int = 0,
    quantization: Quantization = "none",
    progress: Progress | None = None,
) -> Engine:
    """Load a local model; the same arguments give the same engine.

    Args:
        name: A local model name; its ``@ADAPTER`` part, a folder, is loaded under that text.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        dtype: ``auto``, ``bfloat16``, ``float16`` or ``float32``.
        threads: CPU threads of torch; 0 takes the physical cores.
        quantization: ``8bit`` and ``4bit`` need CUDA and the extra ``[gpu]``.
        progress: Receives one sentence before each slow step.

    Returns:
        The engine.

    Raises:
        WeightsMissing: There are no usable weights under the name.
        InputInvalid: The name is that of a served model.
    """
    from domainsmith.model_io.device import pick_device, set_threads
    from domainsmith.model_io.engine import Engine

    source = parse_name(name)
    if source.scheme != "local":
        raise InputInvalid("A served model cannot be loaded into this process", where=name)
    folder = chat_model_folder(f"local:{source.target}", progress=progress)
    key = ("engine", str(folder), pick_device(device), dtype, quantization)

    def load() -> Engine:
        if progress is not None:
            progress(f"Loading {folder.name}")
        return Engine.load(
            folder,
            device=device,
            dtype=dtype,
            threads=threads,
            quantization=quantization,
            name=_label(folder, key[2], dtype, quantization),
        )

    with _lock:
        engine: Engine = _once(key, load)
        set_threads(threads)
        if source.adapter and source.adapter not in engine.adapters:
            engine.add_adapter(source.adapter, Path(source.adapter).expanduser())
    return engine


def load_generator(name: str = "default", **options: Any) -> Generator:
    """Load what writes many texts: a local engine, or a served model.

    Args:
        name: Any model name; nothing is sent to a server before the first use.
        **options: Of :func:`load_engine`, for a local model.

    Returns:
        An engine, which tells likelihoods too, or a
        :class:`~domainsmith.model_io.remote_generate.RemoteGenerator`, which does not.

    Raises:
        WeightsMissing: There are no usable local weights under the name.
    """
    if parse_name(name).scheme == "local":
        return load_engine(name, **options)
    # Not kept: the key may change, and there are no weights to load.
    from domainsmith.model_io.remote_generate import RemoteGenerator

    return RemoteGenerator(name)


def _once(key: tuple[Any, ...], load: Callable[[], Any]) -> Any:
    """Return what was loaded under a key, or load it; called with the lock held."""
    if key not in _loaded:
        _loaded[key] = load()
        for other in [other for other in _loaded if other[0] == key[0]][:-_KEPT]:
            del _loaded[other]
    _loaded.move_to_end(key)
    return _loaded[key]


def _label(folder: Path, device: str, dtype: str, quantization: str) -> str:
    """Name a model by all that decides what it writes: other weights are another model."""
    from domainsmith.model_io.device import pick_dtype

    number = str(pick_dtype(dtype, device)).removeprefix("torch.")
    parts = [f"{folder.name}@{weights_sha256(folder)[:12]}", number]
    return "/".join(parts if quantization == "none" else [*parts, quantization])


def load_embedder(
    name: str = "default",
    *,
    device: str = "auto",
    threads: int = 0,
    progress: Progress | None = None,
) -> Embedder:
    """Load an embedding model; the same arguments give the same one.

    Args:
        name: ``default``, a folder, a hub id, or ``openai:URL#MODEL``; nothing is sent to a
            server before the first use.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: CPU threads of torch; 0 takes the physical cores.
        progress: Receives one sentence before each slow step.

    Returns:
        The embedder.

    Raises:
        WeightsMissing: There are no usable weights under the name.
    """
    from domainsmith.model_io.device import pick_device

    if parse_name(name).scheme == "openai":
        # Not kept: the key may change, and there are no weights to load.
        from domainsmith.model_io.remote_embed import RemoteEmbedder

        return RemoteEmbedder(name)
    from domainsmith.model_io.embed import LocalEmbedder

    folder = embedder_folder(name, progress=progress)
    key = ("embedder", str(folder), pick_device(device))
    with _lock:
        embedder: LocalEmbedder = _once(
            key, lambda: LocalEmbedder(folder, device=device, threads=threads)
        )
    return embedder


def load_reranker(
    name: str,
    *,
    device: str = "auto",
    threads: int = 0,
    progress: Progress | None = None,
) -> CrossEncoderReranker:
    """Load a cross-encoder; the same arguments give the same one.

    Args:
        name: A folder or a hub id.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: CPU threads of torch; 0 takes the physical cores.
        progress: Receives one sentence before each slow step.

    Returns:
        The reranker.

    Raises:
        WeightsMissing: There are no usable weights under the name.
        InputInvalid: The name is that of a served or of the default model, or the model gives
            more than one score a pair.
    """
    from domainsmith.model_io.device import pick_device
    from domainsmith.model_io.rerank import CrossEncoderReranker

    source = parse_name(name)
    if source.scheme != "local" or source.target == "default":
        raise InputInvalid(
            "A reranker is `none`, `late-interaction`, `likelihood` or a local cross-encoder",
            where=name,
            fix="Name the folder of a cross-encoder.",
        )
    folder = embedder_folder(name, progress=progress)
    key = ("reranker", str(folder), pick_device(device))
    with _lock:
        reranker: CrossEncoderReranker = _once(
            key, lambda: CrossEncoderReranker(folder, device=device, threads=threads)
        )
    return reranker


def load_chat(
    name: str = "default",
    *,
    device: str = "auto",
    dtype: str = "auto",
    threads: int = 0,
    adapter_folder: Path | None = None,
    quantization: Quantization = "none",
    **options: Any,
) -> BaseChatModel:
    """Load a chat model as LangChain's interface.

    Args:
        name: Any model name.
        device: Of a local model.
        dtype: Of a local model.
        threads: Of a local model.
        adapter_folder: Adapter that the chat model answers with; local models only.
        quantization: Of a local model.
        **options: ``temperature``, ``max_tokens`` and so on, given to the chat model.

    Returns:
        ``LocalChat`` or ``ChatOpenAI``.

    Raises:
        InputInvalid: An adapter was given for a served model, or an option that does not exist or
            cannot be used.
    """
    source = parse_name(name)
    if source.scheme == "openai":
        if adapter_folder is not None:
            raise InputInvalid("A served model takes no adapter folder", where=adapter_folder)
        from domainsmith.model_io.remote_chat import open_remote_chat

        return open_remote_chat(name, **options)
    from domainsmith.model_io.call_options import STANDARD, check_call, refuse_unknown, stop_texts
    from domainsmith.model_io.local_chat import LocalChat

    refuse_unknown(options, {*LocalChat.model_fields, *STANDARD} - {"engine", "adapter"})
    check_call({name: options[name] for name in options if name in _NUMBERS})
    if "stop" in options:
        options["stop"] = stop_texts(options["stop"])
    engine = load_engine(
        name, device=device, dtype=dtype, threads=threads, quantization=quantization
    )
    adapter = source.adapter
    if adapter_folder is not None:
        adapter = str(adapter_folder)
        if adapter not in engine.adapters:
            engine.add_adapter(adapter, Path(adapter_folder))
    return LocalChat(engine=engine, adapter=adapter, **options)
