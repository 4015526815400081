"""The sections of a report's page, each as a piece of HTML."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from domainsmith.records import AdapterManifest, EvalReport, Language
from domainsmith.training.evaluate import ANSWER_CHAIN
from domainsmith.training.report_findings import (
    PAIRS,
    by_question,
    category_scores,
    mean,
    what_got_worse,
)
from domainsmith.training.report_html import (
    interval_cell,
    number_cell,
    section,
    system_rank,
    table,
    wide,
)
from domainsmith.training.report_plots import curve_svg, intervals_svg

__all__ = [
    "categories_section",
    "differences_section",
    "estimate_section",
    "head",
    "lineage_section",
    "loss_section",
    "scores_section",
]


def head(report: EvalReport, words: Mapping[str, str]) -> str:
    """Write the title, the verdict and the gains.

    Args:
        report: With its answers.
        words: In the page's language.

    Returns:
        HTML.
    """
    rows = list(by_question(report).values())
    first = [next(iter(row.values())) for row in rows]
    lead = words["lead"].format(
        n=len(rows), answerable=sum(1 for row in first if row["answerable"])
    )
    tone = {"better": "good", "worse": "bad"}.get(report.verdict, "plain")
    gains = "".join(
        "<p class='gain'>"
        + escape(
            words["gain"].format(
                pair=name.replace(" - ", " − "),
                mean=f"{gap.mean:+.3f}",
                low=f"{gap.low:+.3f}",
                high=f"{gap.high:+.3f}",
            )
        )
        + "</p>"
        for name, gap in report.differences.items()
        if name in {f"{a} - {b}" for a, b in PAIRS}
    )
    return (
        f"<header><h1>{escape(words['title'])}</h1>"
        f"<p class='verdict {tone}'>{escape(words[report.verdict])}</p>{gains}"
        f"<p class='lead'>{escape(lead)}</p></header>"
    )


def scores_section(report: EvalReport, words: Mapping[str, str]) -> str:
    """Write each system's scores with their intervals.

    Args:
        report: With its answers.
        words: In the page's language.

    Returns:
        HTML.
    """
    scores = sorted(report.scores, key=lambda score: system_rank(score.system))
    chart = intervals_svg(
        [(score.system, score.overall) for score in scores], low=0, high=1, label=words["overall"]
    )
    heads = [words[k] for k in ("system", "overall", "answerable", "recall", "false", "speed")]
    body = [
        [
            escape(score.system),
            interval_cell(score.overall),
            interval_cell(score.answerable_f1),
            interval_cell(score.refusal_recall),
            interval_cell(score.false_refusals),
            f"{score.seconds / max(1, score.overall.n):.2f}",
        ]
        for score in scores
    ]
    with_chain = any(score.system == ANSWER_CHAIN for score in scores)
    note = words["scores_note"] + (words["chain_note"] if with_chain else "")
    return section(words["scores"], note, wide(chart) + table(heads, body))


def differences_section(report: EvalReport, words: Mapping[str, str], language: Language) -> str:
    """Write the differences between systems, and what got worse.

    Args:
        report: With its answers.
        words: In the page's language.
        language: The page's.

    Returns:
        HTML; empty if there is nothing to show.
    """
    rows = [(name.replace(" - ", " − "), gap) for name, gap in report.differences.items()]
    if not rows:
        return ""
    reach = max(0.1, *(max(abs(gap.low), abs(gap.high)) for _, gap in rows))
    reach = math.ceil(reach * 10 + 0.2) / 10
    chart = intervals_svg(rows, low=-reach, high=reach, label=words["differences"], zero=True)
    worse = what_got_worse(report, language)
    listed = (
        "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in worse) + "</ul>"
        if worse
        else f"<p>{escape(words['worse_none'])}</p>"
    )
    more = f"<h3>{escape(words['worse_title'])}</h3>{listed}"
    return section(words["differences"], words["differences_note"], wide(chart) + more)


def categories_section(report: EvalReport, words: Mapping[str, str]) -> str:
    """Write mean scores by category.

    Args:
        report: With its answers.
        words: In the page's language.

    Returns:
        HTML.
    """
    names = sorted({str(row["system"]) for row in report.answers}, key=system_rank)
    heads = [words["category"], words["questions"], *names]
    body = []
    for category, systems in category_scores(report).items():
        means = {name: mean(systems.get(name, [])) for name in names}
        best = max(means.values())
        cells = [
            f"<b>{means[name]:.2f}</b>" if means[name] == best else f"{means[name]:.2f}"
            for name in names
        ]
        count = len(next(iter(systems.values())))
        body.append([escape(category), str(count), *cells])
    return section(words["categories"], "", table([escape(h) for h in heads], body))


def loss_section(training: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Draw the loss of the training.

    Args:
        training: What is known of the job; empty if there was none.
        words: In the page's language.

    Returns:
        HTML; empty if there is nothing to show.
    """
    values = [float(line["loss"]) for line in training.get("steps", ())]
    if len(values) < 2:
        return ""
    manifest: AdapterManifest = training["manifest"]
    chart = curve_svg(
        values, label=words["loss"], across=words["steps"], note=manifest.validation_loss
    )
    return section(words["loss"], words["loss_axis"], wide(chart))


