"""The methods preferences and rankings: control flow with a scripted model, one real run each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from domainsmith.chains.synthesis.method import DataBlock, Item, Materials, Method, Round, Unit
from domainsmith.chains.synthesis.registry import build_method
from domainsmith.data_connection.overlap import squeeze
from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound
from domainsmith.memory.feedback import add_feedback
from domainsmith.model_io.generation import Completion, GenerationRequest, LogLikelihood
from domainsmith.model_io.messages import is_refusal
from domainsmith.records import (
    Answer,
    Document,
    Feedback,
    Message,
    Passage,
    Preference,
    Ranking,
    Record,
)
from domainsmith.storage import lineage
from domainsmith.storage.documents import put_document
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.model_io.engine import Engine

PARTS = ("pump", "valve", "hinge", "filter", "sensor", "spring", "cable", "handle")
TEXTS = [
    f"The amber {part} weighs {7 * at + 3} kg.\n"
    f"If the amber {part} rattles, tighten its {at + 2} screws before the next start.\n"
    f"Clean the amber {part} every {at + 2} weeks."
    for at, part in enumerate(PARTS)
]
ZH_TEXTS = [
    f"琥珀{part}重 {7 * at + 3} 公斤。\n清洗琥珀{part}之前必须拔掉电源插头，等待 {at + 2} 分钟。"
    for at, part in enumerate(("水泵", "阀门", "铰链", "滤网", "弹簧", "把手"))
]


def passages(texts: Sequence[str], language: str) -> tuple[Passage, ...]:
    return tuple(
        Passage.model_validate(
            {
                "document_id": f"document_{at}",
                "document_path": f"{language}{at}.md",
                "ordinal": 0,
                "text": text,
                "start": 0,
                "end": len(text),
                "language": language,
                "header": "Manual",
            }
        )
        for at, text in enumerate(texts)
    )


EN, ZH = passages(TEXTS, "en"), passages(ZH_TEXTS, "zh")


class Scripted:
    """Drafts by turns: the words of the first sentence of the context, nonsense, a refusal."""

    model_name = "scripted"
    context_length = 4096
    replies = ("It weighs 99 kg and is made of cheese.", "Nobody knows.", "It depends on the moon.")

    def __init__(self) -> None:
        self.asked: list[GenerationRequest] = []

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> str:
        return "\n".join(message.content for message in messages)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(self, requests: Sequence[GenerationRequest], **_: Any) -> Iterator[Completion]:
        self.asked += requests
        for at, request in enumerate(requests):
            text = self.replies[at % len(self.replies)]
            yield Completion(at, text, len(request.prompt.split()), 5, "stop")

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        return [LogLikelihood(-9.0, 3) for _ in pairs]


def materials(
    options: dict[str, Any] | None = None, some: Sequence[Passage] = EN + ZH, model: Any = None
) -> Materials:
    model = model or Scripted()
    return Materials(tuple(some), tuple(some), model, model, None, 100, 17, options or {})


def run(method: Method) -> tuple[list[DataBlock], list[Item]]:
    blocks: list[DataBlock] = []
    rounds = method.rounds()
    units = next(rounds, None)
    while units is not None:
        made = [method.block(Unit(u.key, json.loads(json.dumps(u.payload)))) for u in units]
        blocks += made
        try:
            units = rounds.send(made)
        except StopIteration:
            break
    return blocks, [item for block in blocks for item in block.items]


ALL = {"corrupted": 1, "drafted": 1, "refused": 1, "invented": 1, "longer_share": 1}


def test_every_kind_is_made_in_both_languages() -> None:
    blocks, items = run(build_method("preferences", materials(ALL)))
    assert all(isinstance(item, Preference) for item in items)
    kinds = {(item.method.split("/")[1], item.language) for item in items}
    assert kinds == {
        (kind, language)
        for kind in ("corrupted", "drafts", "refused", "invented")
        for language in ("en", "zh")
    }
    assert all(grade.passed for item in items for grade in item.grades)
    assert sum(block.counts["pairs"] for block in blocks) == len(items)


def test_pairs_are_what_they_say() -> None:
    _, items = run(build_method("preferences", materials(ALL)))
    by_id = {item.id: item for item in EN + ZH}
    for item in items:
        assert isinstance(item, Preference)
        assert 0 < item.margin <= 1
        assert squeeze(item.chosen) != squeeze(item.rejected)
        kind = item.method.split("/")[1]
        source = squeeze(" ".join(by_id[key].text for key in item.passage_ids))
        if kind in {"corrupted", "refused", "drafts"}:
            assert not is_refusal(item.chosen)
        if kind == "corrupted" and not item.reason.startswith("truncation"):
            assert squeeze(item.rejected) not in source
        if kind == "refused":
            assert is_refusal(item.rejected)
            assert item.input  # without passages, refusing may be right
        if kind == "invented":
            assert is_refusal(item.chosen)
            assert not is_refusal(item.rejected)


def test_the_same_unit_gives_the_same_block() -> None:
    first, second = (build_method("preferences", materials(ALL)) for _ in range(2))
    units = next(first.rounds())
    assert first.block(units[0]).items == second.block(units[0]).items


def test_lengths_are_balanced_and_counted() -> None:
    blocks, items = run(build_method("preferences", materials({**ALL, "longer_share": 0.5})))
    longer = sum(len(item.chosen) > len(item.rejected) for item in items)
    shorter = sum(len(item.chosen) < len(item.rejected) for item in items)
    assert longer == sum(block.counts["chosen longer"] for block in blocks)
    assert abs(longer - shorter) <= 2 * len(blocks)
    dropped = sum(
        many for block in blocks for name, many in block.dropped.items() if "length" in name
    )
    assert dropped > 0


def test_a_weak_model_drafts_in_english_alone() -> None:
    class Weak(Scripted):
        is_weak = True

    _, items = run(build_method("preferences", materials(ALL, model=Weak())))
    drafted = {item.language for item in items if item.method == "preferences/drafts"}
    assert drafted == {"en"}
    invented = [item for item in items if item.method == "preferences/invented"]
    assert {item.language for item in invented} == {"en", "zh"}
    assert all(item.model == "code" for item in invented if item.language == "zh")
    _, items = run(
        build_method("preferences", materials({**ALL, "draft_languages": ["zh"]}, model=Weak()))
    )
    assert {i.language for i in items if i.method == "preferences/drafts"} == {"zh"}


def test_records_of_a_dataset_are_a_source(tmp_path: Path) -> None:
    record = Record(
        instruction="How much does the amber pump weigh?",
        input=f"[1] Manual\n{TEXTS[0]}",
        output="3 kg.",
        language="en",
        method="self_qa/pattern",
        passage_ids=(EN[0].id,),
        model="code",
    )
    lines = json.dumps({"id": record.id, **record.model_dump(mode="json")}) + "\n"
    (tmp_path / "data.jsonl").write_text(lines, encoding="utf-8")
    options = {**ALL, "source": "records", "records": str(tmp_path)}
    _, items = run(build_method("preferences", materials(options, some=())))
    assert {item.method for item in items} >= {"preferences/corrupted", "preferences/refused"}
    assert all(item.instruction == record.instruction for item in items)
    (tmp_path / "data.jsonl").write_text(lines + "{}\nno json\n", encoding="utf-8")
    with pytest.raises(InputInvalid, match=r"line 2.*line 3"):
        run(build_method("preferences", materials(options, some=())))


def test_corrections_become_preferences(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "ws") as workspace:
        document = Document(
            path="en0.md",
            source_sha256="0" * 64,
            media_type="text/markdown",
            title="Manual",
            language="en",
            text=TEXTS[0],
        )
        passage = EN[0].model_copy(update={"document_id": document.id})
        put_document(workspace.db, document, [passage], folder="docs")
        for text, correction in (("9 kg.", "3 kg."), ("4 kg.", ""), ("3 kg.", "3 kg")):
            answer = Answer(
                question="How much does the amber pump weigh?",
                text=text,
                language="en",
                nearest=(passage.id,),
                model="scripted",
            )
            lineage.put_artifact(workspace.db, answer, parents=[])
            verdict = Feedback(answer_id=answer.id, verdict="bad", correction=correction)
            add_feedback(workspace, verdict)
    options = {"source": "feedback", "workspace": str(tmp_path / "ws")}
    blocks, items = run(build_method("preferences", materials(options, some=(passage,))))
    [item] = items
    assert isinstance(item, Preference)
    assert (item.chosen, item.rejected) == ("3 kg.", "9 kg.")
    assert TEXTS[0] in item.input
    assert item.passage_ids == (passage.id,)
    assert item.method == "preferences/feedback"
    assert sum(blocks[0].dropped.values()) == 2


def test_rankings_fall_and_differ() -> None:
    blocks, items = run(build_method("rankings", materials({"unanswerable": 1})))
    assert {item.method for item in items} == {"rankings/answers", "rankings/unanswerable"}
    assert {item.language for item in items} == {"en", "zh"}
    for item in items:
        assert isinstance(item, Ranking)
        assert 3 <= len(item.answers) <= 4
        assert list(item.scores) == sorted(item.scores, reverse=True)
        assert len(set(item.scores)) == len(item.scores)
        assert len({squeeze(answer) for answer in item.answers}) == len(item.answers)
        assert is_refusal(item.answers[0]) == item.method.endswith("unanswerable")
        assert all(grade.passed for grade in item.grades), item
    assert sum(block.counts["rankings"] for block in blocks) == len(items)


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("preferences", {"drafts": -1, "nonsense": 1}, r"drafts.*nonsense|nonsense.*drafts"),
        ("preferences", {"source": "records"}, "records"),
        ("preferences", {"source": "feedback"}, "workspace"),
        ("rankings", {"source": "feedback"}, "pairs"),
        ("rankings", {"least": 5, "answers": 3}, "least"),
    ],
)
def test_bad_options_are_named(name: str, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputInvalid, match=problem):
        build_method(name, materials(options))


def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputEmpty):
        run(build_method("preferences", materials(some=())))
    options = {"source": "records", "records": str(tmp_path / "none")}
    with pytest.raises(InputNotFound):
        run(build_method("rankings", materials(options)))


def test_a_judge_decides_and_must_agree_both_ways_round(monkeypatch: pytest.MonkeyPatch) -> None:
    from domainsmith.chains.grading.judge import Case, Judge, Pair
    from domainsmith.chains.synthesis import workbench

    class Fixed(Judge):
        name = "fixed"
        agree = 1.0

        def __init__(self) -> None:
            pass

        def points(self, cases: Sequence[Case]) -> list[float]:
            return [
                1.0 if "moon" in case.answer or "cheese" in case.answer else 5.0 for case in cases
            ]

        def preferences(self, pairs: Sequence[Pair]) -> list[float]:
            return [self.agree for _ in pairs]

    monkeypatch.setattr(workbench, "load_judge", lambda name: Fixed())
    options = {"drafted": 1, "corrupted": 0, "refused": 0, "invented": 0, "longer_share": 1}
    options["judge_model"] = "openai:http://127.0.0.1:9#none"
    _, items = run(build_method("preferences", materials(options)))
    assert items
    for item in items:
        assert isinstance(item, Preference)
        assert "moon" in item.rejected or "cheese" in item.rejected
        assert "fixed" in item.reason
    Fixed.agree = 0.2
    blocks, items = run(build_method("preferences", materials(options)))
    assert not items
    assert sum(block.dropped["judging: orders disagree"] for block in blocks) > 0


def test_the_real_model_gives_pairs_and_rankings(engine: Engine) -> None:
    some = (EN[0], ZH[0])
    options = {**ALL, "drafts": 1, "max_new_tokens": 8}
    method = build_method("preferences", materials(options, some=some, model=engine))
    block = method.block(next(method.rounds())[0])
    assert block.counts["pairs"] >= 2
    assert all(grade.passed for item in block.items for grade in item.grades)
    method = build_method("rankings", materials({"drafts": 0}, some=some, model=engine))
    assert method.block(next(method.rounds())[0]).items


@pytest.mark.parametrize("name", ["documents", "reasoned", "preferences", "rankings"])
def test_grading_is_every_methods_option(name: str) -> None:
    method = build_method(name, materials({"grading": {"graders": ["length"]}}, some=EN))
    first = next(method.rounds())
    [unit, *_] = first.units if isinstance(first, Round) else first
    items = method.block(unit).items
    assert items
    graders = {grade.grader for item in items for grade in item.grades}
    assert "length" in graders
    assert not graders & {"format", "language", "private", "toxicity", "trivia"}
    with pytest.raises(InputInvalid, match="graders"):
        build_method(name, materials({"grading": {"graders": ["nonsense"]}}))
