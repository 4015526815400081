"""Bad weights and bad calls: a clear error each, and the model answers as before afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import tiny_model

from domainsmith.errors import (
    ContextOverflow,
    DomainSmithError,
    InputInvalid,
    ModelError,
    ResourceExhausted,
    WeightsMissing,
)
from domainsmith.model_io import architecture, loading
from domainsmith.model_io.constrain import Grammars
from domainsmith.model_io.embed import LocalEmbedder
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Constraint, GenerationRequest
from domainsmith.model_io.rerank import CrossEncoderReranker

WEIGHTS = "model.safetensors"
PROBE = GenerationRequest("The drum of the machine", max_new_tokens=6)
PAIRS = [("The drum", " turns."), ("The drum", " stands still."), ("A fuse", " blows.")]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "good")


@pytest.fixture(scope="module")
def loaded(good: Path) -> Engine:
    return Engine.load(good, device="cpu", dtype="float32")


@pytest.fixture
def tiny(loaded: Engine) -> Iterator[Engine]:
    """An engine that must answer and score after the test as before it."""
    before = list(loaded.generate([PROBE] * 2)), loaded.score(PAIRS)
    yield loaded
    assert (list(loaded.generate([PROBE] * 2)), loaded.score(PAIRS)) == before
    assert "".join(loaded.stream(PROBE)) == before[0][0].text
    assert loaded.adapters == ()


def cut(name: str, size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])  # type: ignore[return-value]


def write(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text)  # type: ignore[return-value]


def config(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        values = json.loads((folder / "config.json").read_bytes())
        (folder / "config.json").write_text(json.dumps(values | changes))

    return change


def tensors(change: Callable[[dict[str, torch.Tensor], str], None]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        values = load_file(folder / WEIGHTS)
        change(values, next(name for name in sorted(values) if "q_proj" in name))
        save_file(values, folder / WEIGHTS, metadata={"format": "pt"})

    return rewrite


def halved(values: dict[str, torch.Tensor], name: str) -> None:
    values[name] = values[name][:16].contiguous()


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "no model in safetensors"),
    "cut header": (cut(WEIGHTS, 50), "damaged"),
    "cut weights": (cut(WEIGHTS, 9000), "damaged"),
    "missing tensor": (tensors(lambda values, name: values.pop(name)), r"missing.*q_proj"),  # type: ignore[arg-type,return-value]
    "other shape": (tensors(halved), r"another shape.*q_proj"),
    "config not JSON": (write("config.json", "{broken"), "config"),
    "config a list": (write("config.json", "[]"), "model_type"),
    "config of strings": (config(hidden_size="many"), "hidden_size"),
    "unknown architecture": (config(model_type="nosuch"), "architecture is not known"),
    "code of its own": (
        config(model_type="nosuch", auto_map={"AutoConfig": "x.Y", "AutoModelForCausalLM": "x.Z"}),
        "architecture is not known",
    ),
    "not a language model": (write("config.json", '{"model_type": "vit"}'), "architecture"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer is missing"),
    "tokenizer damaged": (cut("tokenizer.json", 300), "tokenizer is missing or damaged"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_damaged_folders_are_refused(case: str, good: Path, tmp_path: Path) -> None:
    change, words = BROKEN[case]
    folder = tmp_path / "model"
    shutil.copytree(good, folder)
    change(folder)
    with pytest.raises(WeightsMissing, match=words) as caught:
        Engine.load(folder, device="cpu", dtype="float32")
    assert caught.value.where == str(folder)
    assert "models pull" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "tpu"}, "Unknown device"),
        ({"device": "cuda:99"}, "no such device"),
        ({"device": "cuda:first"}, "Unknown device"),
        ({"device": "cpu:3"}, "no such device"),
        ({"dtype": "int4"}, "Unknown number type"),
        ({"quantization": "2bit"}, "Unknown quantisation"),
        ({"threads": -1}, "threads is negative"),
    ],
)
def test_unusual_names_are_refused(good: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputInvalid, match=words):
        Engine.load(good, **options)


def test_memory_that_runs_out_at_load_is_told(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*rest: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 GB")

    for place, name in ((loading, "_load"), (architecture, "_similarity")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, full)
            with pytest.raises(ResourceExhausted, match="load"):
                Engine.load(good, device="cpu", dtype="float32")


def test_a_model_without_a_template_completes_but_does_not_chat(tmp_path: Path) -> None:
    engine = Engine.load(tiny_model(tmp_path, template=False), device="cpu", dtype="float32")
    with pytest.raises(InputInvalid, match="no chat template") as caught:
        engine.render([{"role": "user", "content": "Hi"}])
    assert "chat_template.jinja" in str(caught.value.fix)
    assert next(engine.generate([PROBE])).completion_tokens


def test_a_damaged_template_is_told(good: Path, tmp_path: Path) -> None:
    shutil.copytree(good, tmp_path / "model")
    (tmp_path / "model" / "chat_template.jinja").write_text("{% for x %}{{")
    engine = Engine.load(tmp_path / "model", device="cpu", dtype="float32")
    with pytest.raises(InputInvalid, match="template refuses"):
        engine.render([{"role": "user", "content": "Hi"}])


def test_tokens_without_an_embedding_are_refused(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(good, folder)
    tokens = json.loads((folder / "tokenizer.json").read_bytes())
    tokens["added_tokens"].append({**tokens["added_tokens"][0], "id": 200, "content": "<image>"})
    (folder / "tokenizer.json").write_text(json.dumps(tokens))
    engine = Engine.load(folder, device="cpu", dtype="float32")
    for use in (
        lambda: list(engine.generate([GenerationRequest("An <image>")])),
        lambda: engine.score([("An", " <image>")]),
    ):
        with pytest.raises(InputInvalid, match=r"does not know \(<image>\)"):
            use()
    rule = Constraint.choice(["yes", "no"])
    (done,) = engine.generate([GenerationRequest("x", constraint=rule)])
    assert done.text in ("yes", "no")


BAD_CALLS: dict[str, tuple[GenerationRequest, type[DomainSmithError], str]] = {
    "nothing allowed": (
        GenerationRequest("x", constraint=Constraint("json_schema", {"enum": []})),  # type: ignore[arg-type]
        InputInvalid,
        "enum",
    ),
    "crossed bounds": (
        GenerationRequest(
            "x",
            constraint=Constraint.json_schema({"type": "integer", "minimum": 5, "maximum": 1}),
        ),
        InputInvalid,
        "minimum",
    ),
    "recursive without end": (
        GenerationRequest("x", constraint=Constraint.json_schema({"$ref": "#"})),
        InputInvalid,
        "recursive without end",
    ),
    "damaged pattern": (
        GenerationRequest("x", constraint=Constraint.regex("([a-z")),
        InputInvalid,
        "cannot be compiled",
    ),
    "too long": (GenerationRequest("x" * 600), ContextOverflow, "more than the model's context"),
    "no such adapter": (GenerationRequest("x", adapter="nope"), InputInvalid, "No such adapter"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls_are_refused(tiny: Engine, case: str) -> None:
    request, error, words = BAD_CALLS[case]
    for use in (
        lambda: list(tiny.generate([PROBE, request])),
        lambda: list(tiny.stream(request)),
        lambda: tiny.check(request),
    ):
        with pytest.raises(error, match=words):
            use()
    if error is ContextOverflow:
        with pytest.raises(error, match=words):
            tiny.score([("x" * 500, "y" * 100)])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_no_numbers_are_told(
    tiny: Engine, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    real = tiny._forward.logits
    monkeypatch.setattr(
        tiny._forward, "logits", lambda hidden: torch.full_like(real(hidden), value)
    )
    rule = Constraint.regex("[a-z]{3}")
    for use in (
        lambda: list(tiny.generate([PROBE] * 3)),
        lambda: list(tiny.generate([GenerationRequest("x", temperature=1.0, seed=3)])),
        lambda: list(tiny.generate([GenerationRequest("x", constraint=rule)])),
        lambda: list(tiny.stream(PROBE)),
        lambda: tiny.score(PAIRS),
    ):
        with pytest.raises(ModelError, match="not numbers"):
            use()
    monkeypatch.undo()


def test_weights_that_are_no_numbers_are_told_at_the_first_answer(
    good: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(good, folder)
    tensors(lambda values, name: values[name].fill_(float("nan")))(folder)  # type: ignore[arg-type,return-value]
    engine = Engine.load(folder, device="cpu", dtype="float32")
    with pytest.raises(ModelError, match="not numbers"):
        list(engine.generate([PROBE]))


def test_memory_that_runs_out_halves_batches_and_says_so(
    tiny: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = [(f"Prompt number {number} of many", f" ends {number}.") for number in range(12)]
    wanted = tiny.score(pairs)
    real = tiny._forward.hidden

    def narrow(rows: Any, *rest: Any) -> Any:
        if len(rows) > 3:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20 MB")
        return real(rows, *rest)

    monkeypatch.setattr(tiny._forward, "hidden", narrow)
    monkeypatch.setattr(tiny._forward, "prefill_tokens", 512)
    before = tiny.statistics.halvings
    found = tiny.score(pairs)
    assert [item.sum for item in found] == pytest.approx([item.sum for item in wanted], abs=1e-4)
    assert tiny.statistics.halvings > before
    assert tiny._forward.prefill_tokens == 512
    assert "halved" in caplog.text
    done = list(tiny.generate([GenerationRequest(prompt, 3) for prompt, _ in pairs]))
    assert len(done) == len(pairs)


def test_a_single_row_without_memory_is_an_error(
    tiny: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*rest: object) -> None:
        raise MemoryError

    monkeypatch.setattr(tiny._forward, "hidden", never)
    other = GenerationRequest("Another prompt than the one before", 3)
    for use in (
        lambda: list(tiny.generate([other] * 4)),
        lambda: list(tiny.stream(other)),
        lambda: tiny.score([("Another", " one")]),
    ):
        with pytest.raises(ResourceExhausted, match="single row") as caught:
            use()
        assert caught.value.fix
    monkeypatch.undo()


def test_other_errors_of_the_library_are_not_taken_for_memory(
    tiny: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*rest: object) -> None:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(tiny._forward, "hidden", wrong)
    with pytest.raises(RuntimeError, match="shapes"):
        tiny.score([("Another", " one")])
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("size", "rank", "words"),
    [(0, 4, "does not fit"), (200, 4, "does not fit"), (None, 8, "does not fit")],
    ids=["empty", "cut", "other shapes"],
)
def test_damaged_adapters_are_refused(
    tiny: Engine, good: Path, tmp_path: Path, size: int | None, rank: int, words: str
) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from domainsmith.model_io.quiet import quiet_transformers

    with quiet_transformers():
        base = AutoModelForCausalLM.from_pretrained(str(good))
        tuned = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj"]))
        tuned.save_pretrained(str(tmp_path))
    place = tmp_path / "adapter_config.json"
    place.write_text(json.dumps({**json.loads(place.read_bytes()), "r": rank}))
    if size is not None:
        cut("adapter_model.safetensors", size)(tmp_path)
    with pytest.raises(InputInvalid, match=words) as caught:
        tiny.add_adapter("x", tmp_path)
    assert caught.value.where == str(tmp_path)


@pytest.mark.parametrize("kind", [LocalEmbedder, CrossEncoderReranker])
@pytest.mark.parametrize("case", ["cut weights", "no tokenizer", "config not JSON", "no weights"])
def test_damaged_embedders_and_rerankers_are_refused(
    case: str, kind: type[Any], tmp_path: Path
) -> None:
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    model = BertForSequenceClassification(
        BertConfig(vocab_size=len(words), intermediate_size=16, num_labels=1, **sizes)
    )
    model.save_pretrained(tmp_path)
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    change, _ = BROKEN[case]
    change(tmp_path)
    if case == "no tokenizer":
        for name in ("vocab.txt", "tokenizer_config.json"):
            (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(WeightsMissing) as caught:
        kind(tmp_path, device="cpu")
    assert caught.value.fix


def test_compiled_constraints_are_bounded(tiny: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domainsmith.model_io.constrain._CACHE_ENTRIES", 3)
    grammars = Grammars(tiny.tokenizer, tiny._forward.vocabulary, sorted(tiny._forward.stop_ids))
    for number in range(8):
        grammars.start(Constraint.choice([f"choice {number}"]), 20)
        grammars.start(Constraint.choice(["kept in use"]), 20)
    assert len(grammars._compiled) == 3
    assert Constraint.choice(["kept in use"]) in grammars._compiled
