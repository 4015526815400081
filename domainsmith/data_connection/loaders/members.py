"""Members of archives and mails: each becomes a loaded file of its own, or a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from domainsmith.data_connection.loaders.loaded import LoadedFile, LoadedMember
from domainsmith.data_connection.loaders.source import MemoryFile, Source, budget_of
from domainsmith.errors import DomainSmithError, InputEmpty

__all__ = ["load_members"]

Entry = tuple[str, Callable[[], bytes]]
"""A member's safe relative path, and what reads its bytes."""


def load_members(
    source: Source, entries: Iterable[Entry]
) -> tuple[tuple[LoadedMember, ...], tuple[str, ...]]:
    """Load what can be loaded.

    Args:
        source: The container; its budget is paid from.
        entries: Members in a stable order.

    Returns:
        The loaded members, those of nested containers under ``outer/inner``, and one sentence a
        member that was left out.

    Raises:
        InputUnreadable: The budget is spent, or the container is nested too deeply.
    """
    from domainsmith.data_connection.loaders import can_load, load_source

    budget, depth = budget_of(source)
    found: list[LoadedMember] = []
    notes: list[str] = []
    for name, read in entries:
        if not can_load(name):
            notes.append(f"{name} is of a kind that is not read.")
            continue
        try:
            data = read()
        except DomainSmithError as error:
            notes.append(f"{name}: {error.what}.")
            continue
        budget.take(len(data))
        member = MemoryFile(name.rpartition("/")[2], data, budget, depth)
        try:
            loaded = load_source(member, len(data))
        except InputEmpty:
            notes.append(f"{name} holds no text.")
        except DomainSmithError as error:
            if budget.members < 0 or budget.unpacked < 0:
                raise
            notes.append(f"{name}: {error.what}.")
        else:
            found.extend(_flat(name, loaded, data))
            notes.extend(f"{name}: {note}" for note in loaded.notes)
    return tuple(found), tuple(notes)


def _flat(name: str, loaded: LoadedFile, data: bytes) -> Iterable[LoadedMember]:
    if loaded.text.strip():
        digest = hashlib.sha256(data).hexdigest()
        yield LoadedMember(name, digest, len(data), loaded.title, loaded.text, loaded.media_type)
    for inner in loaded.members:
        yield LoadedMember(
            f"{name}/{inner.name}",
            inner.sha256,
            inner.size,
            inner.title,
            inner.text,
            inner.media_type,
        )
