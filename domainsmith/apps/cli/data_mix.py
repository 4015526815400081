"""``domainsmith data mix``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domainsmith.apps.cli.app import App
from domainsmith.apps.cli.command import AppCommand, Outcome
from domainsmith.apps.cli.complete import complete_datasets
from domainsmith.apps.cli.export import dataset_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from domainsmith.records import Record
    from domainsmith.training.mix import MixReport

__all__ = ["mix"]

_SHOWN = 10


@click.command("mix", cls=AppCommand, short_help="Blend a general instruction set into a dataset.")
@click.argument("general", type=click.Path(path_type=Path))
@click.option(
    "--share",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of general tokens among all tokens.",
)
@click.option(
    "--dataset",
    metavar="ID",
    shell_complete=complete_datasets,
    help="The newest selected dataset if absent, else the newest generated one.",
)
@click.option(
    "--questions",
    type=click.Path(path_type=Path),
    help="JSONL of held-out questions that the general set must not hold either.",
)
@click.option("--seed", type=click.IntRange(0), help="Of the draw (the setting seed).")
def mix(
    app: App,
    general: Path,
    share: float,
    dataset: str | None,
    questions: Path | None,
    seed: int | None,
) -> Outcome:
    """Blend a general instruction set into a dataset, so that tuning forgets less.

    GENERAL is a file of instructions: JSONL, JSON or CSV in Alpaca, ShareGPT or ChatML form. The
    domain's records all stay; general ones are added up to the share of tokens, in the languages
    of the domain's. Personal data in them is masked, test questions are left out.
    """
    from domainsmith.records import content_hash
    from domainsmith.tools.current import note_latest
    from domainsmith.tools.held_out import held_out_questions
    from domainsmith.training.dataset_folder import dataset_info, read_dataset, write_dataset
    from domainsmith.training.general_set import read_general_set
    from domainsmith.training.mix import mix_general

    app.override(seed=seed)
    folder = dataset_folder(app, dataset)
    context = app.assembly().context()
    kept_out, _ = held_out_questions(context, None if questions is None else str(questions))
    found = read_general_set(general)
    chosen_seed = context.options.seed
    done = mix_general(
        read_dataset(folder),
        found,
        share=share,
        count_tokens=_counter(app),
        seed=chosen_seed,
        questions=kept_out,
        admit=_admitted,
    )
    card = done.report.card()
    ids = [record.id for record in done.records]
    values = {"mix": 1, "records": ids, "share": share, "seed": chosen_seed}
    info = write_dataset(
        app.workspace(),
        f"dataset_{content_hash(values)[:16]}",
        done.records,
        parents=[dataset_info(folder).id],
        card={"stage": "selected", "from": folder.name, "general": general.name, **card},
    )
    note_latest(app.workspace(), "selected", info.id)
    _show(app, done.report, info.id)
    return Outcome({"dataset_id": info.id, "path": str(info.path), **card})


def _show(app: App, report: MixReport, dataset_id: str) -> None:
    app.console.data(
        f"{report.general_records} general and {report.domain_records} domain records in "
        f"{dataset_id}: {report.reached:.1%} of the tokens are general ({report.asked:.1%} asked; "
        f"{report.general_tokens} of {report.general_tokens + report.domain_tokens})"
    )
    for language, wanted in report.wanted.items():
        got = report.languages.get(language, 0)
        if got < 0.9 * wanted:
            app.console.note(
                f"the general set holds too little in {language}: {got} of {wanted} tokens"
            )
    rows: list[list[Any]] = [[reason, many] for reason, many in report.dropped.items()]
    if rows:
        app.console.table(["general lines dropped", "lines#"], rows, to_stderr=True)
    for item in report.bad[:_SHOWN]:
        app.console.note(f"line {item.line}: {item.reason}")
    if len(report.bad) > _SHOWN:
        app.console.note(f"{len(report.bad) - _SHOWN} more bad lines (all with --json)")


def _admitted(record: Record) -> Record | None:
    """Mask personal data and leave out abusive wording, as generated records are treated."""
    from domainsmith.chains.grade import grade_records
    from domainsmith.chains.grading.options import GradingOptions

    options = GradingOptions(graders=("private", "toxicity"))
    graded = grade_records([record], {}, scorer=None, options=options)[0]
    return graded if all(grade.passed for grade in graded.grades) else None


def _counter(app: App) -> Callable[[Record], int]:
    """Count a record's tokens as it is trained on, by the chat model's own tokenizer."""
    from domainsmith.model_io.messages import record_messages

    engine = app.assembly().engine()

    def count(record: Record) -> int:
        return engine.count_tokens(
            engine.render(record_messages(record), add_generation_prompt=False)
        )

    return count
