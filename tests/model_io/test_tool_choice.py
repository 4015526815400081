from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from domainsmith.model_io.chat_messages import words_messages
from domainsmith.model_io.engine import Engine
from domainsmith.model_io.tool_choice import fits, open_tools, scored_tools


def tool(name: str, description: str, *parameters: str) -> dict[str, Any]:
    properties = {parameter: {"type": "string"} for parameter in parameters}
    schema = {"type": "object", "properties": properties}
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


WEATHER = tool("get_weather", "Get the weather at a location.", "location")
SEND = tool("send", "Send a message to somebody.", "recipient", "subject")
CHINESE = tool("发送邮件", "给某人发送邮件。", "收件人", "内容")


@pytest.mark.parametrize(
    ("request_text", "name"),
    [
        ("What is the weather in Berlin tomorrow?", "get_weather"),
        ("Please send Bob a message that I am late.", "send"),
        ("给王小明发一封邮件，告诉他明天开会。", "发送邮件"),
        ("Hello!", None),
        ("Thanks, that helped.", None),
        ("What is the capital of France?", None),
        ("你好", None),
        ("法国的首都是哪里？", None),
    ],
)
def test_the_tool_that_fits_is_picked_or_none(
    engine: Engine, request_text: str, name: str | None
) -> None:
    tools = [WEATHER, SEND, CHINESE]
    picked = scored_tools(engine, tools, request=request_text, must_call=False)
    assert [one["function"]["name"] for one in picked] == ([name] if name else [])
    (forced,) = scored_tools(engine, tools, request=request_text, must_call=True)
    assert name in (None, forced["function"]["name"])


def test_a_margin_makes_calls_rarer_or_more_frequent(engine: Engine) -> None:
    asked = "Send a message to Ann."
    (score,) = fits(engine, asked, [SEND])
    assert score > 0
    for margin, picked in ((score + 1, []), (score - 1, [SEND])):
        found = scored_tools(engine, [SEND], request=asked, must_call=False, margin=margin)
        assert found == picked
    assert scored_tools(engine, [SEND], request=" ", must_call=False) == []


def turn(*calls: tuple[str, str]) -> list[AnyMessage]:
    messages: list[AnyMessage] = [HumanMessage("Weather in Rome?")]
    for number, (name, status) in enumerate(calls):
        call = {"name": name, "args": {}, "id": str(number), "type": "tool_call"}
        messages.append(AIMessage("", tool_calls=[call]))
        messages.append(ToolMessage("x", tool_call_id=str(number), status=status))
    return messages


def test_a_tool_that_answered_is_done_until_the_next_request() -> None:
    tools = [WEATHER, SEND]
    assert open_tools(turn(), tools) == tools
    assert open_tools(turn(("get_weather", "success")), tools) == [SEND]
    assert open_tools(turn(("get_weather", "error")), tools) == tools
    assert open_tools(turn(("get_weather", "error"), ("get_weather", "error")), tools) == [SEND]
    after = [*turn(("get_weather", "success")), AIMessage("Sunny."), HumanMessage("And in Oslo?")]
    assert open_tools(after, tools) == tools


@pytest.mark.parametrize("asked", ["Weather in Rome?", "罗马天气？"])
def test_an_answer_in_words_sees_results_and_no_calls(asked: str) -> None:
    messages = [HumanMessage(asked), *turn(("get_weather", "success"))[1:]]
    (told,) = words_messages(messages)
    assert told["role"] == "user"
    assert told["content"].startswith(asked)
    assert "get_weather: x" in told["content"]
    orphan = words_messages([ToolMessage("It rains.", tool_call_id="?")])
    assert "tool: It rains." in orphan[0]["content"]
