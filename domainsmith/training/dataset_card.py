"""The card of a dataset: what it holds, where it is from, under which terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domainsmith.records import Preference, Ranking, Record

__all__ = ["card_text"]

_KINDS = {
    "record": "question-answer records",
    "preference": "pairs of a chosen and a rejected answer",
    "ranking": "prompts with several answers, best first",
}


def card_text(facts: Mapping[str, Any], records: Sequence[Record | Preference | Ranking]) -> str:
    """Write a dataset's card.

    Args:
        facts: The manifest's: id, kind, sha256, methods, languages, card.
        records: What the dataset holds.

    Returns:
        Markdown.
    """
    grounded = sum(1 for record in records if record.input)
    passages = sorted({passage for record in records for passage in record.passage_ids})
    models = sorted({record.model for record in records})
    prompts = sorted({record.prompt_sha256 for record in records if record.prompt_sha256})
    parts = [
        f"# {facts['id']}",
        *_warning(facts["card"]),
        f"{len(records)} {_KINDS[facts['kind']]} made in one workspace. "
        f"{grounded} stand over passages (`input`), {len(records) - grounded} are asked "
        "without them.",
        "## Counts\n"
        + _table("method", facts["methods"])
        + "\n\n"
        + _table("language", facts["languages"]),
    ]
    for name, value in sorted(facts["card"].items()):
        body = _table(name, value) if isinstance(value, dict) and value else f"`{value}`"
        parts.append(f"## {name.replace('_', ' ').capitalize()}\n{body}")
    parts += [
        "## Lineage\n"
        f"- data.jsonl SHA-256: `{facts['sha256']}`\n"
        f"- generating models: {', '.join(f'`{name}`' for name in models)}\n"
        f"- prompts (SHA-256): {', '.join(f'`{name[:16]}`' for name in prompts) or 'none'}\n"
        f"- passages: {len(passages)}; each record names its own in `passage_ids`",
        "## Licence\nThe answers quote the documents, so the documents' own terms apply to this "
        "dataset.",
    ]
    return "\n\n".join(parts) + "\n"


def _table(name: str, counts: Mapping[str, Any]) -> str:
    rows = [f"| {key} | {value} |" for key, value in sorted(counts.items())]
    return "\n".join([f"| {name.replace('_', ' ')} | |", "|---|---|", *rows])


def _warning(card: Mapping[str, Any]) -> list[str]:
    if not card.get("partial"):
        return []
    # What dried up would dry up again: only without the floor is there anything to go on to.
    again = "same command with `--floor 0`" if card.get("dried_up") else "same command"
    return [
        f"**Partial:** the run that made it ended early ({card.get('stopped', 'stopped')}). The "
        f"{again} goes on where it ended and makes the whole dataset `{card.get('run', '')}`."
    ]
