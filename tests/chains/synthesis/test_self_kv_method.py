"""The method as a whole, with the real small model: units, contexts, rewordings, bad options."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from domainsmith.chains.synthesis.identity import run_identity
from domainsmith.chains.synthesis.kv_fact import KvFact
from domainsmith.chains.synthesis.kv_paraphrase import kept_meaning
from domainsmith.chains.synthesis.method import DataBlock, Materials, Unit
from domainsmith.chains.synthesis.plan import GenerationOptions, MethodRequest, plan_methods
from domainsmith.chains.synthesis.registry import build_method
from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound
from domainsmith.records import Passage, Record

if TYPE_CHECKING:
    from domainsmith.chains.synthesis.self_kv import SelfKv
    from domainsmith.model_io.engine import Engine

PARTS = """Part number,Name,Colour,Price (EUR),Stock,Supplier ID
QX-1,desk lamp,red,59,12,S1
QX-2,shelf,white,399,3,S1
QX-3,chair,red,120,,S2
QX-4,rug,grey,220.5,7,S2
"""
SUPPLIERS = """Supplier ID,Company,City
S1,Northwind,Oslo
S2,Veldt,Ghent
"""
GRAPH = """主体,关系,客体
静夜思,作者,李白
李白,出生于,碎叶城
唐朝,首都,长安
李白,朝代,唐朝
长安,朝代,唐朝
"""


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, object]:
    for name, text in (("parts", PARTS), ("suppliers", SUPPLIERS), ("poets", GRAPH)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    tables = [str(tmp_path / "parts.csv"), str(tmp_path / "suppliers.csv")]
    return {"table": tables, "triples": str(tmp_path / "poets.csv"), "paraphrase_share": 0.0}


def materials(engine: Engine, options: dict[str, object], *passages: Passage) -> Materials:
    return Materials(passages, passages, engine, engine, None, 100, 17, options)


def run(method: SelfKv) -> tuple[list[Unit], list[DataBlock]]:
    rounds = method.rounds()
    units: list[Unit] = []
    blocks: list[DataBlock] = []
    now = next(rounds)
    while True:
        units += now
        made = [method.block(unit) for unit in now]
        blocks += made
        try:
            now = rounds.send(made)
        except StopIteration:
            return units, blocks


def records(blocks: list[DataBlock]) -> list[Record]:
    return [item for block in blocks for item in block.items if isinstance(item, Record)]


def test_all_kinds_in_both_languages_and_the_same_again(
    engine: Engine, sources: dict[str, object]
) -> None:
    method = build_method("self_kv", materials(engine, sources))
    units, blocks = run(method)  # type: ignore[arg-type]
    made = records(blocks)
    kinds = {item.method.partition("/")[2] for item in made}
    assert kinds >= {"lookup", "two_hop", "reverse", "compare", "count", "extreme", "average"}
    assert {item.language for item in made} == {"en", "zh"}
    assert len({unit.key for unit in units}) == len(units)
    assert all(grade.passed for item in made for grade in item.grades), [
        (item.instruction, grade) for item in made for grade in item.grades if not grade.passed
    ]
    hops = {item.instruction: item.output for item in made if item.method == "self_kv/two_hop"}
    assert hops.items() >= {("李白的朝代的首都是什么？", "长安。")}
    again = build_method("self_kv", materials(engine, sources))
    for unit, block in reversed(list(zip(units, blocks, strict=True))):
        assert again.block(unit) == block
    dropped = Counter[str]()
    for block in blocks:
        dropped.update(block.dropped)
    assert dropped["reading parts.csv: missing cells of parts"] == 1


def test_the_context_holds_the_answer(engine: Engine, sources: dict[str, object]) -> None:
    method = build_method("self_kv", materials(engine, sources))
    made = records(run(method)[1])  # type: ignore[arg-type]
    for item in made:
        if item.input and item.method in {"self_kv/lookup", "self_kv/two_hop"}:
            value = item.output.rstrip(".。").removeprefix("EUR ")
            assert value.casefold() in item.input.casefold(), item
            assert item.input.startswith("[1] ")
    assert {bool(item.input) for item in made} == {True, False}


def test_rows_that_stand_in_documents_name_their_passages(
    engine: Engine, sources: dict[str, object]
) -> None:
    text = "| Part number | Name |\n| --- | --- |\n| QX-1 | desk lamp | red | 59 | 12 | S1 |"
    passage = Passage(
        document_id="document_0", document_path="docs/parts.csv", ordinal=0, text=text, start=0,
        end=len(text), language="en", content="table",
    )  # fmt: skip
    method = build_method("self_kv", materials(engine, sources, passage))
    made = records(run(method)[1])  # type: ignore[arg-type]
    named = {item.passage_ids for item in made if "QX-1" in item.instruction}
    assert (passage.id,) in named
    assert all(item.passage_ids in {(), (passage.id,)} for item in made)


def test_the_model_rewords_or_the_template_stays(
    engine: Engine, sources: dict[str, object]
) -> None:
    options = {**sources, "paraphrase_share": 1.0, "per_row": 2, "triples": []}
    method = build_method("self_kv", materials(engine, options))
    block = method.block(next(method.rounds())[0])
    made = [item for item in block.items if isinstance(item, Record)]
    assert {item.model for item in made} <= {"code", engine.model_name}
    lost = sum(many for reason, many in block.dropped.items() if reason.startswith("rewording"))
    assert lost + block.counts["reworded"] == block.counts["questions"]


def fact(question: str, *keys: str) -> KvFact:
    zh = question.endswith("？")
    return KvFact("compare", question, "", "zh" if zh else "en", keys, (), (), ())


@pytest.mark.parametrize(
    ("question", "text", "reason"),
    [
        ("Which costs more, A1 or B2?", "Which costs more, B2 or A1?", "names change places"),
        ("Which costs more, A1 or B2?", "Which costs less, A1 or B2?", "the direction changes"),
        ("Which costs more, A1 or B2?", "Which costs more, A1 or B3?", "a name or number is lost"),
        ("Which costs more, A1 or B2?", "What costs more, A1 or B2?", "it asks for something else"),
        ("What is the price of A1?", "What is the red price of A1?", "a word is added"),
        ("What is the price of A1?", "What is A1?", "a word is lost"),
        ("How many parts have A1?", "What is the number of parts that have A1?", ""),
        ("甲1和乙2，哪个更贵？", "甲1和乙2，哪个更便宜？", "the direction changes"),
        ("甲1的价格是多少？", "请问甲1的价格是多少？", ""),
    ],
)
def test_what_a_rewording_may_not_change(question: str, text: str, reason: str) -> None:
    keys = ("A1",) if "A1" in question else ("甲1",)
    keys += tuple(key for key in ("B2", "乙2") if key in question)
    assert kept_meaning(fact(question, *keys), text) == reason


def test_all_bad_options_are_named(engine: Engine) -> None:
    bad = {"tabel": "x", "per_row": 0, "closed_share": 2, "query": "select 1", "language": "fr"}
    with pytest.raises(InputInvalid) as caught:
        build_method("self_kv", materials(engine, bad))
    for word in ("tabel", "per_row", "closed_share", "nothing to read", "query", "language"):
        assert word in caught.value.what


def test_bad_files(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InputNotFound):
        build_method("self_kv", materials(engine, {"table": str(tmp_path / "no.csv")}))
    (tmp_path / "same.csv").write_text("a,b\n1,2\n1,2\n")
    with pytest.raises(InputEmpty, match="apart"):
        build_method("self_kv", materials(engine, {"table": str(tmp_path / "same.csv")}))
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputEmpty):
        build_method("self_kv", materials(engine, {"table": str(tmp_path / "empty.csv")}))


def test_other_rows_under_the_same_address_are_another_run(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE parts (code TEXT, colour TEXT)")
        db.executemany("INSERT INTO parts VALUES (?, ?)", [("QX-1", "red"), ("QX-2", "white")])
        db.commit()
    given = materials(engine, {"sql": f"sqlite:///{path}"})
    options = GenerationOptions(methods=(MethodRequest("self_kv", options=given.options),))

    def identity() -> str:
        return run_identity(options, plan_methods(options, given), given, (), "all")

    before = identity()
    assert identity() == before
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE parts SET colour = 'grey' WHERE code = 'QX-2'")
        db.commit()
    assert identity() != before
