"""Drafts of answers, and how good each is: by a judge, or by the right answer and the passages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domainsmith.chains.facts import seeded
from domainsmith.chains.grading.judge import Case, Judge, Pair
from domainsmith.chains.synthesis.asked import Asked
from domainsmith.chains.synthesis.method import DataBlock
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.overlap import squeeze
from domainsmith.data_connection.sentences import sentences
from domainsmith.errors import InputInvalid
from domainsmith.model_io.generation import GenerationRequest, Generator
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import Language, Passage

__all__ = ["Draft", "Writers", "judge_agrees", "judge_points", "reference_score"]

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_LEAD = re.compile(r"^\W*(yes|no|是的?|不是|可以|不可以|能|不能|不得)(?=\W)", re.IGNORECASE)
_NEXT_PART = re.compile(r"\n\s*\n|\n(?=(?:Question|Passages|问题|段落)\s*[:：])")
_REFUSED = 0.1
"""Score of a refusal although the answer is there: honest, and of no use."""


@dataclass(frozen=True)
class Draft:
    """One drafted answer.

    Args:
        text: The answer.
        model: Who wrote it.
        score: 0 to 1.
    """

    text: str
    model: str
    score: float = 0.0


class Writers:
    """The models and adapters that draft, taken in turn.

    Args:
        generator: The run's own model.
        adapters: Folders of adapters for it; the model itself drafts too.
        models: Names of further models.
        temperature: Of the draws; the first draft of each writer is drawn too.
        max_new_tokens: Bound of a draft.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        adapters: Sequence[str] = (),
        models: Sequence[str] = (),
        temperature: float = 0.8,
        max_new_tokens: int = 64,
    ) -> None:
        self._temperature = temperature
        self._most = max_new_tokens
        self._writers: list[tuple[Generator, str | None, str]] = [
            (generator, None, generator.model_name)
        ]
        for adapter in adapters:
            _load_adapter(generator, adapter)
            self._writers.append((generator, adapter, f"{generator.model_name}@{adapter}"))
        for name in models:
            self._writers.append(_load_writer(name))

    def write(
        self, asked: Sequence[Asked], many: int, *, seed: int, block: DataBlock
    ) -> list[list[Draft]]:
        """Draft answers.

        Args:
            asked: The prompts.
            many: Drafts of each, by the writers in turn.
            seed: Of the run; each draft has a seed of its own.
            block: Counts are added to it.

        Returns:
            For each prompt its drafts, empty and equal ones left out, in order.
        """
        drafts: list[dict[int, Draft]] = [{} for _ in asked]
        for place, (generator, adapter, name) in enumerate(self._writers):
            turns = range(place, many, len(self._writers))
            jobs = [(at, turn) for at in range(len(asked)) for turn in turns]
            requests = [
                self._request(generator, adapter, asked[at], seed, turn) for at, turn in jobs
            ]
            for done in generator.generate(requests):
                at, turn = jobs[done.index]
                whole = done.finish_reason == "stop"
                text = _cleaned(done.text, asked[at].language, whole=whole)
                drafts[at][turn] = Draft(text, name)
        different = [_different([found[turn] for turn in sorted(found)]) for found in drafts]
        block.counts["drafts"] += sum(map(len, different))
        if lost := sum(map(len, drafts)) - sum(map(len, different)):
            block.dropped["drafting: empty, unfinished or the same"] += lost
        return different

    def _request(
        self, generator: Generator, adapter: str | None, asked: Asked, seed: int, turn: int
    ) -> GenerationRequest:
        draw = seeded(seed, "draft", asked.instruction, asked.input, str(turn))
        return GenerationRequest(
            generator.render(asked.messages()),
            max_new_tokens=self._most,
            temperature=self._temperature,
            top_p=0.95,
            seed=draw.randrange(2**31),
            adapter=adapter,
        )


def _load_adapter(generator: Generator, adapter: str) -> None:
    add = getattr(generator, "add_adapter", None)
    if add is None and adapter:
        raise InputInvalid(
            "A served model takes no adapter of this process",
            where=adapter,
            fix="Name it as a model of its server: models=openai:URL#ADAPTER.",
        )
    if add is not None and adapter not in getattr(generator, "adapters", ()):
        add(adapter, Path(adapter).expanduser())


