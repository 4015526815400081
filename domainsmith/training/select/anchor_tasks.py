"""Records as anchor tasks, asked as the model is asked in use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domainsmith.model_io.messages import record_messages
from domainsmith.records import Message, Record
from domainsmith.training.select.resources import TextModel
from domainsmith.training.select.score_cache import score_key

__all__ = ["RecordAnchors"]


class RecordAnchors:
    """Tasks of a golden score that are records themselves.

    A record stands as an earlier turn of the conversation in which the task is asked.

    Args:
        model: The one that is to be trained.
        records: What is scored.
        tasks: The anchors; one that is the record itself counts as not helped.
    """

    def __init__(
        self, model: TextModel, records: Sequence[Record], tasks: Sequence[Record]
    ) -> None:
        self._model = model
        self._records = [record_messages(record) for record in records]
        self._tasks = [record_messages(task) for task in tasks]
        self._own = [record.id for record in records]
        self._task_ids = [task.id for task in tasks]

    @property
    def name(self) -> str:
        """Name of the model and content of the tasks."""
        content = [[m.model_dump(mode="json") for m in task] for task in self._tasks]
        return score_key(self._model.model_name, content)

    def __len__(self) -> int:
        """Return the number of tasks."""
        return len(self._tasks)

    def lengths(self) -> NDArray[np.int64]:
        """Return how long each task is with its answer, in characters, shape (tasks,)."""
        return np.asarray([sum(len(m.content) for m in task[1:]) for task in self._tasks])

    def alone(self) -> NDArray[np.float64]:
        """Return the mean log-probability of each answer without an example, shape (tasks,)."""
        return np.asarray(self._scored([task[:-1] for task in self._tasks], self._tasks))

    def after(self, pairs: Sequence[tuple[int, int]]) -> list[float]:
        """Return the mean log-probabilities of answers after examples.

        Args:
            pairs: (record's index, task's index) each.
        """
        prompts = []
        for row, task in pairs:
            same = self._own[row] == self._task_ids[task]
            prompts.append([] if same else [*self._records[row], *self._tasks[task][1:-1]])
        return self._scored(prompts, [self._tasks[task] for _, task in pairs])

    def _scored(
        self, prompts: Sequence[Sequence[Message]], tasks: Sequence[Sequence[Message]]
    ) -> list[float]:
        found = [-np.inf] * len(prompts)
        pairs: list[tuple[str, str]] = []
        places: list[int] = []
        for place, (prompt, task) in enumerate(zip(prompts, tasks, strict=True)):
            if not prompt:
                continue
            text, answer = self._model.render(prompt), task[-1].content
            used = self._model.count_tokens(text) + self._model.count_tokens(answer)
            if answer and used <= self._model.context_length:
                pairs.append((text, answer))
                places.append(place)
        for place, value in zip(places, self._model.score(pairs) if pairs else [], strict=True):
            found[place] = value.mean
        return found
