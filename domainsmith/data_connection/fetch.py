"""Fetch web pages without being led inside: public addresses only, few redirects, bounded size.

A name is looked up once, every address that it has is checked, and the connection is made to the
address that was checked, so that a second look-up cannot answer otherwise.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit

from domainsmith.data_connection.loaders import can_load
from domainsmith.errors import InputInvalid, InputUnreadable

__all__ = ["Fetched", "fetch", "is_public"]

_MAX_BYTES = 32 * 1024 * 1024
_MAX_REDIRECTS = 5
_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_UNESCAPED = "/%:@!$&'()*+,;=~?"
"""What may stand in the path or query of a request as it is; ``%`` marks what is escaped already.
"""
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
    "application/epub+zip": ".epub",
    "message/rfc822": ".eml",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}


@dataclass(frozen=True)
class Fetched:
    """A page.

    Attributes:
        data: The body.
        name: A file name that a loader knows it by.
    """

    data: bytes
    name: str


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public Internet.

    Args:
        address: IPv4 or IPv6; a scope is ignored.

    Returns:
        False for loopback, private, link-local, multicast, reserved and documentation ranges, and
        for IPv6 addresses that carry such an IPv4 address.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None and not is_public(str(inner)):
            return False
    return ip.is_global and not ip.is_multicast


def fetch(url: str, *, private: bool = False) -> Fetched:
    """Fetch one page.

    Args:
        url: ``http`` or ``https``.
        private: Allow addresses of this machine and of private networks.

    Returns:
        Its body and a name.

    Raises:
        InputInvalid: The address is none, or leads to where it may not.
        InputUnreadable: The server does not answer with a page that can be read.
    """
    deadline = time.monotonic() + _SECONDS
    place = url
    for _ in range(_MAX_REDIRECTS + 1):
        status, target, kind, data = _get(place, private, deadline)
        if status == 200:
            return Fetched(_marked(data, kind), _name(place, kind))
        if status not in {301, 302, 303, 307, 308} or not target:
            raise InputUnreadable(f"The server answered {status}", where=url)
        place = urljoin(place, target)
    raise InputUnreadable(f"More than {_MAX_REDIRECTS} redirects", where=url)


def _get(url: str, private: bool, deadline: float) -> tuple[int, str, str, bytes]:
    """Return status, redirect target, content type and body."""
    connection, path = _connected(url, private)
    try:
        headers = {"User-Agent": "domainsmith", "Accept-Encoding": "identity"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        kind = answer.headers.get("Content-Type", "")
        if answer.status != 200:
            return answer.status, _target(answer.headers.get("Location", "")), kind, b""
        pieces: list[bytes] = []
        size = 0
        while piece := answer.read1(1 << 16):
            size += len(piece)
            if size > _MAX_BYTES:
                raise InputUnreadable(f"The page has more than {_MAX_BYTES} bytes", where=url)
            if time.monotonic() > deadline:
                raise InputUnreadable(f"It took more than {_SECONDS:g} seconds", where=url)
            pieces.append(piece)
        return 200, "", kind, b"".join(pieces)
    except (OSError, http.client.HTTPException) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputUnreadable(f"The page cannot be fetched: {reason}", where=url) from error
    finally:
        connection.close()


def _connected(url: str, private: bool) -> tuple[http.client.HTTPConnection, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputInvalid("It is no web address", where=url) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise InputInvalid("It is no http or https address", where=url)
    if parts.username or parts.password:
        raise InputInvalid("An address may hold no user name or password", where=url)
    secure = parts.scheme == "https"
    port = port or (443 if secure else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InputUnreadable(f"The name {host} is not known", where=url) from error
    addresses = [str(item[4][0]) for item in found]
    if not private and not all(is_public(address) for address in addresses):
        raise InputInvalid(
            "The address leads to this machine or to a private network",
            where=url,
            fix='Set url_sources = "any" if that is wanted.',
        )
    connection = _Pinned(host, port, addresses[0], secure)
    path = quote(parts.path or "/", safe=_UNESCAPED)
    return connection, f"{path}?{quote(parts.query, safe=_UNESCAPED)}" if parts.query else path


def _target(location: str) -> str:
    """Read a redirect; servers send letters beyond ASCII as UTF-8, headers are read as Latin-1."""
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return location


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was checked, whatever the name says by now."""

    def __init__(self, host: str, port: int, address: str, secure: bool) -> None:
        super().__init__(host, port, timeout=_CONNECT_SECONDS)
        self._address, self._secure = address, secure
        if secure:
            self.default_port = 443

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        if self._secure:
            context = ssl.create_default_context()
            try:
                self.sock = context.wrap_socket(plain, server_hostname=self.host)
            except BaseException:
                plain.close()  # nobody else knows it yet
                raise
        else:
            self.sock = plain


def _marked(data: bytes, kind: str) -> bytes:
    """Write text as UTF-8 with a mark if the server names another encoding."""
    media, _, rest = kind.partition(";")
    name = rest.partition("charset=")[2].strip().strip("\"'").partition(";")[0]
    if not media.strip().startswith("text/") or not name or name.lower() in {"utf-8", "utf8"}:
        return data
    try:
        return b"\xef\xbb\xbf" + data.decode(name).encode("utf-8")
    except (LookupError, UnicodeError):
        return data


def _name(url: str, kind: str) -> str:
    last = PurePosixPath(unquote(urlsplit(url).path)).name
    media = kind.partition(";")[0].strip().lower()
    suffix = _SUFFIXES.get(media, "")
    if suffix in {"", ".txt"} and can_load(last):
        suffix = PurePosixPath(last).suffix  # servers call Markdown plain text
    if not suffix:
        raise InputUnreadable(f"A page of the kind {media or 'unknown'} is not read", where=url)
    stem = PurePosixPath(last).stem or urlsplit(url).hostname or "page"
    safe = "".join(ch if ch.isalnum() or ch in "-_." else "_" for ch in stem)[:80]
    return f"{safe}{suffix}"
