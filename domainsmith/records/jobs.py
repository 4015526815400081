"""Training jobs, what they report and what they leave."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from domainsmith.records.retrieval import RetrievalSettings
from domainsmith.records.value import Value, content_hash

__all__ = ["AdapterManifest", "Endpoint", "JobState", "JobStatus", "TrainingJob"]

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "lost"]


class TrainingJob(Value):
    """Everything that decides a training run's result."""

    kind: ClassVar[str] = "job"

    method: Literal["sft", "retrieval"] = "sft"
    base_model: str
    base_sha256: str
    """SHA-256 over the base model's weight files."""
    dataset_id: str
    dataset_sha256: str
    system_prompt: str = ""
    lora_rank: int = Field(default=16, ge=1, le=512)
    lora_alpha: int = Field(default=32, ge=1)
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    learning_rate: float = Field(default=5e-4, gt=0)
    """Peak learning rate per optimizer step."""
    epochs: float = Field(default=2.0, gt=0)
    max_steps: int = Field(default=0, ge=0)
    """Optimizer steps; 0 takes ``epochs``."""
    batch_tokens: int = Field(default=2048, ge=64)
    """Tokens per optimizer step, about."""
    share_prefixes: bool = True
    """Compute the beginning that records of a step share once, where the model allows it."""
    max_length: int = Field(default=768, ge=32)
    """Tokens per record; longer ones are refused, not cut."""
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    checkpoint_steps: int = Field(default=20, ge=1)
    """Optimizer steps between checkpoints."""
    validation_share: float = Field(default=0.05, ge=0, lt=0.5)
    device: str = "auto"
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    threads: int = Field(default=0, ge=0)
    """CPU threads; 0 takes the machine's cores."""
    seed: int = 17
    retrieval: RetrievalSettings | None = None
    """Of the method ``retrieval`` only."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON; jobs of other methods hash as before this field."""
        excluded = {"retrieval"} if self.retrieval is None else set()
        return content_hash(self.model_dump(mode="json", exclude=excluded))


class JobStatus(Value):
    """What a job is doing."""

    kind: ClassVar[str] = "status"

    job_id: str
    state: JobState
    step: int = 0
    total_steps: int = 0
    loss: float | None = None
    """Mean training loss per completion token over the last logging window, nats."""
    tokens_per_second: float | None = None
    eta_seconds: float | None = None
    message: str = ""
    adapter_id: str | None = None
    model_ids: tuple[str, ...] = ()
    """Search models that a job of the method ``retrieval`` made, kept or not."""
    updated: float = 0.0
    """Seconds since the epoch."""


class AdapterManifest(Value):
    """A trained adapter and what travels with it, so that what is served is what was trained."""

    kind: ClassVar[str] = "adapter"
    identity_excludes: ClassVar[frozenset[str]] = frozenset({"seconds", "tokens_per_second"})

    job_id: str
    dataset_id: str
    base_model: str
    base_sha256: str
    weights_sha256: str
    method: str
    system_prompt: str
    chat_template_sha256: str
    final_loss: float
    validation_loss: float | None = None
    steps: int
    trained_tokens: int
    seconds: float = 0.0
    tokens_per_second: float = 0.0


class Endpoint(Value):
    """A running model server."""

    kind: ClassVar[str] = "endpoint"

    url: str
    models: tuple[str, ...]
    pid: int
    adapter_id: str | None = None
