"""Rows of a general instruction set, read as records whatever their form.

Known forms: Alpaca (``instruction``, ``input``, ``output``, ``system``, ``history``) with the
usual other names of its columns, ShareGPT (``conversations``), ChatML (``messages``), seed tasks
(``instances``), and the Alpaca prompt template written out in one text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domainsmith.data_connection.language import detect_language
from domainsmith.errors import InputInvalid
from domainsmith.prompts import prompt_text
from domainsmith.records import Record

__all__ = ["general_record"]

_COLUMNS: dict[str, tuple[str, ...]] = {
    "instruction": ("instruction", "prompt", "question", "query", "指令", "问题"),
    "input": ("input", "context", "输入"),
    "output": ("output", "response", "completion", "answer", "reply", "chosen", "输出", "回答",
               "答案"),
    "system": ("system", "system_prompt"),
    "history": ("history",),
}  # fmt: skip
_ROLES = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant",
    "model": "assistant", "chatgpt": "assistant", "bot": "assistant", "system": "system",
}  # fmt: skip
_TEMPLATE = re.compile(
    r"^Below is an instruction that describes a task.*?### Instruction:\s*(?P<instruction>.*?)"
    r"(?:\s*### Input:\s*(?P<input>.*?))?\s*### Response:\s*$",
    re.DOTALL,
)
_PLACEHOLDER = re.compile(r"\{\{\s*\w+\s*\}\}|<\|(?:im_start|im_end|endoftext)\|>")


def general_record(row: Any, *, source: str) -> Record:
    """Read a row as a record.

    Args:
        row: A JSON object, or a CSV row by its header.
        source: Name of the set, for the record's method.

    Returns:
        A record of method ``general/SOURCE`` in the language of its text. A row without a system
        text gets a neutral one: the expert's would tell the model to refuse what is not in its
        documents.

    Raises:
        InputInvalid: It cannot be trained on; says why.
    """
    if not isinstance(row, Mapping):
        raise InputInvalid("not an object with named fields")
    if row.get("label") is False:
        raise InputInvalid("rated bad")
    turns = row.get("conversations") or row.get("messages") or row.get("conversation")
    values = _of_turns(turns, row) if turns is not None else _of_columns(row)
    texts = [values["instruction"], values["input"], values["output"], values["system"]]
    texts += [text for turn in values["history"] for text in turn]
    if not values["instruction"].strip() or not values["output"].strip():
        raise InputInvalid("no instruction or no answer")
    if _PLACEHOLDER.search("\n".join(texts)):
        raise InputInvalid("a placeholder or chat mark is left in the text")
    language = detect_language(f"{values['instruction']}\n{values['output']}")
    values["system"] = values["system"] or prompt_text("general_system", language)
    values |= _joined_input(values)
    return Record(**values, language=language, method=f"general/{source}", model="given")


def _joined_input(values: Mapping[str, Any]) -> dict[str, str]:
    """Put the input under the instruction.

    A record's ``input`` is shown as numbered passages; the input of a general instruction is any
    text, so it belongs to the request itself.
    """
    if not values["input"].strip():
        return {"input": ""}
    return {
        "instruction": f"{values['instruction'].strip()}\n\n{values['input'].strip()}",
        "input": "",
    }


def _of_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    instances = row.get("instances")  # seed tasks: one instruction, one or more examples
    if isinstance(instances, Sequence) and instances and isinstance(instances[0], Mapping):
        row = {**row, **instances[0]}
    found: dict[str, Any] = {}
    for name, columns in _COLUMNS.items():
        value = next((row[key] for key in columns if row.get(key) not in (None, "")), None)
        found[name] = value
    if found["instruction"] is None and found["output"] is None:
        raise InputInvalid(f"no known columns ({', '.join(map(str, list(row)[:6]))})")
    values = {name: _text(found[name]) for name in ("instruction", "input", "output", "system")}
    if match := _TEMPLATE.match(values["instruction"]):
        values["instruction"] = match["instruction"]
        values["input"] = values["input"] or match["input"] or ""
    return {**values, "history": _history(found["history"])}


def _of_turns(turns: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(turns, Sequence) or isinstance(turns, str) or not turns:
        raise InputInvalid("the conversation is not a list of turns")
    said = [_turn(turn) for turn in turns]
    system = _text(row.get("system"))
    if said[0][0] == "system":
        system = said.pop(0)[1]
    if isinstance(chosen := row.get("chosen"), Mapping):
        said.append(_turn(chosen))
    roles = [role for role, _ in said]
    if len(said) < 2 or roles != ["user", "assistant"] * (len(said) // 2):
        raise InputInvalid("the turns do not alternate and end with an answer")
    texts = [text for _, text in said]
    history = tuple(zip(texts[:-2:2], texts[1:-2:2], strict=True))
    if not all(text.strip() for text in texts):
        raise InputInvalid("an empty turn")
    return {
        "instruction": texts[-2], "input": "", "output": texts[-1], "system": system,
        "history": history,
    }  # fmt: skip


def _turn(turn: Any) -> tuple[str, str]:
    if not isinstance(turn, Mapping):
        raise InputInvalid("a turn is not an object")
    name = str(turn.get("from") or turn.get("role") or "")
    if name in {"function_call", "observation", "tool", "function"} or turn.get("tool_calls"):
        raise InputInvalid("tool calls are not supported")
    if name not in _ROLES:
        raise InputInvalid(f"a turn of the unknown role {name[:20]!r}")
    return _ROLES[name], _text(turn.get("value", turn.get("content")))


def _history(value: Any) -> tuple[tuple[str, str], ...]:
    if value in (None, "", [], ()):
        return ()
    pairs = [] if isinstance(value, str) or not isinstance(value, Sequence) else list(value)
    if not pairs or not all(isinstance(pair, Sequence) and len(pair) == 2 for pair in pairs):
        raise InputInvalid("the history is not a list of pairs")
    return tuple((_text(asked), _text(said)) for asked, said in pairs)


def _text(value: Any) -> str:
    """Read a text, or the parts of one."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Sequence) and all(isinstance(part, Mapping) for part in value):
        if any(part.get("type", "text") != "text" for part in value):
            raise InputInvalid("a turn holds more than text")
        return "\n".join(str(part.get("text", part.get("value", ""))) for part in value).strip()
    raise InputInvalid(f"a text was expected, not {type(value).__name__}")
