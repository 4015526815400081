"""Loaders: one file a format, each from a path to a :class:`LoadedFile`.

Light to import: a format's library is imported when a file of that format is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from domainsmith.data_connection.loaders.loaded import LoadedFile
from domainsmith.errors import DomainSmithError, InputEmpty, InputUnreadable, translated_os_errors

__all__ = ["SUFFIXES", "LoadedFile", "load_file"]

_LOADERS = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".xlsx": "xlsx",
    ".html": "html",
    ".htm": "html",
    ".csv": "delimited",
    ".tsv": "delimited",
    ".md": "plain",
    ".txt": "plain",
    ".json": "json_text",
    ".jsonl": "json_text",
}
SUFFIXES = frozenset(_LOADERS)
"""File name endings that can be loaded, lower case."""

_MAX_BYTES = 256 * 1024 * 1024
_MAX_CHARACTERS = 40_000_000


def load_file(path: Path) -> LoadedFile:
    """Load one file in this process. Untrusted files belong into :class:`LimitedLoader`.

    Args:
        path: A file with one of :data:`SUFFIXES`.

    Returns:
        Its text; never empty.

    Raises:
        InputNotFound: There is no such file.
        InputEmpty: The file holds no text.
        InputUnreadable: Unknown format, broken, encrypted, scanned, binary or too large.
    """
    from importlib import import_module

    name = _LOADERS.get(path.suffix.lower())
    if name is None:
        raise InputUnreadable("No loader for this kind of file", where=path.name)
    with translated_os_errors(path):
        size = path.stat().st_size
    if size == 0:
        raise InputEmpty("The file is empty", where=path.name)
    if size > _MAX_BYTES:
        raise InputUnreadable(f"The file has {size} bytes; {_MAX_BYTES} allowed", where=path.name)
    loaded = _load(import_module(f"{__name__}.{name}").load, path)
    if not loaded.text.strip():
        raise InputEmpty("The file holds no text", where=path.name)
    if len(loaded.text) > _MAX_CHARACTERS:
        raise InputUnreadable(
            f"The file holds {len(loaded.text)} characters; {_MAX_CHARACTERS} allowed",
            where=path.name,
        )
    return loaded


def _load(load: Callable[[Path], LoadedFile], path: Path) -> LoadedFile:
    try:
        with translated_os_errors(path):
            return load(path)
    except DomainSmithError as error:
        raise type(error)(error.what, where=error.where or path.name, fix=error.fix) from error
    except MemoryError as error:
        raise InputUnreadable(
            "Loading the file needs more memory than is allowed", where=path.name
        ) from error
    except RecursionError as error:
        raise InputUnreadable("The file is nested too deeply", where=path.name) from error
    except Exception as error:
        # The border to five parsing libraries: whatever they raise on damaged input, the
        # file is unreadable, and the reason is reported.
        detail = " ".join(str(error).split())[:160]
        raise InputUnreadable(
            f"The file is broken: {type(error).__name__} {detail}".rstrip(), where=path.name
        ) from error
