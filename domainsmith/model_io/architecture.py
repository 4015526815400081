"""Tells whether a loaded model computes the way :mod:`domainsmith.model_io.forward` expects.

Prompts, steps and chunks are computed without transformers' own ``generate``, with a cache of plain
keys and values. A model that keeps something else between tokens, or looks ahead, would load and
answer nonsense. So a model is compared with itself once, at load, on a few tokens.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import torch

from domainsmith.errors import InputInvalid
from domainsmith.model_io.adapters import Adapters
from domainsmith.model_io.cpu_attention import use_cpu_attention
from domainsmith.model_io.device import is_out_of_memory
from domainsmith.model_io.forward import Forward

__all__ = ["check_architecture"]

_LAYERS = frozenset({"full_attention", "sliding_attention"})
_FIX = (
    "Use a decoder-only model with plain attention, or serve this one with another program "
    "and name it openai:URL#MODEL."
)
_TOKENS = 7
_LEAST_SIMILARITY = {torch.float32: 0.999}
_LEAST_SIMILARITY_ROUNDED = 0.9
"""In 8 and 16 bits the same logits differ by rounding, and routed experts by more than that. What
is computed with wrong masks, positions or states has little to do with the right logits."""


def check_architecture(model: Any, tokenizer: Any, where: Path) -> None:
    """Refuse a model that this package would compute wrongly.

    Args:
        model: Loaded, in evaluation mode.
        tokenizer: Its tokenizer.
        where: Its folder, for the error.

    Raises:
        InputInvalid: The model keeps other states than keys and values, looks at later tokens, or
            gives other logits in a batch that is decoded step by step than alone.
    """
    config = model.config.get_text_config()
    kind = f"Models of the type {config.model_type}"
    layers = sorted(set(getattr(config, "layer_types", None) or ()) - _LAYERS)
    if getattr(model, "_is_stateful", False) or layers:
        named = f" ({', '.join(layers)})" if layers else ""
        raise InputInvalid(
            f"{kind} keep other states than keys and values{named}, which cannot be batched here",
            where=where,
            fix=_FIX,
        )
    if _looks_ahead(model):
        raise InputInvalid(
            f"{kind} read in both directions; they cannot write", where=where, fix=_FIX
        )
    try:
        with torch.inference_mode():
            similarity = _similarity(model, Forward(model, tokenizer, Adapters(model)), tokenizer)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputInvalid(
            f"{kind} cannot be computed here ({reason})", where=where, fix=_FIX
        ) from error
    least = _LEAST_SIMILARITY.get(model.dtype, _LEAST_SIMILARITY_ROUNDED)
    if similarity < least:
        raise InputInvalid(
            f"{kind} cannot be decoded in batches here: the logits of a step differ from those of "
            f"the whole text (similarity {similarity:.3f}, at least {least} is needed)",
            where=where,
            fix=_FIX,
        )


def _looks_ahead(model: Any) -> bool:
    """Tell whether all attention layers that say so are those of an encoder."""
    flags = [getattr(module, "is_causal", None) for module in model.modules()]
    told = [flag for flag in flags if isinstance(flag, bool)]
    return bool(told) and not any(told)


def _similarity(model: Any, forward: Forward, tokenizer: Any) -> float:
    """Return the least cosine of logits computed in our ways with those of the whole text."""
    text = _tokens(model, tokenizer)
    whole = model(input_ids=torch.tensor([text], device=forward.device), use_cache=False)
    wanted = whole.logits[0].float()  # (tokens, vocabulary)
    if not bool(torch.isfinite(wanted).all()):
        return 1.0  # damaged weights, which the first answer tells
    plain = model.config._attn_implementation
    changed = use_cpu_attention(model)
    try:
        ours, places = _ours(forward, text)
    finally:
        if changed:
            model.set_attn_implementation(plain)
    theirs = wanted[places]
    return float(
        torch.cosine_similarity(
            ours - ours.mean(-1, keepdim=True), theirs - theirs.mean(-1, keepdim=True)
        ).min()
    )


def _ours(forward: Forward, text: list[int]) -> tuple[torch.Tensor, list[int]]:
    """Return logits computed as batches are, and the places in the text that they follow."""
    base = [None, None]
    found: list[tuple[torch.Tensor, list[int]]] = []
    # Two rows of 5 and 3 tokens, then a token of each, then one and two tokens at once.
    states, hidden = forward.prefill([text[:5], text[:3]], None, None)
    found.append((hidden, [4, 2]))
    past = [(keys[:1, :, :2].clone(), values[:1, :, :2].clone()) for keys, values in states]
    cache = forward.new_cache()
    cache.admit(states, [5, 3])
    cache.make_room()
    found.append((forward.step([text[5], text[3]], [5, 3], cache, base), [5, 3]))
    cache.advance()
    found.append((forward.chunk([text[6:7], text[4:6]], [0, 1], [6, 4], cache, base), [6, 5]))
    found.append((forward.prefill([text[2:], text[2:4]], past, None)[1], [6, 3]))
    ours = torch.cat([forward.logits(hidden) for hidden, _ in found])
    return ours, [place for _, places in found for place in places]


def _tokens(model: Any, tokenizer: Any) -> list[int]:
    """Choose distinct tokens, none of which means something to the model."""
    special = set(tokenizer.all_special_ids)
    width = int(model.get_input_embeddings().weight.shape[0])
    spread = ((width // 3 + 11 * number) % width for number in range(width))
    plain = (token for token in spread if token not in special)
    return list(dict.fromkeys(itertools.islice(plain, _TOKENS)))
