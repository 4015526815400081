"""DomainSmith turns a folder of documents into a domain expert that its owner hosts.

The public names are loaded on first use, so that importing the package costs nothing.
Their types stand in ``__init__.pyi``.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# LangGraph reads this once, when it is imported: its default lets stored data import any type.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
# OpenMP's threads otherwise spin while they wait: with one other busy process on two cores that
# halves the speed of decoding. On an idle machine waiting is the slower way, by about a fifth.
# Read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOMES = {
    "DomainSmithError": "domainsmith.errors",
    "Expert": "domainsmith.apps.expert",
    "Index": "domainsmith.data_connection.index",
    "Workspace": "domainsmith.workspace",
    "add_folder": "domainsmith.data_connection.sources",
    "build_answer_chain": "domainsmith.chains.answer",
    "generate_dataset": "domainsmith.chains.generate",
    "launch": "domainsmith.training.launch",
    "load_chat": "domainsmith.model_io.load",
    "load_embedder": "domainsmith.model_io.load",
    "load_engine": "domainsmith.model_io.load",
    "load_settings": "domainsmith.settings",
    "status": "domainsmith.training.launch",
    "wait": "domainsmith.training.launch",
}

__all__ = [
    "DomainSmithError",
    "Expert",
    "Index",
    "Workspace",
    "__version__",
    "add_folder",
    "build_answer_chain",
    "generate_dataset",
    "launch",
    "load_chat",
    "load_embedder",
    "load_engine",
    "load_settings",
    "status",
    "wait",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names without loading them."""
    return sorted(__all__)
