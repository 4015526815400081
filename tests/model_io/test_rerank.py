from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import BaseDocumentCompressor, Document

from domainsmith.errors import InputInvalid, ModelError, WeightsMissing
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import LogLikelihood, Reranker
from domainsmith.model_io.load import load_reranker
from domainsmith.model_io.rerank import (
    CrossEncoderReranker,
    LikelihoodReranker,
    RerankCompressor,
    RerankerChain,
)
from domainsmith.records import Language

FUSE = "The house circuit needs a 13 A fuse of the slow type."
DOOR = "The door lock opens 90 seconds after the drum stops."
FUSE_ZH = "家用电路需要一个 13 安的慢熔保险丝。"
DOOR_ZH = "滚筒停止九十秒后，门锁打开。"


def language_of(text: str) -> Language:
    return "en" if text.isascii() else "zh"


@pytest.fixture(scope="module")
def likelihood(exact_engine: Engine) -> LikelihoodReranker:
    return LikelihoodReranker(exact_engine, language_of=language_of)


def test_likelihood_puts_the_passage_that_answers_first(likelihood: LikelihoodReranker) -> None:
    assert isinstance(likelihood, Reranker)
    assert likelihood.name.startswith("likelihood:")
    scores = likelihood.rerank(
        ["Which fuse does the circuit need?", "When does the door lock open?", "需要什么保险丝？"],
        [[DOOR, FUSE], [DOOR, FUSE], [DOOR_ZH, FUSE_ZH, DOOR_ZH]],
    )
    assert [len(row) for row in scores] == [2, 2, 3]
    assert scores[0][1] > scores[0][0]
    assert scores[1][0] > scores[1][1]
    assert scores[2][1] > scores[2][0] == scores[2][2]
    assert all(score < 0 for row in scores for score in row)


def test_likelihood_is_that_of_the_question_per_token(
    likelihood: LikelihoodReranker, exact_engine: Engine
) -> None:
    question = "Which fuse does the circuit need?"
    prompt = exact_engine.render(
        [
            {
                "role": "user",
                "content": f"Passage:\n{FUSE}\n\nWrite a question that this passage answers.",
            }
        ]
    )
    value = exact_engine.score([(prompt, question)])[0]
    assert likelihood.rerank([question], [[FUSE]])[0][0] == pytest.approx(
        value.sum / value.tokens, abs=1e-4
    )


def test_batches_equal_single_queries(likelihood: LikelihoodReranker) -> None:
    queries = ["Which fuse?", "When does the lock open?"]
    together = likelihood.rerank(queries, [[FUSE, DOOR], [DOOR]])
    single = [likelihood.rerank([queries[0]], [[FUSE, DOOR]])[0]]
    single.append(likelihood.rerank([queries[1]], [[DOOR]])[0])
    for left, right in zip(together, single, strict=True):
        assert left == pytest.approx(right, abs=1e-4)


class _Recorder:
    """A scoring model that counts words and notes the prompts."""

    model_name = "recorder"

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def render(self, messages: Sequence[Any], *, add_generation_prompt: bool = True) -> str:
        return str(messages[0].content)

    def count_tokens(self, text: str) -> int:
        return len(text)

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        self.pairs.extend(pairs)
        return [LogLikelihood(-2.0, 2 if completion else 0) for _, completion in pairs]


