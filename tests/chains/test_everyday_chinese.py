"""Chinese questions as people ask them, of documents that are written more formally."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.runnables import Runnable

from domainsmith.chains.answer import build_answer_chain
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.sources import add_folder
from domainsmith.records import Answer
from domainsmith.workspace import Workspace
from tests.chains.test_answer import Scripted

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder

RULES = """# 松河公司员工管理规定

## 第一章 劳动合同

第一条 公司应当自用工之日起三十日内与职工签订书面合同。

第二条 合同期限一年以上不满三年的，试用期不得超过二个月；三年以上的，试用期不得超过六个月。

第三条 有下列情形之一的，公司不得解除合同：
（一）患病或者负伤，在规定的医疗期内的；
（二）女职工在孕期、产期、哺乳期的。

## 第二章 假期

第四条 累计工作满一年的，年休假五天；满十年的，年休假十天。

第五条 库区严禁吸烟。周一上午召开例会。
"""
LEAFLET = """# 贝宁片说明书

## 用法用量

成人每次5mg，每日一次。漏服后不足十二小时的，不再补服。服药期间不得饮用西柚汁。

## 儿童用量

儿童每次2mg。

## 包装

铝塑包装，每盒14片。
"""
CARD = """# 阅览证

## 怎么办理阅览证？

1. 带身份证到服务台。
2. 交押金一百元。
3. 领取阅览证。
"""
PRICES = """# 价格表

| 型号 | 品名 | 单价（元） | 起订量 |
| --- | --- | --- | --- |
| VT-10 | 台式风扇 | 129 | 20 |
| VT-20 | 落地风扇 | 239 | 10 |
"""


@pytest.fixture(scope="module")
def chain(
    tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder
) -> Iterator[Runnable[Any, Answer]]:
    folder = tmp_path_factory.mktemp("everyday")
    (folder / "docs").mkdir()
    for name, text in (("规定", RULES), ("说明书", LEAFLET), ("阅览证", CARD), ("价格", PRICES)):
        (folder / "docs" / f"{name}.md").write_text(text, encoding="utf-8")
    with Workspace.create(folder / "space") as space:
        add_folder(space, folder / "docs", embedder=embedder)
        with Index.open(space, embedder) as index:
            yield build_answer_chain(space, index, embedder, Scripted(""))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("试用期最长多久？", "六个月"),
        ("年休假有几天？", "十天"),
        ("年假是怎么规定的", "五天"),
        ("怀孕的员工能被解除合同吗？", "不得解除合同：（二）女职工在孕期"),
        ("库区能抽烟吗？", "严禁吸烟"),
        ("星期一上午开什么会呀", "例会"),
        ("贝宁片一天吃几次？", "每日一次"),
        ("吃药期间能喝西柚汁吗？", "不得饮用西柚汁"),
        ("请问一下，一盒有多少片？", "14片"),
        ("我想问一下哈，漏服了怎么办呀", "不再补服"),
        ("阅览证怎么办？", "2. 交押金一百元。\n3."),
        ("VT-20多少钱？", "239"),
        ("vt20多少钱？", "239"),
        ("台式风扇的起订量是多少", "20"),
        ("试用期的工资是多少？", ""),
        ("贝宁片多少钱一盒？", ""),
        ("阅览证几年换一次？", ""),
        ("VT-30多少钱？", ""),
    ],
)
def test_they_are_answered_or_rightly_refused(
    chain: Runnable[Any, Answer], question: str, said: str
) -> None:
    answer = chain.invoke(question)
    assert answer.refused is not bool(said), answer.text
    assert said in answer.text


@pytest.mark.parametrize(
    ("earlier", "question", "said"),
    [
        ("VT-20多少钱？", "它的起订量呢？", "VT-20"),
        ("落地风扇的单价是多少？", "它的起订量呢？", "VT-20"),
        ("成人每次的用量是多少？", "那儿童呢？", "2mg"),
    ],
)
def test_follow_ups_are_about_what_the_question_before_named(
    chain: Runnable[Any, Answer], earlier: str, question: str, said: str
) -> None:
    answer = chain.invoke({"question": question, "history": [(earlier, "。")]})
    assert said in answer.text
    assert answer.question == question


def test_all_clauses_of_a_sentence_are_told(chain: Runnable[Any, Answer]) -> None:
    answer = chain.invoke("试用期最长多久？")
    assert "试用期不得超过二个月；三年以上的" in answer.text
    assert answer.citations[0].quote.endswith(("；", "。"))
