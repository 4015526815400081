"""Conversations: follow-ups lean on the turns before, and their answers on passages."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from domainsmith.chains.self_qa import sentence_facts
from domainsmith.chains.synthesis.conversations import conversations
from domainsmith.chains.synthesis.follow_ups import with_pronoun
from domainsmith.chains.synthesis.method import Materials, Method, Round, Unit
from domainsmith.chains.synthesis.registry import build_method
from domainsmith.chains.synthesis.run import MethodRun
from domainsmith.model_io.generation import Completion, GenerationRequest, LogLikelihood
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import Language, Message, Passage, Record

ENGLISH = [
    (
        "The oak lid weighs 4 kg and the tin lid weighs 2 kg.\nThe oak lid sits behind the bench.",
        "Kettle book > 1. Lids",
    ),
    (
        "Close the tap. Empty the kettle into the sink. Rub the rim with chalk. Rinse it twice.",
        "Kettle book > 2. Cleaning the kettle",
    ),
    (
        "Do not place the kettle on carpet, because the vents are under the plinth.",
        "Kettle book > 3. Place",
    ),
    (
        "| Part | Price | Delivery |\n| --- | --- | --- |\n| Oak lid | EUR 9 | 3 days |\n"
        "| Tin lid | EUR 7 | 5 days |",
        "Kettle book > 4. Parts",
    ),
]
CHINESE = [
    ("铜阀门重 3 公斤，铁阀门重 5 公斤。", "水壶手册 > 阀门"),
    ("关上水龙头。把水壶倒空。用粉笔擦壶口。冲洗两次。", "水壶手册 > 清洗水壶"),
    (
        "| 部件 | 价格 | 交货期 |\n| --- | --- | --- |\n| 铜阀门 | 9 欧元 | 3 天 |\n"
        "| 铁阀门 | 7 欧元 | 5 天 |",
        "水壶手册 > 部件",
    ),
]


class NoModel:
    """Writes nothing and finds every answer surprising."""

    model_name = "none"
    context_length = 2048

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        return str(messages)

    def count_tokens(self, text: str) -> int:
        return len(text) // 4

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        for index in range(len(requests)):
            yield Completion(index, "", 1, 1, "stop")

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        return [LogLikelihood(-12.0, 4) for _ in pairs]


def corpus(language: Language) -> list[Passage]:
    return [
        Passage(
            document_id="document_0",
            document_path="book.md",
            ordinal=at,
            text=text,
            header=header,
            start=0,
            end=len(text),
            language=language,
            content="table" if text.startswith("|") else "prose",
        )
        for at, (text, header) in enumerate(ENGLISH if language == "en" else CHINESE)
    ]


def materials(passages: Sequence[Passage], **options: Any) -> Materials:
    model = NoModel()
    kept = tuple(passages)
    return Materials(kept, kept, model, model, None, 100, 17, options)


def records_of(method: Method) -> list[Record]:
    found: list[Record] = []
    rounds = method.rounds()
    units = next(rounds)
    while True:
        planned = units.units if isinstance(units, Round) else units
        blocks = [method.block(unit) for unit in planned if isinstance(unit, Unit)]
        found += [item for block in blocks for item in block.items if isinstance(item, Record)]
        try:
            units = rounds.send(blocks)
        except StopIteration:
            return found


def test_a_smoke_run_whose_first_passages_give_nothing_looks_at_others(tmp_path: Path) -> None:
    bare = [
        corpus("en")[0].model_copy(update={"text": f"Nothing to see in part {n}.", "ordinal": n})
        for n in range(5)
    ]
    method = build_method("dialogues", materials([*bare, *corpus("en")], refusal_share=0.0))
    run = MethodRun(method, log=tmp_path, target=1000)
    blocks = list(run.blocks())
    assert run.stopped == "exhausted"
    assert not blocks[0].items
    assert any(block.items for block in blocks)
    # Every passage is read once, whichever unit of the smoke run was the last one.
    assert sum(block.counts["passages"] for block in blocks) == 5 + len(corpus("en"))


def test_every_kind_of_follow_up_in_english() -> None:
    records = records_of(
        build_method("dialogues", materials(corpus("en"), refusal_share=1.0, closed_share=0.0))
    )
    kinds = {record.method.removeprefix("dialogues/") for record in records}
    assert kinds >= {"other", "which", "steps", "why", "column", "refusal"}
    told = {record.instruction: record for record in records}
    assert told["And the tin lid?"].output == "2 kg."
    assert told["And the tin lid?"].history == (("How much does the oak lid weigh?", "4 kg."),)
    assert told["Why not?"].output == "Because the vents are under the plinth."
    assert told["And then?"].output == "Empty the kettle into the sink. Rub the rim with chalk."
    assert told['And for "Tin lid"?'].output in {"EUR 7.", "5 days."}
    refused = [record for record in records if record.method == "dialogues/refusal"]
    assert refused
    assert all(is_refusal(record.output, "en") and len(record.history) > 1 for record in refused)
    assert all(record.history and record.input and record.passage_ids for record in records)


def test_follow_ups_in_chinese() -> None:
    records = records_of(build_method("dialogues", materials(corpus("zh"), refusal_share=0.0)))
    told = {record.instruction: record for record in records}
    assert told["那铁阀门呢？"].output == "5 公斤。"
    assert told["然后呢？"].output.startswith("把水壶倒空。")
    assert told["那“铁阀门”呢？"].history[1][0] in {"那价格呢？", "那交货期呢？"}
    assert not any(is_refusal(record.output, "zh") for record in records)


def test_pronouns_only_where_they_are_clear() -> None:
    first = "How deep is the oak lid?"
    assert with_pronoun(first, "How much does the oak lid weigh?", "en") == (
        "And how much does it weigh?"
    )
    assert with_pronoun(first, "How much does the oak weigh?", "en") == ""
    assert with_pronoun("Where is the lid of the pot?", "How old is the lid?", "en") == ""
    assert with_pronoun(first, "How much do the pots weigh?", "en") == ""
    assert with_pronoun("铜阀门在哪里？", "铜阀门有多少个出口？", "zh") == "那它有多少个出口？"
    assert with_pronoun("型号 610 有多重？", "型号 640 有多重？", "zh") == ""


def test_equal_materials_give_equal_records() -> None:
    one, two = (records_of(build_method("dialogues", materials(corpus("en")))) for _ in range(2))
    assert [record.id for record in one] == [record.id for record in two]


def test_refusals_stand_alone_and_share_no_question() -> None:
    records = records_of(build_method("refusals", materials(corpus("en") + corpus("zh"))))
    assert {record.language for record in records} == {"en", "zh"}
    assert all(is_refusal(record.output, record.language) for record in records)
    asked = [(record.instruction, bool(record.input)) for record in records]
    assert len(set(asked)) == len(asked)
    foreign = build_method("refusals", materials(corpus("en"), kinds=["foreign"]))
    assert {record.method for record in records_of(foreign)} == {"refusals/foreign"}


def test_conversations_end_at_the_passages_facts() -> None:
    bare = corpus("en")[2].model_copy(update={"text": "The hall was green."})
    made = conversations(bare, sentence_facts(bare), [], is_rare=lambda _: True, seed=1)
    assert list(made) == []


def test_a_chinese_follow_up_leaves_out_what_it_is_about() -> None:
    first = "关于供水，水压应在什么范围内？"
    assert with_pronoun(first, "关于供水，进水管长多少米？", "zh") == "那进水管长多少米？"
    assert with_pronoun("供水阀在哪里？", "关于供水，进水管长多少米？", "zh")
    assert with_pronoun("电源线长多少米？", "关于供水，进水管长多少米？", "zh") == ""
    second = "遥控器的有效距离为多少米？"
    assert with_pronoun("遥控器使用什么电池？", second, "zh") == "那它的有效距离为多少米？"
    assert with_pronoun("遥控器的电池在哪里？", "遥控器使用什么电池？", "zh") == ""
