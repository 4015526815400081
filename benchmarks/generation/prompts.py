"""Prompts of mixed kind and length: about a manual, about public passages, without any text."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from domainsmith.model_io.engine import Engine
from domainsmith.model_io.messages import qa_messages

__all__ = ["build_prompts"]

EXAMPLES = Path(__file__).parents[2] / "examples"


def build_prompts(engine: Engine, count: int) -> list[str]:
    """Return prompts of mixed kind and length, rendered, in a fixed mixed order.

    A third are questions about a section of the example manual, a third about a public passage
    (English and Chinese), a third are instructions without any text.
    """
    data = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))
    pools = [manual_questions(), *public_questions(data)]
    if len(pools) < 3:
        print(f"PUBLIC QUESTIONS ABSENT: {data} (set DOMAINSMITH_DATA); manual only")
    asked = [pool[at] for at in range(max(map(len, pools))) for pool in pools if at < len(pool)]
    return [
        engine.render(qa_messages(question, context=context, language=language))
        for question, context, language in asked[:count]
    ]


def manual_questions() -> list[tuple[str, str, Any]]:
    """Return (question, section of the manual, language) of the example domain."""
    manual = (EXAMPLES / "washer" / "service-manual.md").read_text(encoding="utf-8")
    sections = re.split(r"\n(?=## )", manual)
    asked: list[tuple[str, str, Any]] = []
    for line in (EXAMPLES / "washer-questions.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        for section in sections:
            if any(gold["quote"] in section for gold in item["gold"]):
                asked.append((item["question"], section.strip()[:2400], "en"))
                break
    return asked


def public_questions(data: Path) -> list[list[tuple[str, str, Any]]]:
    """Return pools of (question, passage, language); empty where the data is absent."""
    pools: list[list[tuple[str, str, Any]]] = []
    passages: list[tuple[str, str, Any]] = []
    for language in ("en", "zh"):
        texts = {item["id"]: item["text"] for item in lines(data, f"{language}_passages.jsonl")}
        for item in lines(data, f"{language}_questions.jsonl")[:240:12]:
            passages.append((item["question"], texts[item["passage_id"]], language))
    if passages:
        pools.append(passages)
    tasks = data / "instr_self_instruct" / "seed_tasks.jsonl"
    if tasks.is_file():
        items = [json.loads(line) for line in tasks.read_text(encoding="utf-8").split("\n") if line]
        pools.append([(item["instruction"], "", "en") for item in items[::5]])
    return pools


def lines(data: Path, name: str) -> list[dict[str, Any]]:
    """Read one of the parallel reading sets; nothing where it is absent."""
    path = data / "zhen_xquad" / name
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
