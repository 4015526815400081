"""Whole runs: interrupted, cancelled, out of budget, several methods, bad input."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domainsmith.chains.generate import (
    DatasetReport,
    GenerationOptions,
    Limits,
    MethodRequest,
    generate_dataset,
)
from domainsmith.chains.synthesis import registry
from domainsmith.chains.synthesis.bound import quotas
from domainsmith.chains.synthesis.dataset import OVER
from domainsmith.chains.synthesis.method import DataBlock, Materials, Unit
from domainsmith.errors import InputEmpty, InputInvalid, YieldTooLow
from domainsmith.model_io.generation import LogLikelihood
from domainsmith.progress import ProgressEvent
from domainsmith.records import Document, Passage, Preference, Record, content_hash
from domainsmith.storage import lineage
from domainsmith.storage.documents import put_document
from domainsmith.training import dataset_folder
from domainsmith.training.select.pipeline import admissible_records
from domainsmith.workspace import Workspace
from reliability.embedder import HashingEmbedder
from reliability.scripted import ScriptedModel

PARTS = ("pump", "valve", "hinge", "filter", "sensor", "spring", "cable", "handle", "tray", "fan")
TEXTS = [
    f"The {colour} {part} weighs {7 * at + 3} kg. If the {colour} {part} rattles, tighten its "
    f"{at + 2} screws. Clean the {colour} {part} every {at + 2} weeks."
    for at, (colour, part) in enumerate(
        (colour, part) for colour in ("amber", "violet", "grey") for part in PARTS
    )
]


def add(
    workspace: Workspace, texts: Sequence[str], language: str = "en", path: str = "a.md"
) -> None:
    document = Document(
        path=path,
        source_sha256=content_hash(texts),
        media_type="text/markdown",
        title="Manual",
        language=language,  # type: ignore[arg-type]
        text="",
    )
    passages = [
        Passage(
            document_id=document.id,
            document_path=path,
            ordinal=at,
            text=text,
            header=f"Manual > {at}",
            start=0,
            end=len(text),
            language=language,  # type: ignore[arg-type]
            content="prose",
        )
        for at, text in enumerate(texts)
    ]
    put_document(workspace.db, document, passages, folder=path)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "space") as space:
        add(space, TEXTS)
        yield space


def run(workspace: Workspace, **changes: Any) -> DatasetReport:
    values: dict[str, Any] = {
        "target": 60,
        "generator": ScriptedModel(),
        "scorer": ScriptedModel(),
        "embedder": HashingEmbedder(),
        "select": admissible_records,
        "store": dataset_folder,
    }
    return generate_dataset(workspace, **(values | changes))


class Interrupting(ScriptedModel):
    """Ctrl-C at the n-th call."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def score(
        self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
    ) -> list[LogLikelihood]:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return super().score(pairs, adapter=adapter)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    with Workspace.create(tmp_path_factory.mktemp("whole") / "space") as space:
        add(space, TEXTS)
        return run(space).sha256


def test_ctrl_c_leaves_a_valid_dataset_and_the_run_goes_on(
    workspace: Workspace, whole: str
) -> None:
    told: list[DatasetReport] = []
    with pytest.raises(KeyboardInterrupt):
        run(workspace, scorer=Interrupting(3), on_partial=told.append)
    partial = dataset_folder.dataset_info(told[0].path)
    assert partial.card["partial"]
    assert partial.card["stopped"] == "interrupted"
    assert 0 < len(dataset_folder.read_dataset(partial.path)) == partial.records
    assert lineage.artifact(workspace.db, partial.id).kind == "dataset"
    card = (partial.path / "README.md").read_text(encoding="utf-8")
    assert "**Partial:**" in card
    report = run(workspace)
    assert report.whole
    assert report.dataset_id == partial.card["run"]
    assert report.sha256 == whole
    assert not list(workspace.datasets_dir.glob(".*.run"))


def test_cancel_and_budget_leave_partial_datasets_too(workspace: Workspace, whole: str) -> None:
    cancel = threading.Event()

    def tell(event: ProgressEvent) -> None:
        if event.stage == "generating documents":
            cancel.set()

    first = run(workspace, cancel=cancel, progress=tell)
    assert (first.stopped, first.whole) == ("cancelled", False)
    spent = run(workspace, limits=Limits(tokens=1))
    assert (spent.stopped, spent.sha256) == ("tokens", first.sha256)
    assert spent.tokens > 1
    late = run(workspace, limits=Limits(seconds=1e-9))
    assert (late.stopped, late.dataset_id) == ("time", first.dataset_id)
    assert run(workspace).sha256 == whole


def test_a_smoke_run_alone_writes_no_dataset_and_is_not_done_twice(
    workspace: Workspace, whole: str
) -> None:
    report = run(workspace, limits=Limits(smoke_only=True))
    assert (report.stopped, report.dataset_id) == ("smoke", "")
    assert report.good["documents"] > 0
    assert lineage.artifacts(workspace.db, "dataset") == []
    assert run(workspace).sha256 == whole


