"""The command ``data mix``: blended by tokens, bad lines told, found as the newest dataset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domainsmith.apps.cli.main import main
from domainsmith.records import Record
from domainsmith.tools.current import note_latest
from domainsmith.training.dataset_folder import read_dataset, write_dataset
from domainsmith.workspace import Workspace


def test_a_general_set_is_blended_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], chat_model_path: Path
) -> None:
    del chat_model_path
    own = [
        Record(
            instruction=f"How heavy is part {at}?",
            output=f"Part {at} weighs {at} kg.",
            language="en",
            method="self_qa/pattern",
            model="code",
        )
        for at in range(12)
    ]
    with Workspace.create(tmp_path / "ws") as workspace:
        made = write_dataset(workspace, "dataset_0123456789abcdef", own, card={"stage": "raw"})
        note_latest(workspace, "raw", made.id)
    rows = [{"instruction": f"Name colour {at}.", "output": f"Colour {at}."} for at in range(30)]
    rows.append({"instruction": "Mail me.", "output": "Write to li.wei@qq.com."})
    lines = [*map(json.dumps, rows), "{bad"]
    (tmp_path / "general.jsonl").write_text("\n".join(lines), encoding="utf-8")
    arguments = ["data", "mix", str(tmp_path / "general.jsonl"), "--share", "0.3"]
    assert main([*arguments, "-w", str(tmp_path / "ws"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["reached"] == pytest.approx(0.3, abs=0.05)
    assert data["bad"] == [{"line": 32, "reason": data["bad"][0]["reason"]}]
    mixed = read_dataset(Path(data["path"]))
    assert [record for record in mixed if record.method == "self_qa/pattern"] == own
    assert len(mixed) == data["domain_records"] + data["general_records"]
    assert not any("li.wei" in record.output for record in mixed)
