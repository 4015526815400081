"""Asking a person about a side effect, in words and with its exact arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from domainsmith.apps.console import Console
from domainsmith.apps.output import reveal

if TYPE_CHECKING:
    from domainsmith.agents.state import ApprovalRequest

__all__ = ["Approver", "approval_lines"]

_YES = frozenset({"y", "yes", "是", "好", "同意"})
_ALWAYS = frozenset({"a", "always", "总是"})


def approval_lines(request: ApprovalRequest, title: str) -> list[str]:
    """Write what will be done.

    Args:
        request: The side effect.
        title: The tool's name for people.

    Returns:
        Lines in which hidden characters are visible, so that what is approved is what is seen.
    """
    arguments = json.loads(request.arguments)
    lines = [f"Step {request.step} wants to: {title} ({request.tool})"]
    lines += [
        f"  {name} = {reveal(json.dumps(value, ensure_ascii=False))}"
        for name, value in arguments.items()
    ] or ["  with the default settings"]
    summary = request.estimate.get("summary")
    if summary:
        lines.append(f"  estimate: {reveal(str(summary))}")
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
        title = tool.title["en"] if tool else request.tool
        for line in approval_lines(request, title):
            self._console.warn(line)
        if self._yes or request.tool in self._always:
            reason = "--yes" if self._yes else "always, as you said"
            self._console.warn(f"  approved ({reason})")
            return True
        try:
            answer = self._ask("approve? [y]es / [n]o / [a]lways for this tool: ").strip().lower()
        except EOFError:
            answer = ""
        if answer in _ALWAYS:
            self._always.add(request.tool)
        approved = answer in _YES | _ALWAYS
        if not approved:
            self._console.warn("  not approved")
        return approved