# ---- several methods -----------------------------------------------------------------------


class Pairs:
    """Makes numbered items; the option ``bad`` gives nonsense from a unit on."""

    def __init__(self, materials: Materials, name: str, kind: type[Record | Preference]) -> None:
        extra = set(materials.options) - {"bad"}
        if extra:
            raise InputInvalid(f"{name} does not know {', '.join(sorted(extra))}")
        self.name, self._kind = name, kind
        self._bad = int(materials.options.get("bad", 1000))
        self._target = materials.target

    def rounds(self) -> Any:
        yield [Unit("0", 0)]
        yield [Unit(str(n), n) for n in range(1, self._target + 20)]

    def block(self, unit: Unit) -> DataBlock:
        n = unit.payload
        block = DataBlock(unit.key)
        block.counts["drafts"] = 1
        if n >= self._bad:
            block.dropped["drafts: nonsense"] = 1
            return block
        fields: dict[str, Any] = {
            "instruction": f"What does {self.name} say about the number {n}?",
            "language": "en",
            "method": self.name,
            "model": "code",
        }
        if self._kind is Record:
            block.items = [Record(output=f"It is {n}.", **fields)]
        else:
            block.items = [
                Preference(chosen=f"It is {n}.", rejected=f"It is {n + k}.", margin=1.0, **fields)
                for k in (1, 2)
            ]
        return block


def build_one(materials: Materials) -> Pairs:
    return Pairs(materials, "one", Record)


def build_two(materials: Materials) -> Pairs:
    return Pairs(materials, "two", Record)


def build_preferences(materials: Materials) -> Pairs:
    return Pairs(materials, "preferences", Preference)


