"""Addresses of SQL databases: read, and shown without their passwords."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from domainsmith.errors import InputInvalid

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["is_database_url", "parse_url", "shown_url", "without_secrets"]

_URL = re.compile(r"(sqlite|postgresql|postgres|mysql|mariadb)(\+\w+)?:/", re.IGNORECASE)
_SECRET = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)


def is_database_url(text: str) -> bool:
    """Tell whether a source is the address of a database rather than a path."""
    return _URL.match(text) is not None


def without_secrets(text: str) -> str:
    """Return the address of a database as it may be stored and shown; other texts as they are.

    Args:
        text: Any text.

    Returns:
        The address with ``***`` for its password and without options that may be secret.
    """
    if not is_database_url(text):
        return text
    try:
        return shown_url(parse_url(text))
    except InputInvalid:
        return f"{text.partition(':')[0]}:..."


def parse_url(text: str) -> URL:
    """Read an address; what cannot be read is not repeated, for it may hold a password.

    Args:
        text: An SQLAlchemy address; ``postgres:`` is read as ``postgresql:``.

    Returns:
        Its parts.

    Raises:
        InputInvalid: It is no address, or its password is not written as it must be.
    """
    import sqlalchemy
    from sqlalchemy.engine import make_url

    scheme = text.partition(":")[0][:40]
    try:
        url = make_url(re.sub(r"^postgres(?=[:+])", "postgresql", text, flags=re.IGNORECASE))
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise InputInvalid(
            "It is no database address",
            where=f"{scheme}:...",
            fix="Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:///PATH.",
        ) from error
    authority = text.partition("://")[2].partition("?")[0]
    if url.get_backend_name() != "sqlite" and (
        "@" in (url.host or "") or ("@" in authority and not url.username)
    ):
        raise InputInvalid(
            "The user name or the password of the address holds a sign that must be written as %XX",
            where=f"{scheme}:...",
            fix="Write @ as %40, : as %3A, / as %2F, ? as %3F.",
        )
    return url


def shown_url(url: URL) -> str:
    """Write an address without its secrets, those among its options included.

    Args:
        url: Parsed.

    Returns:
        The address, with ``***`` for a password.
    """
    options = {name: value for name, value in url.query.items() if not _SECRET.search(name)}
    return url.set(query=options).render_as_string(hide_password=True)
