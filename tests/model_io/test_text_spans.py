from __future__ import annotations

import json
import random
import time

import pytest
from langchain_core.tools import tool

from domainsmith.errors import InputInvalid
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generation import Constraint, GenerationRequest
from domainsmith.model_io.local_chat import LocalChat
from domainsmith.model_io.text_spans import SPAN_OF, mark_spans

ENGLISH = 'Send the "spring report" (docs/a-1.pdf) to Ms. O\'Hara in Milan\nby Friday, please.'
CHINESE = "请把三月份的销售报告发给上海分公司的王小明，他周五之前要看。"
SCHEMA = {
    "type": "object",
    "properties": {
        "recipient": {"type": "string"},
        "files": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
        "note": {"anyOf": [{"type": "string", "maxLength": 40}, {"type": "null"}]},
    },
    "required": ["recipient", "files", "note"],
}


def spans_of(text: str) -> Constraint:
    return Constraint.json_schema(SCHEMA, spans=dict.fromkeys(("recipient", "files", "note"), text))


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_outputs_are_always_spans(engine: Engine, text: str) -> None:
    prompt = engine.render([{"role": "user", "content": f"{text}\nWho, which files, a note?"}])
    requests = [
        GenerationRequest(
            prompt,
            max_new_tokens=160,
            temperature=0.0 if seed == 0 else 1.5,
            seed=seed,
            constraint=spans_of(text),
        )
        for seed in range(6)
    ]
    for done in engine.generate(requests):
        value = json.loads(done.text)
        copied = [value["recipient"], *value["files"], *filter(None, [value["note"]])]
        for span in copied:
            assert span
            assert span in text
            assert span == span.strip()
            if text is ENGLISH:
                at = text.index(span)
                assert (
                    at == 0
                    or not (text[at - 1].isalnum() and span[0].isalnum())
                    or any(
                        not (text[place - 1 : place].isalnum() and span[0].isalnum())
                        for place in range(1, len(text))
                        if text.startswith(span, place)
                    )
                )


def test_long_texts_compile_in_half_a_second(engine: Engine) -> None:
    source = random.Random(1)
    words = ENGLISH.split()
    long_english = " ".join(source.choice(words) for _ in range(330))[:2000]
    long_chinese = "".join(chr(0x4E00 + source.randrange(800)) for _ in range(2000))
    grammars = engine._rows.constraints()
    grammars.start(spans_of("first"), 200)
    for text in (long_english, long_chinese):
        started = time.perf_counter()
        grammars.start(spans_of(text), 200)
        assert time.perf_counter() - started < 2, "0.1 s on a free core; many share one here"


def test_paths_lead_through_arrays_alternatives_and_references() -> None:
    schema = {
        "$defs": {"Person": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "type": "object",
        "properties": {
            "people": {"type": "array", "items": {"$ref": "#/$defs/Person"}},
            "size": {"type": "integer"},
        },
    }
    marked = mark_spans(schema, {"people.name": "Ann and Bob"})
    assert marked["$defs"]["Person"]["properties"]["name"][SPAN_OF] == "Ann and Bob"
    assert SPAN_OF not in json.dumps(schema)
    for path in ("nobody", "size", "people.age"):
        with pytest.raises(InputInvalid, match="no string"):
            mark_spans(schema, {path: "x"})


def test_texts_without_a_word_are_refused(engine: Engine) -> None:
    with pytest.raises(InputInvalid, match="empty"):
        list(engine.generate([GenerationRequest("x", constraint=spans_of(" \n"))]))
    with pytest.raises(InputInvalid, match="at most"):
        list(engine.generate([GenerationRequest("x", constraint=spans_of("a " * 5000))]))


@tool
def send(recipient: str, subject: str) -> str:
    """Send a message to somebody."""
    return f"{recipient} {subject}"


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return city


@pytest.mark.parametrize("request_text", [ENGLISH, CHINESE])
def test_arguments_are_copied_from_the_request(engine: Engine, request_text: str) -> None:
    chat = LocalChat(engine=engine, max_tokens=120)
    bound = chat.bind_tools([send], tool_choice="any", copy_from_request=True)
    (call,) = bound.invoke(request_text).tool_calls
    assert call["args"]["recipient"] in request_text
    assert call["args"]["subject"] in request_text


def test_a_tool_can_be_chosen_by_scoring(exact_engine: Engine) -> None:
    chat = LocalChat(engine=exact_engine, max_tokens=60)
    bound = chat.bind_tools([send, weather], tool_choice="any", tool_choice_by="scoring")
    both = bound.batch(["What is the weather in Paris?", "Send a message to Ann."])
    assert [answer.tool_calls[0]["name"] for answer in both] == ["weather", "send"]
    free = chat.bind_tools([send, weather], tool_choice_by="scoring").invoke("Hello!")
    assert bool(free.text) != bool(free.tool_calls)
