"""Checkpoints: the newest whole one wins, broken ones are skipped and reported."""

from __future__ import annotations

from pathlib import Path

from domainsmith.training.checkpoint import newest_checkpoint, save_checkpoint


def _save(parent: Path, step: int, keep: int = 2) -> Path:
    return save_checkpoint(
        parent,
        step,
        lambda folder: (folder / "weights").write_bytes(b"%d" % step) and None,
        {"step": step, "recent": [[0.1, 3.0]]},
        keep=keep,
    )


def test_newest_verified_wins_and_old_ones_go(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "missing").checkpoint is None
    for step in (5, 10, 15):
        _save(tmp_path, step)
    found = newest_checkpoint(tmp_path)
    assert found.checkpoint is not None
    assert (found.checkpoint.step, found.skipped) == (15, ())
    assert found.checkpoint.state == {"step": 15, "recent": [[0.1, 3.0]]}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000010", "step-00000015"]


def test_broken_ones_are_skipped_with_a_reason(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        _save(tmp_path, step, keep=9)
    (tmp_path / "step-00000004/manifest.json").unlink()
    (tmp_path / "step-00000003/weights").write_bytes(b"X")
    (tmp_path / "step-00000002/state.json").unlink()
    (tmp_path / "step-broken").mkdir()
    found = newest_checkpoint(tmp_path)
    assert found.checkpoint is not None
    assert found.checkpoint.step == 1
    assert [text.split(":")[0] for text in found.skipped] == [
        "checkpoint of step 4 skipped",
        "checkpoint of step 3 skipped",
        "checkpoint of step 2 skipped",
    ]


def test_nothing_usable_is_no_checkpoint(tmp_path: Path) -> None:
    _save(tmp_path, 7)
    (tmp_path / "step-00000007/weights").unlink()
    found = newest_checkpoint(tmp_path)
    assert found.checkpoint is None
    assert len(found.skipped) == 1
    _save(tmp_path, 7)  # a damaged one is replaced by the same step of a resumed run
    assert newest_checkpoint(tmp_path).checkpoint is not None
