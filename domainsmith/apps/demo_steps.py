"""What the demo is asked for, its steps, and what each of them must produce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domainsmith.records import Language

__all__ = ["LOOP", "QUICK", "DemoOptions", "DemoStep", "default_workspace", "produced"]

QUICK: dict[str, Any] = {"records": 80, "epochs": 1.0, "max_questions": 24}
"""Sizes of a ``--quick`` run; a setting that was given wins."""
_FLOOR = {False: 100, True: 40}
"""Graded records below which the demo has failed, without and with ``--quick``."""
_SCORES = 4
"""Systems that the comparison scores at least."""
LOOP = ("add_documents", "generate_data", "select_data", "train_model", "evaluate_model")
"""Tools that the agent's plan must have run."""


@dataclass(frozen=True)
class DemoOptions:
    """What a run of the demo is asked for.

    Args:
        language: Of documents, request and questions.
        quick: Fewer records, epochs and test questions, for continuous integration.
    """

    language: Language = "en"
    quick: bool = False


@dataclass(frozen=True)
class DemoStep:
    """One line of the summary.

    Args:
        name: What was done, for programs.
        outcome: What came out, with the numbers.
        seconds: Wall-clock time.
        ok: False if it produced nothing.
        title: What was done, for people.
    """

    name: str
    outcome: str
    seconds: float
    ok: bool = True
    title: str = ""


def default_workspace(options: DemoOptions) -> Path:
    """Give each kind of run a workspace of its own, so that their datasets do not mix.

    Args:
        options: Language and size.

    Returns:
        A folder in the current one.
    """
    kind = ("-zh" if options.language == "zh" else "") + ("-quick" if options.quick else "")
    return Path(f".domainsmith-demo{kind}")


def produced(tool: str, data: Mapping[str, Any], *, quick: bool) -> bool:
    """Tell whether a step of the loop produced what the next one needs.

    Args:
        tool: One of :data:`LOOP`.
        data: Its result.
        quick: Of a ``--quick`` run, which makes less.
    """
    if tool == "add_documents":
        return int(data.get("passages", 0)) > 0
    if tool == "generate_data":
        floor = min(_FLOOR[quick], int(data["asked"]) // 2)
        return int(data.get("records", 0)) >= floor
    if tool == "select_data":
        return int(data.get("records", 0)) > 0
    if tool == "train_model":
        return bool(data.get("adapter_id"))
    return len(data.get("report", {}).get("scores", ())) >= _SCORES
