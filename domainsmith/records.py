"""Frozen values that cross packages, each with a content hash.

A value's ``id`` is its kind and the first 16 hexadecimal digits of the SHA-256 of its
canonical JSON, so equal content has an equal id wherever it was made. Lineage follows
from that: each value names the ids of what it was made from.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "AdapterManifest",
    "Answer",
    "Citation",
    "Conflict",
    "Document",
    "Endpoint",
    "EvalReport",
    "Feedback",
    "Grade",
    "Hit",
    "Interval",
    "JobState",
    "JobStatus",
    "Language",
    "Message",
    "Passage",
    "Plan",
    "Question",
    "QuestionGold",
    "Record",
    "RetrievalMeasure",
    "RetrievalQuestion",
    "RetrievalSettings",
    "Retriever",
    "Selection",
    "Step",
    "SystemScore",
    "TrainingJob",
    "Value",
    "canonical_json",
    "content_hash",
]

Language = Literal["en", "zh"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "lost"]


def canonical_json(value: Any) -> str:
    """Serialise plain data so that equal data gives equal text.

    Args:
        value: Anything ``json`` can write. Floats keep Python's shortest form.

    Returns:
        JSON with sorted keys, no spaces and unescaped Unicode.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def content_hash(value: Any) -> str:
    """Hash plain data by content.

    Args:
        value: Anything ``json`` can write, or text, or bytes.

    Returns:
        SHA-256 as 64 hexadecimal digits. Text is hashed as its UTF-8 bytes.
    """
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    text = value if isinstance(value, str) else canonical_json(value)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Value(BaseModel):
    """A frozen value with an identity made from its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str] = "value"
    identity_excludes: ClassVar[frozenset[str]] = frozenset()
    """Fields that do not belong to the identity (measurements, wall-clock times)."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON of the identity fields."""
        return content_hash(self.model_dump(mode="json", exclude=set(self.identity_excludes)))

    @property
    def id(self) -> str:
        """Kind and the first 16 hexadecimal digits of :attr:`sha256`."""
        return f"{self.kind}_{self.sha256[:16]}"


class Document(Value):
    """One loaded source file, as text."""

    kind: ClassVar[str] = "document"
    identity_excludes: ClassVar[frozenset[str]] = frozenset(
        {"mtime_ns", "size", "notes", "origin_path", "version", "superseded_by"}
    )

    path: str
    """POSIX path relative to the folder that was added."""
    source_sha256: str
    """SHA-256 of the file's bytes."""
    media_type: str
    title: str
    language: Language
    text: str
    """Full text; tables as Markdown; pages separated by form feeds where there are pages."""
    size: int = 0
    """Bytes of the source file."""
    mtime_ns: int = 0
    """Modification time of the source file, nanoseconds since the epoch."""
    notes: tuple[str, ...] = ()
    """What the loader could not take along (scanned pages, skipped sheets)."""
    origin_path: str = ""
    """If the file was renamed: the path that it was added under, which stays in the identity."""
    version: str = ""
    """ISO date, or ``v`` and numbers, that tells it from other versions of the same document."""
    superseded_by: str = ""
    """Id of the newest version of the same document, if this is an older one."""

    @property
    def sha256(self) -> str:
        """Hash of the identity fields; a renamed document keeps the one that it had."""
        fields = self.model_dump(mode="json", exclude=set(self.identity_excludes))
        return content_hash({**fields, "path": self.origin_path or self.path})


class Passage(Value):
    """A piece of one document: the unit of retrieval and of lineage."""

    kind: ClassVar[str] = "passage"
    identity_excludes: ClassVar[frozenset[str]] = frozenset({"origin_path"})

    document_id: str
    document_path: str
    ordinal: int
    """Position within the document, from 0."""
    text: str
    header: str = ""
    """Where it stands: document title > section > subsection."""
    start: int
    """Offset of the first character in the document's text, from 0."""
    end: int
    """Offset past the last character."""
    page: int | None = None
    """Page number from 1, for paged sources."""
    language: Language
    content: Literal["prose", "table", "code"] = "prose"
    origin_path: str = ""
    """If the file was renamed: the path that it was added under, which stays in the identity."""

    @property
    def sha256(self) -> str:
        """Hash of the identity fields; a passage of a renamed file keeps the one that it had."""
        fields = self.model_dump(mode="json", exclude=set(self.identity_excludes))
        return content_hash({**fields, "document_path": self.origin_path or self.document_path})


