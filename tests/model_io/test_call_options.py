"""Options that do not exist or cannot be used are refused before anything is computed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domainsmith.errors import InputInvalid
from domainsmith.model_io.embed import LocalEmbedder
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.load import load_chat, load_embedder, load_engine
from domainsmith.model_io.local_chat import LocalChat
from domainsmith.training.select.pipeline import run_stages


@pytest.fixture(scope="module")
def chat(engine: Engine) -> LocalChat:
    return LocalChat(engine=engine, max_tokens=2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_toks": 3}, "max_toks; did you mean max_tokens"),
        ({"temprature": 0.5}, "temprature; did you mean temperature"),
        ({"colour": "blue"}, "no option colour"),
        ({"max_tokens": "many"}, "max_tokens is 'many'"),
        ({"max_tokens": 2.5}, "must be a whole number"),
        ({"temperature": "hot"}, "temperature is 'hot'"),
        ({"stop": 3}, "stop is 3"),
        ({"stop": ["a", 3]}, "must be a list of texts"),
    ],
)
def test_bad_options_of_a_call_are_refused(
    chat: LocalChat, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputInvalid, match=words):
        chat.invoke("x", **options)
    with pytest.raises(InputInvalid, match=words):
        list(chat.stream("x", **options))
    with pytest.raises(InputInvalid, match=words):
        chat.batch(["x", "y"], **options)
    with pytest.raises(InputInvalid, match=words):
        asyncio.run(chat.ainvoke("x", **options))


def test_standard_options_are_taken(chat: LocalChat) -> None:
    given = {"timeout": 5, "max_retries": 1, "strict": True, "stream": False, "seed": 3}
    plain = chat.invoke("Say hi.")
    assert chat.invoke("Say hi.", **given).text == plain.text
    assert chat.invoke("Say hi.", stop="\n").text is not None
    assert chat.invoke("Say hi.", max_tokens=1).usage_metadata["output_tokens"] == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_toks": 3}, "did you mean max_tokens"),
        ({"max_tokens": "many"}, "max_tokens is 'many'"),
        ({"stop": 3}, "stop is 3"),
    ],
)
def test_a_chat_model_is_not_loaded_with_bad_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputInvalid, match=words):
        load_chat("default", **options)


@pytest.mark.parametrize("load", [load_chat, load_engine, load_embedder])
def test_a_name_that_is_no_text_is_refused(load: Any) -> None:
    with pytest.raises(InputInvalid, match="name of a model is None"):
        load(None)


def test_only_texts_are_embedded(embedder: LocalEmbedder) -> None:
    for wrong in ([None], ["a", 3], None):
        with pytest.raises(InputInvalid, match="list of texts"):
            embedder.embed(wrong)  # type: ignore[arg-type, list-item]


def test_only_lists_are_selected_from() -> None:
    with pytest.raises(InputInvalid, match="NoneType"):
        run_stages(None)  # type: ignore[arg-type]
    with pytest.raises(InputInvalid, match="Stages"):
        run_stages([], None)  # type: ignore[arg-type]
