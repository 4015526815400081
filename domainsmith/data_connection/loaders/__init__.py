"""Loaders: one file a format, each from a path to a :class:`LoadedFile`.

Light to import: a format's library is imported when a file of that format is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from domainsmith.data_connection.loaders.loaded import LoadedFile, LoadedMember
from domainsmith.data_connection.loaders.source import Source
from domainsmith.errors import DomainSmithError, InputEmpty, InputUnreadable, translated_os_errors

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_BYTES",
    "READERS",
    "SUFFIXES",
    "LoadedFile",
    "LoadedMember",
    "can_load",
    "load_file",
    "load_source",
    "unread_reason",
]

_LOADERS = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".pptx": "pptx",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".odt": "odt",
    ".rtf": "rtf",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".xml": "xml",
    ".rss": "xml",
    ".atom": "xml",
    ".csv": "delimited",
    ".tsv": "delimited",
    ".md": "plain",
    ".markdown": "plain",
    ".mdx": "plain",
    ".rst": "plain",
    ".adoc": "plain",
    ".txt": "plain",
    ".text": "plain",
    ".log": "plain",
    ".json": "json_text",
    ".jsonl": "json_text",
    ".ndjson": "json_text",
    ".eml": "mail",
    ".epub": "epub",
    ".zip": "zipped",
}
READERS = 3
"""Raised when files are read better than before, so that added ones are read anew."""
_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp")
SUFFIXES = frozenset(_LOADERS)
"""File name endings that can be loaded, lower case."""
IMAGE_SUFFIXES = frozenset(_IMAGES)
"""Endings of pictures, which are read where a text recogniser is installed."""

MAX_BYTES = 256 * 1024 * 1024
"""Bytes that a file may have; delimited tables may be larger, since they are sampled."""
_MAX_SAMPLED_BYTES = 64 * 1024**3
_MAX_CHARACTERS = 40_000_000
_OLD_OFFICE = "It is in an old binary Office format; save it as {}"
_NOT_READ = {
    ".doc": _OLD_OFFICE.format(".docx"),
    ".xls": _OLD_OFFICE.format(".xlsx"),
    ".ppt": _OLD_OFFICE.format(".pptx"),
    ".msg": "It is an Outlook message; save it as .eml",
    ".pst": "It is an Outlook mailbox; export its mails as .eml",
    ".mobi": "It is a Kindle book; convert it to .epub",
    ".rar": "Of the archives only .zip is read; pack it anew",
    ".7z": "Of the archives only .zip is read; pack it anew",
    ".tar": "Of the archives only .zip is read; pack it anew",
    ".gz": "Of the archives only .zip is read; pack it anew",
    ".tgz": "Of the archives only .zip is read; pack it anew",
    ".sqlite": "It is a database; add it by its address, sqlite:///PATH",
    ".db": "It may be a database; add it by its address, sqlite:///PATH",
    **dict.fromkeys(_IMAGES, "It is a picture, and no text recogniser (tesseract) is installed"),
}


def can_load(name: str) -> bool:
    """Tell whether a file of this name would be loaded.

    Args:
        name: File name or path.

    Returns:
        True for :data:`SUFFIXES`, and for pictures where a text recogniser is installed.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        return suffix in SUFFIXES
    from domainsmith.data_connection.loaders.image import recogniser

    return recogniser() is not None


def unread_reason(name: str) -> str:
    """Say why a file that cannot be loaded by its kind is not read.

    Args:
        name: File name or path.

    Returns:
        One clause without a full stop; empty for kinds that nobody expects to be read.
    """
    return _NOT_READ.get(PurePosixPath(name).suffix.lower(), "")


def load_file(path: Path) -> LoadedFile:
    """Load one file in this process. Untrusted files belong into :class:`LimitedLoader`.

    Args:
        path: A file that :func:`can_load` knows.

    Returns:
        Its text, which is empty only if the file holds other files (``members``).

    Raises:
        InputNotFound: There is no such file.
        InputEmpty: The file holds no text.
        InputUnreadable: Unknown format, broken, encrypted, scanned, binary or too large.
    """
    with translated_os_errors(path):
        size = path.stat().st_size
    return load_source(path, size)


def load_source(source: Source, size: int) -> LoadedFile:
    """Load a file or a member that is held in memory.

    Args:
        source: What to load.
        size: Its bytes.

    Returns:
        See :func:`load_file`.

    Raises:
        InputEmpty: It holds no text.
        InputUnreadable: See :func:`load_file`.
    """
    from importlib import import_module

    suffix = source.suffix.lower()
    name = _LOADERS.get(suffix) or ("image" if suffix in IMAGE_SUFFIXES else None)
    if name is None:
        what = unread_reason(source.name) or "No loader for this kind of file"
        raise InputUnreadable(what, where=source.name)
    if size == 0:
        raise InputEmpty("The file is empty", where=source.name)
    allowed = _MAX_SAMPLED_BYTES if name == "delimited" else MAX_BYTES
    if size > allowed:
        raise InputUnreadable(
            f"The file has {size} bytes; {allowed} allowed",
            where=source.name,
            fix="Split it into smaller files.",
        )
    loaded = _load(import_module(f"{__name__}.{name}").load, source)
    if not loaded.text.strip() and not loaded.members:
        raise InputEmpty("The file holds no text", where=source.name)
    total = len(loaded.text) + sum(len(member.text) for member in loaded.members)
    if total > _MAX_CHARACTERS:
        raise InputUnreadable(
            f"The file holds {total} characters; {_MAX_CHARACTERS} allowed", where=source.name
        )
    return loaded


def _load(load: Callable[[Source], LoadedFile], source: Source) -> LoadedFile:
    try:
        with translated_os_errors(source if isinstance(source, Path) else None):
            return load(source)
    except DomainSmithError as error:
        raise type(error)(error.what, where=error.where or source.name, fix=error.fix) from error
    except MemoryError as error:
        raise InputUnreadable(
            "Loading the file needs more memory than is allowed", where=source.name
        ) from error
    except RecursionError as error:
        raise InputUnreadable("The file is nested too deeply", where=source.name) from error
    except Exception as error:
        # The border to the parsing libraries: whatever they raise on damaged input, the file
        # is unreadable, and the reason is reported.
        detail = " ".join(str(error).split())[:160]
        raise InputUnreadable(
            f"The file is broken: {type(error).__name__} {detail}".rstrip(), where=source.name
        ) from error
