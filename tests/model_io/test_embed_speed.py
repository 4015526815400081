from __future__ import annotations

import pytest

from domainsmith.model_io.catalog import embedder_folder
from domainsmith.model_io.embed_speed import batches_by_length

# Tokens a character differ by a factor of ten: words, codes, digits, Chinese.
TEXTS = [
    " ".join([piece] * (number % 40 + 1)) + f" {number}"
    for number in range(400)
    for piece in ("laundry", "QX-7/9b", "3.1415926", "滚筒洗衣机", "internationalisation")
]


@pytest.fixture(scope="module")
def tokenizer() -> object:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(embedder_folder("default")))


def test_texts_of_equal_tokens_stand_together(tokenizer: object) -> None:
    batches = list(batches_by_length(TEXTS, tokenizer, 256))
    assert sorted(text for batch in batches for text in batch) == sorted(set(TEXTS))
    assert callable(tokenizer)
    lengths = [
        [len(ids) for ids in tokenizer(batch, truncation=True, max_length=256)["input_ids"]]
        for batch in batches
    ]
    padded = sum(max(batch) * len(batch) for batch in lengths)
    assert padded < 1.1 * sum(map(sum, lengths))
    assert max(max(batch) * len(batch) for batch in lengths) <= 2048
    assert batches == list(batches_by_length(TEXTS[::-1], tokenizer, 256))


def test_accelerators_get_larger_batches(tokenizer: object) -> None:
    on_cpu = len(list(batches_by_length(TEXTS, tokenizer, 256)))
    on_cuda = len(list(batches_by_length(TEXTS, tokenizer, 256, device="cuda")))
    assert on_cpu > 20 * on_cuda
    assert list(batches_by_length([], tokenizer, 256)) == []
