"""Which files of a folder are read: a plain walk, or what Git tracks of a checkout's docs."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from domainsmith.data_connection.loaders import can_load, unread_reason
from domainsmith.errors import (
    DependencyMissing,
    DomainSmithError,
    InputInvalid,
    InputUnreadable,
    translated_os_errors,
)

__all__ = ["DOC_SUFFIXES", "Scan", "scan"]

DOC_SUFFIXES = frozenset(
    {
        ".md", ".markdown", ".mdx", ".rst", ".adoc", ".txt", ".html", ".htm", ".pdf", ".docx",
        ".pptx", ".odt", ".rtf", ".epub",
    }
)  # fmt: skip
"""Endings of a checkout's documents; its data files and code are no docs."""
_GIT_SECONDS = 60


@dataclass
class Scan:
    """What a folder holds.

    Attributes:
        files: (path relative to the folder, stat) of what can be loaded, sorted.
        skipped: Paths of files of a kind that no loader reads, sorted.
        failed: (path, reason) of what could not be looked at.
        notes: (path, sentence) of what was left out for a reason that a person may want to know.
    """

    files: list[tuple[str, os.stat_result]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


def scan(base: Path, *, root: Path, only: Path | None = None, git: bool = False) -> Scan:
    """List the files of a folder; links that lead out of it or in circles are reported.

    Args:
        base: The folder.
        root: The workspace's folder, which is left out.
        only: A single file in ``base`` to take instead.
        git: Take only what Git tracks of the documents of a checkout.

    Returns:
        What was found.

    Raises:
        InputInvalid: ``git`` is set, and the folder is no checkout.
        DependencyMissing: ``git`` is set, and Git is not installed or does not answer.
        InputUnreadable: The folder cannot be listed.
    """
    found = Scan()
    if only is not None:
        paths: Iterator[Path] = iter([only])
    else:
        paths = _tracked(base) if git else _walk(base, root, found)
    inside = base.resolve()
    for path in paths:
        name = path.relative_to(base).as_posix()
        if not can_load(name):
            found.skipped.append(name)
            if reason := unread_reason(name):
                found.notes.append((name, f"{reason}."))
            continue
        _look_at(path, name, inside, found)
    found.files.sort(key=lambda item: item[0])
    found.skipped.sort()
    return found


def _look_at(path: Path, name: str, inside: Path, found: Scan) -> None:
    try:
        name.encode("utf-8")
        try:
            leads_out = not path.resolve().is_relative_to(inside)
        except (RuntimeError, OSError) as error:
            raise InputUnreadable("It is a link that leads in a circle") from error
        if leads_out:
            raise InputUnreadable("It is a link to outside of the folder")
        with translated_os_errors(path):
            info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise InputUnreadable("It is not a regular file")
    except DomainSmithError as error:
        found.failed.append((name, str(error)))
    except UnicodeEncodeError:
        shown = name.encode("utf-8", "backslashreplace").decode("utf-8")
        found.failed.append((shown, "Its name is not valid text."))
    else:
        found.files.append((name, info))


def _walk(base: Path, root: Path, found: Scan) -> Iterator[Path]:
    def unlistable(error: OSError) -> None:
        name = os.path.relpath(error.filename or base, base)
        if name == ".":
            raise error
        found.failed.append((name, f"Cannot list the folder: {error.strerror}."))

    with translated_os_errors(base):
        for place, folders, names in os.walk(base, onerror=unlistable):
            here = Path(place)
            kept = [name for name in sorted(folders) if not name.startswith(".")]
            for name in kept:
                if (here / name).is_symlink():
                    link = (here / name).relative_to(base).as_posix()
                    found.notes.append((link, "It is a link to a folder, which is not followed."))
            folders[:] = [name for name in kept if here / name != root]
            for name in sorted(names):
                # "~$report.docx" is the lock file of an open Office document
                if not name.startswith((".", "~$")):
                    yield here / name


def _tracked(base: Path) -> Iterator[Path]:
    """Ask Git; its own settings may name programs to run, so those are switched off."""
    command = [
        "git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", str(base),
        "ls-files", "-z", "--cached", "--deduplicate", "--", ".",
    ]  # fmt: skip
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_GIT_SECONDS, check=False, env=environment
        )
    except FileNotFoundError as error:
        raise DependencyMissing("Git is not installed", fix="Install git.") from error
    except subprocess.TimeoutExpired as error:
        raise DependencyMissing(f"Git did not answer within {_GIT_SECONDS} seconds") from error
    if done.returncode:
        reason = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
        raise InputInvalid(f"It is no Git checkout: {reason}", where=base)
    for name in sorted(filter(None, done.stdout.split(b"\0"))):
        path = base / os.fsdecode(name)
        # A tracked file may be deleted in the working tree; a submodule is a folder.
        if path.suffix.lower() in DOC_SUFFIXES and (path.is_symlink() or path.is_file()):
            yield path
