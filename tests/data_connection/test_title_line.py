"""The first line of a plain text is its title, unless it is something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from domainsmith.data_connection.loaders import load_file
from domainsmith.data_connection.loaders.title_line import title_line
from domainsmith.data_connection.split import split
from domainsmith.records import Document

LEAFLET = """Vexadine 20 mg film-coated tablets

What it is used for
Vexadine lowers the blood pressure of adults. Take one tablet in the morning.

Store below 25 °C.
"""
LEAFLET_ZH = """维沙定片说明书

【适应症】
维沙定用于治疗成人高血压，每日早晨服用一片。

贮藏于25℃以下。
"""


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (LEAFLET, "Vexadine 20 mg film-coated tablets"),
        (LEAFLET_ZH, "维沙定片说明书"),
        ("House rules\nThe kitchen closes at ten in the evening.\n", "House rules"),
        ("宿舍管理规定\n厨房每天晚上十点关闭，请勿大声喧哗。\n", "宿舍管理规定"),
    ],
)
def test_a_short_first_line_above_text_is_the_title(tmp_path: Path, text: str, title: str) -> None:
    (tmp_path / "leaflet.txt").write_text(text, encoding="utf-8")
    loaded = load_file(tmp_path / "leaflet.txt")
    assert loaded.title == title
    assert loaded.text.startswith(f"# {title}\n\n")
    assert text.split("\n", 1)[1].strip() in loaded.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "One line alone",
        "Dear Ms Hale,\n\nThank you for your letter about the boiler in your house.\n",
        "Acme Ltd\n\nDear Ms Hale,\n\nThank you for your letter about the boiler you bought.\n",
        "12 March 2024\n\nThank you for your letter about the boiler in your house.\n",
        "2024-03-12 08:11:02 INFO server started\nThe server listens on port 80 from now on.\n",
        "import os\n\nprint('The path of the current folder is printed here.')\n",
        "def main():\n    return 'The path of the current folder is printed here.'\n",
        "Apples\nPears\nPlums\nCherries\n",
        "Name: Hale\nThe customer asked for a new boiler, and got a letter.\n",
        "The river rose in the night and the people of the valley left their\n"
        "houses. In the morning the bridge was gone.\n",
        "The pump is broken.\n\nPlease replace the pump before the end of the week.\n",
        "- Wear gloves\n\nThe gloves protect the hands from the hot parts of the oven.\n",
        "a,b,c\n1,2,3\n4,5,6\n",
        "尊敬的客户：\n\n感谢您购买我们的锅炉，请仔细阅读说明书。\n",
        "今天早上，他去了车站，\n然后坐火车去了北京，晚上才回来。\n",
        "苹果\n梨\n桃子\n",
    ],
)
def test_other_first_lines_are_no_titles(tmp_path: Path, text: str) -> None:
    assert title_line(text) == ""
    if text:
        (tmp_path / "note.txt").write_text(text, encoding="utf-8")
        loaded = load_file(tmp_path / "note.txt")
        assert (loaded.title, loaded.text) == ("note", text.strip("\n"))


def test_the_title_heads_every_passage(tmp_path: Path) -> None:
    (tmp_path / "leaflet.txt").write_text(LEAFLET, encoding="utf-8")
    loaded = load_file(tmp_path / "leaflet.txt")
    document = Document(
        path="leaflet.txt",
        source_sha256="0" * 64,
        media_type=loaded.media_type,
        title=loaded.title,
        language="en",
        text=loaded.text,
    )
    found = split(document, max_tokens=30)
    assert found
    for passage in found:
        assert passage.header.startswith("Vexadine 20 mg")
        assert passage.text == document.text[passage.start : passage.end]
