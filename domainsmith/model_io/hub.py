"""Models of a hub that speaks Hugging Face's protocol, fetched file by file.

huggingface_hub drops what it has of a file when the download breaks off. Here it is kept, and the
next run goes on behind it. Every file is compared with the checksum that the hub states, and the
revision is fixed before the first byte, so that all files belong together.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from domainsmith.counts import counted
from domainsmith.errors import InputInvalid, WeightsMissing, translated_os_errors
from domainsmith.model_io.fetch import is_offline
from domainsmith.model_io.hub_file import checksum_of, fetch_file

__all__ = ["HubModel", "HubName", "cached_snapshot", "fetch_model", "parse_hub_name"]

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_KEPT = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class HubName:
    """A model of the hub: ``owner/name``, or ``owner/name#FILE.gguf`` for one of its files."""

    repository: str
    file: str = ""

    def __str__(self) -> str:
        return f"{self.repository}#{self.file}" if self.file else self.repository

    @property
    def slug(self) -> str:
        """Name of the model's folder in the cache."""
        parts = [*self.repository.split("/"), self.file.removesuffix(".gguf")]
        return re.sub(r"[^\w.-]+", "-", "--".join(filter(None, parts)))


@dataclass(frozen=True, slots=True)
class HubModel:
    """What the hub states about a model.

    Attributes:
        revision: The commit that was fetched.
        licence: As its card names it; ``unknown`` without one.
        files: Names, relative to the folder.
    """

    revision: str
    licence: str
    files: tuple[str, ...]


def parse_hub_name(target: str) -> HubName | None:
    """Read a hub name; None if the text is none."""
    repository, _, file = target.partition("#")
    if not _HUB_ID.fullmatch(repository) or repository.endswith(".gguf"):
        return None
    if file and not file.endswith(".gguf"):
        return None
    return HubName(repository, file)


def cached_snapshot(name: HubName) -> Path | None:
    """Find a model that other programs have put whole into huggingface_hub's own cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name.repository, local_files_only=True))
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None
    if name.file:
        return folder if (folder / name.file).is_file() else None
    indexed = folder / "model.safetensors.index.json"
    # A download that broke off leaves some of the files.
    whole = (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
    return folder if whole and not indexed.is_file() else None


def fetch_model(
    name: HubName, partial: Path, progress: Callable[[str], None] | None = None
) -> HubModel:
    """Download a model's safetensors, configuration and tokenizer, or one GGUF file.

    Args:
        name: Of the model.
        partial: Folder that receives the files; what an earlier run left of the same revision is
            gone on with.
        progress: Receives a sentence for each file, and every ten seconds.

    Returns:
        What was fetched.

    Raises:
        WeightsMissing: The hub does not have it, does not give it or cannot be reached; a file is
            damaged; or the network is forbidden.
        InputInvalid: The model has no weights that can be used.
        ResourceExhausted: The disk is full; what was fetched stays.
    """
    if is_offline():
        raise WeightsMissing(
            "The weights are not on this machine, and the network is forbidden",
            where=name,
            fix=f"Run `domainsmith models pull {name}` with HF_HUB_OFFLINE and "
            "DOMAINSMITH_OFFLINE unset, or give a folder.",
        )
    from huggingface_hub import hf_hub_url

    say = progress or (lambda text: None)
    with translated_os_errors(partial), _told(name):
        found = _info(name)
        wanted = _wanted(found, name)
        total = sum(item.size or 0 for item in wanted)
        say(f"Fetching {name}: {counted(len(wanted), 'file')}, {total / 1e6:,.0f} MB")
        folder = _folder_of_revision(partial, found.sha)
        for item in wanted:
            url = hf_hub_url(
                name.repository, item.rfilename, revision=found.sha, endpoint=_endpoint()
            )
            fetch_file(url, folder / item.rfilename, checksum_of(item), say)
    return HubModel(found.sha, _licence(found), tuple(item.rfilename for item in wanted))


def _info(name: HubName) -> Any:
    from huggingface_hub import HfApi

    return HfApi(endpoint=_endpoint()).model_info(
        name.repository, files_metadata=True, timeout=_TIMEOUT_S
    )


def _endpoint() -> str:
    # Read at each call: huggingface_hub reads it once, when it is imported.
    from huggingface_hub import constants

    return os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")


def _licence(found: Any) -> str:
    card = getattr(found, "card_data", None) or {}
    licence = card.get("license")
    return licence if isinstance(licence, str) else "unknown"


def _wanted(found: Any, name: HubName) -> list[Any]:
    names = [item.rfilename for item in found.siblings or ()]
    patterns = (name.file,) if name.file else _KEPT
    wanted = [
        item
        for item in found.siblings or ()
        if any(fnmatch(item.rfilename, pattern) for pattern in patterns)
        and not {"..", ""} & set(item.rfilename.split("/"))
    ]
    if any(item.rfilename.endswith((".safetensors", ".gguf")) for item in wanted):
        return wanted
    gguf = sorted(file for file in names if file.endswith(".gguf"))
    if gguf:
        raise InputInvalid(
            f"The model has no such safetensors or GGUF file; its GGUF files are {gguf[:12]}",
            where=name,
            fix=f"Name one of them, as in {name.repository}#{gguf[0]}.",
        )
    raise InputInvalid(
        "The model has no safetensors; pickled weights can run code and are not read",
        where=name,
        fix="Name a model with safetensors or GGUF weights.",
    )


def _folder_of_revision(partial: Path, revision: str) -> Path:
    """Empty the folder if it holds another revision."""
    note = partial / ".revision"
    if not note.is_file() or note.read_text(encoding="ascii") != revision:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        note.write_text(revision, encoding="ascii")
    return partial


@contextmanager
def _told(name: HubName) -> Iterator[None]:
    """Turn the errors of the hub and the network into ours."""
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        RepositoryNotFoundError,
    )

    again = f"Run `domainsmith models pull {name}` again: it goes on where it stopped."
    try:
        yield
    except GatedRepoError as error:
        raise WeightsMissing(
            "The model is gated: its owner gives it only to those who accept its terms",
            where=name,
            fix="Accept them on its page, then run the command again with HF_TOKEN set.",
        ) from error
    except RepositoryNotFoundError as error:
        raise WeightsMissing(
            "The model hub has no such model, or it is private",
            where=name,
            fix="Check the name; for a private model set HF_TOKEN.",
        ) from error
    except HFValidationError as error:
        raise InputInvalid("This is no name of a model of the hub", where=name) from error
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "?")
        denied = "Set HF_TOKEN to a token that may read this model."
        raise WeightsMissing(
            f"The model hub refuses (HTTP {status})",
            where=name,
            fix=denied if status in (401, 403) else again,
        ) from error
    except HTTPError as error:
        raise WeightsMissing(
            f"The connection to the model hub failed ({type(error).__name__})",
            where=name,
            fix=f"Check the network. {again}",
        ) from error
