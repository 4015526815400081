"""Words that all prompts of Self-Instruct share, and how they are completed."""

from __future__ import annotations

from collections.abc import Sequence

from domainsmith.model_io.generation import GenerationRequest, Generator

__all__ = ["COLON", "INPUT", "LABEL", "TASK", "completions"]

INPUT = {"en": "Input", "zh": "输入"}
LABEL = {"en": "Label", "zh": "标签"}
TASK = {"en": "Task", "zh": "任务"}
COLON = {"en": ": ", "zh": "："}


def completions(generator: Generator, requests: Sequence[GenerationRequest]) -> list[str]:
    """Complete prompts.

    Args:
        generator: The model.
        requests: Any number.

    Returns:
        The completions in the order of the requests, on one line each.
    """
    texts = [""] * len(requests)
    for done in generator.generate(requests):
        texts[done.index] = " ".join(done.text.split())
    return texts
