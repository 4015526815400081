"""The chat model of the settings: an engine in this process, or a served model."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from domainsmith.errors import InputInvalid
from domainsmith.settings import Settings

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine
    from domainsmith.model_io.generation import Generator

__all__ = ["ChatModels"]


class ChatModels:
    """What answers and writes; loaded on first use and kept.

    Args:
        settings: Which model, and where it runs.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._remote: Any = None
        self._writer: Generator | None = None

    @property
    def is_remote(self) -> bool:
        """Whether the model is served by another program."""
        return self._settings.chat_model.startswith("openai:")

    def engine(self) -> Engine:
        """Return the model's engine.

        Raises:
            WeightsMissing: There are no weights under the settings' name.
            InputInvalid: The model is a remote one, which has no engine here.
        """
        with self._lock:
            if self._engine is None:
                from domainsmith.model_io.load import load_engine

                settings = self._settings
                if self.is_remote:
                    raise InputInvalid(
                        "This needs a model in this process, not a remote one",
                        where=settings.chat_model,
                        fix="Set chat_model to `default` or `local:PATH`.",
                    )
                self._engine = load_engine(
                    settings.chat_model,
                    device=settings.device,
                    dtype=settings.dtype,
                    threads=settings.threads,
                    quantization=settings.quantization,
                )
            return self._engine

    def generator(self) -> Generator:
        """Return what writes many texts: the engine, or the served model of a remote name.

        Raises:
            WeightsMissing: There are no weights under the settings' name.
        """
        if not self.is_remote:
            return self.engine()
        with self._lock:
            if self._writer is None:
                from domainsmith.model_io.load import load_generator

                self._writer = load_generator(self._settings.chat_model)
            return self._writer

    def chat(self) -> Any:
        """Return what answers: the engine, or the LangChain chat model of a remote name.

        Raises:
            WeightsMissing: There are no weights under the settings' name.
        """
        if not self.is_remote:
            return self.engine()
        with self._lock:
            if self._remote is None:
                from domainsmith.model_io.load import load_chat

                self._remote = load_chat(self._settings.chat_model)
            return self._remote