class Hit(Value):
    """A passage found for a query."""

    kind: ClassVar[str] = "hit"

    passage: Passage
    score: float
    """Fused score, higher is better; comparable within one result list only."""
    dense: float | None = None
    """Cosine similarity of query and passage, -1 to 1; absent if dense search did not see it."""
    bm25: float | None = None
    """BM25 score, >= 0; absent if BM25 did not see it."""
    places: tuple[str, ...] = ()
    """Other files that hold the same text under the same header, as ``path`` or ``path, p. N``."""
    weight: float | None = None
    """Weight of BM25 in the fused score, 0 to 1; dense search has the rest."""
    reranked: float | None = None
    """The reranker's own score; absent if none read it."""


class Citation(Value):
    """A link from an answer to a passage behind it."""

    kind: ClassVar[str] = "citation"

    number: int
    """As printed in the answer, from 1."""
    passage_id: str
    document_path: str
    page: int | None = None
    header: str = ""
    quote: str
    """The words of the passage that support the answer."""
    support: float
    """Share of the answer's content tokens found in the passage, 0 to 1."""
    gain: float | None = None
    """What reading the passage adds to the answer's log-likelihood, nats per token; absent where
    it was not measured (a quoted sentence, a model that tells no likelihoods)."""


class Conflict(Value):
    """Another source that gives a different value for what was asked."""

    kind: ClassVar[str] = "conflict"

    passage_id: str
    document_path: str
    page: int | None = None
    header: str = ""
    quote: str
    """The words of the other source."""
    values: tuple[str, ...]
    """Its numbers, dates or measures that differ."""
    answer_values: tuple[str, ...]
    """Those of the answer's source."""
    dated: str = ""
    """Date or version that the other document states, if any."""


class Answer(Value):
    """An answer with its evidence."""

    kind: ClassVar[str] = "answer"
    identity_excludes: ClassVar[frozenset[str]] = frozenset({"seconds"})

    question: str
    text: str
    language: Language
    refused: bool = False
    """True if the documents do not hold the answer and the text says so."""
    method: Literal["generated", "extracted", "refused", "served"] = "generated"
    """``extracted``: the model's own words were not supported, so a sentence is quoted instead."""
    citations: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    nearest: tuple[str, ...] = ()
    """Passage ids that came closest, best first."""
    model: str
    adapter_id: str | None = None
    seconds: float = 0.0
    trace: dict[str, Any] = Field(default_factory=dict)


class Message(Value):
    """One turn of a conversation."""

    kind: ClassVar[str] = "message"

    role: Literal["system", "user", "assistant"]
    content: str


class Grade(Value):
    """One grader's verdict on a record."""

    kind: ClassVar[str] = "grade"

    grader: str
    score: float
    """0 (worst) to 1 (best)."""
    passed: bool
    reason: str = ""


class Record(Value):
    """One training record in Alpaca form, with its lineage."""

    kind: ClassVar[str] = "record"
    identity_excludes: ClassVar[frozenset[str]] = frozenset({"grades"})

    instruction: str
    input: str = ""
    """Context that the instruction is about (retrieved passages); empty for closed-book records."""
    output: str
    system: str = ""
    history: tuple[tuple[str, str], ...] = ()
    """Earlier (user, assistant) turns, oldest first."""
    language: Language
    method: str
    """The chain that made it: ``self_qa``, ``self_kv``, ``refusals``, ..."""
    passage_ids: tuple[str, ...] = ()
    """Passages that it was made from."""
    model: str
    """Name of the generating model, or ``code`` if computed."""
    prompt_sha256: str = ""
    seed: int = 0
    grades: tuple[Grade, ...] = ()


class Selection(Value):
    """What a chain of selection stages kept and dropped."""

    kind: ClassVar[str] = "selection"

    kept: tuple[str, ...]
    """Record ids in order."""
    dropped: tuple[tuple[str, str, str], ...] = ()
    """(record id, stage, reason)."""


