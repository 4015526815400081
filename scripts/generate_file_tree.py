"""Write the file tree of README.md from the packages' own first docstring lines.

``--check`` exits with 1 if the README's tree differs.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "```text tree\n", "```\n"
_PURPOSES_AT = 26
"""Column in which the purposes begin."""
_FOLDERS = {
    "benchmarks": "each prints a ratio or a score, from real data",
    "docs": "guides, and the generated references of commands and settings",
    "examples": "an invented washing machine, English and Chinese, with held-out questions",
    "reliability": "the fault harness: kill, resume, verify",
    "scripts": "set-up and generated documentation",
    "tests": "mirror the packages",
    "domainsmith/prompts": "prompts as Markdown files, `en` and `zh`",
}


def first_line(path: Path) -> str:
    """Return the first sentence of a module's docstring, without its full stop.

    Args:
        path: A Python file.
    """
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").split(". ")[0].rstrip(".")


def package_lines(folder: Path, depth: int) -> list[str]:
    """List a package's modules and sub-packages with their purpose.

    Args:
        folder: The package.
        depth: Of indentation.
    """
    lines: list[str] = []
    for path in sorted(folder.iterdir(), key=lambda item: (item.is_dir(), item.name)):
        if path.is_dir() and (path / "__init__.py").is_file():
            key = path.relative_to(ROOT).as_posix()
            purpose = _FOLDERS.get(key) or first_line(path / "__init__.py")
            lines.append(_line(path.name + "/", purpose, depth))
            if key != "domainsmith/prompts":
                lines += package_lines(path, depth + 1)
        elif path.suffix == ".py" and path.name != "__init__.py":
            lines.append(_line(path.name, first_line(path), depth))
    return lines


def _line(name: str, purpose: str, depth: int) -> str:
    """Align the purposes; a name that is too long keeps its distance all the same."""
    width = _PURPOSES_AT - 2 * depth
    return f"{'  ' * depth}{name:<{width - 1}} {purpose}"


def tree() -> str:
    """Return the tree as text."""
    lines = ["domainsmith/", *package_lines(ROOT / "domainsmith", 1)]
    for name in ("benchmarks", "docs", "examples", "reliability", "scripts", "tests"):
        lines.append(_line(name + "/", _FOLDERS[name], 0))
    return "\n".join(lines) + "\n"


def main() -> int:
    """Rewrite or check the README.

    Returns:
        0 if it is current.
    """
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    wanted = re.sub(
        re.escape(BEGIN) + r".*?" + re.escape(END),
        lambda _: BEGIN + tree() + END,
        text,
        flags=re.DOTALL,
    )
    if "--check" in sys.argv:
        if wanted != text:
            print("README.md: the file tree is stale; run scripts/generate_file_tree.py")
            return 1
        return 0
    path.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
