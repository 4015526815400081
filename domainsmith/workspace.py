"""The folder that holds one domain: where everything lies, and its database."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from domainsmith.errors import InputInvalid, InputNotFound, translated_os_errors
from domainsmith.storage.atomic import sweep_staging, write_text
from domainsmith.storage.database import Database

__all__ = ["DEFAULT_FOLDER", "Workspace"]

DEFAULT_FOLDER = ".domainsmith"
_FOLDERS = ("index", "datasets", "jobs", "adapters", "reports")
_SETTINGS_TEMPLATE = """\
# Settings of this workspace. Flags and DOMAINSMITH_* variables win over this file.
# `domainsmith config show --origin` lists every setting, its value and where it comes from.
"""


@dataclass(frozen=True)
class Workspace:
    """One domain on disk. Holds no absolute path inside, so the folder may be moved.

    Args:
        root: The folder.
        db: Its open database, the truth about everything in it.
    """

    root: Path
    db: Database

    @classmethod
    def create(cls, root: Path) -> Workspace:
        """Make a workspace, or open it if it exists.

        Args:
            root: The folder; parents are created.

        Returns:
            The open workspace.

        Raises:
            InputInvalid: The path is a file.
            InputUnreadable: The folder cannot be created or written.
            ResourceExhausted: The disk is full.
            WorkspaceTooNew: A newer version of this program wrote it.
        """
        root = Path(root)
        if root.exists() and not root.is_dir():
            raise InputInvalid(
                "The workspace path is a file", where=root, fix="Name a folder instead."
            )
        with translated_os_errors(root):
            root.mkdir(parents=True, exist_ok=True)
            for name in _FOLDERS:
                (root / name).mkdir(exist_ok=True)
            settings = root / "domainsmith.toml"
            if not settings.exists():
                write_text(settings, _SETTINGS_TEMPLATE)
            for folder in (root, *(root / name for name in _FOLDERS)):
                sweep_staging(folder)
        return cls(root=root, db=Database.open(root / "state.sqlite"))

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Open an existing workspace.

        Args:
            root: The folder.

        Returns:
            The open workspace.

        Raises:
            InputNotFound: There is no workspace in that folder.
            WorkspaceTooNew: A newer version of this program wrote it.
        """
        root = Path(root)
        if not (root / "state.sqlite").is_file():
            raise InputNotFound(
                "No workspace here",
                where=root,
                fix="Run `domainsmith add FOLDER` to make one from your documents.",
            )
        return cls.create(root)

    @classmethod
    def find(cls, start: Path | None = None) -> Path | None:
        """Look for a workspace folder, from a folder upwards.

        Args:
            start: Where to begin; the current folder if None.

        Returns:
            The nearest ``.domainsmith`` folder that holds a workspace, or None.
        """
        here = Path(os.path.abspath(start or Path.cwd()))
        for folder in (here, *here.parents):
            if (folder / DEFAULT_FOLDER / "state.sqlite").is_file():
                return folder / DEFAULT_FOLDER
        return None

    @property
    def index_dir(self) -> Path:
        """Disposable search indexes."""
        return self.root / "index"

    @property
    def datasets_dir(self) -> Path:
        """Datasets, one folder each."""
        return self.root / "datasets"

    @property
    def jobs_dir(self) -> Path:
        """Training jobs, one folder each."""
        return self.root / "jobs"

    @property
    def adapters_dir(self) -> Path:
        """Trained adapters, one folder each."""
        return self.root / "adapters"

    @property
    def reports_dir(self) -> Path:
        """Evaluation reports, one folder each."""
        return self.root / "reports"

    @property
    def curations_dir(self) -> Path:
        """The curator's logs and unfinished work, one folder a goal; made when it is needed."""
        return self.root / "curations"

    @property
    def threads_path(self) -> Path:
        """Conversations and agent checkpoints (SQLite)."""
        return self.root / "threads.sqlite"

    @property
    def settings_path(self) -> Path:
        """The workspace's own settings (TOML)."""
        return self.root / "domainsmith.toml"

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