def estimate_section(training: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Set what was estimated of the training beside what it took.

    Args:
        training: What is known of the job; empty if there was none.
        words: In the page's language.

    Returns:
        HTML; empty if there is nothing to show.
    """
    if not training.get("estimate"):
        return ""
    estimate, manifest = training["estimate"], training["manifest"]
    rows = (
        ("seconds", estimate.get("seconds"), manifest.seconds),
        ("tokens", estimate.get("tokens"), manifest.trained_tokens),
        ("tokens_per_second", estimate.get("tokens_per_second"), manifest.tokens_per_second),
        ("steps_count", estimate.get("steps"), manifest.steps),
    )
    body = [
        [escape(words[name]), number_cell(foreseen), number_cell(actual)]
        for name, foreseen, actual in rows
    ]
    note = _basis(str(estimate.get("basis", "")), words)
    heads = [words["quantity"], words["estimated"], words["actual"]]
    return section(words["estimate"], note, table(heads, body))


def _basis(basis: str, words: Mapping[str, str]) -> str:
    """Say in the report's language what an estimate of the speed rests on."""
    measured = re.fullmatch(r"measured in (\S+)", basis)
    if measured:
        return words["basis_measured"].format(id=measured[1])
    benchmark = re.fullmatch(r"benchmark of this machine \((\d+) GFLOP/s .+\)", basis)
    return words["basis_benchmark"].format(rate=benchmark[1]) if benchmark else basis


def lineage_section(
    report: EvalReport, training: Mapping[str, Any], words: Mapping[str, str]
) -> str:
    """Write what the report was made from.

    Args:
        report: With its answers.
        training: What is known of the job; empty if there was none.
        words: In the page's language.

    Returns:
        HTML.
    """
    manifest: AdapterManifest | None = training.get("manifest")
    facts: list[tuple[str, object]] = [("report", report.key)]
    if manifest is not None:
        facts += [
            ("adapter", report.adapter_id),
            ("job", manifest.job_id),
            ("dataset", manifest.dataset_id),
            ("base model", f"{manifest.base_model} {manifest.base_sha256}"),
            ("adapter weights", manifest.weights_sha256),
            ("chat template", manifest.chat_template_sha256),
        ]
    facts.append(("questions", report.questions_sha256))
    body = [[escape(name), f"<code>{escape(str(value))}</code>"] for name, value in facts]
    leaks = ", ".join(f"{rule}: {count}" for rule, count in report.leakage.items())
    body.append([escape(words["leaks"]), escape(leaks)])
    return section(words["lineage"], "", table(["", ""], body, kind="facts"))
