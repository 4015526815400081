"""Graders: is a record well formed, grounded, in its language, short, and not trivia."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.overlap import containment, plain_tokens
from domainsmith.model_io.generation import LogLikelihood, Scorer
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import Grade, Passage, Record

__all__ = ["GROUNDED_SHARE", "TRIVIA_MEAN", "grade", "grade_records"]

GROUNDED_SHARE = 0.7
"""Share of the answer's content terms that must stand in its passages."""
TRIVIA_MEAN = -0.35
"""Nats a token: an answer likelier than this without any document is known anyway."""
_MOST_WORDS = 60
_MOST_CHARACTERS_ZH = 160
_RESIDUE = re.compile(r"\{\{|\}\}|<\|?[a-z_]+\|?>|\|\s*-{3}|[\x00-\x08\x0b-\x1f\ufffd]")


def grade(
    record: Record,
    passages: Sequence[Passage],
    *,
    unaided: LogLikelihood | None = None,
) -> tuple[Grade, ...]:
    """Judge one record.

    Args:
        record: The record.
        passages: Those that it names.
        unaided: Log-likelihood of the answer after the bare question, for the trivia check;
            without it that grade is left out.

    Returns:
        Grades ``format``, ``grounding``, ``language``, ``length`` and, if it can be judged,
        ``trivia``; each says in ``reason`` what failed.
    """
    grades = [_format(record), _grounding(record, passages), _language(record), _length(record)]
    refused = is_refusal(record.output, record.language)
    if unaided is not None and unaided.tokens and not refused:
        known = unaided.mean > TRIVIA_MEAN
        grades.append(
            Grade(
                grader="trivia",
                score=round(min(1.0, max(0.0, -unaided.mean / 5)), 4),
                passed=not known,
                reason="the model knows the answer without the documents" if known else "",
            )
        )
    return tuple(grades)


def grade_records(
    records: Sequence[Record], passages: Mapping[str, Passage], *, scorer: Scorer | None
) -> list[Record]:
    """Judge records and attach the grades.

    Args:
        records: In any order.
        passages: By id; every passage that a record names.
        scorer: For the trivia check; None leaves it out. One question is scored once.

    Returns:
        The records with their grades, in the same order.
    """
    unaided: dict[tuple[str, str], LogLikelihood] = {}
    if scorer is not None:
        asked = {
            (record.instruction, record.output): None
            for record in records
            if not is_refusal(record.output, record.language)
        }
        pairs = [(f"Question: {question}\nAnswer:", f" {answer}") for question, answer in asked]
        unaided = dict(zip(asked, scorer.score(pairs), strict=True)) if pairs else {}
    return [
        record.model_copy(
            update={
                "grades": grade(
                    record,
                    [passages[item] for item in record.passage_ids],
                    unaided=unaided.get((record.instruction, record.output)),
                )
            }
        )
        for record in records
    ]


def _verdict(grader: str, problem: str, score: float | None = None) -> Grade:
    value = (0.0 if problem else 1.0) if score is None else round(score, 4)
    return Grade(grader=grader, score=value, passed=not problem, reason=problem)


def _format(record: Record) -> Grade:
    problem = ""
    if not record.instruction.strip() or not record.output.strip():
        problem = "empty question or answer"
    elif not record.instruction.rstrip("”\"'）) ").endswith(("?", "？")):
        problem = "the instruction is no question"
    elif _RESIDUE.search(record.instruction + record.output):
        problem = "markup or control characters"
    return _verdict("format", problem)


def _grounding(record: Record, passages: Sequence[Passage]) -> Grade:
    if is_refusal(record.output, record.language):
        return _verdict("grounding", "")
    source = plain_tokens(" ".join(f"{item.header} {item.text}" for item in passages))
    answer = re.sub(r"^(?:Yes|No)\.\s|^不?可以。", "", record.output)
    share = containment(plain_tokens(answer), source)
    if record.language == "en":
        stems = [term for item in passages for term in content_terms(item.text, "en")]
        share = max(share, containment(content_terms(answer, "en"), stems))
    problem = "" if share >= GROUNDED_SHARE else f"{share:.0%} of the answer is in its passages"
    return _verdict("grounding", problem, share)


def _language(record: Record) -> Grade:
    found = detect_language(f"{record.instruction} {record.output}")
    return _verdict("language", "" if found == record.language else f"reads as {found}")


def _length(record: Record) -> Grade:
    chinese = record.language == "zh"
    asked = len(record.instruction) if chinese else len(record.instruction.split())
    said = len(record.output) if chinese else len(record.output.split())
    problem = ""
    if not (4 <= asked <= 80 if chinese else 3 <= asked <= 40):
        problem = f"question of {asked} {'characters' if chinese else 'words'}"
    elif said > (_MOST_CHARACTERS_ZH if chinese else _MOST_WORDS):
        problem = f"answer of {said} {'characters' if chinese else 'words'}"
    return _verdict("length", problem)