def _load_writer(name: str) -> tuple[Generator, str | None, str]:
    from domainsmith.model_io.catalog import parse_name
    from domainsmith.model_io.load import load_generator

    source = parse_name(name)
    adapter = source.adapter if source.scheme == "local" else ""
    return load_generator(name), adapter or None, name


def _cleaned(text: str, language: Language, *, whole: bool) -> str:
    """Keep the first paragraph, and of one that hit its bound the finished sentences.

    Small models go on with questions of their own. What is left is empty if nothing was finished.
    """
    first = _NEXT_PART.split(text.strip())[0]
    if not whole and len(first) == len(text.strip()):
        spans = sentences(first, language)
        ended = [end for _, end in spans if first[:end].rstrip()[-1:] in ".!?。！？"]
        first = first[: ended[-1]] if ended else ""
    first = " ".join(first.split())
    return "" if first.endswith((":", "：", ",", "，")) else first


def _different(drafts: Sequence[Draft]) -> list[Draft]:
    found: dict[str, Draft] = {}
    for draft in drafts:
        key = squeeze(draft.text)
        if key:
            found.setdefault(key, draft)
    return list(found.values())


def reference_score(asked: Asked, answer: str, passages: Mapping[str, Passage]) -> float:
    """Score an answer by the right answer and the passages, without any model.

    Six tenths are the share of the right answer's content that it says, four tenths the share of
    its own content that stands in the passages, the question or the right answer. A number that
    is nowhere in these, a missing number and the wrong yes or no cut the score; where a refusal is
    right, it is worth 1 and everything else 0.

    Args:
        asked: The prompt with the right answer.
        answer: The answer.
        passages: By id.

    Returns:
        0 to 1.
    """
    if asked.refuses:
        return 1.0 if is_refusal(answer, asked.language) else 0.0
    if is_refusal(answer, asked.language):
        return _REFUSED
    right = set(content_terms(asked.reference, asked.language))
    said = set(content_terms(answer, asked.language))
    if not right or not said:
        return 1.0 if squeeze(answer) == squeeze(asked.reference) else 0.0
    source = " ".join(
        [asked.instruction, asked.reference]
        + [passages[key].text for key in asked.passage_ids if key in passages]
    )
    known = set(content_terms(source, asked.language))
    score = 0.6 * len(right & said) / len(right) + 0.4 * len(said & known) / len(said)
    numbers, wanted = set(_NUMBER.findall(answer)), set(_NUMBER.findall(asked.reference))
    if numbers - set(_NUMBER.findall(source)):
        score *= 0.4
    if wanted - numbers:
        score *= 0.5
    leads = [_LEAD.match(text) for text in (answer, asked.reference)]
    if leads[0] and leads[1] and leads[0][1].lower() != leads[1][1].lower():
        score *= 0.3
    return round(score * _brevity(answer, asked), 4)


def _brevity(answer: str, asked: Asked) -> float:
    """Cut what rambles: more than thrice the length of the right answer and of a sentence."""
    size = len(answer) if asked.language == "zh" else len(answer.split())
    whole = max(len(asked.reference), len(asked.evidence), 40)
    if asked.language == "en":
        whole = max(len(asked.reference.split()), len(asked.evidence.split()), 15)
    return 1.0 if size <= 2 * whole else 0.7


def judge_points(judge: Judge, asked: Sequence[Asked], answers: Sequence[str]) -> list[float]:
    """Score answers with a judge.

    Args:
        judge: The judge.
        asked: The prompt of each answer.
        answers: As many; judged as one batch.

    Returns:
        0 (one point) to 1 (five).
    """
    points = judge.points([_case(one, answer) for one, answer in zip(asked, answers, strict=True)])
    return [round((value - 1) / 4, 4) for value in points]


def judge_agrees(
    judge: Judge, asked: Sequence[Asked], pairs: Sequence[tuple[str, str]]
) -> list[bool]:
    """Ask a judge about pairs in both orders.

    Args:
        judge: The judge.
        asked: The prompt of each pair.
        pairs: (better, worse) by their points.

    Returns:
        Whether the first is the better one, both orders averaged.
    """
    found = judge.preferences(
        [Pair(_case(one, better), worse) for one, (better, worse) in zip(asked, pairs, strict=True)]
    )
    return [probability > 0.5 for probability in found]


def _case(asked: Asked, answer: str) -> Case:
    return Case(asked.instruction, answer, asked.language, asked.input, asked.reference)
