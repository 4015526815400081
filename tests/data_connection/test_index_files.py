from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hashed_words import HashedWords

from domainsmith.data_connection.index import Index
from domainsmith.data_connection.index_files import (
    load_arrays,
    pack_strings,
    save_arrays,
    unpack_strings,
)
from domainsmith.data_connection.sources import add_folder
from domainsmith.workspace import Workspace

EMBEDDER = HashedWords()
ARRAYS = {
    "matrix": np.arange(12, dtype=np.float32).reshape(3, 4),
    "none": np.zeros((0, 5), dtype=np.uint16),
    "words": pack_strings(["a", "", "滚筒"]),
}


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "x.arrays"
    save_arrays(path, {"model": "m", "n": 3}, ARRAYS)
    loaded = load_arrays(path, {"model": "m", "n": 3})
    assert loaded is not None
    key, arrays = loaded
    assert key == {"model": "m", "n": 3}
    for name, value in ARRAYS.items():
        assert arrays[name].dtype == value.dtype
        assert np.array_equal(arrays[name], value)
        assert arrays[name].ctypes.data % 64 == 0 or not value.size
    assert unpack_strings(arrays["words"], 3) == ["a", "", "滚筒"]
    assert load_arrays(path, {"model": "other", "n": 3}) is None
    assert load_arrays(tmp_path / "absent") is None


def test_every_flipped_bit_and_every_cut_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.arrays"
    save_arrays(path, {"model": "m"}, ARRAYS)
    whole = path.read_bytes()
    for place in range(len(whole)):
        bad = bytearray(whole)
        bad[place] ^= 1 << (place % 8)
        path.write_bytes(bad)
        loaded = load_arrays(path)
        # white space that pads the head says nothing
        assert loaded is None or whole[place : place + 1] == b" ", place
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert load_arrays(path) is None


@pytest.fixture
def workspace(tmp_path: Path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02}.txt").write_text(f"Part {number} fits model M-{number}.")
    with Workspace.create(tmp_path / ".domainsmith") as workspace:
        add_folder(workspace, folder, embedder=EMBEDDER)
        yield workspace


def _answers(index: Index) -> list[object]:
    queries = ["part 7", "model M-13", "nothing"]
    return [index.bm25(queries, 5), index.dense(EMBEDDER.embed(queries), 5)]


@pytest.mark.parametrize("name", ["vectors.arrays", "terms.arrays"])
@pytest.mark.parametrize("damage", ["bit", "cut", "absent"])
def test_a_damaged_index_file_is_made_again(workspace: Workspace, name: str, damage: str) -> None:
    path = workspace.index_dir / name
    with Index.open(workspace, EMBEDDER) as index:
        before = _answers(index)
        assert index.state["rebuilds"] == []
    whole = path.read_bytes()
    if damage == "absent":
        path.unlink()
    else:
        cut = len(whole) // 2
        path.write_bytes(whole[:cut] if damage == "cut" else whole[:-1] + bytes([whole[-1] ^ 4]))
    with Index.open(workspace, EMBEDDER) as index:
        assert _answers(index) == before
        reasons = [] if damage == "absent" else [f"{name} was damaged"]
        assert index.state["rebuilds"] == reasons
    assert path.read_bytes() == whole


def test_an_index_brought_up_to_date_equals_a_new_one(workspace: Workspace, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    with Index.open(workspace, EMBEDDER) as index:
        (docs / "03.txt").unlink()
        (docs / "04.txt").write_text("The zebra valve 4 replaces model M-13.")
        (docs / "a-new.txt").write_text("Part 7 and part 7 again.")
        add_folder(workspace, docs, embedder=EMBEDDER, index=index)
        followed = _answers(index)
        kept = {p.name: p.read_bytes() for p in workspace.index_dir.glob("*.arrays")}
    for path in workspace.index_dir.glob("*.arrays"):
        path.unlink()
    with Index.open(workspace, EMBEDDER) as index:
        assert _answers(index) == followed
    made = (workspace.index_dir / "vectors.arrays").read_bytes()
    assert made == kept["vectors.arrays"]


def test_another_embedder_or_other_rules_make_it_new(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from domainsmith.data_connection import index_store

    monkeypatch.setattr(index_store, "term_rules", lambda: "other rules")
    with Index.open(workspace, EMBEDDER) as index:
        assert index.state["rebuilds"] == ["terms.arrays was made in another way"]
    other = HashedWords()
    other.model_name = "another"
    with Index.open(workspace, other) as index:
        assert index.state["rebuilds"] == ["vectors.arrays was made in another way"]
        assert index.state["vectors"] == 20


def test_nothing_is_read_again_when_nothing_changed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from domainsmith.data_connection import index, index_store

    with Index.open(workspace, EMBEDDER) as opened:

        def refuse(*_: object) -> None:
            raise AssertionError("read again")

        for name in ("passage_ids", "missing_vectors"):
            monkeypatch.setattr(index, name, refuse)
        monkeypatch.setattr(index_store, "load_arrays", refuse)
        # an answer is registered with each question: that must not cost a look at all passages
        with workspace.db.write() as connection:
            connection.execute(
                "INSERT INTO artifacts (id, kind, payload, created) VALUES ('x', 'x', '{}', 0)"
            )
        opened.refresh()
        assert opened.bm25(["part 7"], 1)[0]
