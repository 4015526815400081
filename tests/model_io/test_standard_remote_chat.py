"""LangChain's own standard suites for a remote chat model and embeddings, on our real server."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from domainsmith.model_io.embed_langchain import LangChainEmbeddings
from domainsmith.model_io.remote_chat import RemoteChat, open_remote_chat
from domainsmith.model_io.remote_embed import RemoteEmbedder
from domainsmith.workspace import Workspace

pytest.importorskip("langchain_tests", reason="langchain-tests is not installed (extra `dev`)")

from langchain_tests.integration_tests import ChatModelIntegrationTests, EmbeddingsIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, chat_model_path: Path) -> Iterator[str]:
    """Address of a server process over the real small models."""
    del chat_model_path  # converted once, before the server looks for it
    folder = tmp_path_factory.mktemp("served")
    Workspace.create(folder).close()
    command = [sys.executable, "-m", "domainsmith.apps.http", "--workspace", str(folder)]
    with subprocess.Popen(
        [*command, "--port", "0", "--adapter", "none"], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())["url"]
        finally:
            os.kill(child.pid, signal.SIGTERM)
            assert child.wait(30) == 0


class _Remote:
    @pytest.fixture(autouse=True)
    def _address(self, url: str) -> None:
        self._url = url

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return RemoteChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "base_url": self._url,
            "api_key": "none",
            "model": "base",
            "stream_usage": True,
            # Where the suite sets no bound; it may set another, which wins.
            "extra_body": {"max_tokens": 16},
        }

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        return {"temperature": 0, "max_tokens": 32, "timeout": 120, "stop": [], "max_retries": 2}

    @property
    def has_tool_calling(self) -> bool:
        return True

    @property
    def has_tool_choice(self) -> bool:
        return True

    @property
    def has_structured_output(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "base"


class TestRemoteChatUnit(_Remote, ChatModelUnitTests):  # type: ignore[misc]
    """The unit suite.

    Skipped: ``test_serdes`` (LangChain's loader knows the classes of its own packages only).
    """

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        env = {"OPENAI_API_KEY": "secret", "OPENAI_API_BASE": self._url}
        return env, {"model": "base"}, {"openai_api_key": "secret", "openai_api_base": self._url}


class TestRemoteChatIntegration(_Remote, ChatModelIntegrationTests):  # type: ignore[misc]
    """The integration suite.

    Skipped: images, audio, video and PDF, as inputs or as tool results (the models read text only,
    and the server refuses such parts by name); Anthropic's inputs (not OpenAI's protocol); recorded
    traffic (``test_stream_time``: the server is real).
    """


class TestRemoteEmbeddings(EmbeddingsIntegrationTests):  # type: ignore[misc]
    """The integration suite for embeddings; nothing is skipped."""

    @pytest.fixture(autouse=True)
    def _open(self, url: str) -> Iterator[None]:
        self._embedder = RemoteEmbedder(f"openai:{url}#embedder")
        yield
        self._embedder.close()

    @property
    def embeddings_class(self) -> type[LangChainEmbeddings]:
        return LangChainEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"embedder": self._embedder}


def test_the_remote_model_answers_as_the_one_in_process(url: str, engine: Any) -> None:
    from domainsmith.model_io.generation import Constraint
    from domainsmith.model_io.local_chat import LocalChat

    remote, local = open_remote_chat(f"openai:{url}#base"), LocalChat(engine=engine)
    asked = "Tell me the colour of the sky."
    for constraint in (Constraint.choice(["blue", "green"]), Constraint.regex("[a-z]{3,8}")):
        found = remote.invoke(asked, constraint=constraint)
        assert found.text == local.invoke(asked, constraint=constraint).text
        assert found.response_metadata["tries"] == 1
    profile = remote.learn_profile()
    assert profile is not None
    assert profile["max_input_tokens"] == engine.context_length


def test_an_agent_gets_its_structured_response(url: str) -> None:
    from langchain.agents import create_agent
    from langchain.agents.structured_output import ToolStrategy
    from pydantic import BaseModel, Field

    class Person(BaseModel):
        """A person."""

        name: str = Field(max_length=12)
        age: int

    remote = open_remote_chat(f"openai:{url}#base", max_tokens=64)
    agent = create_agent(remote, tools=[], response_format=ToolStrategy(Person), name="clerk")
    state = agent.invoke({"messages": [("user", "Bob is 42 years old.")]})
    assert isinstance(state["structured_response"], Person)


for _suite in (TestRemoteChatUnit, TestRemoteChatIntegration, TestRemoteEmbeddings):
    for _name, _method in inspect.getmembers(_suite, inspect.iscoroutinefunction):
        if _name.startswith("test_"):
            setattr(_suite, _name, pytest.mark.asyncio(_method))
