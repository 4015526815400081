"""Is a sentence more likely when its passage has been read? The second check of a citation."""

from __future__ import annotations

from collections.abc import Sequence

from domainsmith.data_connection.language import detect_language
from domainsmith.model_io.generation import Generator, Scorer
from domainsmith.model_io.messages import format_context, qa_messages
from domainsmith.records import Passage

__all__ = ["likelihood_gains"]


def likelihood_gains(
    generator: Generator,
    scorer: Scorer,
    claims: Sequence[tuple[str, Passage, str]],
    *,
    adapter: str | None = None,
    system: str | None = None,
) -> list[float]:
    """Measure what a passage adds to the likelihood of an answer.

    Args:
        generator: Renders the prompts; the same model as ``scorer``.
        scorer: Tells likelihoods.
        claims: (question, passage, answer) each; scored as one batch.
        adapter: Name of a loaded adapter.
        system: System text; None takes the expert's.

    Returns:
        For each claim the mean log-likelihood per token of the answer after the question with
        the passage, less that after the question alone, in nats; above 0 the passage helps.
    """
    pairs: list[tuple[str, str]] = []
    for question, passage, answer in claims:
        language = detect_language(question)
        context = format_context([passage], language)
        for text in (context, ""):
            messages = qa_messages(question, context=text, language=language, system=system)
            pairs.append((generator.render(messages), answer))
    levels = [level.mean for level in scorer.score(pairs, adapter=adapter)] if pairs else []
    return [round(told - alone, 4) for told, alone in zip(levels[::2], levels[1::2], strict=True)]
