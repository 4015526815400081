"""What stands around a passage: its neighbours, and the section that it is a part of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domainsmith.records import Passage
from domainsmith.storage.database import Database
from domainsmith.storage.passages import passage, passages

__all__ = ["Section", "neighbours", "section"]


@dataclass(frozen=True, slots=True)
class Section:
    """The parent of a passage.

    Attributes:
        document_id: Its document.
        header: Title and section headings.
        text: The document's text from the first to the last passage of the section; table parts
            are joined as they stand there, the header row once.
        start: Offset in the document's text, from 0.
        end: Offset past the last character.
        passage_ids: The passages that it is made of, in order.
    """

    document_id: str
    header: str
    text: str
    start: int
    end: int
    passage_ids: tuple[str, ...]


def neighbours(
    db: Database, passage_id: str, before: int = 1, after: int = 1, *, same_section: bool = False
) -> list[Passage]:
    """Get a passage with those that stand before and after it in its document.

    Args:
        db: The database.
        passage_id: A stored passage. One that is kept as evidence only comes alone.
        before: How many before it, at most.
        after: How many after it, at most.
        same_section: Stop where the section ends.

    Returns:
        Passages in the order of the document, the given one among them.

    Raises:
        InputNotFound: It is not stored.
    """
    around, place = _around(db, passage_id)
    first, last = place, place
    while first > 0 and place - first < before:
        if same_section and around[first - 1].header != around[place].header:
            break
        first -= 1
    while last + 1 < len(around) and last - place < after:
        if same_section and around[last + 1].header != around[place].header:
            break
        last += 1
    return list(around[first : last + 1])


def section(db: Database, passage_id: str, *, max_characters: int | None = None) -> Section:
    """Get the section that a passage is a part of.

    Args:
        db: The database.
        passage_id: A stored passage.
        max_characters: Take only as many passages around it as fit into this; None for all.

    Returns:
        The section, or the part of it.

    Raises:
        InputNotFound: It is not stored.
    """
    around, place = _around(db, passage_id)
    own = around[place]
    first = last = place
    while True:
        # Nearer ones first, the following before the preceding: a text explains as it goes on.
        options = [
            (first, last + 1) if step > 0 else (first - 1, last)
            for step in (1, -1)
            if 0 <= (last + 1 if step > 0 else first - 1) < len(around)
            and around[last + 1 if step > 0 else first - 1].header == own.header
        ]
        wider = next(
            (
                (a, b)
                for a, b in options
                if max_characters is None or around[b].end - around[a].start <= max_characters
            ),
            None,
        )
        if wider is None:
            break
        first, last = wider
    return _section(db, own, around[first : last + 1])


def _around(db: Database, passage_id: str) -> tuple[Sequence[Passage], int]:
    own = passage(db, passage_id)
    around = passages(db, document_id=own.document_id)
    ids = [item.id for item in around]
    return (around, ids.index(own.id)) if own.id in ids else ([own], 0)


def _section(db: Database, own: Passage, members: Sequence[Passage]) -> Section:
    start, end = members[0].start, members[-1].end
    # In SQL, so that a book is not read whole: substr counts characters, from 1.
    row = (
        db.read()
        .execute(
            "SELECT substr(text, ?, ?) FROM documents WHERE id = ?",
            (start + 1, end - start, own.document_id),
        )
        .fetchone()
    )
    text = str(row[0]).replace("\f", "\n") if row else own.text
    # A later part of a table carries the header row, which does not stand there in the source.
    head, source = members[0].text, text[: members[0].end - start]
    prefix = head[: len(head) - len(source)] if head.endswith(source) else ""
    ids = tuple(item.id for item in members)
    return Section(own.document_id, own.header, prefix + text, start, end, ids)
