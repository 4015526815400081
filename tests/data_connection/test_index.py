from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hashed_words import HashedWords

from domainsmith.data_connection.index import Backend, Index
from domainsmith.data_connection.sources import add_folder
from domainsmith.storage.documents import passages
from domainsmith.workspace import Workspace

EMBEDDER = HashedWords()


@pytest.fixture
def workspace(tmp_path: Path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number:02}.txt").write_text(
            f"Part {number} costs {number * 7} euros and fits model M-{number}.", encoding="utf-8"
        )
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        add_folder(workspace, folder, embedder=EMBEDDER)
        yield workspace


def _self_hits(index: Index, workspace: Workspace) -> int:
    rows = passages(workspace.db)
    found = index.dense(EMBEDDER.embed([f"{p.header}\n{p.text}" for p in rows]), 1)
    return sum(hits[0][0] == p.id for hits, p in zip(found, rows, strict=True))


@pytest.fixture
def chroma_workspace(workspace: Workspace) -> Workspace:
    with Index.open(workspace, EMBEDDER, backend="chroma"):
        return workspace


def test_a_small_workspace_is_searched_in_memory_by_any_number(workspace: Workspace) -> None:
    with Index.open(workspace, EMBEDDER) as one, Index.open(workspace, EMBEDDER) as other:
        for index in (one, other):
            assert (index.state["backend"], index.state["owner"]) == ("exact", False)
            assert index.state["rebuilds"] == []
            assert _self_hits(index, workspace) == 30
    assert not (workspace.index_dir / "CURRENT").exists()


def test_what_chroma_left_is_cleared_away(chroma_workspace: Workspace) -> None:
    generation = _generation(chroma_workspace)
    with Index.open(chroma_workspace, EMBEDDER, backend="chroma"):
        Index.open(chroma_workspace, EMBEDDER).close()
        assert generation.exists()
    Index.open(chroma_workspace, EMBEDDER).close()
    assert not generation.exists()
    assert not (chroma_workspace.index_dir / "CURRENT").exists()


def test_owner_uses_chroma_and_a_second_opener_searches_exactly(
    chroma_workspace: Workspace,
) -> None:
    workspace = chroma_workspace
    queries = EMBEDDER.embed(["What does part 17 cost?", "model M-3"])
    with (
        Index.open(workspace, EMBEDDER, backend="chroma") as owner,
        Index.open(workspace, EMBEDDER, backend="chroma") as other,
    ):
        assert (owner.state["backend"], other.state["backend"]) == ("chroma", "exact")
        assert owner.state["rebuilds"] == []
        by_owner, by_other = owner.dense(queries, 5), other.dense(queries, 5)
        assert [hits[0] for hits in by_owner] == [hits[0] for hits in by_other]
        # Among equal cosines at the cut either may keep other passages; the cosines agree.
        assert [[c for _, c in h] for h in by_owner] == [[c for _, c in h] for h in by_other]
        assert owner.bm25(["part 17"], 1) == other.bm25(["part 17"], 1)
        assert _self_hits(owner, workspace) == _self_hits(other, workspace) == 30


def _mark(workspace: Workspace, **values: object) -> None:
    path = workspace.index_dir / "CURRENT"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _generation(workspace: Workspace) -> Path:
    return (
        workspace.index_dir
        / json.loads((workspace.index_dir / "CURRENT").read_text())["generation"]
    )


@pytest.mark.parametrize(
    "damage",
    ["dirty", "count", "model", "folder", "garbage", "mark", "vectors", "bit"],
)
def test_any_damage_is_seen_and_the_index_rebuilt(chroma_workspace: Workspace, damage: str) -> None:
    workspace = chroma_workspace
    generation = _generation(workspace)
    if damage == "dirty":
        _mark(workspace, clean=False)
    elif damage == "count":
        _mark(workspace, count=29)
    elif damage == "model":
        _mark(workspace, model="another")
    elif damage == "folder":
        shutil.rmtree(generation)
    elif damage == "garbage":
        (generation / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    elif damage == "mark":
        (workspace.index_dir / "CURRENT").write_text("{torn")
    elif damage == "bit":
        largest = max(generation.rglob("*"), key=lambda path: path.stat().st_size)
        content = bytearray(largest.read_bytes())
        content[len(content) // 2] ^= 1
        largest.write_bytes(content)
    else:
        _replace_vectors(workspace)

    with Index.open(workspace, EMBEDDER, backend="chroma") as index:
        assert len(index.state["rebuilds"]) == 1
        assert index.state["backend"] == "chroma"
        assert index.state["clean"]
        assert _self_hits(index, workspace) == 30
    assert _generation(workspace) != generation
    assert not generation.exists()


def _replace_vectors(workspace: Workspace) -> None:
    from domainsmith.data_connection.chroma_collection import ChromaCollection

    collection = ChromaCollection(_generation(workspace))
    ids = [p.id for p in passages(workspace.db)]
    wrong = np.eye(len(ids), EMBEDDER.dimension, dtype=np.float32)
    collection.add(ids, wrong)
    collection.close()


@pytest.mark.parametrize("backend", ["memory", "chroma"])
def test_an_open_index_follows_the_database(
    workspace: Workspace, tmp_path: Path, backend: Backend
) -> None:
    with (
        Index.open(workspace, EMBEDDER, backend=backend) as owner,
        Index.open(workspace, EMBEDDER) as other,
    ):
        (tmp_path / "docs" / "new.txt").write_text("The zebra valve is green.", encoding="utf-8")
        (tmp_path / "docs" / "00.txt").unlink()
        add_folder(workspace, tmp_path / "docs", embedder=EMBEDDER)

        for index in (owner, other):
            best = index.bm25(["zebra valve"], 1)[0][0][0]
            assert index.dense(EMBEDDER.embed(["The zebra valve is green."]), 1)[0][0][0] == best
            assert index.state["passages"] == index.state["vectors"] == 30
        assert owner.state["backend"] == ("chroma" if backend == "chroma" else "exact")


def test_killed_while_open_loses_nothing(chroma_workspace: Workspace) -> None:
    workspace = chroma_workspace
    code = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from domainsmith.data_connection.chroma_collection import ChromaCollection
        from domainsmith.data_connection.index import Backend, Index
        from domainsmith.workspace import Workspace
        from hashed_words import HashedWords
        ChromaCollection.check = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
        Index.open(Workspace.open(Path(sys.argv[1])), HashedWords(), backend="chroma")
        """
    )
    command = [sys.executable, "-c", code, str(workspace.root)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(command, env=environment, check=False)
    assert result.returncode == -signal.SIGKILL

    with Index.open(workspace, EMBEDDER, backend="chroma") as index:
        assert index.state["rebuilds"] == ["it was not left clean"]
        assert _self_hits(index, workspace) == 30


def _search(root: Path, out: multiprocessing.Queue) -> None:
    with Workspace.open(root) as workspace, Index.open(workspace, EMBEDDER) as index:
        out.put((index.state["backend"], _self_hits(index, workspace)))


@pytest.mark.parametrize("backend", ["memory", "chroma"])
def test_several_processes_at_once(workspace: Workspace, backend: Backend) -> None:
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    with Index.open(workspace, EMBEDDER, backend=backend) as owner:
        children = [context.Process(target=_search, args=(workspace.root, out)) for _ in range(2)]
        for child in children:
            child.start()
        results = [out.get(timeout=60) for _ in children]
        for child in children:
            child.join()
        assert results == [("exact", 30)] * 2
        assert _self_hits(owner, workspace) == 30
