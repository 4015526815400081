"""What a script may hand to the expert by mistake, and what it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domainsmith import Expert
from domainsmith.errors import InputInvalid, InputNotFound
from domainsmith.training.dataset_folder import DatasetInfo, read_dataset
from domainsmith.workspace import Workspace


@pytest.mark.parametrize("given", [None, 3, "", b"docs"])
def test_a_path_that_is_none_is_said(tmp_path: Path, given: Any) -> None:
    with pytest.raises(InputInvalid, match="path"):
        Expert.open(given)
    with Expert.open(tmp_path) as expert, pytest.raises(InputInvalid, match="path"):
        expert.add(given)


def test_the_folder_in_which_commands_made_a_workspace_opens_that_one(tmp_path: Path) -> None:
    Workspace.create(tmp_path / ".domainsmith").close()
    with Expert.open(tmp_path) as expert:
        assert expert.workspace.root.name == ".domainsmith"
    assert [item.name for item in tmp_path.iterdir()] == [".domainsmith"]
    with Expert.open(tmp_path / "other") as expert:
        assert expert.workspace.root.name == "other"


@pytest.mark.parametrize("given", [None, "dataset_0123456789abcdef", 3])
def test_only_a_dataset_is_trained_on(tmp_path: Path, given: Any) -> None:
    with Expert.open(tmp_path) as expert, pytest.raises(InputInvalid, match="takes a dataset"):
        expert.train(given)


@pytest.mark.parametrize("epochs", [0, -1])
def test_no_epochs_are_not_the_default_epochs(tmp_path: Path, epochs: float) -> None:
    dataset = DatasetInfo(
        id="dataset_0123456789abcdef", path=tmp_path, sha256="", records=0, card={}
    )
    with Expert.open(tmp_path) as expert, pytest.raises(InputInvalid, match="epochs"):
        expert.train(dataset, epochs=epochs)


def test_data_about_a_topic_or_none(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "kettle.md").write_text(
        "# Kettle\n\n## 1 Filling\n\nThe tank holds 1.7 litres of water. If the lid is open, the "
        "kettle stops.\n\n## 2 Descaling\n\nDescaling takes 30 minutes. Use 250 ml of citric acid. "
        "If the descaling lamp blinks, repeat the descaling.\n",
        encoding="utf-8",
    )
    with Expert.open(tmp_path / "space") as expert:
        expert.add(docs)
        made = expert.generate(topic="chapter 2", methods=["documents"], count=2)
        records = [r for r in read_dataset(made.path) if "refusals" not in r.method]
        assert records
        assert not any("1.7" in r.output or "lid" in r.instruction for r in records)
        with pytest.raises(InputNotFound, match="do not speak of: chapter 9"):
            expert.generate(topic="chapter 9", methods=["documents"], count=2)
