"""Questions that ask how something is done get all steps of the list that tells it."""

from __future__ import annotations

import pytest

from domainsmith.chains.evidence import Evidence
from domainsmith.chains.numbered_steps import asks_for_steps, numbered_steps
from domainsmith.data_connection.sources import add_folder
from domainsmith.model_io.embed import LocalEmbedder
from domainsmith.storage.passages import passages
from domainsmith.workspace import Workspace

MANUAL = """# Corvane K7

## Descaling

Descale the machine every three months.

1. Fill the tank with 0.5 l of water.
2. Press the steam key
   for five seconds.
3. Rinse the tank twice.

The lamp goes out when it is done.

## Prices

1. Standard: 24 EUR
2. Large: 30 EUR
"""
LONG = "# Valve\n\n## Replacing the valve\n\n" + "\n".join(
    f"{n}. Take out part number {n} of the valve with the blue tool, put it on the cloth and"
    f" write down what is stamped on its lower side, because it is needed again later."
    for n in range(1, 16)
)
CHINESE = """# 科文咖啡机

## 除垢

每三个月除垢一次。

1、向水箱加入半升水。
2、按住蒸汽键五秒。
3、冲洗水箱两次。
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder):
    root = tmp_path_factory.mktemp("steps")
    (root / "docs").mkdir()
    for name, text in (("k7.md", MANUAL), ("valve.md", LONG), ("咖啡机.md", CHINESE)):
        (root / "docs" / name).write_text(text, encoding="utf-8")
    with Workspace.create(root / "w") as opened:
        add_folder(opened, root / "docs", embedder=embedder)
        yield opened


def _found(workspace: Workspace, question: str, words: str) -> Evidence | None:
    """The steps, if the passage with these words is the best."""
    passage = next(item for item in passages(workspace.db) if words in item.text)
    return numbered_steps(question, [Evidence(passage, words, words, 1.0)], workspace.db)


def test_all_steps_in_their_order_and_nothing_else(workspace: Workspace) -> None:
    steps = _found(workspace, "How do I descale the K7?", "three months")
    assert steps is not None
    assert steps.text.split("\n") == [
        "1. Fill the tank with 0.5 l of water.",
        "2. Press the steam key for five seconds.",
        "3. Rinse the tank twice.",
    ]
    assert steps.quote in steps.passage.text


def test_a_list_cut_between_passages_is_whole(workspace: Workspace) -> None:
    parts = [item for item in passages(workspace.db) if item.document_path == "valve.md"]
    assert len(parts) > 1
    steps = _found(workspace, "How can I replace the valve?", parts[-1].text[:40])
    assert steps is not None
    numbers = [int(line.split(".")[0]) for line in steps.text.split("\n")]
    assert numbers == list(range(1, 16))
    assert steps.quote in steps.passage.text


def test_chinese(workspace: Workspace) -> None:
    steps = _found(workspace, "咖啡机怎么除垢？", "三个月")
    assert steps is not None
    assert steps.text == "1、向水箱加入半升水。\n2、按住蒸汽键五秒。\n3、冲洗水箱两次。"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How do I open the door of the garage?", "three months"),  # of something else
        ("How often do I have to descale it?", "three months"),  # no steps are asked for
        ("How much is the large one?", "Standard"),
        ("咖啡机怎么样？", "三个月"),
    ],
)
def test_other_questions_get_no_steps(workspace: Workspace, question: str, words: str) -> None:
    assert _found(workspace, question, words) is None


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How to descale it?", True),
        ("What are the steps for descaling?", True),
        ("How is the valve replaced?", True),
        ("How heavy is the valve?", False),
        ("How is the weather?", False),
        ("怎样更换阀门？", True),
        ("如何清洗滤网？", True),
        ("更换阀门的步骤有哪些？", True),
        ("这台机器怎么样？", False),
        ("为什么要除垢？", False),
    ],
)
def test_which_questions_ask_for_steps(question: str, wanted: bool) -> None:
    assert asks_for_steps(question) is wanted
