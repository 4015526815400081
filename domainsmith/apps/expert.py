"""The whole loop from Python: one object for a workspace and its models.

It only puts together what the packages below offer; each of its methods is a few lines over a
public function or a LangChain runnable that can be used alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from domainsmith.apps.assembly import Assembly
from domainsmith.errors import InputInvalid
from domainsmith.progress import ProgressCallback, silent
from domainsmith.settings import load_settings
from domainsmith.workspace import DEFAULT_FOLDER, Workspace

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from domainsmith.data_connection.sources import AddReport
    from domainsmith.records import Answer, EvalReport, JobStatus, Record
    from domainsmith.tools.tool import ToolResult
    from domainsmith.training.dataset_folder import DatasetInfo

__all__ = ["Expert"]


class Expert:
    """A domain and its models. Use :meth:`open`, as a context manager.

    Args:
        workspace: The open workspace; closed by :meth:`close`.
        assembly: Its models, loaded on first use.
        progress: Told where long work stands.
    """

    def __init__(
        self, workspace: Workspace, assembly: Assembly, progress: ProgressCallback = silent
    ) -> None:
        self.workspace = workspace
        self.assembly = assembly
        self.progress = progress

    @classmethod
    def open(
        cls, folder: str | Path, *, progress: ProgressCallback = silent, **settings: Any
    ) -> Self:
        """Open a workspace, or make it.

        Args:
            folder: The workspace's folder, or the one in which a command made ``.domainsmith``.
            progress: Told where long work stands.
            **settings: Overrides of the settings; they win over environment and file.

        Returns:
            The expert.

        Raises:
            InputInvalid: A setting is unknown or out of range.
            WorkspaceTooNew: A newer version of this program wrote the workspace.
        """
        if not isinstance(folder, str | Path) or not str(folder).strip():
            raise InputInvalid("A workspace is opened by its folder's path", fix="Name one.")
        workspace = Workspace.create(_workspace_in(Path(folder)))
        try:
            loaded = load_settings(workspace.settings_path, flags=settings)
        except BaseException:
            workspace.close()
            raise
        return cls(workspace, Assembly(workspace, loaded.values), progress)

    def add(self, folder: str | Path) -> AddReport:
        """Add a folder of documents, or bring it up to date; see ``sources.add_folder``."""
        from domainsmith.data_connection.sources import add_folder
        from domainsmith.tools.questions import find_questions_file, remember_source

        if not isinstance(folder, str | Path) or not str(folder).strip():
            raise InputInvalid("add takes the path of a folder or file", fix="Name one.")
        # Normalised as the tools do, so that one folder is one source.
        path = Path(os.path.abspath(Path(folder).expanduser()))
        report = add_folder(
            self.workspace,
            path,
            embedder=self.assembly.embedder(),
            chunk_tokens=self.assembly.settings.chunk_tokens,
            progress=self.progress,
            index=self.assembly.index(),
        )
        remember_source(self.workspace, path, find_questions_file(path))
        return report

    def answers(self, adapter: str | None = None) -> Runnable[str | Mapping[str, Any], Answer]:
        """Return the LangChain runnable that answers with citations.

        Args:
            adapter: Id of a tuned adapter; None for the base model.
        """
        chain: Runnable[str | Mapping[str, Any], Answer] = self.assembly.answer_chain(adapter)
        return chain

    def records(self, questions: str | Path | None = None) -> Iterator[Record]:
        """Stream graded training records as they are made, failed ones too.

        What was streamed is kept: :meth:`generate` goes on from there.

        Args:
            questions: JSONL file of test questions whose passages are kept out.
        """
        from domainsmith.chains.generate import (
            GenerationOptions,
            dataset_log,
            generate_records,
        )
        from domainsmith.storage.passages import passages
        from domainsmith.tools.data import held_out_questions
        from domainsmith.training.select.pipeline import admissible_records

        values = self.assembly.settings
        options = GenerationOptions(target=values.records, seed=values.seed)
        given = None if questions is None else str(questions)
        exclude, _ = held_out_questions(self.assembly.context(), given)
        engine = self.assembly.engine()
        log = dataset_log(
            self.workspace,
            exclude=exclude,
            generator=engine,
            embedder=self.assembly.embedder(),
            select=admissible_records,
            options=options,
        )
        return generate_records(
            passages(self.workspace.db),
            generator=engine,
            scorer=engine,
            log=log,
            exclude=exclude,
            options=options,
            progress=self.progress,
            embedder=self.assembly.embedder(),
        )

    def generate(
        self,
        questions: str | Path | None = None,
        *,
        topic: str | None = None,
        methods: Sequence[str] | None = None,
        count: int | None = None,
    ) -> DatasetInfo:
        """Generate and select a dataset; a finished one is recognised.

        Args:
            questions: JSONL file of test questions whose passages are kept out; None takes the
                file beside the added folder.
            topic: What it shall be about only, "descaling" or "chapter 3"; None for everything.
            methods: Ways to make it, each NAME or NAME:SHARE; ``documents`` if None.
            count: Records to make; None makes twice the setting ``records`` to select from.

        Returns:
            The selected dataset.

        Raises:
            InputNotFound: The documents do not speak of the topic.
            YieldTooLow: Too few records passed.
        """
        from domainsmith.training.dataset_folder import dataset_info

        given = {
            "questions": None if questions is None else str(questions),
            "topic": topic,
            "methods": None if methods is None else list(methods),
            "count": count,
        }
        self._call("generate_data", {k: v for k, v in given.items() if v is not None})
        selected = self._call("select_data", {})
        return dataset_info(self.workspace.datasets_dir / str(selected.data["dataset_id"]))

    def curate(
        self,
        wish: str = "",
        *,
        target: int | None = None,
        minutes: float | None = None,
        rounds: int | None = None,
        questions: str | Path | None = None,
    ) -> DatasetInfo:
        """Let the curator make a dataset to a target, unattended; see ``agents.curator``.

        Args:
            wish: What it shall be like, in words; may name number and limits.
            target: Records wanted; None takes the wish's number, else the setting.
            minutes: Of working time at most; None takes the wish's, else 60.
            rounds: At most; None takes the wish's, else 8.
            questions: JSONL file of test questions whose passages are kept out; None takes the
                file beside the added folder.

        Returns:
            The selected dataset. The same call goes on after a kill, or finds it again.

        Raises:
            CurationInterrupted: Ctrl-C; what there was is written as a dataset first.
            YieldTooLow: The documents or the model give no usable records.
        """
        from domainsmith.training.dataset_folder import dataset_info

        given = {
            "wish": wish or None,
            "count": target,
            "minutes": minutes,
            "rounds": rounds,
            "questions": None if questions is None else str(questions),
        }
        result = self._call("curate_data", {k: v for k, v in given.items() if v is not None})
        return dataset_info(self.workspace.datasets_dir / str(result.data["dataset_id"]))

    def train(self, dataset: DatasetInfo, *, epochs: float | None = None) -> str:
        """Launch a fine-tuning job of its own process; an equal finished one is recognised.

        Args:
            dataset: What to train on.
            epochs: Passes over the data; the settings' if None.

        Returns:
            The job's id.

        Raises:
            InputInvalid: It is no dataset, or the epochs are out of range.
        """
        from domainsmith.tools.training import make_job
        from domainsmith.training.dataset_folder import DatasetInfo as Info
        from domainsmith.training.launch import launch

        if not isinstance(dataset, Info):
            raise InputInvalid(
                f"train takes a dataset, not {type(dataset).__name__}",
                fix="Give what generate() or curate() returned, or dataset_info(FOLDER).",
            )
        if epochs is not None and not (isinstance(epochs, int | float) and 0 < epochs <= 100):
            raise InputInvalid(f"epochs is {epochs!r}", fix="Give a number above 0, at most 100.")
        return launch(self.workspace, make_job(self._context(), dataset, epochs))

    def wait(self, job_id: str, progress: Callable[[JobStatus], None] | None = None) -> JobStatus:
        """Wait for a job; see ``launch.wait``.

        Args:
            job_id: From :meth:`train`.
            progress: Called with each new status.

        Raises:
            JobFailed: It failed or was lost; the message says why.
        """
        from domainsmith.tools.current import note_latest
        from domainsmith.training.launch import wait

        status = wait(self.workspace, job_id, progress=progress)
        if status.adapter_id:
            note_latest(self.workspace, "adapter", status.adapter_id)
        return status

    def evaluate(self, questions: str | Path | None = None) -> EvalReport:
        """Compare base and newest tuned model, with and without documents, on held-out questions.

        Args:
            questions: JSONL file; None takes the file beside the added folder.
        """
        from domainsmith.records import EvalReport

        given = None if questions is None else str(questions)
        result = self._call("evaluate_model", {"questions": given})
        return EvalReport.model_validate(result.data["report"])

    def tune_retrieval(
        self, questions: str | Path | None = None, *, minutes: float | None = None
    ) -> Mapping[str, Any]:
        """Tune search on the documents; what is better on held-out ones is used from now on.

        Args:
            questions: JSONL file of your own questions with their quotes, to learn from as well.
            minutes: Of training at most; ten if None.

        Returns:
            ``kept`` (ids of the models in use now, none if nothing was better), ``verdict`` and
            what they were learned from.
        """
        given = None if questions is None else str(questions)
        return self._call("tune_retrieval", {"questions": given, "minutes": minutes}).data

    def close(self) -> None:
        """Close the index and the workspace."""
        self.assembly.close()
        self.workspace.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _context(self) -> Any:
        return self.assembly.context(progress=self.progress)

    def _call(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        from domainsmith.tools.toolset import tool_named

        result: ToolResult = tool_named(tool).call(self._context(), arguments)
        return result


def _workspace_in(folder: Path) -> Path:
    """Return the workspace that commands made in a folder, or the folder itself."""
    made = folder / DEFAULT_FOLDER
    own = (folder / "state.sqlite").is_file()
    return made if (made / "state.sqlite").is_file() and not own else folder
