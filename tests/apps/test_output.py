import json

import pytest

from domainsmith.apps.console import Console
from domainsmith.apps.output import OutputGate, clean, one_line, reveal, safe_json

ATTACKS = [
    ("\x1b]0;title\x07text", "text"),
    ("\x1b]0;title\x1b\\text", "text"),
    ("\x1b]52;c;cGF5bG9hZA==\x07text", "text"),
    ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x9d0;title\x9ctext", "text"),
    ("\x1b[2J\x1b[1;1Htext", "text"),
    ("\x1b[38;5;196mred\x1b[0m", "red"),
    ("\x9b31mred\x9b0m", "red"),
    ("\x1b[?1049hscreen", "screen"),
    ("\x1b[1 qcursor", "cursor"),
    ("\x1bPq#0;2;0;0;0\x1b\\sixel", "sixel"),
    ("\x90q payload\x9csixel", "sixel"),
    ("\x1b_Gf=24;AAAA\x1b\\kitty", "kitty"),
    ("\x9fGf=24;AAAA\x9ckitty", "kitty"),
    ("\x1b^private\x1b\\text", "text"),
    ("\x1bXstart\x1b\\text", "text"),
    ("\x98start\x9ctext", "text"),
    ("\x1bcreset", "reset"),
    ("\x1b(0charset", "charset"),
    ("\x1b#8align", "align"),
    ("bell\x07 back\x08space \x00nul \x7fdel", "bell backspace nul del"),
    ("over\rwrite", "overwrite"),
    ("line\r\nline", "line\nline"),
    ("tab\tand\nnewline", "tab\tand\nnewline"),
    ("\x85next\x84index\x8dreverse", "nextindexreverse"),
    ("user\u202etxt.exe\u202c", "usertxt.exe"),
    ("\u2066isolate\u2069\u200fmark", "isolatemark"),
    ("zero\u200bwidth\u200c\u200d\u2060\ufeff", "zerowidth"),
    ("tag\U000e0041\U000e007f", "tag"),
    ("soft\u00adhyphen", "softhyphen"),
    ("lone\ud800surrogate", "lone\ufffdsurrogate"),
    ("\x1b]0;never closed\nnext line", "\nnext line"),
    ("\x1b]0;cancelled\x18text", "text"),
    ("\x1b[31\x1b[32mgreen", "green"),
    ("\x1b\x1b[31mred", "red"),
    ("\x1b[31é", "é"),
    ("\x1b\u202etext", "text"),
    ("ends in escape\x1b", "ends in escape"),
    ("中文 and émigré 🙂", "中文 and émigré 🙂"),
]


@pytest.mark.parametrize(("attack", "shown"), ATTACKS)
def test_whole_text_loses_its_control_sequences(attack, shown):
    assert clean(attack) == shown


@pytest.mark.parametrize(("attack", "shown"), ATTACKS)
def test_result_does_not_depend_on_where_the_text_is_cut(attack, shown):
    for first in range(len(attack) + 1):
        for second in range(first, len(attack) + 1):
            gate = OutputGate()
            pieces = (attack[:first], attack[first:second], attack[second:])
            assert "".join(map(gate.feed, pieces)) + gate.finish() == shown


def test_two_attacks_in_a_row_do_not_open_each_other():
    for left, shown_left in ATTACKS:
        for right, shown_right in ATTACKS:
            # A newline closes whatever the first one left open.
            assert clean(left + "\n" + right).startswith(shown_left)
            assert not any(ord(char) in {0x1B, 0x9B, 0x9D} for char in clean(left + right))
            assert clean(left + "\n\n" + right).endswith(shown_right)


def test_finish_forgets_an_open_sequence():
    gate = OutputGate()
    gate.feed("\x1b]0;open")
    gate.finish()
    assert gate.feed("text") == "text"


def test_reveal_shows_what_is_hidden():
    assert reveal("rm\x1b[2K\u202e\x7f\n") == "rm␛[2K<U+202E>␡\n"


def test_one_line_is_one_clean_line():
    assert one_line("a\n\tb\x1b[31m  c", 0) == "a b c"
    assert one_line("abcdef", 4) == "abc…"


def test_safe_json_keeps_the_data_and_shows_no_control_character():
    value = {attack: [attack] for attack, _ in ATTACKS}
    text = safe_json(value)
    assert json.loads(text) == value
    assert clean(text) == text
    assert "中文" in text


def test_chinese_cells_of_a_drawn_table_lose_no_character(capsys):
    said = "新增六篇文档，更改零篇，未变零篇，移除零篇；共一百八十八个段落；零个文件失败。" * 4
    Console().table(["步骤", "结果"], [["添加文档", said]], drawn=True)
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert sum(shown.count(char) for char in "档落败") == 4 * 3 + 1
