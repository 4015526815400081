"""The search models of a workspace: which exist, which are in use, and the way back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from domainsmith.errors import ArtifactCorrupt, InputNotFound
from domainsmith.model_io.weights import is_whole
from domainsmith.records import Retriever
from domainsmith.storage import lineage
from domainsmith.storage.atomic import atomic_folder, write_json
from domainsmith.storage.locks import hold
from domainsmith.workspace import Workspace

__all__ = [
    "FACTS",
    "RetrieverEntry",
    "damaged_in_use",
    "in_use",
    "register_retriever",
    "retriever",
    "retrievers",
    "retrievers_folder",
    "store_retriever",
    "undo",
    "use_retrievers",
]

FACTS = "domainsmith.json"
_CURRENT = "current.json"
_KEPT_SETS = 20
_WAIT_S = 10.0


@dataclass(frozen=True)
class RetrieverEntry:
    """One stored model.

    Args:
        id: Its folder's name.
        folder: Where it lies.
        facts: What it is.
    """

    id: str
    folder: Path
    facts: Retriever


def retrievers_folder(workspace: Workspace) -> Path:
    """Return the folder that holds the models, one folder each."""
    return workspace.root / "retrievers"


def store_retriever(workspace: Workspace, facts: Retriever, made: Path) -> RetrieverEntry:
    """Copy a model into the workspace, whole or not at all.

    Args:
        workspace: Where to.
        facts: What it is; its id names the folder.
        made: The folder as training left it.

    Returns:
        The stored model. One of that id that verifies is kept as it is.

    Raises:
        ResourceExhausted: The disk is full; nothing is left behind.
    """
    target = retrievers_folder(workspace) / facts.id
    with atomic_folder(target) as staging:
        shutil.copytree(made, staging, dirs_exist_ok=True)
        write_json(staging / FACTS, facts.model_dump(mode="json"))
    return retriever(workspace, facts.id)


def retrievers(workspace: Workspace) -> list[RetrieverEntry]:
    """List the models that can be used, the newest first."""
    known = lineage.artifact_ids(workspace.db, Retriever.kind)
    rank = {name: position for position, name in enumerate(known)}
    found = []
    for folder in retrievers_folder(workspace).glob(f"{Retriever.kind}_*"):
        try:
            found.append(retriever(workspace, folder.name))
        except (ArtifactCorrupt, InputNotFound):
            continue
    return sorted(found, key=lambda entry: (rank.get(entry.id, len(rank)), entry.id))


def retriever(workspace: Workspace, id: str) -> RetrieverEntry:
    """Find one model and verify its files.

    Args:
        workspace: Where it lies.
        id: Its id.

    Raises:
        InputNotFound: There is none.
        ArtifactCorrupt: Its files are damaged.
    """
    folder = retrievers_folder(workspace) / id
    if not (folder / FACTS).is_file():
        raise InputNotFound(
            "No such search model", where=id, fix="Run `domainsmith tune-retrieval`."
        )
    if not is_whole(folder):
        raise ArtifactCorrupt(
            "The search model's files are damaged", where=folder, fix="Tune it again."
        )
    try:
        facts = Retriever.model_validate_json((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise ArtifactCorrupt("What the search model is cannot be read", where=folder) from error
    if facts.id != folder.name:
        raise ArtifactCorrupt("The folder holds another search model", where=folder)
    return RetrieverEntry(id, folder, facts)


def register_retriever(workspace: Workspace, facts: Retriever) -> None:
    """Enter a model into the lineage, below its job and its questions; also one not kept.

    Args:
        workspace: Where it was made.
        facts: What it is.
    """
    folder = retrievers_folder(workspace) / facts.id
    lineage.put_artifact(
        workspace.db,
        facts,
        parents=[facts.job_id, facts.questions_id],
        path=folder if folder.is_dir() else None,
    )


def use_retrievers(workspace: Workspace, ids: Sequence[str]) -> None:
    """Use these models from now on; what was used before can be come back to.

    Args:
        workspace: Whose search.
        ids: Kept models, one of a role at most. The same set again changes nothing.
    """
    with _choosing(workspace):
        now, before = _read(workspace)
        wanted = sorted(ids)
        if wanted != now:
            _write(workspace, wanted, [*before, now][-_KEPT_SETS:])


def undo(workspace: Workspace) -> tuple[list[str], list[str]]:
    """Go back to the models used before, or to none.

    Args:
        workspace: Whose search.

    Returns:
        Ids in use until now, and from now on.

    Raises:
        InputNotFound: No tuned model is in use.
    """
    with _choosing(workspace):
        now, before = _read(workspace)
        if not now:
            raise InputNotFound(
                "No tuned search model is in use",
                where=workspace.root,
                fix="There is nothing to undo.",
            )
        back = before[-1] if before else []
        _write(workspace, back, before[:-1])
    return now, back


def in_use(workspace: Workspace, *, base_model: str | None = None) -> dict[str, RetrieverEntry]:
    """Return the models in use, by role.

    Args:
        workspace: Whose search.
        base_model: Only those that came from this embedding model; None for any.

    Returns:
        Those that are whole; a damaged one is left out, so that search goes on without it.
    """
    found: dict[str, RetrieverEntry] = {}
    for id in _read(workspace)[0]:
        try:
            entry = retriever(workspace, id)
        except (ArtifactCorrupt, InputNotFound):
            continue
        if base_model is None or entry.facts.base_model == base_model:
            found[entry.facts.role] = entry
    return found


def damaged_in_use(workspace: Workspace) -> list[str]:
    """List the ids of the models in use that :func:`in_use` has to leave out."""
    found = []
    for id in _read(workspace)[0]:
        try:
            retriever(workspace, id)
        except (ArtifactCorrupt, InputNotFound):
            found.append(id)
    return found


def _read(workspace: Workspace) -> tuple[list[str], list[list[str]]]:
    try:
        text = (retrievers_folder(workspace) / _CURRENT).read_text(encoding="utf-8")
        value = json.loads(text)
        return list(value["now"]), [list(ids) for ids in value["before"]]
    except (OSError, ValueError, KeyError, TypeError):
        return [], []


def _choosing(workspace: Workspace) -> AbstractContextManager[object]:
    """Keep a job that ends and a person who goes back from choosing at once."""
    place = retrievers_folder(workspace) / "current.lock"
    return hold(place, purpose="choosing search models", wait_s=_WAIT_S)


def _write(workspace: Workspace, now: list[str], before: list[list[str]]) -> None:
    write_json(retrievers_folder(workspace) / _CURRENT, {"now": now, "before": before})
