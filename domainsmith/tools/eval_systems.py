"""The systems that an evaluation compares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from domainsmith.records import Question
from domainsmith.tools.tool import ToolContext

if TYPE_CHECKING:
    from domainsmith.training.comparison import EvalAnswer
    from domainsmith.training.evaluate import System

__all__ = ["MAX_NEW_TOKENS", "eval_systems"]

MAX_NEW_TOKENS = 64
"""As many as the answer chain's, so that no system may say more than another."""


def eval_systems(ctx: ToolContext, adapter_id: str | None) -> dict[str, System]:
    """Make the systems that are compared: with and without adapter, with and without documents.

    The models' own words are compared: no gate refuses for them and no sentence is quoted in
    their place, since that code would answer for both alike. What a user of the answer chain
    gets with the tuned model, that code included, stands beside them.

    Args:
        ctx: Gives the engine and the index.
        adapter_id: The tuned model; None compares the base with and without retrieval.

    Returns:
        Systems by name: ``base``, ``base+retrieval``, ``tuned``, ``tuned+retrieval`` and
        ``answer chain``; the last three with an adapter only.
    """
    from domainsmith.training.evaluate import ANSWER_CHAIN

    named: list[tuple[str, str | None]] = [("base", None)]
    if adapter_id is not None:
        from domainsmith.training.registry import adapter_folder

        ctx.models.engine().add_adapter(adapter_id, adapter_folder(ctx.workspace, adapter_id))
        named.append(("tuned", adapter_id))
    systems: dict[str, System] = {}
    for name, adapter in named:
        systems[name] = _closed_book(ctx, adapter)
        systems[f"{name}+retrieval"] = _with_documents(ctx, adapter, own_words=True)
    if adapter_id is not None:
        systems[ANSWER_CHAIN] = _with_documents(ctx, adapter_id, own_words=False)
    return systems


def _closed_book(ctx: ToolContext, adapter: str | None) -> System:
    from domainsmith.model_io.generation import GenerationRequest
    from domainsmith.model_io.messages import is_refusal, qa_messages
    from domainsmith.training.comparison import EvalAnswer

    def system(questions: Sequence[Question]) -> list[EvalAnswer]:
        engine = ctx.models.engine()
        requests = [
            GenerationRequest(
                engine.render(qa_messages(q.question, language=q.language)),
                max_new_tokens=MAX_NEW_TOKENS,
                adapter=adapter,
            )
            for q in questions
        ]
        texts = [""] * len(requests)
        for completion in engine.generate(requests):
            texts[completion.index] = completion.text.strip()
        return [
            EvalAnswer(text, is_refusal(text, q.language))
            for text, q in zip(texts, questions, strict=True)
        ]

    return system


def _with_documents(ctx: ToolContext, adapter: str | None, *, own_words: bool) -> System:
    from domainsmith.chains.answer import answer_many
    from domainsmith.training.comparison import EvalAnswer

    def system(questions: Sequence[Question]) -> list[EvalAnswer]:
        replies = answer_many(
            [q.question for q in questions],
            index=ctx.models.index(),
            embedder=ctx.models.embedder(),
            chat=ctx.models.engine(),
            top_k=ctx.options.top_k,
            adapter=adapter,
            gate=not own_words,
            fallback=not own_words,
            query=ctx.query_options(),
            **ctx.reranking(),
        )
        return [EvalAnswer(reply.text, reply.refused) for reply in replies]

    return system
