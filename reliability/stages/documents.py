"""Small documents that change from round to round: new, changed and removed files."""

from __future__ import annotations

import random
from pathlib import Path

__all__ = ["write_round"]

_PARTS = ("pump", "filter", "door seal", "drum", "hose", "valve", "display", "heater")
_PARTS_ZH = ("水泵", "过滤器", "门封", "滚筒", "软管", "阀门", "显示屏", "加热器")


def write_round(folder: Path, round_number: int, *, prefix: str) -> None:
    """Write the files of one round: a new one, a changed one, every fourth round a removal.

    Args:
        folder: Where the files stand.
        round_number: From 0; equal rounds write equal files.
        prefix: Begins the file names, so that stages do not touch each other's files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / f"{prefix}-{round_number:04d}.md", round_number, 0)
    if round_number >= 2:
        _write(folder / f"{prefix}-{round_number // 2:04d}.md", round_number // 2, round_number)
    if round_number % 4 == 3:
        (folder / f"{prefix}-{round_number - 1:04d}.md").unlink(missing_ok=True)


def _write(path: Path, number: int, edition: int) -> None:
    chance = random.Random(f"{path.name} {edition}")
    lines = [f"# Note {number}, edition {edition}", ""]
    for section in range(3):
        lines += [f"## Part {section}", ""]
        for _ in range(2):
            part = chance.randrange(len(_PARTS))
            hours, volts = chance.randrange(100, 9000), chance.randrange(5, 400)
            lines.append(
                f"The {_PARTS[part]} of unit {number} runs for {hours} hours at {volts} volts "
                f"before it is checked."
            )
            lines.append(
                f"{number} 号机的{_PARTS_ZH[part]}在 {volts} 伏下运行 {hours} 小时后检查。"
            )
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")
