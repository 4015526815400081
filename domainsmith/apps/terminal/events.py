"""The agent's events as lines of text, in the request's language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from domainsmith.apps.output import one_line
from domainsmith.records import Language

if TYPE_CHECKING:
    from domainsmith.agents.state import AgentEvent

__all__ = ["WORDS", "event_lines"]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "plan": "plan:",
        "resumed": "continuing where this request was interrupted",
        "finished": "{status} in {seconds:.1f} s",
        "stopped": "stopped; finished steps are kept, /continue goes on",
        "pending": "interrupted: {request}\n/continue goes on with it",
        "working": "working",
        "done": "done",
        "failed": "failed",
        "denied": "denied",
    },
    "zh": {
        "plan": "计划：",
        "resumed": "从上次中断的地方继续",
        "finished": "{status}，用时 {seconds:.1f} 秒",
        "stopped": "已停止；已完成的步骤会保留，/continue 可继续",
        "pending": "被中断的请求：{request}\n输入 /continue 可继续",
        "working": "正在处理",
        "done": "完成",
        "failed": "失败",
        "denied": "未获批准",
    },
}


def event_lines(event: AgentEvent, language: Language = "en") -> list[str]:
    """Put an event of the agent in lines.

    Args:
        event: Any event but progress.
        language: Of the lines.

    Returns:
        What to show; nothing for events that need no line.
    """
    words = WORDS[language]
    if event.kind == "plan":
        steps = event.data.get("steps", ())
        return [words["plan"], *map(_step_line, steps)] if len(steps) > 1 else []
    if event.kind == "resumed":
        # A kill before the plan was made leaves none.
        steps = (event.data.get("plan") or {}).get("steps", ())
        return [words["resumed"], *map(_step_line, steps)]
    if event.kind == "step_started":
        arguments = one_line(json.dumps(event.data.get("arguments", {}), ensure_ascii=False), 100)
        return [f"> {event.tool} {'' if arguments == '{}' else arguments}".rstrip()]
    if event.kind == "step_finished":
        status = str(event.data.get("status", ""))
        if status == "denied":
            return []  # the person has just said so, and the answer says what was left out
        seconds = float(event.data.get("seconds", 0))
        line = "  " + words["finished"].format(status=words.get(status, status), seconds=seconds)
        # What one step gave is the whole answer, which follows at once.
        told = event.data.get("summary") if event.data.get("steps", 1) > 1 else ""
        return [line, "  " + one_line(told, 160)] if told else [line]
    return [one_line(event.data["text"])] if event.data.get("text") else []


def _step_line(step: dict[str, Any]) -> str:
    given = {key: value for key, value in step.get("arguments", {}).items() if value is not None}
    arguments = ", ".join(
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given.items()
    )
    return f"  {step['number']}. {step['tool']}({one_line(arguments, 100)})"
