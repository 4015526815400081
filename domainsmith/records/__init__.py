"""Frozen values that cross packages, each with a content hash.

A value's ``id`` is its kind and the first 16 hexadecimal digits of the SHA-256 of its
canonical JSON, so equal content has an equal id wherever it was made. Lineage follows
from that: each value names the ids of what it was made from.
"""

from __future__ import annotations

from domainsmith.records.answers import Answer, Citation, Closest, Conflict, Feedback, Message
from domainsmith.records.data import (
    Grade,
    Preference,
    Ranking,
    Record,
    Review,
    Selection,
    Triple,
)
from domainsmith.records.documents import Document, Hit, Passage
from domainsmith.records.jobs import AdapterManifest, Endpoint, JobState, JobStatus, TrainingJob
from domainsmith.records.plans import Plan, Step
from domainsmith.records.questions import Question, QuestionGold, RetrievalQuestion
from domainsmith.records.reports import EvalReport, Interval, SystemScore
from domainsmith.records.retrieval import RetrievalMeasure, RetrievalSettings, Retriever
from domainsmith.records.value import Language, Value, canonical_json, content_hash

__all__ = [
    "AdapterManifest",
    "Answer",
    "Citation",
    "Closest",
    "Conflict",
    "Document",
    "Endpoint",
    "EvalReport",
    "Feedback",
    "Grade",
    "Hit",
    "Interval",
    "JobState",
    "JobStatus",
    "Language",
    "Message",
    "Passage",
    "Plan",
    "Preference",
    "Question",
    "QuestionGold",
    "Ranking",
    "Record",
    "RetrievalMeasure",
    "RetrievalQuestion",
    "RetrievalSettings",
    "Retriever",
    "Review",
    "Selection",
    "Step",
    "SystemScore",
    "TrainingJob",
    "Triple",
    "Value",
    "canonical_json",
    "content_hash",
]
