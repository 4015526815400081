"""Answers in a model's own words, kept only where nothing is added and the text supports them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domainsmith.chains.facts import Fact
from domainsmith.chains.synthesis.method import NOT_SCORED
from domainsmith.chains.synthesis.qa_options import QaOptions, QaYield
from domainsmith.chains.synthesis.verify import adds_nothing
from domainsmith.chains.written import written
from domainsmith.model_io.generation import Generator, Scorer
from domainsmith.prompts import prompt_sha256, render

__all__ = ["rewritten_facts"]

PROMPT = "self_qa_answer"
_LEVELS = ("self_qa/why", "self_qa/how", "self_qa/procedure", "self_qa/multi")
"""Levels whose answers gain from being told in one's own words."""


def rewritten_facts(
    facts: Sequence[Fact],
    *,
    generator: Generator,
    scorer: Scorer | None,
    options: QaOptions,
    result: QaYield,
) -> list[Fact]:
    """Let the model tell answers in its own words.

    An answer is replaced if the rewritten one adds nothing to its passages (numbers, names,
    words) and they make it likelier by ``options.informative`` nats a token than no text does.

    Args:
        facts: Of all levels; only those that gain from it are rewritten.
        generator: Writes.
        scorer: Judges; None keeps all that adds nothing.
        options: Thresholds.
        result: Told what was tried and dropped; a dropped rewrite leaves the fact as it was.

    Returns:
        All facts, in order.
    """
    chosen = [at for at, fact in enumerate(facts) if fact.method.startswith(_LEVELS)]
    prompts = [
        render(
            PROMPT,
            facts[at].language,
            text="\n\n".join(item.text for item in facts[at].gold),
            question=facts[at].question,
            answer=facts[at].answer,
        )
        for at in chosen
    ]
    texts = written(generator, prompts, max_new_tokens=200)
    result.counts["rewrites tried"] += len(texts)
    sound: list[tuple[int, str]] = []
    for at, text in zip(chosen, texts, strict=True):
        told = " ".join(text.split())
        reason = "empty" if not told else adds_nothing(told, facts[at], least=options.grounded)
        if reason:
            result.dropped[f"rewrite: {reason}"] += 1
        else:
            sound.append((at, told))
    found = list(facts)
    if scorer is None:
        result.counts[f"{NOT_SCORED}: rewrites"] += len(sound)
        gains = [options.informative] * len(sound)
    else:
        gains = _gains(facts, sound, scorer)
    for (at, told), gain in zip(sound, gains, strict=True):
        if gain < options.informative:
            result.dropped["rewrite: text does not help"] += 1
            continue
        found[at] = replace(
            facts[at],
            answer=told,
            model=generator.model_name,
            prompt_sha256=prompt_sha256(PROMPT, facts[at].language),
        )
    return found


def _gains(facts: Sequence[Fact], sound: Sequence[tuple[int, str]], scorer: Scorer) -> list[float]:
    pairs = []
    for at, told in sound:
        asked = f"Question: {facts[at].question}\nAnswer:"
        text = "\n\n".join(item.text for item in facts[at].gold)
        pairs += [(f"Text: {text}\n{asked}", f" {told}"), (asked, f" {told}")]
    means = [score.mean for score in scorer.score(pairs)] if pairs else []
    return [known - alone for known, alone in zip(means[::2], means[1::2], strict=True)]
