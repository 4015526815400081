"""Levels of Self-QA: related passages, comparisons, procedures, tables, rewordings, checks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from domainsmith.chains.facts import Fact
from domainsmith.chains.self_qa import QaOptions, passage_facts, strong_options
from domainsmith.chains.synthesis.comparisons import comparison_facts, statements
from domainsmith.chains.synthesis.joint import joint_facts
from domainsmith.chains.synthesis.levels import level_of
from domainsmith.chains.synthesis.procedures import procedure_facts, task_of_heading
from domainsmith.chains.synthesis.qa_options import QaYield
from domainsmith.chains.synthesis.related import RelatedPassages
from domainsmith.chains.synthesis.reword import (
    keeps_names,
    model_rewordings,
    pattern_rewordings,
    reworded_question,
)
from domainsmith.chains.synthesis.table_questions import row_facts
from domainsmith.chains.synthesis.verify import adds_nothing, is_verbatim
from domainsmith.model_io.generation import Completion, GenerationRequest, LogLikelihood
from domainsmith.records import Language, Message, Passage

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder
    from domainsmith.model_io.engine import Engine


def passage(
    text: str, header: str = "Kettle book > 1. Parts", language: Language = "en", ordinal: int = 0
) -> Passage:
    return Passage(
        document_id="document_0",
        document_path="book.md",
        ordinal=ordinal,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language=language,
    )


class Writer:
    """Answers in turn; an answer after a text is likelier than without."""

    model_name = "writer"
    context_length = 2048
    is_weak = False

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)

    def render(
        self, messages: Sequence[Message | Mapping[str, Any]], *, add_generation_prompt: bool = True
    ) -> str:
        return str(messages)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(
        self,
        requests: Sequence[GenerationRequest],
        *,
        batch_size: int = 0,
        cancel: threading.Event | None = None,
    ) -> Iterator[Completion]:
        for index in range(len(requests)):
            yield Completion(index, self.texts[index % len(self.texts)], 1, 1, "stop")

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        return [
            LogLikelihood((-0.5 if prompt.startswith("Text:") else -3.0) * 4, 4)
            for prompt, _ in pairs
        ]


def test_levels_by_the_words_of_a_question() -> None:
    assert level_of("Why is the lid red?", "en") == "why"
    assert level_of("What should you do if it leaks?", "en") == "how"
    assert level_of("How heavy is the lid?", "en") == "fact"
    assert level_of("为什么盖子是红色的？", "zh") == "why"
    assert level_of("怎样打开盖子？", "zh") == "how"
    assert level_of("盖子重多少克？", "zh") == "fact"


def test_related_passages_share_rare_terms_first() -> None:
    texts = [
        "The Zorbel valve is red.",
        "The kettle is round.",
        "Order the Zorbel valve by post.",
        "The kettle whistles.",
    ]
    passages = [passage(text, f"Book {at} > Part", ordinal=at) for at, text in enumerate(texts)]
    related = RelatedPassages(passages)
    assert related.near(passages[0], 2)[0] is passages[2]
    assert related.near(passage("Unknown.", ordinal=9), 2) == []
    assert related.is_rare("zorbel")
    assert not related.is_rare("round")


def test_meaning_can_order_related_passages(embedder: LocalEmbedder) -> None:
    texts = ["The Zorbel pump moves water.", "A Zorbel is a bird.", "Zorbel: a device for liquids."]
    passages = [passage(text, f"Book {at} > Part", ordinal=at) for at, text in enumerate(texts)]
    assert RelatedPassages(passages).near(passages[0], 1)[0] is passages[1]
    assert RelatedPassages(passages, embedder).near(passages[0], 1)[0] is passages[2]


def test_comparisons_are_computed() -> None:
    one = passage("The oak lid weighs 4 kg and the tin lid weighs 2 kg.")
    fact = next(comparison_facts(statements(one), [], seed=1))
    heavier = "more" in fact.question
    assert fact.answer == (
        "The oak lid (4 kg, against 2 kg)." if heavier else "The tin lid (2 kg, against 4 kg)."
    )
    other = passage("The steel lid weighs 9 kg.", "Kettle book > 2. More", ordinal=1)
    crossing = list(comparison_facts(statements(one), statements(other), seed=1))
    assert any(item.more == (other,) for item in crossing)
    chinese = passage("铜阀门重 3 公斤，铁阀门重 5 公斤。", language="zh")
    told = next(comparison_facts(statements(chinese), [], seed=1))
    assert told.question.startswith("铜阀门和铁阀门，哪个更")
    assert told.answer[:3] == ("铁阀门" if "重" in told.question else "铜阀门")
    assert statements(passage("The lid is 4 kg. It weighs 3 kg.")) == []


@pytest.mark.parametrize(
    ("text", "header", "answer"),
    [
        (
            "Use the original lid only. Follow these steps:\n\n1. Close the tap.\n2. Empty the "
            "kettle.\n3. Rinse the rim.\n\nStore the chalk in its box.",
            "Kettle book > Cleaning the kettle",
            "Close the tap. Empty the kettle. Rinse the rim.",
        ),
        (
            "请使用原装滤网。清洗前请先阅读说明：\n\n1. 关闭水泵。\n2. 打开盖子。\n3. 取出滤网。",
            "水壶手册 > 清洗滤网",
            "关闭水泵。打开盖子。取出滤网。",
        ),
    ],
)
def test_what_leads_to_a_numbered_list_is_no_step(text: str, header: str, answer: str) -> None:
    language: Language = "zh" if "手册" in header else "en"
    assert next(procedure_facts(passage(text, header, language))).answer == answer


def test_procedures_hold_all_steps() -> None:
    text = "Close the tap. Empty the kettle. The rim is white then. Rub the rim with chalk."
    fact = next(procedure_facts(passage(text, "Kettle book > 3. Cleaning the kettle")))
    assert fact.question == "How do you clean the kettle?"
    assert fact.answer == text
    assert (
        list(procedure_facts(passage("Close the tap. The kettle sings.", "B > Opening it"))) == []
    )
    assert task_of_heading("清洗水壶", "zh") == "清洗水壶"
    assert task_of_heading("排水泵", "zh") == ""
    assert task_of_heading("Levelling the feet", "en") == "level the feet"
    assert task_of_heading("Transport bolts", "en") == ""
    chinese = passage("关上水龙头。把水壶倒空。用粉笔擦壶口。", "手册 > 清洗水壶", "zh")
    assert next(procedure_facts(chinese)).question == "怎样清洗水壶？"


def test_two_cells_of_a_row() -> None:
    table = passage(
        "| Part | Price | Delivery |\n| --- | --- | --- |\n| Oak lid | EUR 9 | 3 days |"
    )
    fact = next(row_facts(table, seed=1))
    assert fact.question == 'What are the price and the delivery of "Oak lid"?'
    assert fact.answer == "Price: EUR 9; delivery: 3 days."


def test_questions_over_two_passages() -> None:
    first = passage("The Zorbel valve sits behind the sink.", "Book > A")
    second = passage("The Zorbel valve weighs 3 kg.", "Book > B", ordinal=1)
    facts = [
        Fact("Where is the Zorbel valve?", "Behind the sink.", first, "self_qa/fact"),
        Fact("How much does the Zorbel valve weigh?", "3 kg.", second, "self_qa/fact"),
    ]
    related = RelatedPassages([first, second])
    made = [
        *joint_facts(facts[:1], facts[1:], related),
        *joint_facts(facts[1:], facts[:1], related),
    ]
    assert len(made) == 2
    assert made[0] == made[1], "from either side the same question"
    assert made[0].gold in {(first, second), (second, first)}
    assert {"3 kg", "Behind the sink"} == set(made[0].answer.rstrip(".").split(". "))


@pytest.mark.parametrize(
    ("question", "other", "language"),
    [
        ("How much does the lid weigh?", "What is the weight of the lid?", "en"),
        ("Why should you not oil the rod?", "What is the reason not to oil the rod?", "en"),
        ("如果水壶漏水，应该怎么做？", "水壶漏水的话，该怎么办？", "zh"),
        ("水壶可以放在地毯上吗？", "水壶能不能放在地毯上？", "zh"),
    ],
)
def test_rewordings_by_form(question: str, other: str, language: Language) -> None:
    assert reworded_question(question, language) == other
    fact = Fact(question, "So.", passage("x", language=language), "self_qa/how")
    assert pattern_rewordings([fact], 1.0, 1) == [
        replace(fact, question=other, method="self_qa/how/reworded")
    ]
    assert pattern_rewordings([fact], 0.0, 1) == []


def test_names_and_numbers_stay() -> None:
    assert keeps_names("How deep is the Tarn 610?", "What is the depth of the Tarn 610?", "en")
    assert not keeps_names("How deep is the Tarn 610?", "What is the depth of the Tarn 640?", "en")
    assert not keeps_names("How deep is the Tarn 610?", "How deep is the machine?", "en")
    assert not keeps_names("拔掉插头后要等 7 分钟吗？", "拔掉插头后要等 9 分钟吗？", "zh")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("What is the weight of the oak lid of the kettle?", ""),
        ("How much does the oak lid weigh?", "same words"),
        ("How much does the Zorbel lid weigh?", "other names or numbers"),
        ("Where can you buy tickets for the opera?", "other words"),
        ("How much does it weigh?", "not understood alone"),
    ],
)
def test_the_models_rewordings_are_checked(text: str, reason: str) -> None:
    source = passage("The oak lid of the kettle weighs 4 kg.")
    fact = Fact(
        "How much does the oak lid weigh?", "4 kg.", source, "self_qa/fact", evidence=source.text
    )
    result = QaYield()
    model = Writer([text])
    found = model_rewordings(
        [fact], generator=model, scorer=model, options=QaOptions(), result=result
    )
    assert [item.question for item in found] == ([] if reason else [text])
    assert result.dropped == ({f"rewording: {reason}": 1} if reason else {})


def test_verbatim_answers() -> None:
    source = passage("The oak lid weighs 4 kg. The tin lid weighs 2 kg.")
    assert is_verbatim("The oak lid (4 kg, against 2 kg).", [source])
    assert is_verbatim("No. The tin lid weighs 2 kg.", [source])
    assert not is_verbatim("5 kg.", [source])
    assert not is_verbatim("Yes.", [source])
    two = [passage("铜阀门重 3 公斤。", language="zh"), passage("铁阀门重 5 公斤。", language="zh")]
    assert is_verbatim("铁阀门（5 公斤，铜阀门是 3 公斤）。", two)


def test_rewritten_answers_add_nothing() -> None:
    source = passage("Do not oil the rods, because oil makes the foam pad useless.")
    fact = Fact(
        "Why should you not oil the rods?",
        "Because oil makes the foam pad useless.",
        source,
        "self_qa/why",
    )
    good = "You should not oil the rods because oil makes the foam pad useless."
    assert adds_nothing(good, fact, least=0.8) == ""
    assert adds_nothing(f"{good} Wait 5 days.", fact, least=0.8) == "a number of its own"
    assert adds_nothing("Oil attracts birds and wolves.", fact, least=0.8) == "words of its own"
    assert adds_nothing("The rods foam.", fact, least=0.8)


def test_a_strong_model_rewrites_and_a_weak_one_does_not() -> None:
    source = passage("Do not place the kettle on carpet, because the vents are under it.")
    model = Writer(["You should not place the kettle on carpet because the vents are under it."])
    strong = strong_options(QaOptions(reworded_share=0.0), model)
    assert strong.rewrites
    assert strong_options(QaOptions(), object()) == QaOptions()  # type: ignore[arg-type]
    strong = replace(strong, model_rewordings=False, model_per_passage=0)
    found = passage_facts([source], generator=model, scorer=model, options=strong)
    assert [fact.answer for fact in found.facts] == model.texts
    assert found.facts[0].model == "writer"
    plain = passage_facts([source], generator=model, scorer=model, options=QaOptions())
    assert plain.facts[0].answer == "Because the vents are under it."


def test_the_embedded_model_makes_grounded_facts(engine: Engine) -> None:
    passages = [
        passage("Half of the silver washers near the brush were 17 mm across.", ordinal=0),
        passage("The oak lid weighs 4 kg and the tin lid weighs 2 kg.", ordinal=1),
    ]
    related = RelatedPassages(passages)
    one, two = (
        passage_facts(passages, generator=engine, scorer=engine, related=related) for _ in range(2)
    )
    assert one.facts == two.facts
    assert "self_qa/compare" in {fact.method for fact in one.facts}
    assert all(is_verbatim(fact.answer, fact.gold) for fact in one.facts)
