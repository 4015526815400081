"""Asking a person about a side effect, in words and with its exact arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from domainsmith.apps.console import Console
from domainsmith.apps.output import reveal
from domainsmith.records import Language

if TYPE_CHECKING:
    from domainsmith.agents.state import ApprovalRequest

__all__ = ["Approver", "approval_lines"]

_YES = frozenset({"y", "yes", "是", "好", "同意"})
_ALWAYS = frozenset({"a", "always", "总是"})
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "wants": "Step {step} wants to: {title} ({tool})",
        "defaults": "with the default settings",
        "estimate": "estimate: {summary}",
        "prompt": "approve? [y]es / [n]o / [a]lways for this tool: ",
        "approved": "approved ({reason})",
        "always": "always, as you said",
        "denied": "not approved",
    },
    "zh": {
        "wants": "第 {step} 步要执行：{title}（{tool}）",
        "defaults": "使用默认设置",
        "estimate": "预计：{summary}",
        "prompt": "是否批准？[y] 是 / [n] 否 / [a] 总是批准此工具：",
        "approved": "已批准（{reason}）",
        "always": "您已选择总是批准",
        "denied": "未获批准",
    },
}


def approval_lines(request: ApprovalRequest, title: str) -> list[str]:
    """Write what will be done.

    Args:
        request: The side effect.
        title: The tool's name for people.

    Returns:
        Lines in the request's language, in which hidden characters are visible, so that what is
        approved is what is seen.
    """
    words = _WORDS[request.language]
    arguments = json.loads(request.arguments)
    lines = [words["wants"].format(step=request.step, title=title, tool=request.tool)]
    lines += [
        f"  {name} = {reveal(json.dumps(value, ensure_ascii=False))}"
        for name, value in arguments.items()
    ] or [f"  {words['defaults']}"]
    summary = request.estimate.get("summary")
    if summary:
        lines.append("  " + words["estimate"].format(summary=reveal(str(summary))))
    return lines


class Approver:
    """Decides about side effects by asking.

    Args:
        console: Where the question is written.
        ask: Returns the answer to a prompt; raises EOFError where nobody can answer.
        yes: Approve everything.
        before: Called before a question is written (to clear a live line).
    """

    def __init__(
        self,
        console: Console,
        ask: Callable[[str], str],
        *,
        yes: bool = False,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._console = console
        self._ask = ask
        self._yes = yes
        self._before = before
        self._always: set[str] = set()

    def __call__(self, request: ApprovalRequest) -> bool:
        """Ask about one side effect; anything but a clear yes is a no."""
        from domainsmith.tools.toolset import TOOLS

        self._before()
        tool = TOOLS.get(request.tool)
        words = _WORDS[request.language]
        title = tool.title[request.language] if tool else request.tool
        for line in approval_lines(request, title):
            self._console.warn(line)
        if self._yes or request.tool in self._always:
            reason = "--yes" if self._yes else words["always"]
            self._console.warn("  " + words["approved"].format(reason=reason))
            return True
        try:
            answer = self._ask(words["prompt"]).strip().lower()
        except EOFError:
            answer = ""
        if answer in _ALWAYS:
            self._always.add(request.tool)
        approved = answer in _YES | _ALWAYS
        if not approved:
            self._console.warn(f"  {words['denied']}")
        return approved
