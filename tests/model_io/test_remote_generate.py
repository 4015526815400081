"""A served model as a generator: batches, constraints, faults."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from scripted_server import Hang, Raw, Say, Script, Status, scripted_server

from domainsmith.errors import EndpointUnavailable, InputInvalid
from domainsmith.model_io import remote_generate
from domainsmith.model_io.generation import Constraint, GenerationRequest, Generator, Scorer
from domainsmith.model_io.load import load_generator
from domainsmith.model_io.remote_generate import RemoteGenerator, estimated_tokens
from domainsmith.records import Message


@pytest.fixture(scope="module")
def running() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def server(running: Script, monkeypatch: pytest.MonkeyPatch) -> Script:
    monkeypatch.setattr(remote_generate, "_PAUSE", 0.01)
    running.plays(Say("8 kg"))
    return running


def writer(server: Script, **options: object) -> RemoteGenerator:
    name = f"openai:http://127.0.0.1:{server.port}/v1#m"
    return RemoteGenerator(name, max_retries=0, **options)  # type: ignore[arg-type]


def texts(generator: Generator, *requests: GenerationRequest) -> list[str]:
    found = {done.index: done.text for done in generator.generate(requests)}
    return [found[at] for at in range(len(requests))]


def test_it_is_a_generator_and_no_scorer(server: Script) -> None:
    server.models = [{"id": "m", "object": "model", "owned_by": "x", "max_model_len": 777}]
    generator = load_generator(f"openai:http://u:secret@127.0.0.1:{server.port}/v1#m")
    assert isinstance(generator, Generator)
    assert not isinstance(generator, Scorer)
    assert generator.model_name.startswith("m@")
    assert "secret" not in generator.model_name
    assert generator.context_length == 777
    assert estimated_tokens("Wash it at 40 degrees.") == 7
    assert estimated_tokens("水温四十度。") == 6


def test_messages_and_plain_texts_are_asked(server: Script) -> None:
    generator = writer(server, at_once=1)
    turns = [Message(role="system", content="Be short."), Message(role="user", content="How much?")]
    prompt = generator.render(turns)
    request = GenerationRequest(prompt, max_new_tokens=9, temperature=0.7, top_p=0.9, stop=("\n",))
    done = next(iter(generator.generate([request])))
    assert (done.text, done.finish_reason) == ("8 kg", "stop")
    assert (done.prompt_tokens, done.completion_tokens) == (3, 2)
    asked = server.bodies[-1]
    assert [turn["role"] for turn in asked["messages"]] == ["system", "user"]
    assert asked["max_completion_tokens"] == 9
    assert (asked["temperature"], asked["top_p"], asked["stop"]) == (0.7, 0.9, ["\n"])
    texts(generator, GenerationRequest("Text: a\nQuestion:"))
    (only,) = server.bodies[-1]["messages"]
    assert only["content"].startswith("Continue this text")
    assert only["content"].endswith("Question:")
    with pytest.raises(InputInvalid, match="last turn open"):
        generator.render(turns, add_generation_prompt=False)
    with pytest.raises(InputInvalid, match="adapter"):
        texts(generator, GenerationRequest("a", adapter="b"))


def test_constraints_are_demanded_without_the_blank_that_a_text_goes_on_with(
    server: Script,
) -> None:
    server.plays(Say("Yes"), Say("How old is it?"), Say(json.dumps({"a": 1})))
    generator = writer(server, at_once=1)
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    asked = [
        GenerationRequest("a", constraint=Constraint.choice([" Yes", " No"])),
        GenerationRequest("b", constraint=Constraint.regex(r" How( [a-z]+){2,5}\?")),
        GenerationRequest("c", constraint=Constraint.json_schema(schema)),
    ]
    assert texts(generator, *asked) == [" Yes", "How old is it?", '{"a": 1}']
    assert server.bodies[0]["structured_outputs"] == {"choice": ["Yes", "No"]}
    assert server.bodies[1]["structured_outputs"] == {"regex": r"How( [a-z]+){2,5}\?"}


def test_an_answer_that_never_fits_is_lost_and_no_other(server: Script) -> None:
    generator = writer(server, at_once=1)
    server.plays(Say("perhaps"), Say("perhaps"), Say("perhaps"), Say("perhaps"), Say("No"))
    rule = Constraint.choice(["Yes", "No"])
    found = list(
        generator.generate([GenerationRequest("a", constraint=rule), GenerationRequest("b")])
    )
    assert [(done.text, done.finish_reason) for done in found] == [("", "invalid"), ("No", "stop")]
    assert "perhaps" in str(server.bodies[3]["messages"])  # it was shown what was wrong


@pytest.mark.parametrize(
    "fault", [Status(429), Status(503, "loading"), Raw(b"{ no json"), Raw(b'{"choices": []}')]
)
def test_faults_are_tried_again(server: Script, fault: object) -> None:
    server.plays(fault, fault, Say("8 kg"))
    assert texts(writer(server, at_once=1), GenerationRequest("a")) == ["8 kg"]
    assert len(server.seen) == 3


@pytest.mark.parametrize(("fault", "many"), [(Status(500, "it broke"), 4), (Status(401), 1)])
def test_a_server_that_stays_broken_is_given_up(server: Script, fault: Status, many: int) -> None:
    server.plays(fault)
    with pytest.raises(EndpointUnavailable):
        texts(writer(server, at_once=1), GenerationRequest("a"))
    assert len(server.seen) == many


def test_many_are_asked_at_once_and_an_interrupt_waits_for_none(server: Script) -> None:
    server.plays(Say("8 kg"))
    requests = [GenerationRequest(str(number)) for number in range(40)]
    assert texts(writer(server, at_once=8), *requests) == ["8 kg"] * 40
    server.plays(Say("8 kg"), Hang())
    found = writer(server, at_once=2).generate(requests)
    assert next(found).text == "8 kg"
    found.close()  # type: ignore[attr-defined]
    assert len(server.seen) < 40
    stop = threading.Event()
    stop.set()
    done = list(writer(server).generate(requests, cancel=stop))
    assert {item.finish_reason for item in done} == {"cancelled"}
