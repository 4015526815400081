from __future__ import annotations

import json
import random
import re

import jsonschema
import pytest
import torch

from benchmarks.random_schemas import random_schemas
from domainsmith.errors import InputInvalid
from domainsmith.model_io.constrain import Grammars, RowGrammar
from domainsmith.model_io.constrained_json import read_json
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Constraint, GenerationRequest
from domainsmith.model_io.patterns import bounded_pattern
from domainsmith.model_io.schema_bounds import bounded_schema
from domainsmith.model_io.shortest_json import short_texts
from domainsmith.model_io.shortest_match import shortest_match
from domainsmith.model_io.string_formats import FORMAT_PATTERNS
from domainsmith.model_io.text_spans import SPAN_OF

TREE = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "value": {"type": "string", "minLength": 2},
                "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            },
            "required": ["value", "next"],
        }
    },
    "$ref": "#/$defs/Node",
}
COPIED = {
    "type": "object",
    "properties": {"who": {"type": "string", SPAN_OF: "Ann and Robert"}, "n": {"type": "integer"}},
    "required": ["who", "n"],
}


@pytest.fixture(scope="module")
def grammars(engine: Engine) -> Grammars:
    return engine._rows.constraints()


def shortest(grammars: Grammars, constraint: Constraint) -> int:
    """Find the least bound that is not refused, by what the refusal says."""
    try:
        grammars.start(constraint, 1)
    except InputInvalid as error:
        return 1 + int(re.findall(r"(\d+) too few", error.what)[0])
    return 1


def written(engine: Engine, row: RowGrammar, bound: int, seed: int, *, greedy: bool) -> str:
    """Let a model that likes anything write; forced tokens are appended as in decoding."""
    source = torch.Generator().manual_seed(seed)
    liked = [engine.tokenizer.encode(text)[0] for text in ("the", '"', "{", ', "', " [", "1", "\n")]
    dice = random.Random(seed)
    tokens: list[int] = []
    ended = False
    while not ended:
        assert len(tokens) < bound, engine.tokenizer.decode(tokens)
        logits = torch.randn(row._bits.shape[1] * 32, generator=source)[:49152] * 3
        logits[dice.choice(liked)] += 20
        row.allow(logits, bound - len(tokens), greedy=greedy)
        chosen = logits.argmax() if greedy else torch.multinomial(logits.softmax(-1), 1)
        for token in (int(chosen), None):
            following = [token] if token is not None else row.forced()
            for one in following:
                tokens.append(one)
                ended = one in engine._forward.stop_ids or row.accept(one)
                if ended:
                    break
            if ended:
                break
    return str(engine.tokenizer.decode(tokens, skip_special_tokens=True))


@pytest.mark.parametrize("greedy", [True, False])
@pytest.mark.parametrize("spare", [0, 1, 7, 40])
def test_whatever_is_liked_the_end_comes_in_time(
    engine: Engine, grammars: Grammars, spare: int, greedy: bool
) -> None:
    torch.manual_seed(spare)
    for number, schema in enumerate([TREE, COPIED, *random_schemas(12, seed=100 + spare)]):
        constraint = Constraint.json_schema(schema)
        bound = shortest(grammars, constraint) + spare
        row = grammars.start(constraint, bound)
        read_json(written(engine, row, bound, number, greedy=greedy), constraint)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_model_ends_within_the_least_bound(
    engine: Engine, grammars: Grammars, temperature: float
) -> None:
    requests = []
    for number, schema in enumerate([TREE, *random_schemas(11, seed=8)]):
        constraint = Constraint.json_schema(schema)
        bound = shortest(grammars, constraint) + number % 3
        requests.append(
            GenerationRequest(
                "A record: ", bound, temperature=temperature, seed=number, constraint=constraint
            )
        )
    for done in engine.generate(requests):
        constraint = requests[done.index].constraint
        assert constraint is not None
        read_json(done.text, constraint)
        assert done.completion_tokens <= requests[done.index].max_new_tokens


def test_a_bound_that_is_too_small_is_refused_and_says_by_how_much(engine: Engine) -> None:
    constraint = Constraint.json_schema(
        {"type": "object", "properties": {"kind": {"const": "a word"}}, "required": ["kind"]}
    )
    with pytest.raises(InputInvalid, match=r"has \d+ tokens, .* is 2: \d too few"):
        list(engine.generate([GenerationRequest("x", 2, constraint=constraint)]))
    least = shortest(engine._rows.constraints(), constraint)
    (done,) = engine.generate([GenerationRequest("x", least, constraint=constraint)])
    assert json.loads(done.text) == {"kind": "a word"}
    assert done.completion_tokens <= least


def test_the_shortest_documents_are_valid() -> None:
    for schema in random_schemas(60, seed=4):
        texts = short_texts(bounded_schema(schema))
        validator = jsonschema.Draft202012Validator(schema)
        assert any(validator.is_valid(json.loads(text)) for text in texts.values if text[0] == "{")


@pytest.mark.parametrize(
    "pattern",
    [
        *FORMAT_PATTERNS.values(),
        bounded_pattern("^[A-Z]{2}-[0-9]{3,}$"),
        "^(north|south)-[a-z]{1,4}$",
        "^[^a-z]+[\\u4e00-\\u9fff]{2}(?:x|yy)?$",
        "\\d+\\.\\w*",
    ],
)
def test_the_shortest_match_matches(pattern: str) -> None:
    found = shortest_match(pattern)
    assert found is not None
    assert re.search(pattern, found)


def test_patterns_that_are_not_understood_have_no_shortest_match() -> None:
    assert shortest_match("(?=a)b") is None
    assert shortest_match("(a)\\1") is None
    assert shortest_match("(a") is None
