"""Counts in words, and the status that shows them."""

from pathlib import Path

from amber_manual import store_manual

from domainsmith.apps.assembly import Assembly
from domainsmith.counts import counted
from domainsmith.settings import Settings
from domainsmith.tools.lineage import WORKSPACE_STATUS
from domainsmith.workspace import Workspace


def test_one_thing_and_several() -> None:
    assert counted(0, "document") == "0 documents"
    assert counted(1, "held-out question") == "1 held-out question"
    assert counted(1, "copy", "copies") == "1 copy"
    assert counted(2, "copy", "copies") == "2 copies"


def test_the_status_of_one_document(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "space") as space:
        own = Assembly(space, Settings())
        empty = WORKSPACE_STATUS.call(own.context(), {}).summary
        assert empty.startswith("0 documents, 0 passages, 0 datasets")
        store_manual(space, ["The amber pump weighs 3 kg."])
        summary = WORKSPACE_STATUS.call(own.context(), {}).summary
        assert summary.startswith("1 document (")
        assert "), 1 passage, 0 datasets, 0 jobs" in summary
        own.close()