@pytest.fixture
def methods(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two", "preferences"):
        monkeypatch.setitem(registry.METHODS, name, f"{__name__}:build_{name}")


def asked(*requests: tuple[str, float, dict[str, Any]]) -> GenerationOptions:
    return GenerationOptions(methods=tuple(MethodRequest(*request) for request in requests))


@pytest.mark.usefixtures("methods")
def test_several_methods_share_the_target(workspace: Workspace) -> None:
    events: list[ProgressEvent] = []
    report = run(
        workspace,
        target=10,
        options=asked(("one", 3, {}), ("two", 1, {})),
        progress=events.append,
    )
    assert dict(report.good) == {"one": 15, "two": 5}
    records = dataset_folder.read_dataset(report.path)
    assert [item.method for item in records] == ["one"] * 15 + ["two"] * 5
    smokes = [event.message for event in events if event.stage == "smoke run"]
    assert [text.split(":")[0] for text in smokes] == ["one", "two"], "all of them first, once"
    assert events[0].stage == events[1].stage == "smoke run"
    card = (report.path / "README.md").read_text(encoding="utf-8")
    assert "| one | 15 |" in card


def build_empty(materials: Materials) -> Pairs:
    raise InputEmpty("There is no table", where="empty")


@pytest.mark.usefixtures("methods")
def test_methods_that_find_nothing_are_named_and_the_others_go_on(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.METHODS, "empty", f"{__name__}:build_empty")
    options = asked(("empty", 1, {}), ("two", 1, {"bad": 0}), ("one", 2, {}))
    smoke = run(workspace, target=10, options=options, limits=Limits(smoke_only=True))
    assert set(smoke.nothing) == {"empty", "two"}
    report = run(workspace, target=10, options=options)
    assert report.whole
    assert dict(report.good) == {"two": 0, "one": 20}, "one fills the places of the others"
    assert report.nothing["empty"] == "There is no table (empty)"
    assert "`drafts`" in report.nothing["two"]
    again = run(workspace, target=10, options=options)
    assert again.repeated
    assert again.nothing == report.nothing


@pytest.mark.usefixtures("methods")
def test_it_is_an_error_if_no_method_finds_anything(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.METHODS, "empty", f"{__name__}:build_empty")
    nonsense = asked(("one", 1, {"bad": 0}), ("two", 1, {"bad": 0}), ("empty", 1, {}))
    with pytest.raises(YieldTooLow, match=r"empty: .*one: .*two: ") as caught:
        run(workspace, options=nonsense)
    assert "`drafts`" in caught.value.what
    monkeypatch.setitem(registry.METHODS, "two", f"{__name__}:build_empty")
    with pytest.raises(InputEmpty, match=r"two: .*empty: "):
        run(workspace, options=asked(("two", 1, {}), ("empty", 1, {})))
    with pytest.raises(InputEmpty, match=r"^There is no table"):
        run(workspace, options=asked(("empty", 1, {})))


@pytest.mark.usefixtures("methods")
def test_everything_wrong_with_a_request_is_told_at_once(workspace: Workspace) -> None:
    options = asked(
        ("one", 1, {"colour": 1}), ("documents", 0, {"refusal_share": 2}), ("none", 1, {})
    )
    with pytest.raises(InputInvalid) as caught:
        run(workspace, options=options)
    for problem in (
        "one does not know colour",
        "refusal_share",
        "the share of documents is 0",
        "there is no method none",
    ):
        assert problem in caught.value.what
    mixed = asked(("one", 1, {}), ("preferences", 1, {}))
    with pytest.raises(InputInvalid, match="items of one kind"):
        run(workspace, options=mixed)


@pytest.mark.usefixtures("methods")
def test_preferences_become_a_dataset_of_their_own_kind(workspace: Workspace) -> None:
    report = run(workspace, target=4, options=asked(("preferences", 1, {})))
    info = dataset_folder.dataset_info(report.path)
    assert (info.kind, info.records, info.card["stage"]) == ("preference", 8, "preference")
    assert len({item.instruction for item in dataset_folder.read_items(info.path)}) == 4


@pytest.mark.usefixtures("methods")
@pytest.mark.parametrize("names", [("preferences",), ("one", "two")])
def test_a_count_is_kept_to_whatever_happens(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    options = replace(asked(*((name, 1 + at, {}) for at, name in enumerate(names))), bounded=True)
    make, left = Pairs.block, [4]

    def interrupted(self: Pairs, unit: Unit) -> DataBlock:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return make(self, unit)

    monkeypatch.setattr(Pairs, "block", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(workspace, target=7, options=options)
    monkeypatch.setattr(Pairs, "block", make)
    report = run(workspace, target=7, options=options)
    assert report.records == 7
    assert report.dropped[OVER] == sum(report.good.values()) - 7 > 0
    with Workspace.create(workspace.root.parent / "other") as other:
        add(other, TEXTS)
        assert run(other, target=7, options=options).sha256 == report.sha256
    if len(names) > 1:
        methods = [item.method for item in dataset_folder.read_items(report.path)]
        assert Counter(methods) == {"one": 2, "two": 5}


@pytest.mark.usefixtures("methods")
def test_an_interrupt_in_the_smoke_runs_of_several_methods_leaves_a_dataset(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Pairs.block

    def interrupted(self: Pairs, unit: Unit) -> DataBlock:
        if self.name == "two":
            raise KeyboardInterrupt
        return make(self, unit)

    options = asked(("one", 1, {}), ("two", 1, {}))
    whole = run(workspace, target=4, options=options)
    told: list[DatasetReport] = []
    with Workspace.create(workspace.root.parent / "other") as other:
        add(other, TEXTS)
        monkeypatch.setattr(Pairs, "block", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(other, target=4, options=options, on_partial=told.append)
        partial = dataset_folder.dataset_info(told[0].path)
        assert (partial.records, partial.card["stopped"]) == (1, "interrupted")
        assert lineage.artifact(other.db, partial.id).kind == "dataset"
        monkeypatch.setattr(Pairs, "block", make)
        assert run(other, target=4, options=options).sha256 == whole.sha256


def test_what_a_part_cannot_fill_goes_to_the_others() -> None:
    assert quotas([3, 1], [10, 10], 8) == [6, 2]
    assert quotas([3, 1], [4, 10], 8) == [4, 4]
    assert quotas([1, 1, 1], [5, 5, 5], 4) == [2, 1, 1]
    assert quotas([1, 0], [0, 2], 5) == [0, 2]


@pytest.mark.usefixtures("methods")
def test_nonsense_in_the_middle_stops_and_keeps_what_was_good(workspace: Workspace) -> None:
    told: list[DatasetReport] = []
    options = asked(("one", 1, {"bad": 9}))
    with pytest.raises(YieldTooLow, match=r"of one gave .* `drafts`"):
        run(workspace, options=options, on_partial=told.append)
    assert (told[0].stopped, told[0].records) == ("yield", 9)
    # Without a floor the same run goes on to its end.
    assert run(workspace, options=options, limits=Limits(floor=0)).records == 9


@pytest.mark.usefixtures("methods")
def test_a_method_that_dries_up_is_named_and_the_others_fill_its_place(
    workspace: Workspace,
) -> None:
    options = replace(asked(("two", 1, {"bad": 3}), ("one", 1, {})), bounded=True)
    report = run(workspace, target=30, options=options)
    assert (report.whole, report.records) == (True, 30)
    assert dict(report.good) == {"two": 3, "one": 57}
    assert "`drafts`" in report.dried["two"]
    again = run(workspace, target=30, options=options)
    assert (again.repeated, again.dried) == (True, report.dried)


@pytest.mark.usefixtures("methods")
def test_a_run_that_is_cut_off_while_it_fills_goes_on_to_the_same_items(
    workspace: Workspace,
) -> None:
    options = replace(asked(("two", 1, {"bad": 3}), ("one", 1, {})), bounded=True)
    cancel = threading.Event()

    def tell(event: ProgressEvent) -> None:
        if event.stage == "generating one" and event.done > 40:
            cancel.set()

    first = run(workspace, target=30, options=options, cancel=cancel, progress=tell)
    assert (first.stopped, first.whole) == ("cancelled", False)
    report = run(workspace, target=30, options=options)
    with Workspace.create(workspace.root.parent / "other") as other:
        add(other, TEXTS)
        assert run(other, target=30, options=options).sha256 == report.sha256


@pytest.mark.usefixtures("methods")
def test_what_no_method_can_fill_is_told_and_can_be_gone_on_with(workspace: Workspace) -> None:
    options = asked(("two", 1, {"bad": 3}), ("one", 1, {"bad": 5}))
    report = run(workspace, target=30, options=options)
    assert (report.stopped, report.whole, report.records) == ("yield", False, 8)
    assert set(report.dried) == {"one", "two"}
    card = (report.path / "README.md").read_text(encoding="utf-8")
    assert "same command with `--floor 0` goes on" in card
    rest = run(workspace, target=30, options=options, limits=Limits(floor=0))
    assert (rest.whole, rest.records) == (True, 8)
    assert set(rest.spent) == {"one", "two"}


# ---- bad input -----------------------------------------------------------------------------


def test_a_model_that_answers_nonsense_is_stopped(tmp_path: Path) -> None:
    class Nonsense(ScriptedModel):
        def score(
            self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
        ) -> list[LogLikelihood]:
            return [LogLikelihood(0.0, 4) for _ in pairs]  # everything is known anyway

    with Workspace.create(tmp_path / "space") as space:
        add(space, TEXTS)
        with pytest.raises(YieldTooLow, match="`grade trivia`"):
            run(space, scorer=Nonsense())
        assert lineage.artifacts(space.db, "dataset") == []


def test_the_error_names_what_dropped_all_records(workspace: Workspace) -> None:
    class Known(ScriptedModel):
        def score(
            self, pairs: Sequence[tuple[str, str]], *, adapter: str | None = None
        ) -> list[LogLikelihood]:
            return [LogLikelihood(0.0, 4) for _ in pairs]  # everything is known anyway

    with pytest.raises(YieldTooLow) as caught:
        run(workspace, scorer=Known(), limits=Limits(floor=0))
    losses = caught.value.what.partition("Dropped: ")[2]
    many = [int(number) for number in re.findall(r"(?:^|; )[\w :/]+? (\d+)", losses)]
    assert "grade trivia" in losses
    assert len(many) == len(losses.split("; "))
    assert many == sorted(many, reverse=True)
    assert "grade trivia" in (caught.value.fix or "")


@pytest.mark.parametrize(
    ("texts", "language", "error"),
    [
        ([], "en", InputEmpty),
        (["Yes.", "No.", "Hm."], "en", YieldTooLow),
        (["\u200b", "...", "———"], "zh", YieldTooLow),
    ],
)
def test_nothing_to_work_on_is_told(
    tmp_path: Path, texts: list[str], language: str, error: type[Exception]
) -> None:
    with Workspace.create(tmp_path / "space") as space:
        if texts:
            add(space, texts, language)
        with pytest.raises(error):
            run(space)


def test_three_lines_are_enough(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "space") as space:
        add(space, TEXTS[:3])
        report = run(space, target=5)
    assert 0 < report.records < 30
    assert report.passages["used"] == 3


def test_mixed_languages_keep_theirs(tmp_path: Path) -> None:
    chinese = [
        f"第{n}号泵重 {n + 3} 公斤。每 {n + 2} 周清洗一次第{n}号泵的滤网。" for n in range(9)
    ]
    with Workspace.create(tmp_path / "space") as space:
        add(space, TEXTS[:9])
        add(space, chinese, "zh", "b.md")
        report = run(space)
        records = dataset_folder.read_dataset(report.path)
    assert {item.language for item in records} == {"en", "zh"}
    assert all(grade.passed for item in records for grade in item.grades)


def test_one_line_of_ten_megabytes(tmp_path: Path) -> None:
    line = "The amber pump weighs 3 kg and the violet valve needs 17 screws. " * 160_000
    with Workspace.create(tmp_path / "space") as space:
        add(space, TEXTS[:8])
        # As the splitter cuts it; whole sentences, so that the pieces repeat each other.
        add(space, [line[at : at + 6500] for at in range(0, len(line), 6500)], path="line.txt")
        report = run(space, target=5)
        records = dataset_folder.read_dataset(report.path)
    assert report.records > 0
    assert report.passages["copies"] >= 1599
    assert max(len(item.input) for item in records) < 10_000
