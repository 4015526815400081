"""Errors of a step are told in the language of the request."""

from __future__ import annotations

from domainsmith.agents.error_words import reason_in
from domainsmith.errors import InputNotFound


def test_a_missing_folder_is_told_in_chinese() -> None:
    error = str(InputNotFound("No such file or folder", where="/x/资料", fix="Check the name."))
    assert reason_in(error, "zh") == "没有这个文件或文件夹（/x/资料）。请检查名称。"
    assert reason_in(error, "en") == error


def test_other_errors_stay_as_they_are_written() -> None:
    assert reason_in("Disk (sda) is full. Free some.", "zh") == "Disk (sda) is full. Free some."
