"""Fixtures that load the real small models once a test run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder
    from domainsmith.model_io.engine import Engine


@pytest.fixture(scope="session")
def chat_model_path() -> Path:
    """Folder of the embedded SmolLM2, converted if need be."""
    from domainsmith.model_io.catalog import chat_model_folder

    return chat_model_folder("default")


@pytest.fixture(scope="session")
def engine(chat_model_path: Path) -> Engine:
    """The embedded SmolLM2 in the default number type; leave no adapters behind."""
    from domainsmith.model_io.load import load_engine

    del chat_model_path
    return load_engine("default")


@pytest.fixture(scope="session")
def embedder() -> LocalEmbedder:
    """The embedded all-MiniLM-L6-v2."""
    from domainsmith.model_io.load import load_embedder

    return load_embedder("default")
