"""What the models actually read: every prompt, rendered, in both languages.

A changed prompt changes datasets and answers, so it must be seen in review. Run with
``UPDATE_SNAPSHOTS=1`` to accept a change.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from domainsmith.prompts import prompt_names, prompt_text, render

PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")


def rendered(language: str) -> str:
    parts = []
    for name in prompt_names(language):
        wanted = sorted(set(PLACEHOLDER.findall(prompt_text(name, language))))
        text = render(name, language, **{value: f"<<{value}>>" for value in wanted})
        assert "{{" not in text
        parts.append(f"===== {name} ({', '.join(wanted) or 'no values'})\n\n{text}\n")
    return "\n".join(parts)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_rendered_prompts_are_as_recorded(language):
    path = Path(__file__).with_name(f"prompts.{language}.md")
    text = rendered(language)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "set UPDATE_SNAPSHOTS=1 to accept"


def test_prompts_come_in_pairs_with_equal_placeholders():
    assert prompt_names("en") == prompt_names("zh")
    for name in prompt_names("en"):
        found = [set(PLACEHOLDER.findall(prompt_text(name, lang))) for lang in ("en", "zh")]
        assert found[0] == found[1], name
