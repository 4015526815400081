"""The report of a held-out comparison: JSON for programs, one HTML file for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from domainsmith.errors import DomainSmithError
from domainsmith.records import EvalReport, Language
from domainsmith.storage.atomic import write_json, write_text
from domainsmith.training import registry
from domainsmith.training.job_folder import JobFolder
from domainsmith.training.report_samples import samples_section
from domainsmith.training.report_sections import (
    categories_section,
    differences_section,
    estimate_section,
    head,
    lineage_section,
    loss_section,
    scores_section,
)
from domainsmith.training.report_words import WORDS
from domainsmith.workspace import Workspace

__all__ = ["write_report"]


def write_report(
    workspace: Workspace, report: EvalReport, *, language: Language | None = None
) -> Path:
    """Write ``report.json`` and ``report.html`` into the report's folder.

    Args:
        workspace: Where the report, its adapter and its job lie.
        report: From :func:`domainsmith.training.evaluate.evaluate`.
        language: Of the page's words; None takes that of most questions.

    Returns:
        The HTML file: self-contained, no scripts, nothing loaded from elsewhere.
    """
    folder = workspace.reports_dir / (report.key or report.id)
    write_json(folder / "report.json", report.model_dump(mode="json"))
    spoken = Counter(str(row["language"]) for row in report.answers).most_common(1)
    chosen: Language = language or ("zh" if spoken and spoken[0][0] == "zh" else "en")
    target = folder / "report.html"
    write_text(target, _page(report, _training(workspace, report), WORDS[chosen], chosen))
    return target


def _training(workspace: Workspace, report: EvalReport) -> dict[str, Any]:
    """Gather what is known of the training behind a report; empty if there was none."""
    if report.adapter_id is None:
        return {}
    try:
        manifest = registry.adapter(workspace, report.adapter_id).manifest
        if manifest is None:
            return {}
        folder = JobFolder(workspace.jobs_dir / manifest.job_id)
        return {
            "manifest": manifest,
            "steps": folder.read_steps(),
            "estimate": folder.read_spec().estimate,
        }
    except DomainSmithError:
        return {}  # The adapter was made elsewhere: the report stands without its training.


def _page(
    report: EvalReport, training: Mapping[str, Any], words: Mapping[str, str], language: Language
) -> str:
    style = (files(__package__) / "report.css").read_text(encoding="utf-8")
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(words['title'])} {escape(report.key)}</title>"
        f"<style>{style}</style></head><body><main>",
        head(report, words),
        scores_section(report, words),
        differences_section(report, words, language),
        categories_section(report, words),
        loss_section(training, words),
        estimate_section(training, words),
        samples_section(report, words),
        lineage_section(report, training, words),
        "</main></body></html>\n",
    ]
    return "".join(parts)
