"""Chat messages to a prompt, with the model's own template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from domainsmith.errors import InputInvalid
from domainsmith.records import Message

__all__ = ["render_chat"]


def render_chat(
    tokenizer: Any,
    messages: Sequence[Message | Mapping[str, Any]],
    *,
    add_generation_prompt: bool,
    where: Path,
) -> str:
    """Turn chat messages into a prompt.

    An empty system message is put first where there is none, because some templates speak up
    themselves otherwise. A template that knows no system role gets the system text in front of the
    first user text.

    Args:
        tokenizer: With a chat template.
        messages: Role and content each.
        add_generation_prompt: End with the beginning of the assistant's turn.
        where: The model's folder, for the error.

    Returns:
        The prompt, special tokens written out.

    Raises:
        InputInvalid: There is no message, no template, or the template refuses these roles.
    """
    if tokenizer.chat_template is None:
        raise InputInvalid(
            "The model has no chat template",
            where=where,
            fix="Use an instruct model, or put its chat_template.jinja into the folder.",
        )
    plain = [item.model_dump() if isinstance(item, Message) else dict(item) for item in messages]
    if not plain:
        raise InputInvalid("There is no message to render")
    if plain[0].get("role") != "system":
        plain.insert(0, {"role": "system", "content": ""})

    def apply(turns: list[dict[str, Any]]) -> str:
        text: str = tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=add_generation_prompt
        )
        return text

    try:
        return apply(plain)
    except Exception as first:  # noqa: BLE001 - templates raise whatever their author chose
        try:
            return apply(_without_system(plain))
        except Exception:  # noqa: BLE001
            raise InputInvalid(
                f"The chat template refuses these messages: {first}",
                where=", ".join(str(item.get("role")) for item in plain),
            ) from first


def _without_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Move the system text in front of the first user text."""
    system, *others = messages
    text = str(system["content"])
    if text and others and others[0].get("role") == "user":
        first = {**others[0], "content": f"{text}\n\n{others[0]['content']}"}
        return [first, *others[1:]]
    return others
