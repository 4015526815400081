"""A function over many inputs as a LangChain runnable whose ``batch`` stays one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from langchain_core.runnables import Runnable, RunnableConfig

__all__ = ["BatchStep"]

In = TypeVar("In")
Out = TypeVar("Out")


class BatchStep(Runnable[In, Out], Generic[In, Out]):
    """Runs a function that takes a list, so that models see whole batches.

    ``RunnableLambda`` would call a function of one input once an input, in threads.

    Args:
        name: Shown in traces.
        function: From a list of inputs to as many outputs, in order.
    """

    def __init__(self, name: str, function: Callable[[Sequence[In]], list[Out]]) -> None:
        self.name = name
        self._function = function

    def invoke(self, input: In, config: RunnableConfig | None = None, **kwargs: Any) -> Out:
        """Run the function on one input."""
        return self._call_with_config(lambda item: self._function([item])[0], input, config)

    def batch(
        self,
        inputs: list[In],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Out]:
        """Run the function once on all inputs."""
        return self._function(inputs) if inputs else []
