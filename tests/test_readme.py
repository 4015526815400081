"""The README is true: its Python block runs, its tree is current, its commands exist."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MANUAL = """# Oskavel Tarn

## Filter

The drain filter is behind the lower flap. Clean the drain filter every 8 weeks. The filter holds
2 litres of water. Turn the blue knob of the filter to the left. The filter seal is 4 mm thick.

## Drum

The drum holds 9 kg of cotton. The drum light is a 3 W lamp. The drum stops 12 seconds after the
door switch opens. The drum bearing weighs 1.4 kg. Grease the drum shaft every 24 months.

## Electrical data

The house circuit needs a 13 A fuse of the slow type. The mains cable is 1.85 m long.

## Door

The door lock releases after 90 seconds. The door opens to 172 degrees. The door seal is grey and
lasts 6 years. The hinge of the door is held by 5 screws. Tighten each hinge screw with 7 Nm.
"""
QUESTIONS = [
    {
        "key": "fuse",
        "question": "What fuse does the house circuit need?",
        "answer": "A 13 A fuse of the slow type.",
        "answerable": True,
        "category": "fact",
        "language": "en",
        "gold": [{"document": "manual.md", "quote": "needs a 13 A fuse of the slow type"}],
    },
    {
        "key": "weather",
        "question": "Will it rain tomorrow?",
        "answer": "",
        "answerable": False,
        "category": "out-of-domain",
        "language": "en",
        "gold": [],
    },
]


def test_the_python_block_runs_as_printed(tmp_path: Path, chat_model_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    documents = tmp_path / "examples" / "washer"
    documents.mkdir(parents=True)
    (documents / "manual.md").write_text(MANUAL, encoding="utf-8")
    lines = "".join(json.dumps(item) + "\n" for item in QUESTIONS)
    (tmp_path / "examples" / "washer-questions.jsonl").write_text(lines, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DOMAINSMITH_RECORDS": "12",
        "DOMAINSMITH_EPOCHS": "0.2",
    }
    # A process of its own: the block opens models, starts a job and waits for it.
    done = subprocess.run(
        [sys.executable, "-c", block.group(1)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "adapter_" in done.stdout
    assert re.search(r"^(better|worse|no clear difference)$", done.stdout, re.MULTILINE)
    assert done.stdout.count("->") >= 3


def test_the_file_tree_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate_file_tree.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_file_and_command_it_names_exists() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile, target


def test_no_file_name_says_nothing() -> None:
    banned = {"utils.py", "helpers.py", "common.py", "misc.py", "base.py", "util.py", "helper.py"}
    found = [p for p in (ROOT / "domainsmith").rglob("*.py") if p.name in banned]
    assert found == []


def test_the_changelog_names_the_version() -> None:
    from domainsmith import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
