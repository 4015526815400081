"""Self-Instruct for weak models: instances of the documents whose outputs are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domainsmith.chains.synthesis.ground import Ground
from domainsmith.chains.synthesis.grounded_tasks import (
    CLASSIFIED,
    Instance,
    grounded_instructions,
    instances,
)
from domainsmith.chains.synthesis.instruct_filters import instruction_problem
from domainsmith.chains.synthesis.method import Materials
from domainsmith.chains.synthesis.registry import build_method
from domainsmith.chains.synthesis.seeds import built_in_seeds
from domainsmith.data_connection.novel import NoveltyPool
from domainsmith.records import Language, Passage, Record

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "Kiln handbook > Cleaning the filter": (
            "Open the flap of the filter. Remove the filter. Rinse the filter for 3 minutes. "
            "The filter of the kiln weighs 2 kg."
        ),
        "Kiln handbook > Door": (
            "The door of the kiln is 40 cm wide. If the door is hot, wait 20 minutes. "
            "Do not lean on the door, because the hinge is weak. It closes slowly and quietly."
        ),
        "Kiln handbook > Glaze": (
            "The glaze must dry for 6 hours. A thick glaze needs two coats of paint on each side. "
            "The glaze is stored in the cupboard behind the chimney, where it stays dry."
        ),
    },
    "zh": {
        "窑炉手册 > 清洗滤网": (
            "打开滤网的盖板，动作要轻。取下滤网，放在干净的布上。冲洗滤网三分钟，直到没有泥沙。"
            "滤网重 2 千克，由两颗螺丝固定在窑的左边。"
        ),
        "窑炉手册 > 窑门": (
            "窑门宽 40 厘米，由厚钢板制成。如果窑门很烫，请等待 20 分钟。"
            "不要靠在窑门上，因为合页不结实。窑门会慢慢地自己关上。"
        ),
        "窑炉手册 > 釉料": (
            "釉料要晾干 6 小时。厚釉料每面要涂两层，中间隔一个晚上。"
            "釉料放在烟囱后面的柜子里，那里一直很干燥。"
        ),
    },
}


def passages(language: Language) -> tuple[Passage, ...]:
    return tuple(
        Passage(
            document_id="document_0", document_path="kiln.md", ordinal=at, text=text,
            header=header, start=0, end=len(text), language=language,
        )
        for at, (header, text) in enumerate(TEXTS[language].items())
    )  # fmt: skip


def made(language: Language, kind: str) -> list[Instance]:
    ground = Ground(passages(language), language)
    return list(instances(ground, kind, turn=0, turns=1, seed=3))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_outputs_are_right_by_how_they_were_made(language: Language) -> None:
    told = TEXTS[language]
    headings = {header.split(" > ")[1]: text for header, text in told.items()}
    for one in made(language, "heading"):
        assert one.given == headings[one.output].strip()
    for one in made(language, "section"):
        assert all(name in one.given for name in headings)
        sentence = one.given.split("\n")[1].split(": " if language == "en" else "：", 1)[1]
        assert sentence in headings[one.output]
    for one in made(language, "gap"):
        line = one.given.rsplit("\n", 1)[1]
        sentence = line.split(": " if language == "en" else "：", 1)[1]
        assert sentence.replace("____", one.output) in one.passage.text
    for one in made(language, "find"):
        assert one.output in one.given
    for one in made(language, "question"):
        assert one.output.endswith(("?", "？"))
        assert one.given in one.passage.text
    assert made(language, "find")
    assert made(language, "gap")
    assert made(language, "section")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_statement_is_wrong_only_if_a_fact_in_it_was_changed(language: Language) -> None:
    found = made(language, "agrees")
    assert found
    for one in found:
        said = one.given.rsplit("\n", 1)[1].split(": " if language == "en" else "：", 1)[1]
        assert (said in one.passage.text) == (one.output in {"Yes", "是"})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_question_is_answerable_only_over_its_own_text(language: Language) -> None:
    for one in made(language, "answerable"):
        text = one.given.split("\n", 1)[1].split(": " if language == "en" else "：", 1)[1]
        assert (text in one.passage.text) == (one.output in {"Yes", "能"})


def test_steps_are_put_back_into_their_order() -> None:
    (one,) = made("en", "order")
    assert one.output.split("\n")[:2] == [
        "1. Open the flap of the filter.",
        "2. Remove the filter.",
    ]
    assert sorted(line[2:] for line in one.given.split("\n")) == sorted(
        line[3:] for line in one.output.split("\n")
    )
    assert all("Door" not in item.passage.header for item in made("en", "order"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_instructions_are_novel_and_pass_the_filters(language: Language) -> None:
    pool = NoveltyPool((task.instruction for task in built_in_seeds(language)), threshold=0.7)
    found = grounded_instructions(language)
    assert len(found) >= 20
    assert {kind for kind, *_ in found} >= CLASSIFIED
    for kind, text, turn, turns in found:
        assert pool.add(text), (kind, text)
        assert instruction_problem(text, language) == ""
        assert 0 <= turn < turns


class Weak:
    """A model that must not be asked."""

    model_name = "weak"
    is_weak = True

    def generate(self, *_: object, **__: object) -> None:
        raise AssertionError("a weak model writes nothing here")


def records(language: Language, target: int) -> list[Record]:
    found = passages(language)
    method = build_method("self_instruct", Materials(found, found, Weak(), None, None, target, 17))  # type: ignore[arg-type]
    rounds = method.rounds()
    blocks, made = None, list[Record]()
    try:
        while True:
            units = next(rounds) if blocks is None else rounds.send(blocks)
            blocks = [method.block(unit) for unit in units]  # type: ignore[union-attr]
            made += [item for block in blocks for item in block.items]  # type: ignore[misc]
    except StopIteration:
        return made


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_weak_model_gets_grounded_tasks_each_once(language: Language) -> None:
    found = records(language, 20)
    assert len(found) >= 8
    assert len({(item.instruction, item.input) for item in found}) == len(found)
    assert {item.method for item in found} == {
        "self_instruct/input_first",
        "self_instruct/output_first",
    }
    assert all(item.model == "code" and item.passage_ids for item in found)
    assert all(grade.passed for item in found for grade in item.grades)
    assert records(language, 20) == found, "equal materials give equal records"


def test_a_better_model_writes_its_own_tasks(engine: Engine) -> None:
    found = passages("en")
    for options, own in (({}, False), ({"own_tasks": True}, True), ({"domain": False}, True)):
        method = build_method(
            "self_instruct", Materials(found, found, engine, engine, None, 5, 17, options)
        )
        (smoke,) = next(method.rounds())  # type: ignore[misc]
        assert ("grounded" in smoke.payload) is not own
