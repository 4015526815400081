"""The example domain that comes with the project: where it lies and what is asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import domainsmith
from domainsmith.errors import InputNotFound
from domainsmith.records import Language, Question

__all__ = ["ExampleDomain", "example_domain"]

_FOLDERS: dict[Language, str] = {"en": "washer", "zh": "washer-zh"}
_REQUESTS: dict[Language, str] = {
    "en": "Learn the documents in {folder}, make training data from them, tune the model, "
    "and tell me whether it got better",
    "zh": "学习 {folder} 里的文档，用它们生成训练数据，微调模型，然后告诉我效果有没有变好",
}
_ASKED = ("manual-fuse", "code-tn-201", "faq-voice")
_REFUSED = "other-weather"
_SERVED = "manual-detergent-tank"


@dataclass(frozen=True)
class ExampleDomain:
    """One language of the example.

    Args:
        root: What the request's path starts from.
        folder: The documents, relative to ``root``.
        request: The one sentence for the agent.
        asked: Questions that the documents answer.
        refused: A question outside the domain.
        served: The question for the served model.
    """

    root: Path
    folder: str
    request: str
    asked: tuple[str, ...]
    refused: str
    served: str


def example_domain(language: Language) -> ExampleDomain:
    """Find the example documents: in the repository, else in the installed package.

    Args:
        language: Of the documents and the request.

    Returns:
        The example.

    Raises:
        InputNotFound: This installation has none.
    """
    from domainsmith.training.questions import load_questions

    package = Path(domainsmith.__file__).resolve().parent
    name = _FOLDERS[language]
    for examples in (package.parent / "examples", package / "_examples"):
        questions = examples / f"{name}-questions.jsonl"
        if not (questions.is_file() and (examples / name).is_dir()):
            continue
        by_key: dict[str, Question] = {item.key: item for item in load_questions(questions)}
        folder = f"{examples.name}/{name}"
        return ExampleDomain(
            root=examples.parent,
            folder=folder,
            request=_REQUESTS[language].format(folder=folder),
            asked=tuple(by_key[key].question for key in _ASKED),
            refused=by_key[_REFUSED].question,
            served=by_key[_SERVED].question,
        )
    raise InputNotFound(
        "The example documents are not installed",
        where=package,
        fix="Run the demo from the repository, or install the project again.",
    )
