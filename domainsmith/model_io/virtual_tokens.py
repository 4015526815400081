"""Adapters that put virtual tokens before the prompt, as states that prompts begin with.

Prefix tuning learns the keys and values of the virtual tokens, prompt tuning and P-tuning learn
their embeddings. Neither changes the weights, so both come down to the states of a beginning: the
engine computes them once and lets every prompt follow them.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

from domainsmith.model_io.kv_cache import States

__all__ = ["VIRTUAL_TOKEN_KINDS", "load_virtual_tokens"]

VIRTUAL_TOKEN_KINDS = ("PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING")
"""Names of peft. Those that need a task id or labelled examples at each call are not among them."""


def load_virtual_tokens(model: Any, folder: Path) -> States:
    """Compute the states of an adapter's virtual tokens.

    Args:
        model: The base model, with no other adapter switched on. It is left as it was.
        folder: With ``adapter_config.json`` and ``adapter_model.safetensors``.

    Returns:
        Keys and values of each layer, one row.

    Raises:
        ValueError: The adapter was made for a model of another shape.
    """
    from peft import PeftConfig, PeftModelForCausalLM

    config = PeftConfig.from_pretrained(str(folder))
    config.inference_mode = True
    config.base_model_name_or_path = getattr(model, "name_or_path", None)
    trainable = [weights for weights in model.parameters() if weights.requires_grad]
    with warnings.catch_warnings():
        # Another adapter may have been injected before; it is switched off.
        warnings.filterwarnings("ignore", ".*peft_config. attribute.*")
        tuned = PeftModelForCausalLM.from_pretrained(model, str(folder), config=config)
    tuned.eval()
    with torch.inference_mode():
        prompt = tuned.get_prompt(batch_size=1)
        if isinstance(prompt, torch.Tensor):
            embeddings = prompt.to(device=model.device, dtype=model.dtype)
            prompt = model.get_decoder()(inputs_embeds=embeddings, use_cache=True).past_key_values
    for weights in trainable:
        weights.requires_grad_(True)
    states = [
        (
            layer.keys.to(device=model.device, dtype=model.dtype).clone(),
            layer.values.to(device=model.device, dtype=model.dtype).clone(),
        )
        for layer in prompt.layers
    ]
    _check(model, states)
    return states


def _check(model: Any, states: States) -> None:
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    expected = (config.num_hidden_layers, heads, width)
    keys = states[0][0]
    found = (len(states), keys.shape[1], keys.shape[3])
    if found != expected:
        raise ValueError(
            "its states have {} layers of {} heads of width {}, ".format(*found)
            + "the model's {} layers of {} heads of width {}".format(*expected)
        )
    if not all(bool(torch.isfinite(part).all()) for layer in states for part in layer):
        raise ValueError("its states are not numbers (NaN or infinity)")
