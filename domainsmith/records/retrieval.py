"""Search models tuned on the user's documents."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from domainsmith.records.value import Language, Value

__all__ = ["RetrievalMeasure", "RetrievalSettings", "Retriever"]


class RetrievalSettings(Value):
    """What the tuning of search does, beside what every training job says."""

    kind: ClassVar[str] = "retrieval_settings"

    embedder: bool = True
    """Tune the embedding model."""
    reranker: bool = True
    """Train a small cross-encoder."""
    held_out_share: float = Field(default=0.2, gt=0, lt=0.9)
    """Part of the documents that is measured on and never learned from, about."""
    negatives: int = Field(default=6, ge=1, le=50)
    """Hard negatives of a question for the reranker."""
    embedder_steps: int = Field(default=120, ge=1)
    reranker_steps: int = Field(default=300, ge=1)
    """Optimizer steps at most; fewer if the time is over or the questions are few."""
    batch_questions: int = Field(default=64, ge=2)
    """Questions of one step of the embedder; every other passage of the step is a negative."""
    reranker_batch: int = Field(default=8, ge=1)
    """Questions of one step of the reranker."""
    reranker_learning_rate: float = Field(default=1e-4, gt=0)
    reranker_layers: int = Field(default=6, ge=1)
    """Layers that the reranker takes over from the embedder, at most."""
    reranker_tokens: int = Field(default=224, ge=32)
    """Tokens of question and passage together; the rest of the passage is cut."""
    rerank_top: int = Field(default=20, ge=2, le=50)
    """Candidates that the reranker may read at most."""
    rerank_seconds: float = Field(default=1.0, gt=0)
    """Seconds that reranking one question may take on the machine that trains."""
    merge: float = Field(default=0.7, gt=0, le=1)
    """Weight of the tuned embedder against the one it came from: their mean forgets less."""
    minutes: float = Field(default=10.0, gt=0)
    """Minutes of training at most, both models together."""


class RetrievalMeasure(Value):
    """Search without and with a model, on questions about held-out documents."""

    kind: ClassVar[str] = "retrieval_measure"

    questions: int
    before: dict[str, float]
    """``hit@1``, ``hit@5``, ``hit@10`` and ``mrr@10`` without the model."""
    after: dict[str, float]
    """The same with it."""
    low: float
    """Lower end of the 95 % bootstrap interval of the difference in ``mrr@10``."""
    high: float

    @property
    def better(self) -> bool:
        """Tell whether the whole interval is above 0."""
        return self.low > 0


class Retriever(Value):
    """A search model that was tuned on this workspace's documents."""

    kind: ClassVar[str] = "retriever"
    identity_excludes: ClassVar[frozenset[str]] = frozenset(
        {"languages", "measure", "also", "kept", "reason", "blend", "top", "seconds_per_passage"}
    )

    role: Literal["embedder", "reranker"]
    form: Literal["embedder", "cross-encoder"]
    job_id: str
    questions_id: str
    base_model: str
    """Name of the embedding model that it came from, as the settings name it."""
    base_sha256: str
    weights_sha256: str
    languages: tuple[Language, ...] = ()
    """Languages in which its vectors may count in a fused ranking (embedder)."""
    blend: float = 1.0
    """Weight of the reranker's order against the fused one, 0 to 1 (reranker)."""
    top: int = 0
    """Candidates that it reads (reranker)."""
    seconds_per_passage: float = 0.0
    """Measured where it was trained (reranker)."""
    measure: RetrievalMeasure | None = None
    """By the questions that decide."""
    also: dict[str, RetrievalMeasure] = Field(default_factory=dict)
    """By other questions, named after who asks."""
    kept: bool = False
    reason: str = ""
    """Why it was kept or not."""
