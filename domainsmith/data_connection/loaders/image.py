"""Pictures, read by tesseract where it is installed (it is no part of this project)."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess

from domainsmith.data_connection.loaders.loaded import LoadedFile, clean_text
from domainsmith.data_connection.loaders.source import Source
from domainsmith.errors import InputUnreadable

__all__ = ["load", "recogniser"]

_WANTED = ("eng", "chi_sim", "chi_tra")
_SECONDS = 100


@functools.cache
def recogniser() -> str | None:
    """Return the path of the text recogniser's program, or None if there is none."""
    return shutil.which("tesseract")


def load(source: Source) -> LoadedFile:
    """Load the words of a picture; they are a guess, and a note says so."""
    program = recogniser()
    if program is None:
        raise InputUnreadable(
            "It is a picture, and no text recogniser is installed",
            fix="Install tesseract with its language files (eng, chi_sim).",
        )
    command = [program, "stdin", "stdout"]
    if languages := _languages(program):
        command += ["-l", languages]
    # Through pipes: a loader may not write files.
    try:
        done = subprocess.run(
            command, input=source.read_bytes(), capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputUnreadable(f"The text recogniser took more than {_SECONDS} seconds") from error
    if done.returncode:
        reason = " ".join(done.stderr.decode("utf-8", "replace").split())[:160]
        raise InputUnreadable(f"The text recogniser failed: {reason or done.returncode}")
    text = clean_text(done.stdout.decode("utf-8", "replace").replace("\f", "\n"))
    note = "The words were recognised in a picture and may be wrong."
    return LoadedFile(source.stem, text, _media_type(source.suffix), (note,))


def _languages(program: str) -> str:
    listed = subprocess.run(
        [program, "--list-langs"], capture_output=True, timeout=_SECONDS, check=False
    )
    known = set(re.findall(r"\w+", listed.stdout.decode("utf-8", "replace")))
    return "+".join(name for name in _WANTED if name in known)


def _media_type(suffix: str) -> str:
    kind = suffix.lower().lstrip(".")
    return f"image/{ {'jpg': 'jpeg', 'tif': 'tiff'}.get(kind, kind) }"
