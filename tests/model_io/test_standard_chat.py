"""LangChain's own standard suites for chat models, run on the real local model."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from domainsmith.model_io.load import load_engine
from domainsmith.model_io.local_chat import LocalChat

pytest.importorskip("langchain_tests", reason="langchain-tests is not installed (extra `dev`)")

from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests


class _Local:
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return LocalChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": load_engine("default")}

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        return {"temperature": 0, "max_tokens": 48, "timeout": 60, "stop": [], "max_retries": 2}

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


class TestLocalChatUnit(_Local, ChatModelUnitTests):  # type: ignore[misc]
    """The unit suite.

    Skipped: ``test_init_from_env`` (a loaded engine does not come from the environment) and
    ``test_serdes`` (an engine is not written into JSON).
    """


class TestLocalChatIntegration(_Local, ChatModelIntegrationTests):  # type: ignore[misc]
    """The integration suite.

    Skipped: images, audio and PDF, as inputs or as tool results (the models read text only);
    Anthropic's inputs (not the messages of this model); the override of the model's name in a call
    (four cases: a chat model has one engine); recorded traffic (``test_stream_time``: there is
    none).
    """


for _suite in (TestLocalChatUnit, TestLocalChatIntegration):
    for _name, _method in inspect.getmembers(_suite, inspect.iscoroutinefunction):
        if _name.startswith("test_"):
            setattr(_suite, _name, pytest.mark.asyncio(_method))
