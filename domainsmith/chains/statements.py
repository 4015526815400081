"""What a passage states, piece by piece: sentences, rows, answers to its own questions, lists.

Some sentences say nothing alone. The question of a FAQ is not an answer to itself; a list item
means what the line above the list makes of it ("The plan does not pay for:"), and that line without
its items leaves off before it has said anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domainsmith.chains.table_rows import cells, table_rows
from domainsmith.data_connection.sentences import sentences
from domainsmith.records import Passage

__all__ = ["ENDS", "LEADS", "Statement", "passage_sentences", "statements"]

_BULLET = re.compile(r"^(?:[-*•·▪]|\([a-z]\)|[a-z]\))\s+")
_MARK = re.compile(r"^(?:[-*•]|#{1,6})\s+")
_LABEL = re.compile(
    r"^\W{0,3}(?:(?:Q|A|Question|Answer|Frage|Antwort)\s?\d{0,3}\W{0,2}[:.)]|[问答][:：])\W{0,3}\s*"
)
_ASKS = re.compile(r"[?？][\W_]*$")
LEADS = re.compile(r"[:：][*_]*\s*$")
"""How a line ends that leads a list."""
ENDS = re.compile(r"[.!?。！？；;，,][\W_]*$")
"""How a line ends that leads none, whatever follows."""
_EXCEPTION = re.compile(
    r"^(?:This|That|These|Those|They|It|The (?:rule|limit|fee|charge|discount|ban)s?) (?:does|do) "
    r"not apply\b|"
    r"^(?:(?:The|An) (?:only )?)?exceptions? (?:is|are)\b|^Except(?:ed)?\b|^Exempt\b|"
    r"\b(?:is|are) (?:exempt(?:ed)?|excepted)\.?$|"
    r"^(?:例外|除外)|(?:除外|不受此限|不在此限|不在此列|不适用(?:本|此|上述|前)[款条项述]?\w{0,4})。?$|"
    r"^(?:本|此|上述|该)[款条项]?\w{0,3}不适用于",
    re.IGNORECASE,
)
_FEW_ROWS = 8
"""Rows up to which a table is also given as a whole."""
_LONGEST = 900
"""Characters of an answer or a list that is given as a whole."""


@dataclass(frozen=True)
class Statement:
    """A piece of a passage that can answer a question.

    Attributes:
        quote: Verbatim words of the passage.
        text: The same to read: a row with its column names, an item with the line above its list.
        matched: What a question is compared with: an answer of a FAQ also with its question, a
            whole list only by the line above it.
        above: What counts as a heading does: for an item the line above its list.
    """

    quote: str
    text: str
    matched: str
    above: str = ""


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    quote: str
    text: str
    opens: bool
    """Begins its line."""
    closes: bool
    """Ends its line."""


def passage_sentences(passage: Passage) -> list[tuple[str, str]]:
    """Take a passage apart.

    Args:
        passage: Prose or table.

    Returns:
        (verbatim quote, readable text) of each sentence and table row.
    """
    found = [(span.quote, span.text) for span in _spans(_prose(passage), passage)]
    return found + table_rows(passage.text)


def statements(passage: Passage) -> list[Statement]:
    """Take a passage apart into what can answer a question.

    Args:
        passage: Prose or table.

    Returns:
        Its sentences and table rows; questions that the passage answers itself stand with their
        answers, list items with the line above them, and that line with all items.
    """
    prose = _prose(passage)
    spans = _spans(prose, passage)
    found: list[Statement] = []
    at = 0
    while at < len(spans):
        answer = _answer_after(spans, at, prose)
        items = _items_after(spans, at, prose)
        bare = [] if answer or items else _items_at(spans, at)
        heading = passage.header.rpartition(">")[2].strip()
        # Items of several sentences are paragraphs: each sentence says something of its own.
        if bare and heading and all(len(item) == 1 for item in bare):
            found.extend(_under_heading(heading, bare, prose))
            at += sum(len(item) for item in bare)
        elif answer:
            found.append(_answered(spans[at], answer, prose))
            at += 1 + len(answer)
        elif items:
            found.extend(_listed(spans[at], items, prose))
            at += 1 + sum(len(item) for item in items)
        elif _has_exception(spans, at, prose):
            quote = prose[spans[at].start : spans[at + 1].end]
            text = _MARK.sub("", " ".join(quote.split()))
            found.append(Statement(quote, text, text))
            at += 2
        else:
            found.append(Statement(spans[at].quote, spans[at].text, spans[at].text))
            at += 1
    rows = table_rows(passage.text)
    found += [Statement(quote, text, text) for quote, text in rows]
    whole = _whole_table(passage, rows)
    return [*found, whole] if whole else found


def _whole_table(passage: Passage, rows: Sequence[tuple[str, str]]) -> Statement | None:
    """Return a small table as a list, for a question that names none of its rows.

    It is compared by its column names only: a question about one row is answered by that row.
    """
    if not 1 < len(rows) <= _FEW_ROWS or not passage.header:
        return None
    start = passage.text.find(rows[0][0])
    quote = passage.text[start : passage.text.find(rows[-1][0], start) + len(rows[-1][0])]
    heads = passage.text[:start].rstrip().split("\n")
    if len(heads) < 2 or quote.count("\n") != len(rows) - 1 or len(quote) > _LONGEST:
        return None  # not one table with heads
    lead = passage.header.rpartition(">")[2].strip()
    text = "\n".join([f"{lead}:", *(f"- {told}" for _, told in rows)])
    return Statement(quote, text, " ".join(cells(heads[-2])))


def _prose(passage: Passage) -> str:
    lines = passage.text.split("\n")
    return "\n".join("" if line.lstrip().startswith("|") else line for line in lines)


def _spans(prose: str, passage: Passage) -> list[_Span]:
    found = []
    for start, end in sentences(prose, passage.language):
        quote = prose[start:end]
        text = _MARK.sub("", " ".join(quote.split()))
        if re.search(r"\w", text):
            opens = not prose[:start].rpartition("\n")[2].strip()
            closes = not prose[end:].partition("\n")[0].strip()
            found.append(_Span(start, end, quote, text, opens, closes))
    return found


def _answer_after(spans: Sequence[_Span], at: int, prose: str) -> list[_Span]:
    """Return the answer to a question that stands in a line of its own."""
    asked = spans[at]
    if not (asked.opens and asked.closes and _ASKS.search(asked.text)):
        return []
    answer: list[_Span] = []
    for span in spans[at + 1 :]:
        apart = answer and re.search(r"\n\s*\n", prose[answer[-1].end : span.start])
        asks = span.opens and span.closes and _ASKS.search(span.text)
        if apart or asks or prose[span.start] == "#" or span.end - asked.end > _LONGEST:
            break
        answer.append(span)
    return answer


def _answered(asked: _Span, answer: Sequence[_Span], prose: str) -> Statement:
    quote = prose[answer[0].start : answer[-1].end]
    text = _LABEL.sub("", " ".join(span.text for span in answer))
    return Statement(quote, text, f"{_LABEL.sub('', asked.text)} {text}")


def _has_exception(spans: Sequence[_Span], at: int, prose: str) -> bool:
    """Tell whether the next sentence of the same line says where this one does not hold."""
    if spans[at].closes or at + 1 == len(spans):
        return False
    text = spans[at + 1].text
    leads = LEADS.search(text) or _items_after(spans, at + 1, prose)
    return not leads and bool(_EXCEPTION.search(text))


def _items_after(spans: Sequence[_Span], at: int, prose: str) -> list[list[_Span]]:
    """Return the items of the list below a line that ends with a colon, or with no stop at all."""
    if not spans[at].closes or ENDS.search(spans[at].text) or _is_item(spans[at]):
        return []
    return _items_at(spans, at + 1)


def _items_at(spans: Sequence[_Span], at: int) -> list[list[_Span]]:
    """Return the items of the list that begins at a place; empty for a single one."""
    items: list[list[_Span]] = []
    for span in spans[at:]:
        if _is_item(span):
            items.append([span])
        elif items and not span.opens:
            items[-1].append(span)
        else:
            break
    return items if len(items) > 1 else []


def _under_heading(
    heading: str, items: Sequence[Sequence[_Span]], prose: str
) -> Iterator[Statement]:
    """A list that no line leads: its heading does."""
    told = [_BULLET.sub("", " ".join(span.text for span in item)) for item in items]
    start, end = items[0][0].start, items[-1][-1].end
    if end - start <= _LONGEST:
        text = "\n".join([f"{heading}:", *(f"- {item}" for item in told)])
        yield Statement(prose[start:end], text, heading)
    for item, words in zip(items, told, strict=True):
        quote = prose[item[0].start : item[-1].end]
        yield Statement(quote, words, words, heading)


def _is_item(span: _Span) -> bool:
    return span.opens and bool(_BULLET.match(span.quote))


def _listed(lead: _Span, items: Sequence[Sequence[_Span]], prose: str) -> Iterator[Statement]:
    told = [" ".join(span.text for span in item) for item in items]
    last = items[-1][-1].end
    if last - lead.start <= _LONGEST:
        text = "\n".join([lead.text, *(f"- {item}" for item in told)])
        yield Statement(prose[lead.start : last], text, lead.text)
    for item, words in zip(items, told, strict=True):
        text = f"{lead.text} {re.sub('[;,；，]$', '', words)}"
        yield Statement(prose[item[0].start : item[-1].end], text, words, lead.text)
