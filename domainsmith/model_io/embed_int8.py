"""Many passages at once on an x86 processor, in 8-bit integers.

A laptop's processor multiplies them several times as fast as floating-point numbers, and the
vectors stay where they were: a cosine of 0.999 to those in float32 on average. A model whose
vectors differ more is refused, and torch computes.
"""

from __future__ import annotations

import importlib.util
import logging
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from domainsmith.model_io.embed_prompts import stated_prompt
from domainsmith.model_io.quantized_transformer import QuantizedTransformer

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Int8Documents", "int8_is_possible"]

_log = logging.getLogger(__name__)

_MACHINES = ("amd64", "x86_64")
_LEAST_COSINE = 0.98
"""Of any text that is compared with what torch gives it."""


def int8_is_possible(model: Any) -> bool:
    """Tell whether a sentence-transformers model may be computed this way, without trying it."""
    return (
        model.device.type == "cpu"
        and platform.machine().lower() in _MACHINES
        and importlib.util.find_spec("openvino") is not None
        and hasattr(model[0], "auto_model")
        and callable(model.tokenizer)
    )


class Int8Documents:
    """Embeds batches of passages in 8 bits, once it has seen that the vectors stay the same.

    Args:
        model: Of sentence-transformers, as torch computes it: tokeniser, pooling, comparison.
        load_body: Gives the transformer in float32; called once, when it is needed.
        threads: Of the processor.
    """

    def __init__(self, model: Any, load_body: Callable[[], Any], *, threads: int) -> None:
        self._model, self._load_body, self._threads = model, load_body, threads
        self._transformer: QuantizedTransformer | None = None
        self._refused = False

    def rows(self, batches: Sequence[list[str]]) -> list[NDArray[np.float32]] | None:
        """Embed batches of passages.

        Args:
            batches: At least one, each of texts of about equal length.

        Returns:
            Normalised vectors of each batch; None if this model cannot be computed so, which is
            logged once.
        """
        if self._refused:
            return None
        try:
            if self._transformer is None:
                self._transformer = self._checked(_of_all_lengths(batches))
            return list(self._rows(self._transformer, batches))
        except Exception as error:  # noqa: BLE001 - OpenVINO's errors have no class in common
            self._refused = True
            reason = " ".join(str(error).split())[:160] or type(error).__name__
            _log.warning("passages are embedded without 8-bit weights, more slowly: %s", reason)
            return None

    def _checked(self, texts: list[str]) -> QuantizedTransformer:
        made = QuantizedTransformer(self._load_body(), threads=self._threads)
        found = next(self._rows(made, [texts]))
        right = self._model.encode_document(
            texts,
            prompt=stated_prompt(self._model),
            batch_size=len(texts),
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        if found.shape != right.shape:
            raise RuntimeError(f"vectors of {found.shape[1]} numbers instead of {right.shape[1]}")
        cosine = float((found * right).sum(axis=1).min())
        if not cosine >= _LEAST_COSINE:
            raise RuntimeError(f"the vectors differ (cosine {cosine:.3f})")
        return made

    def _rows(
        self, transformer: QuantizedTransformer, batches: Iterable[list[str]]
    ) -> Iterator[NDArray[np.float32]]:
        prompt = stated_prompt(self._model)
        tokenised = (self._model.preprocess(batch, prompt=prompt) for batch in batches)
        for features in transformer.token_embeddings(tokenised):
            yield self._pooled(features)

    @torch.inference_mode()
    def _pooled(self, features: dict[str, torch.Tensor]) -> NDArray[np.float32]:
        for module in list(self._model)[1:]:
            features = module(features)
        pooled = features["sentence_embedding"].float()
        rows: NDArray[np.float32] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
        return rows


def _of_all_lengths(batches: Sequence[list[str]]) -> list[str]:
    """Take texts that are padded when they are computed together."""
    return [batches[0][0], batches[len(batches) // 2][0], batches[-1][-1]]
