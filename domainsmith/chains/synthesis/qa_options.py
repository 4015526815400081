"""What Self-QA may do, and what it gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from domainsmith.chains.facts import Fact
from domainsmith.records import Language

__all__ = ["QaOptions", "QaYield"]


@dataclass(frozen=True)
class QaOptions:
    """What Self-QA may do.

    Args:
        per_passage: Most facts of one passage.
        model_per_passage: Most sentences of one passage for which the model is asked.
        model_languages: Languages in which the model may write questions. The embedded model
            knows almost no Chinese, so its Chinese questions are left out by default.
        whole_sentences: Let the model ask about sentences without a number too; for models
            far better than the embedded one.
        likely: A model's question is dropped below this mean log-probability, nats a token.
        informative: And if it does not make the answer likelier by this, nats a token.
        deep_per_passage: Most procedures, comparisons and rows that one passage may add to its
            facts, and most questions over two passages beside them.
        related: Passages that are looked at together with one.
        related_by_meaning: Order these by an embedder too, which costs an embedding of each
            candidate; without it rare terms and the section decide.
        reworded_share: Share of the facts that are asked a second time in other words.
        model_rewordings: Let the model reword what no form rewords, in ``model_languages``.
        reworded_loss: Nats a token by which the answer may be less likely after a rewording.
        rewrites: Let the model answer in its own words where that is verified; for models far
            better than the embedded one.
        grounded: Share of the content terms of a rewritten answer that its passages must hold.
    """

    per_passage: int = 5
    model_per_passage: int = 1
    model_languages: tuple[Language, ...] = ("en",)
    whole_sentences: bool = False
    likely: float = -0.85
    informative: float = 0.5
    deep_per_passage: int = 2
    related: int = 8
    related_by_meaning: bool = False
    reworded_share: float = 0.25
    model_rewordings: bool = False
    reworded_loss: float = 0.15
    rewrites: bool = False
    grounded: float = 0.8


@dataclass
class QaYield:
    """Facts, and what became of the rest.

    Args:
        facts: In the order of the passages.
        counts: Sentences seen, and facts by route.
        dropped: Candidates dropped, by reason.
    """

    facts: list[Fact] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
