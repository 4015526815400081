"""Models with random weights and a vocabulary of single characters, made in milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CHARACTERS = 96
"""Four special tokens and the printable characters of ASCII."""

TEMPLATE = (
    "{% for m in messages %}{{ m['role'] + ':' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
)

_SIZES: dict[str, Any] = {
    "vocab_size": CHARACTERS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": 2,
}


def tiny_model(folder: Path, kind: str = "llama", *, template: bool = True, **changes: Any) -> Path:
    """Save a model and its tokenizer.

    Args:
        folder: Made if it does not exist.
        kind: The ``model_type`` of transformers.
        template: Give the tokenizer a chat template.
        **changes: Fields of the configuration.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    from domainsmith.model_io.quiet import quiet_transformers

    torch.manual_seed(0)
    names = ["<pad>", "<end>", "<start>", "<other>", *map(chr, range(32, 28 + CHARACTERS))]
    text = Tokenizer(models.BPE(vocab={name: at for at, name in enumerate(names)}, merges=[]))
    text.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=text, eos_token="<end>", pad_token="<pad>", bos_token="<start>"
    )
    if template:
        tokenizer.chat_template = TEMPLATE
    with quiet_transformers():
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **_SIZES | changes))
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