class QuestionGold(Value):
    """Where the answer of a test question stands."""

    kind: ClassVar[str] = "gold"

    document: str
    """File name of the document."""
    quote: str
    """Words of the document that hold the answer; white space is not significant."""


class Question(Value):
    """One held-out test question."""

    kind: ClassVar[str] = "question"

    key: str
    """The author's own identifier, unique in its file."""
    question: str
    answer: str = ""
    """Reference answer; empty if it cannot be answered from the documents."""
    answerable: bool = True
    category: str = "fact"
    language: Language
    gold: tuple[QuestionGold, ...] = ()


class RetrievalQuestion(Value):
    """A question and the passages that answer it, to learn or to measure search with."""

    kind: ClassVar[str] = "retrieval_question"

    question: str
    language: Language
    passage_ids: tuple[str, ...]
    """Passages that answer it, at least one."""
    answer: str = ""
    """Words of the passage that answer it; a passage that holds them is no wrong answer."""
    route: str
    """How it was made: ``given``, ``feedback``, ``heading``, ``pattern``, ``table``, ``section`` or
    ``words`` (a sentence with words dropped)."""


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
    reranker_form: Literal["auto", "cross-encoder", "late-interaction"] = "auto"
    """``auto`` measures both and takes the better; late interaction needs no training."""
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
        {"languages", "measure", "kept", "reason", "blend", "top", "seconds_per_passage"}
    )

    role: Literal["embedder", "reranker"]
    form: Literal["embedder", "cross-encoder", "late-interaction"]
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
    kept: bool = False
    reason: str = ""
    """Why it was kept or not."""


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


class Interval(Value):
    """A mean with a bootstrap interval."""

    kind: ClassVar[str] = "interval"

    mean: float
    low: float
    high: float
    level: float = 0.95
    n: int


class SystemScore(Value):
    """How one system did on the test questions."""

    kind: ClassVar[str] = "score"

    system: str
    """``base``, ``base+retrieval``, ``tuned``, ``tuned+retrieval`` or ``answer chain``."""
    overall: Interval
    """Mean over all questions of: token F1 if answerable, 1 for a refusal if not."""
    answerable_f1: Interval
    refusal_recall: Interval
    """Share of unanswerable questions that were refused."""
    false_refusals: Interval
    """Share of answerable questions that were refused."""
    seconds: float = 0.0


class EvalReport(Value):
    """The held-out comparison of systems."""

    kind: ClassVar[str] = "report"

    adapter_id: str | None
    questions_sha256: str
    scores: tuple[SystemScore, ...]
    differences: dict[str, Interval] = Field(default_factory=dict)
    """Paired bootstrap of the overall score: ``tuned - base`` and so on."""
    verdict: Literal["better", "worse", "no clear difference"]
    leakage: dict[str, int] = Field(default_factory=dict)
    """Counts of the leakage check, by rule; all zero in a valid report."""
    answers: tuple[dict[str, Any], ...] = ()
    """One row a question and system: key, system, answer, score, refused."""
    key: str = ""
    """Name of the report, made from what went in (adapter, dataset, questions, systems)."""
    dataset_id: str | None = None
    """Dataset that the adapter was trained on."""


class Endpoint(Value):
    """A running model server."""

    kind: ClassVar[str] = "endpoint"

    url: str
    models: tuple[str, ...]
    pid: int
    adapter_id: str | None = None


class Feedback(Value):
    """A person's verdict on an answer."""

    kind: ClassVar[str] = "feedback"

    answer_id: str
    verdict: Literal["good", "bad"]
    correction: str = ""
    comment: str = ""


class Step(Value):
    """One step of a plan."""

    kind: ClassVar[str] = "step"

    number: int
    """From 1."""
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    needs: tuple[int, ...] = ()
    """Numbers of the steps whose results it uses."""
    reason: str = ""


class Plan(Value):
    """What the agent intends to do for a request."""

    kind: ClassVar[str] = "plan"

    request: str
    steps: tuple[Step, ...]
    confidence: float
    """0 to 1."""
    question: str = ""
    """Asked back when a required argument is missing; then there are no steps."""
