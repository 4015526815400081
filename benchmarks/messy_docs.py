"""``python -m benchmarks.messy_docs``: does every messy file load, or say why it does not?

The manifest promises for each file a number of characters, a kind of damage, or both. A file
passes if its text holds what was promised, or if it is reported with the reason that was
promised. Files go through the limited child process, as everything that is added does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from domainsmith.data_connection.limited import LimitedLoader, LoadLimits
from domainsmith.errors import DomainSmithError

_DATA = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))
_ENOUGH = 0.85
"""Share of the promised characters that must be there; repeated page heads are dropped."""
_GOLD_WORDS = 0.97
"""Share of a reference text's words that must be there."""
_EXPECTED = (
    # (what note or probe say, what the reason must say)
    (r"ENCRYPTED", r"encrypted"),
    (r"SCAN|image-only|image pdf", r"scan"),
    (r"EMPTY|WHITESPACE", r"empty|no text"),
    (r"BINARY", r"No loader|binary"),
    (r"legacy", r"old binary Office"),
    (r"^MSG$", r"Outlook"),
    (r"\b0 paras, 0 tables|paras, 0 tables, 0 chars", r"no text"),
)


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Args:
        file: Path in the manifest.
        note: What the manifest says of it.
        passed: Whether the promise was kept.
        characters: Of the loaded text, members included; 0 if it was reported.
        reason: Why it was not loaded, or empty.
        notes: What was left out.
        problem: Why the promise was not kept, or empty.
        seconds: Wall clock.
    """

    file: str
    note: str
    passed: bool
    characters: int
    reason: str
    notes: tuple[str, ...]
    problem: str
    seconds: float


def outcomes(folder: Path, *, skip: Sequence[str] = ()) -> list[Outcome]:
    """Load every file of the manifest that is present.

    Args:
        folder: Holds ``MANIFEST.jsonl``.
        skip: Names of files to leave out (slow ones).

    Returns:
        One outcome a file, in the manifest's order.
    """
    lines = (folder / "MANIFEST.jsonl").read_text(encoding="utf-8").split("\n")
    entries = [json.loads(line) for line in lines if line.strip()]
    found: list[Outcome] = []
    with LimitedLoader(LoadLimits(wall_seconds=90)) as loader:
        for entry in entries:
            path = folder / entry["file"]
            if path.is_file() and path.name not in skip:
                found.append(_outcome(loader, folder, entry))
    return found


def _outcome(loader: LimitedLoader, folder: Path, entry: dict[str, str]) -> Outcome:
    path = folder / entry["file"]
    began = time.monotonic()
    text, reason, notes = "", "", ()
    try:
        loaded = loader.load(path)
        text = "\n".join([loaded.text, *(member.text for member in loaded.members)])
        notes = loaded.notes
    except DomainSmithError as error:
        reason = str(error)
    problem = _problem(folder, entry, text, reason)
    return Outcome(
        file=entry["file"],
        note=entry["note"],
        passed=not problem,
        characters=len(text),
        reason=reason,
        notes=notes,
        problem=problem,
        seconds=round(time.monotonic() - began, 2),
    )


def _problem(folder: Path, entry: dict[str, str], text: str, reason: str) -> str:
    told = [r for what, r in _EXPECTED if re.search(what, f"{entry['note']}") or _bare(entry, what)]
    if reason:
        if any(re.search(pattern, reason) for pattern in told):
            return ""
        return f"not loaded, and no damage was promised: {reason}"
    if any(
        mark in entry["note"] for mark in ("ENCRYPTED", "SCAN", "EMPTY", "WHITESPACE", "BINARY")
    ):
        return "loaded, though it should have been reported"
    promised = _promised(entry)
    if len(text) < _ENOUGH * promised:
        return f"{len(text)} characters; about {promised} were promised"
    gold = path_of_gold(folder, entry["file"])
    if gold is not None:
        wanted = _words(gold.read_text(encoding="utf-8"))
        held = _words(text)
        missing = sorted(wanted - held)
        if len(missing) > (1 - _GOLD_WORDS) * len(wanted):
            return f"words of the reference are missing: {missing[:8]}"
    return "" if text.strip() else "no text"


def _promised(entry: dict[str, str]) -> int:
    """Return how many characters the manifest promises; 0 where mark-up is counted."""
    match = re.search(r"(\d+) chars", entry["probe"])
    if match is None or entry["file"].endswith((".html", ".xml", ".htm", ".eml")):
        return 0
    # The probe read UTF-16 without a mark as UTF-8, NULs included.
    wide = "utf-8 ok" in entry["probe"] and "utf_16" in entry["probe"]
    return int(match.group(1)) // (2 if wide else 1)


def _bare(entry: dict[str, str], what: str) -> bool:
    """Tell whether the probe alone says that there is nothing to load."""
    return what.startswith(r"\b0 paras") and re.search(what, entry["probe"]) is not None


def path_of_gold(folder: Path, file: str) -> Path | None:
    """Return the reference text of a PDF, if there is one.

    Args:
        folder: Of the manifest.
        file: Path in the manifest.

    Returns:
        A Markdown file of the same stem.
    """
    path = folder / file
    gold = path.parent / "expected_outputs" / f"{path.stem}.md"
    return gold if path.suffix == ".pdf" and gold.is_file() else None


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of outcomes.

    Args:
        arguments: Of the command line.

    Returns:
        0 if every file keeps its promise, 1 if one does not, 2 without the data.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.messy_docs", description=__doc__)
    parser.add_argument("--folder", type=Path, default=_DATA / "messy_docs")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args(arguments)
    if not (options.folder / "MANIFEST.jsonl").is_file():
        print(f"TEST DATA ABSENT: {options.folder} (set DOMAINSMITH_DATA)", file=sys.stderr)
        return 2
    rows = outcomes(options.folder)
    failed = [row for row in rows if not row.passed]
    loaded = sum(not row.reason for row in rows)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
    else:
        for row in rows:
            mark = "FAIL" if not row.passed else ("ok" if not row.reason else "told")
            what = row.problem or row.reason or f"{row.characters} characters"
            name = row.file.removeprefix("permissive/")
            print(f"{mark:5}{row.seconds:6.2f} s  {name:58.58}  {row.note:28.28}  {what}")
        print(
            f"{len(rows)} files: {loaded} loaded, {len(rows) - loaded} reported with a reason, "
            f"{len(failed)} broke their promise"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
