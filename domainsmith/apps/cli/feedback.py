"""``domainsmith feedback``."""

from __future__ import annotations

from typing import Literal

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_any
from domainsmith.errors import InputInvalid

__all__ = ["command"]


@click.command("feedback", cls=AppCommand)
@click.argument("answer", metavar="ANSWER", shell_complete=complete_any)
@click.argument("verdict", type=click.Choice(["good", "bad"]))
@click.option("--correction", default="", metavar="TEXT", help="What the answer should have been.")
@click.option("--comment", default="", metavar="TEXT", help="Anything else about it.")
def command(
    app: App, answer: str, verdict: Literal["good", "bad"], correction: str, comment: str
) -> Outcome:
    """Judge an answer, and say what it should have been.

    ANSWER is the id that `ask`, `chat` and the server tell, or its beginning. Corrections become
    preference pairs (`generate --method preferences --option source=feedback`).
    """
    from domainsmith.apps.cli.trace import resolve
    from domainsmith.memory.feedback import add_feedback
    from domainsmith.records import Feedback

    if correction.strip() and verdict == "good":
        raise InputInvalid("A good answer needs no correction", fix="Say bad, or leave it out.")
    workspace = app.workspace()
    feedback = Feedback(
        answer_id=resolve(workspace.db, answer),
        verdict=verdict,
        correction=correction.strip(),
        comment=comment.strip(),
    )
    identity = add_feedback(workspace, feedback)
    app.console.data(f"noted for {feedback.answer_id}")
    return Outcome({"id": identity, **feedback.model_dump(mode="json")})