def test_long_texts_are_cut_and_braces_are_data() -> None:
    recorder = _Recorder()
    reranker = LikelihoodReranker(recorder, language_of=language_of)  # type: ignore[arg-type]
    assert reranker.rerank(["q" * 999, ""], [["p" * 9999, "{{passage}}"], ["x"]]) == [
        [-1.0, -1.0],
        [0.0],
    ]
    (prompt, asked), (braces, _), _ = recorder.pairs
    assert (len(asked), prompt.count("p" * 512), prompt.count("p" * 513)) == (256, 1, 0)
    assert "{{passage}}" in braces
    assert reranker.rerank([], []) == []


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder with random weights, as sentence-transformers saves one."""
    return _save_cross_encoder(tmp_path_factory.mktemp("cross") / "tiny", labels=1)


def _save_cross_encoder(folder: Path, *, labels: int) -> Path:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "fuse", "door", "which", "the", "slow", "lock"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        num_labels=labels,
        initializer_range=1.0,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=32,
    ).save_pretrained(folder)
    return folder


def test_a_cross_encoder_scores_in_any_order_and_batch(cross_encoder: Path) -> None:
    reranker = load_reranker(str(cross_encoder), device="cpu")
    assert isinstance(reranker, Reranker)
    assert load_reranker(str(cross_encoder), device="cpu") is reranker
    assert reranker.name.startswith("tiny@")
    texts = ["the slow fuse", "the door lock", "fuse " * 200, "the slow fuse"]
    first, second = reranker.rerank(["which fuse", "which door"], [texts, texts[::-1]])
    assert len(set(first)) == 3
    assert first[0] == first[3]
    assert first == pytest.approx(reranker.rerank(["which fuse"], [texts[::-1]])[0][::-1], abs=1e-6)
    assert len(second) == 4
    assert reranker.rerank(["which fuse"], [[]]) == [[]]


def test_a_cross_encoder_equals_its_own_library(cross_encoder: Path) -> None:
    from sentence_transformers import CrossEncoder

    pairs = [("which fuse", "the slow fuse"), ("which fuse", "the door lock")]
    theirs = CrossEncoder(str(cross_encoder), device="cpu", local_files_only=True).predict(pairs)
    ours = CrossEncoderReranker(cross_encoder, device="cpu").rerank(
        ["which fuse"], [[text for _, text in pairs]]
    )
    assert ours[0] == pytest.approx([float(score) for score in theirs], abs=1e-6)


def test_folders_that_are_no_reranker_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="this model gives 3"):
        load_reranker(str(_save_cross_encoder(tmp_path / "three", labels=3)), device="cpu")
    for name in ("default", "openai:http://127.0.0.1:1/v1#m"):
        with pytest.raises(InputInvalid, match="local cross-encoder"):
            load_reranker(name)
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(WeightsMissing, match="no safetensors"):
        load_reranker(str(tmp_path / "pickled"))
    (tmp_path / "pickled" / "model.safetensors").write_bytes(b"\0" * 9)
    with pytest.raises(WeightsMissing, match="cannot be loaded"):
        load_reranker(str(tmp_path / "pickled"))


def test_scores_that_are_no_numbers_are_refused(
    cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reranker = CrossEncoderReranker(cross_encoder, device="cpu")
    monkeypatch.setattr(reranker._model, "predict", lambda *a, **k: [float("nan")])
    with pytest.raises(ModelError, match="not numbers"):
        reranker.rerank(["which fuse"], [["the slow fuse"]])


def test_langchain_keeps_the_best_documents(likelihood: LikelihoodReranker) -> None:
    compressor = RerankCompressor(reranker=likelihood, top_n=1)
    assert isinstance(compressor, BaseDocumentCompressor)
    documents = [
        Document(page_content=DOOR, metadata={"page": 1}),
        Document(page_content=FUSE, metadata={"page": 2}),
    ]
    (best,) = compressor.compress_documents(documents, "Which fuse does the circuit need?")
    assert (best.page_content, best.metadata["page"]) == (FUSE, 2)
    assert best.metadata["relevance_score"] < 0
    assert "relevance_score" not in documents[1].metadata
    assert compressor.compress_documents([], "Which fuse?") == []


class _ByLength:
    name = "length"

    def rerank(self, queries: list[str], passages: list[list[str]]) -> list[list[float]]:
        return [[float(len(text)) for text in texts] for texts in passages]


class _ByPlace:
    """Agrees with the order that it is given."""

    name = "place"

    def rerank(self, queries: list[str], passages: list[list[str]]) -> list[list[float]]:
        return [[-float(at) for at in range(len(texts))] for texts in passages]


def test_a_chain_gives_each_stage_the_order_of_those_before() -> None:
    chain = RerankerChain([_ByLength(), _ByPlace()])
    assert chain.name == "length > place"
    texts = [["aa", "a", "aaaa", "aaa"], [], ["b", "bb"]]
    assert chain.rerank(["q"] * 3, texts) == [[-2.0, -3.0, 0.0, -1.0], [], [-1.0, 0.0]]
    assert RerankerChain([_ByLength()]).rerank(["q"], [["aa"]]) == [[2.0]]
