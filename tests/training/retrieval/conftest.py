"""Fixtures: a tiny sentence-transformers model with a real tokenizer, and a small collection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domainsmith.data_connection.split import split
from domainsmith.model_io.catalog import embedder_folder, weights_sha256
from domainsmith.records import (
    Document,
    RetrievalQuestion,
    RetrievalSettings,
    TrainingJob,
    content_hash,
)
from domainsmith.storage.documents import put_document
from domainsmith.storage.passages import passages
from domainsmith.training.retrieval.question_set import write_questions
from domainsmith.workspace import Workspace

THINGS = ("pump", "filter", "drum", "hose", "door", "valve", "motor", "belt", "lamp", "fuse")
_TEXT = """# The {thing}

Clean the {thing} after {many} washes. The {thing} needs {many} minutes to cool.

## Faults of the {thing}

If the {thing} is blocked, press the blue switch for {many} seconds.
"""


@pytest.fixture(scope="session")
def tiny_embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random one-layer model with MiniLM's tokenizer: a step takes milliseconds."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config).save_pretrained(folder / "bert")
    AutoTokenizer.from_pretrained(embedder_folder("default")).save_pretrained(folder / "bert")
    body = Transformer(str(folder / "bert"), max_seq_length=96)
    model = SentenceTransformer(modules=[body, Pooling(32)], device="cpu")
    model.save(str(folder / "tiny"), create_model_card=False)
    return folder / "tiny"


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with ten small documents."""
    with Workspace.create(tmp_path / "w") as workspace:
        for number, thing in enumerate(THINGS):
            text = _TEXT.format(thing=thing, many=11 + number)
            document = Document(
                path=f"{thing}.md",
                source_sha256=content_hash(text),
                media_type="text/markdown",
                title=thing,
                language="en",
                text=text,
            )
            put_document(workspace.db, document, split(document, max_tokens=24), folder="docs")
        yield workspace


@pytest.fixture
def tuning_job(
    collection: Workspace, tiny_embedder: Path
) -> Callable[..., tuple[TrainingJob, Path]]:
    """Makes jobs that tune the tiny model on the small collection."""

    def make(**settings: object) -> tuple[TrainingJob, Path]:
        questions = [
            RetrievalQuestion(
                question=f"{word} {passage.document_path.removesuffix('.md')} {passage.ordinal}?",
                language="en",
                passage_ids=(passage.id,),
                route="pattern",
            )
            for passage in passages(collection.db)
            for word in ("When must I clean the", "What is wrong with the", "How long is the")
        ]
        made = write_questions(collection, questions, made_by={})
        values = {"embedder_steps": 3, "reranker_steps": 2, "batch_questions": 8, "negatives": 2}
        job = TrainingJob(
            method="retrieval",
            base_model=str(tiny_embedder),
            base_sha256=weights_sha256(tiny_embedder),
            dataset_id=made.id,
            dataset_sha256=made.sha256,
            learning_rate=1e-3,
            threads=1,
            dtype="float32",
            retrieval=RetrievalSettings.model_validate({**values, **settings}),
        )
        return job, made.path

    return make
