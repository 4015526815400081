"""``domainsmith data``."""

from __future__ import annotations

from domainsmith.apps.cli import data_compare, data_mix, data_review, data_show, export
from domainsmith.apps.cli.command import subcommands

__all__ = ["command"]


@subcommands(
    "data",
    data_show.list_,
    data_show.show,
    data_show.stats,
    data_compare.diff,
    data_compare.merge,
    data_mix.mix,
    data_review.review,
    export.command,
)
def command() -> None:
    """List, show, measure, compare, merge, mix, review and export datasets."""
