"""The report of a held-out comparison: JSON for programs, one HTML file for people."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from domainsmith.errors import DomainSmithError
from domainsmith.records import AdapterManifest, EvalReport, Interval, Language
from domainsmith.storage.atomic import write_json, write_text
from domainsmith.training import registry
from domainsmith.training.evaluate import ANSWER_CHAIN
from domainsmith.training.job_folder import JobFolder
from domainsmith.training.report_plots import curve_svg, intervals_svg
from domainsmith.training.report_words import WORDS
from domainsmith.workspace import Workspace

__all__ = ["category_scores", "what_got_worse", "write_report"]

_SYSTEMS = ("base", "base+retrieval", "tuned", "tuned+retrieval", ANSWER_CHAIN)
_PAIRS = (("tuned", "base"), ("tuned+retrieval", "base+retrieval"))
_SAMPLES = 4

Row = Mapping[str, Any]


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


def category_scores(report: EvalReport) -> dict[str, dict[str, list[float]]]:
    """Collect scores by category.

    Args:
        report: With its answers.

    Returns:
        category -> system -> scores in the order of the questions.
    """
    table: dict[str, dict[str, list[float]]] = {}
    for row in report.answers:
        systems = table.setdefault(str(row["category"]), {})
        systems.setdefault(str(row["system"]), []).append(float(row["score"]))
    return dict(sorted(table.items()))


def what_got_worse(report: EvalReport, language: Language = "en") -> list[str]:
    """Say in words what a tuned system does worse than the untuned one.

    Args:
        report: With its answers.
        language: Of the words.

    Returns:
        One sentence each; empty if nothing measured got worse.
    """
    words = WORDS[language]
    scores = {score.system: score for score in report.scores}
    found: list[str] = []
    for ours, theirs in _PAIRS:
        if ours not in scores or theirs not in scores:
            continue
        names = {"ours": ours, "theirs": theirs}
        for category, systems in category_scores(report).items():
            after, before = _mean(systems[ours]), _mean(systems[theirs])
            if after < before:
                found.append(
                    words["worse_category"].format(
                        category=category,
                        after=f"{after:.3f}",
                        before=f"{before:.3f}",
                        n=len(systems[ours]),
                        **names,
                    )
                )
        for key, field, sign in (
            ("worse_false", "false_refusals", 1),
            ("worse_refusal", "refusal_recall", -1),
        ):
            after = getattr(scores[ours], field).mean
            before = getattr(scores[theirs], field).mean
            if (after - before) * sign > 0:
                share = {"after": f"{after:.0%}", "before": f"{before:.0%}"}
                found.append(words[key].format(**share, **names))
        pairs = [(row[ours], row[theirs]) for row in _by_question(report).values()]
        lower = sum(1 for a, b in pairs if a["score"] < b["score"])
        higher = sum(1 for a, b in pairs if a["score"] > b["score"])
        if lower:
            found.append(
                words["worse_questions"].format(n=lower, m=higher, all=len(pairs), **names)
            )
    return found


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
        _head(report, words),
        _scores(report, words),
        _differences(report, words, language),
        _categories(report, words),
        _loss(training, words),
        _estimate(training, words),
        _samples(report, words),
        _lineage(report, training, words),
        "</main></body></html>\n",
    ]
    return "".join(parts)


def _head(report: EvalReport, words: Mapping[str, str]) -> str:
    rows = list(_by_question(report).values())
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
        if name in {f"{a} - {b}" for a, b in _PAIRS}
    )
    return (
        f"<header><h1>{escape(words['title'])}</h1>"
        f"<p class='verdict {tone}'>{escape(words[report.verdict])}</p>{gains}"
        f"<p class='lead'>{escape(lead)}</p></header>"
    )


def _scores(report: EvalReport, words: Mapping[str, str]) -> str:
    scores = sorted(report.scores, key=lambda score: _rank(score.system))
    chart = intervals_svg(
        [(score.system, score.overall) for score in scores], low=0, high=1, label=words["overall"]
    )
    heads = [words[k] for k in ("system", "overall", "answerable", "recall", "false", "speed")]
    body = [
        [
            escape(score.system),
            _cell(score.overall),
            _cell(score.answerable_f1),
            _cell(score.refusal_recall),
            _cell(score.false_refusals),
            f"{score.seconds / max(1, score.overall.n):.2f}",
        ]
        for score in scores
    ]
    with_chain = any(score.system == ANSWER_CHAIN for score in scores)
    note = words["scores_note"] + (words["chain_note"] if with_chain else "")
    return _section(words["scores"], note, chart + _table(heads, body))


def _differences(report: EvalReport, words: Mapping[str, str], language: Language) -> str:
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
    return _section(words["differences"], words["differences_note"], chart + more)


def _categories(report: EvalReport, words: Mapping[str, str]) -> str:
    names = sorted({str(row["system"]) for row in report.answers}, key=_rank)
    heads = [words["category"], words["questions"], *names]
    body = []
    for category, systems in category_scores(report).items():
        means = {name: _mean(systems.get(name, [])) for name in names}
        best = max(means.values())
        cells = [
            f"<b>{means[name]:.2f}</b>" if means[name] == best else f"{means[name]:.2f}"
            for name in names
        ]
        count = len(next(iter(systems.values())))
        body.append([escape(category), str(count), *cells])
    return _section(words["categories"], "", _table([escape(h) for h in heads], body))


def _loss(training: Mapping[str, Any], words: Mapping[str, str]) -> str:
    values = [float(line["loss"]) for line in training.get("steps", ())]
    if len(values) < 2:
        return ""
    manifest: AdapterManifest = training["manifest"]
    chart = curve_svg(
        values, label=words["loss"], across=words["steps"], note=manifest.validation_loss
    )
    return _section(words["loss"], words["loss_axis"], chart)


def _estimate(training: Mapping[str, Any], words: Mapping[str, str]) -> str:
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
        [escape(words[name]), _number(foreseen), _number(actual)] for name, foreseen, actual in rows
    ]
    note = str(estimate.get("basis", ""))
    heads = [words["quantity"], words["estimated"], words["actual"]]
    return _section(words["estimate"], note, _table(heads, body))


def _samples(report: EvalReport, words: Mapping[str, str]) -> str:
    rows = list(_by_question(report).values())
    ours, theirs = next(
        (pair for pair in reversed(_PAIRS) if rows and set(pair) <= set(rows[0])), ("", "")
    )
    if not ours:
        shown = rows[: 2 * _SAMPLES]
    else:
        order = sorted(rows, key=lambda row: row[ours]["score"] - row[theirs]["score"])
        middle = order[_SAMPLES:-_SAMPLES]
        extremes = [*reversed(order[-_SAMPLES:]), *order[:_SAMPLES]]
        picked = [*extremes, *middle[:: max(1, len(middle) // 3)]]
        seen: set[str] = set()
        shown = []
        for row in picked:
            key = str(row[ours]["key"])
            if key not in seen:
                seen.add(key)
                shown.append(row)
    cards = "".join(_card(row, words) for row in shown)
    everything = "".join(_card(row, words) for row in rows)
    summary = escape(words["all"].format(n=len(rows)))
    body = f"{cards}<details><summary>{summary}</summary>{everything}</details>"
    return _section(words["samples"], words["samples_note"], body)


def _card(row: Mapping[str, Row], words: Mapping[str, str]) -> str:
    first = next(iter(row.values()))
    reference = str(first["reference"]) if first["answerable"] else words["unanswerable"]
    answers = "".join(
        f"<div class='answer'><div class='who'><span>{escape(name)}</span>"
        f"<span class='score' style='--score:{float(row[name]['score']):.3f}'>"
        f"{float(row[name]['score']):.2f}</span></div>"
        f"<p>{escape(str(row[name]['answer'])) or '∅'}</p>"
        + (f"<em>{escape(words['refused'])}</em>" if row[name]["refused"] else "")
        + "</div>"
        for name in sorted(row, key=_rank)
    )
    return (
        f"<article><h4>{escape(str(first['question']))}</h4>"
        f"<p class='reference'><span>{escape(words['reference'])}</span> {escape(reference)}</p>"
        f"<div class='answers'>{answers}</div></article>"
    )


def _lineage(report: EvalReport, training: Mapping[str, Any], words: Mapping[str, str]) -> str:
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
    return _section(words["lineage"], "", _table(["", ""], body, kind="facts"))


def _by_question(report: EvalReport) -> dict[str, dict[str, Row]]:
    """Question key -> system -> row, in the order of the questions."""
    table: dict[str, dict[str, Row]] = {}
    for row in report.answers:
        table.setdefault(str(row["key"]), {})[str(row["system"])] = row
    return table


def _section(title: str, note: str, body: str) -> str:
    written = f"<p class='note'>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{written}{body}</section>"


def _table(heads: Sequence[str], body: Sequence[Sequence[str]], kind: str = "") -> str:
    """Write a table; cells are HTML already."""
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    rows = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in body)
    top = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
    return f"<div class='wide'><table class='{kind}'>{top}<tbody>{rows}</tbody></table></div>"


def _cell(interval: Interval) -> str:
    if not interval.n:
        return "–"
    return f"{interval.mean:.3f} <span class='range'>{interval.low:.2f}–{interval.high:.2f}</span>"


def _number(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, int | float) else "–"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _rank(system: str) -> tuple[int, str]:
    return (_SYSTEMS.index(system) if system in _SYSTEMS else len(_SYSTEMS), system)
