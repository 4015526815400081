"""Many ids as the parameters of SQL statements: so many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["id_batches"]

_BATCH = 500
"""Parameters a statement; older SQLite allows 999."""


def id_batches(ids: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Cut ids into as many as one statement takes.

    Args:
        ids: Any number.

    Yields:
        The marks of a batch (``?, ?, ?``), and its ids.
    """
    for start in range(0, len(ids), _BATCH):
        batch = list(ids[start : start + _BATCH])
        yield ", ".join("?" * len(batch)), batch
