"""Mails (EML): heading lines, the text, and attachments as documents of their own."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.message import EmailMessage, Message
from email.policy import default
from functools import partial

from domainsmith.data_connection.loaders.encoding import decode
from domainsmith.data_connection.loaders.html import page_text
from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text
from domainsmith.data_connection.loaders.members import Entry, load_members
from domainsmith.data_connection.loaders.source import Source, safe_member_name
from domainsmith.errors import InputEmpty

__all__ = ["load"]

_SHOWN_FIELDS = ("From", "To", "Cc", "Date")
_STRUCTURED = re.compile(r"<(?:table|h[1-6]|ul|ol)\b", re.IGNORECASE)
_SUFFIX_OF = {
    "message/rfc822": ".eml",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
}


def load(source: Source) -> LoadedFile:
    """Load a mail; what is attached is loaded too where it can be, and named either way."""
    message = email.message_from_bytes(source.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    subject = _field(message, "Subject")
    lines = [f"{name}: {_field(message, name)}" for name in _SHOWN_FIELDS if _field(message, name)]
    body = _body(message)
    attached = list(_attachments(message))
    members, notes = load_members(source, attached)
    if not (subject or body or members):
        raise InputEmpty("The mail is empty")
    parts = [f"# {subject}" if subject else "", "\n".join(lines), body]
    if attached:
        parts.append("Attachments: " + ", ".join(name for name, _ in attached))
    text = clean_text("\n\n".join(part for part in parts if part))
    return LoadedFile(subject or source.stem, text, "message/rfc822", notes, members)


def _field(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name) or "").split())
    except Exception:  # noqa: BLE001 - a header that the parser cannot read costs itself only
        return ""


def _body(message: EmailMessage) -> str:
    """Take the text that keeps more structure: HTML with tables or headings, else plain."""
    plain = message.get_body(("plain",))
    html = message.get_body(("html",))
    markup = _text(html) if html is not None else ""
    words = _text(plain) if plain is not None else ""
    if words.strip() and not _STRUCTURED.search(markup):
        return words
    return page_text(markup)[1] if markup.strip() else words


def _text(part: object) -> str:
    assert isinstance(part, EmailMessage)
    data = part.get_payload(decode=True)
    declared = part.get_content_charset()
    return decode(data, declared=declared) if isinstance(data, bytes) and data else ""


def _attachments(message: EmailMessage) -> Iterator[Entry]:
    """Yield what is attached, under names that are safe and differ."""
    seen: dict[str, int] = {}
    for number, part in enumerate(message.iter_attachments(), start=1):
        kind = part.get_content_type()
        wanted = part.get_filename() or f"attachment-{number}{_SUFFIX_OF.get(kind, '.bin')}"
        last = wanted.replace("\\", "/").rpartition("/")[2]  # a name may come with a path
        name = safe_member_name(last) or f"attachment-{number}.bin"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name = f"{seen[name]}-{name}"
        yield name, partial(_bytes, part)


def _bytes(part: object) -> bytes:
    assert isinstance(part, EmailMessage)
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        return first.as_bytes() if isinstance(first, Message) else b""
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
