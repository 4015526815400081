"""``domainsmith doctor``."""

from __future__ import annotations

from dataclasses import asdict

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.errors import InputInvalid

__all__ = ["command"]


@click.command("doctor", cls=AppCommand)
@click.option("--bench", "measure", is_flag=True, help="Measure tokens per second (a minute).")
def command(app: App, measure: bool) -> Outcome:
    """Check what this machine can do and what is missing.

    Exits with 1 if something that is required is missing; each line says how to fix it.
    """
    from domainsmith.apps.doctor import check_all
    from domainsmith.apps.doctor_check import Check
    from domainsmith.apps.doctor_models import bench
    from domainsmith.settings import Settings

    checks: list[Check] = []
    try:
        settings = app.settings
    except InputInvalid as error:
        settings = Settings()  # the rest can be checked all the same
        checks.append(Check("workspace", "settings", "missing", error.what, error.fix or ""))
    checks += check_all(app.workspace_path(), settings)
    if measure:
        checks.append(bench(settings))
    rows = [[check.area, check.name, check.state, check.value, check.fix] for check in checks]
    app.console.table(["area", "check", "state", "found", "what to do"], rows)
    missing = [check for check in checks if check.state == "missing"]
    warnings = sum(check.state == "warning" for check in checks)
    app.console.note(
        f"{len(missing)} missing, {warnings} warnings"
        + ("" if missing else ": everything that is required is here")
    )
    return Outcome([asdict(check) for check in checks], ok=not missing)
