"""From records to token ids.

A record is rendered with the same function and the same chat template as a question at serving
time, and the prompt is tokenised on its own, as it is there: train == serve, token by token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domainsmith.counts import counted
from domainsmith.errors import InputEmpty, InputInvalid
from domainsmith.model_io.messages import record_messages
from domainsmith.records import Record, TrainingJob, content_hash

__all__ = [
    "ChatTokenizer",
    "RefusedRecord",
    "TokenizedDataset",
    "TokenizedRecord",
    "chat_template_sha256",
    "micro_tokens",
    "split_validation",
    "tokenize_records",
]


class ChatTokenizer(Protocol):
    """What is used of a transformers tokenizer."""

    chat_template: str | None
    eos_token_id: int

    def apply_chat_template(self, conversation: list[dict[str, str]], **options: bool) -> str:
        """Render messages as text."""

    def __call__(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        """Tokenise text."""


@dataclass(frozen=True)
class TokenizedRecord:
    """A record as the model sees it.

    Args:
        record_id: Which record.
        input_ids: Prompt and completion, ending with the end-of-turn token.
        prompt_length: Tokens at the front that take no part in the loss.
    """

    record_id: str
    input_ids: tuple[int, ...]
    prompt_length: int

    @property
    def length(self) -> int:
        """Tokens in all."""
        return len(self.input_ids)

    @property
    def completion_length(self) -> int:
        """Tokens that the loss is taken over."""
        return len(self.input_ids) - self.prompt_length


@dataclass(frozen=True)
class RefusedRecord:
    """A record that is not trained on.

    Args:
        record_id: Which record.
        tokens: Its length.
        reason: Why, in words.
    """

    record_id: str
    tokens: int
    reason: str


@dataclass(frozen=True)
class TokenizedDataset:
    """All records, each either tokenised or refused: nothing is cut.

    Args:
        records: What can be trained on, in the dataset's order.
        refused: What cannot, with reasons.
    """

    records: tuple[TokenizedRecord, ...]
    refused: tuple[RefusedRecord, ...]

    @property
    def tokens(self) -> int:
        """Tokens of all usable records."""
        return sum(item.length for item in self.records)

    @property
    def completion_tokens(self) -> int:
        """Tokens under the loss, of all usable records."""
        return sum(item.completion_length for item in self.records)


def chat_template_sha256(tokenizer: ChatTokenizer) -> str:
    """Hash the chat template that a tokenizer renders with.

    Args:
        tokenizer: A transformers tokenizer.
    """
    return content_hash(tokenizer.chat_template or "")


def micro_tokens(job: TrainingJob, device: str) -> int:
    """Return the padded tokens of one forward pass.

    Args:
        job: Bounds it by the tokens of a step.
        device: On a CPU 1,024 need about 2.4 GB (a 135M model), with no gain in speed beyond.
    """
    return min(job.batch_tokens, 8192 if device.startswith("cuda") else 1024)


def tokenize_records(
    records: Sequence[Record], tokenizer: ChatTokenizer, *, max_length: int, system: str = ""
) -> TokenizedDataset:
    """Render and tokenise records.

    Args:
        records: In the dataset's order.
        tokenizer: The base model's transformers tokenizer, with a chat template.
        max_length: Tokens that a record may have; longer ones are refused, never cut.
        system: System text for records that have none of their own; empty for the expert's.

    Returns:
        Usable and refused records.

    Raises:
        InputEmpty: No records, or none of them usable.
        InputInvalid: The tokenizer has no chat template, or one that rewrites earlier turns.
    """
    if not records:
        raise InputEmpty("The dataset holds no records", fix="Generate training data first.")
    if not tokenizer.chat_template:
        raise InputInvalid(
            "The base model has no chat template, so there is no form to train in",
            fix="Choose an instruction-tuned model.",
        )
    usable: list[TokenizedRecord] = []
    refused: list[RefusedRecord] = []
    for record in records:
        told = record if record.system else record.model_copy(update={"system": system})
        item = _tokenize(told, record.id, tokenizer)
        if item.completion_length <= 1:
            refused.append(RefusedRecord(record.id, item.length, "the answer is empty"))
        elif item.length > max_length:
            reason = f"{counted(item.length, 'token')}, more than {max_length}"
            refused.append(RefusedRecord(record.id, item.length, reason))
        else:
            usable.append(item)
    if not usable:
        shortest = min(item.tokens for item in refused)
        raise InputEmpty(
            f"None of the {len(refused)} records can be trained on: the shortest has {shortest} "
            f"tokens and the limit is {max_length}",
            fix="Raise max_length, or generate records with shorter context.",
        )
    return TokenizedDataset(tuple(usable), tuple(refused))


def _tokenize(record: Record, record_id: str, tokenizer: ChatTokenizer) -> TokenizedRecord:
    turns = [{"role": m.role, "content": m.content} for m in record_messages(record)]
    prompt = tokenizer.apply_chat_template(turns[:-1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(turns, tokenize=False)
    if not whole.startswith(prompt):
        raise InputInvalid(
            "The chat template writes a finished turn differently from the prompt before it, so "
            "training would not match serving",
            fix="Choose another base model.",
        )
    prompt_ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    answer_ids = tokenizer(whole[len(prompt) :], add_special_tokens=False)["input_ids"]
    end = tokenizer.eos_token_id
    if end in answer_ids:
        # What the template writes after the end of the turn (a line break) is never generated.
        answer_ids = answer_ids[: len(answer_ids) - answer_ids[::-1].index(end)]
    else:
        answer_ids = [*answer_ids, end]
    return TokenizedRecord(record_id, (*prompt_ids, *answer_ids), len(prompt_ids))


def split_validation(
    records: Sequence[TokenizedRecord], *, share: float, seed: int
) -> tuple[list[TokenizedRecord], list[TokenizedRecord]]:
    """Set records aside to measure the loss on.

    Args:
        records: Usable records.
        share: Of the records, 0 to 0.5. Below ten of them nothing is set aside.
        seed: Decides which, by a hash of each record's id: adding records moves no other.

    Returns:
        Records to train on and records to validate on, both in their original order.
    """
    count = round(len(records) * share) if len(records) >= 10 else 0
    marks = [hashlib.sha256(f"{seed}:{item.record_id}".encode()).digest() for item in records]
    held = set(sorted(range(len(records)), key=lambda i: (marks[i], i))[:count])
    train = [item for i, item in enumerate(records) if i not in held]
    return train, [records[i] for i in sorted(held)]
