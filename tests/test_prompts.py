"""Strict rendering of prompt files."""

import re

import pytest

from domainsmith.errors import InternalError
from domainsmith.prompts import prompt_names, prompt_text, render


def test_both_languages_have_the_same_prompts_with_the_same_placeholders() -> None:
    assert prompt_names("en") == prompt_names("zh")
    assert prompt_names("en")
    for name in prompt_names("en"):
        found = [
            set(re.findall(r"\{\{(\w+)\}\}", prompt_text(name, language)))
            for language in ("en", "zh")
        ]
        assert found[0] == found[1], name


def test_missing_and_unused_values_are_errors() -> None:
    with pytest.raises(InternalError, match="missing"):
        render("grounded_question", "en", context="c")
    with pytest.raises(InternalError, match="unused"):
        render("refusal", "en", extra="x")
    with pytest.raises(InternalError, match="No such prompt"):
        render("no_such_prompt", "en")


def test_values_are_inserted_as_they_are() -> None:
    text = render("grounded_question", "zh", context="{{question}} \\1", question="问题")
    assert "{{question}} \\1" in text
