"""What a command gets: console, settings, the workspace and the models behind it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from domainsmith.apps.cli.command import Options
from domainsmith.apps.console import Console
from domainsmith.apps.output import clean, reveal
from domainsmith.errors import ApprovalDenied, InputNotFound

if TYPE_CHECKING:
    from domainsmith.apps.assembly import Assembly
    from domainsmith.settings import LoadedSettings, Settings
    from domainsmith.tools.tool import ToolResult
    from domainsmith.workspace import Workspace

__all__ = ["App"]


class App:
    """One run of one command; a context manager that closes what was opened.

    Args:
        options: The common options.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.console = Console(json_mode=options.json, quiet=options.quiet)
        self._loaded: LoadedSettings | None = None
        self._workspace: Workspace | None = None
        self._assembly: Assembly | None = None

    def __enter__(self) -> App:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._assembly is not None:
            self._assembly.close()
        if self._workspace is not None:
            self._workspace.close()

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return not self.options.no_input and sys.stdin.isatty() and sys.stderr.isatty()

    def workspace_path(self) -> Path | None:
        """Where the workspace is: flag, then DOMAINSMITH_WORKSPACE, then found upwards."""
        from domainsmith.workspace import Workspace

        given = self.options.workspace or os.environ.get("DOMAINSMITH_WORKSPACE")
        return Path(given) if given else Workspace.find()

    def workspace(self) -> Workspace:
        """Open the existing workspace.

        Raises:
            InputNotFound: There is none.
        """
        from domainsmith.workspace import Workspace

        if self._workspace is None:
            path = self.workspace_path()
            if path is None:
                raise InputNotFound(
                    "No workspace here or above",
                    where=Path.cwd(),
                    fix="Run `domainsmith add FOLDER` to make one from your documents.",
                )
            self._workspace = Workspace.open(path)
        return self._workspace

    def create_workspace(self, path: Path | None = None) -> Workspace:
        """Open the workspace, making it if there is none.

        Args:
            path: Where to; else as :meth:`workspace_path`, else ``.domainsmith`` here.
        """
        from domainsmith.workspace import DEFAULT_FOLDER, Workspace

        if self._workspace is None:
            self._workspace = Workspace.create(
                path or self.workspace_path() or Path.cwd() / DEFAULT_FOLDER
            )
        return self._workspace

    def loaded_settings(self) -> LoadedSettings:
        """Return the settings with their origins."""
        from domainsmith.settings import load_settings

        if self._loaded is None:
            path = self._workspace.root if self._workspace else self.workspace_path()
            self._loaded = load_settings(
                path / "domainsmith.toml" if path else None,
                flags=self.options.settings,
            )
        return self._loaded

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.loaded_settings().values

    def override(self, **values: Any) -> None:
        """Let a command's own flags set settings; None values are left out."""
        for name, value in values.items():
            if value is not None:
                self.options.settings[name] = value
        self._loaded = None

    def assembly(self) -> Assembly:
        """Return the workspace's models and chains."""
        from domainsmith.apps.assembly import Assembly

        if self._assembly is None:
            self._assembly = Assembly(self.workspace(), self.settings)
        return self._assembly

    def confirm(self, question: str) -> None:
        """Ask for approval of a side effect.

        Args:
            question: What will be done, with its exact arguments.

        Raises:
            ApprovalDenied: The person said no, or nobody can be asked and ``--yes`` is absent.
        """
        if self.options.yes:
            return
        if not self.interactive:
            raise ApprovalDenied(
                f"Not approved: {question}", fix="Give --yes to approve it without asking."
            )
        if self.ask(f"{reveal(question)} [y/N] ").strip().lower() not in ("y", "yes", "是"):
            raise ApprovalDenied(f"Not approved: {question}", fix="Answer y to approve it.")

    def ask(self, prompt: str) -> str:
        """Ask a person for a line; the prompt goes to stderr, since stdout is for data.

        Args:
            prompt: What is asked.

        Returns:
            The answer without its newline.
        """
        self.console.stderr.write(clean(prompt))
        self.console.stderr.flush()
        return input()

    def run_tool(self, name: str, arguments: dict[str, Any], **options: Any) -> ToolResult:
        """Run one tool as the agent would, with progress on stderr.

        Args:
            name: The tool's name.
            arguments: Its arguments; None values are left out.
            **options: Overrides of the tools' options.

        Returns:
            The result.
        """
        from domainsmith.tools.toolset import tool_named

        given = {key: value for key, value in arguments.items() if value is not None}
        with self.console.progress() as progress:
            context = self.assembly().context(progress=progress, **options)
            return tool_named(name).call(context, given)
