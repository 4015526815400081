"""A transformer of an embedding model in OpenVINO, with 8-bit weights and inputs.

Each row of a weight matrix has a scale and a zero point, each group of inputs a scale of its own at
run time (dynamic quantisation), so nothing is calibrated.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from domainsmith.model_io.quiet import quiet_transformers

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["QuantizedTransformer"]

_GROUP = 128
"""Inputs that share a scale. Of 32, 64, 128 and 384 it loses a tenth of a thousandth of the cosine
against 64, and takes a tenth of the time less."""
_INPUTS = ("input_ids", "attention_mask")


class QuantizedTransformer:
    """The transformer of an embedding model, compiled for batches that are computed in parallel.

    Args:
        body: Of transformers, in float32 on the CPU; it is traced, and not needed afterwards.
        threads: As many batches are computed at once, each by one thread.

    Raises:
        RuntimeError: OpenVINO cannot read or compile it.
    """

    def __init__(self, body: Any, *, threads: int) -> None:
        core = _openvino().Core()
        half = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        graph = _graph(body)
        _quantize_weights(graph)
        compiled = core.compile_model(
            graph,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": _GROUP,
                "NUM_STREAMS": threads,
                "INFERENCE_NUM_THREADS": threads,
                # Two processes on one machine would be pinned to the same cores.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._requests = [compiled.create_infer_request() for _ in range(threads)]

    def token_embeddings(
        self, batches: Iterable[dict[str, torch.Tensor]]
    ) -> Iterator[dict[str, torch.Tensor]]:
        """Compute the last hidden states of batches, several at once.

        Args:
            batches: Tokenised and padded, shape (texts, tokens).

        Yields:
            The batches in their order, each with ``token_embeddings``: float32, shape
            (texts, tokens, dimension), valid until the next one is asked for.
        """
        running: deque[tuple[Any, dict[str, torch.Tensor]]] = deque()
        try:
            for number, batch in enumerate(batches):
                request = self._requests[number % len(self._requests)]
                if len(running) == len(self._requests):
                    yield _finished(*running.popleft())
                request.start_async({name: batch[name].numpy() for name in _INPUTS})
                running.append((request, batch))
            while running:
                yield _finished(*running.popleft())
        finally:
            for request, _ in running:  # after Ctrl-C: a busy request refuses the next batch
                request.wait()


def _finished(request: Any, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    request.wait()
    states: NDArray[np.float32] = request.get_output_tensor(0).data
    return {**batch, "token_embeddings": torch.from_numpy(states)}


def _openvino() -> Any:
    """Import OpenVINO without the module by which its import reports to the vendor.

    ``import openvino`` sends an event and writes a client id into the home directory unless
    somebody has opted out. Without ``openvino_telemetry`` it takes a stand-in that does nothing.
    """
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    return importlib.import_module("openvino")


class _LastHiddenState(torch.nn.Module):
    """A transformer with positional inputs and one output, as the tracer wants it."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.body(
            input_ids=input_ids, attention_mask=attention_mask, return_dict=True
        )[0]
        return out


def _graph(body: Any) -> Any:
    """Trace a transformer into a graph of OpenVINO.

    By the frontend itself: ``openvino.convert_model`` reports each use, see :func:`_openvino`.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    # Two rows of unequal length: the tracer must see that neither side is fixed.
    ids = torch.tensor([[1, 2, 3, 4, 5], [1, 2, 3, 0, 0]])
    example = dict(zip(_INPUTS, (ids, (ids > 0).long()), strict=True))
    with quiet_transformers(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # shapes that the trace keeps; the caller compares results
        decoder = TorchScriptPythonDecoder(_LastHiddenState(body.eval()), example_input=example)
        frontend = FrontEndManager().load_by_framework("pytorch")
        return frontend.convert(frontend.load(decoder))


def _quantize_weights(graph: Any) -> None:
    """Store every weight matrix of a linear layer as unsigned bytes, in place.

    The pattern (bytes, less a zero point, times a scale) is the one by which OpenVINO's CPU plugin
    recognises layers whose inputs it may quantise as well.
    """
    from openvino import opset13 as ops

    for node in graph.get_ordered_ops():
        if node.get_type_name() != "MatMul" or not node.get_attributes()["transpose_b"]:
            continue
        source = node.input_value(1).get_node()
        if source.get_type_name() != "Constant" or len(source.get_output_shape(0)) != 2:
            continue
        bytes_, scale, zero = _quantized(source.data.astype(np.float32))
        wide = ops.convert(ops.constant(bytes_), "f32")
        centred = ops.subtract(wide, ops.convert(ops.constant(zero), "f32"))
        node.input(1).replace_source_output(ops.multiply(centred, ops.constant(scale)).output(0))


def _quantized(
    weights: NDArray[np.float32],
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """Quantise each row of a matrix (outputs, inputs) to 0..255.

    Returns:
        Bytes of the same shape; the scales and the zero points, of shape (outputs, 1).
    """
    low = np.minimum(weights.min(axis=1, keepdims=True), 0)
    high = np.maximum(weights.max(axis=1, keepdims=True), 0)
    scale = np.maximum((high - low) / 255, np.finfo(np.float32).tiny).astype(np.float32)
    zero = np.rint(-low / scale)
    bytes_ = np.clip(np.rint(weights / scale) + zero, 0, 255)
    return bytes_.astype(np.uint8), scale, zero.astype(np.uint8)
