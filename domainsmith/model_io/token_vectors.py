"""The vectors of single tokens, as an embedding model computes them before it takes their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from domainsmith.model_io.embed_speed import batches_by_length

if TYPE_CHECKING:
    import torch

__all__ = ["TokenEmbedder", "TokenVectors", "has_token_vectors", "token_vectors"]


@dataclass(frozen=True)
class TokenVectors:
    """One text as a transformer reads it, without special tokens and without a prompt.

    Args:
        vectors: Normalised float32, shape (tokens, dimension), on the CPU.
        ids: Of the tokens.
        spans: Characters of the text that each token stands for (start, end).
    """

    vectors: torch.Tensor
    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


class TokenEmbedder(Protocol):
    """An embedder that also tells the vectors of single tokens."""

    @property
    def model_name(self) -> str:
        """Name of the vectors."""
        ...

    def token_vectors(self, texts: Sequence[str], *, asked: bool = False) -> list[TokenVectors]:
        """Return the token vectors of texts; ``asked`` takes the model's prompt for questions."""
        ...


def has_token_vectors(embedder: object) -> bool:
    """Tell whether an embedder computes vectors of single tokens: served and static ones do not."""
    knows = getattr(embedder, "knows_tokens", False)
    return bool(knows) and hasattr(embedder, "token_vectors")


def token_vectors(
    model: Any, texts: Sequence[str], *, prompt: str = "", most_tokens: int
) -> list[TokenVectors]:
    """Compute the token vectors of texts, those of similar length together.

    Args:
        model: Of sentence-transformers, with a transformer and a fast tokenizer.
        texts: Any number, empty ones too.
        prompt: Stands before each text.
        most_tokens: Tokens of a text that are read, the prompt's included.
    """
    found: dict[str, TokenVectors] = {}
    device = str(model.device.type)
    for batch in batches_by_length(texts, model.tokenizer, most_tokens, device=device):
        found.update(zip(batch, _computed(model, batch, prompt, most_tokens), strict=True))
    return [found[text] for text in texts]


def _computed(model: Any, texts: list[str], prompt: str, most: int) -> list[TokenVectors]:
    import torch

    features = model.tokenizer(
        [prompt + text for text in texts],
        padding=True,
        truncation=True,
        max_length=most,
        return_tensors="pt",
        return_offsets_mapping=True,
    )
    spans = (features.pop("offset_mapping") - len(prompt)).clamp_min(0).tolist()
    ids = features["input_ids"].tolist()
    inputs = {name: value.to(model.device) for name, value in features.items()}
    with torch.inference_mode():
        states = model[0](inputs)["token_embeddings"].float()
        states = torch.nn.functional.normalize(states, dim=-1).cpu()
    found = []
    for row in range(len(texts)):
        # Special tokens, padding and the prompt stand for no character of the text.
        kept = [at for at, (start, end) in enumerate(spans[row]) if end > start]
        found.append(
            TokenVectors(
                vectors=states[row][kept],
                ids=tuple(ids[row][at] for at in kept),
                spans=tuple((spans[row][at][0], spans[row][at][1]) for at in kept),
            )
        )
    return found
