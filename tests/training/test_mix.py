"""The general mix: all forms of sets read, bad lines named, the share reached and stated."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from domainsmith.errors import InputEmpty, InputInvalid, InputNotFound
from domainsmith.model_io.messages import record_messages
from domainsmith.records import Question, Record
from domainsmith.training.general_set import GeneralSet, read_general_set
from domainsmith.training.mix import mix_general

DATA = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))


def tokens(record: Record) -> int:
    return len(record.instruction) + len(record.output)


def domain(many: int, language: str = "en") -> list[Record]:
    text = "What is the weight of part {}?" if language == "en" else "第{}号零件有多重？"
    return [
        Record.model_validate(
            {
                "instruction": text.format(at),
                "output": f"{at} kg." if language == "en" else f"{at} 公斤。",
                "language": language,
                "method": "self_qa/pattern",
                "model": "code",
            }
        )
        for at in range(many)
    ]


def written(folder: Path, name: str, text: str | bytes) -> GeneralSet:
    path = folder / name
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return read_general_set(path)


def alpaca(many: int, language: str = "en") -> str:
    words = "Name thing number {}" if language == "en" else "请说出第{}样东西的名字"
    answer = "It is called thing {}." if language == "en" else "它叫第{}样东西。"
    rows = [{"instruction": words.format(i), "output": answer.format(i)} for i in range(many)]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


ROWS: list[tuple[dict[str, Any], tuple[str, str, int]]] = [
    ({"instruction": "Add.", "input": "1 and 2", "output": "3"}, ("Add.\n\n1 and 2", "3", 0)),
    ({"prompt": "Hi?", "response": "Hello.", "system": "Be kind."}, ("Hi?", "Hello.", 0)),
    ({"instruction": "More.", "output": "Yes.", "history": [["a", "b"]]}, ("More.", "Yes.", 1)),
    (
        {"conversations": [{"from": "human", "value": "A"}, {"from": "gpt", "value": "B"},
                           {"from": "human", "value": "C"}, {"from": "gpt", "value": "D"}]},
        ("C", "D", 1),
    ),
    (
        {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "A"},
                      {"role": "assistant", "content": [{"type": "text", "text": "B"}]}]},
        ("A", "B", 0),
    ),
    ({"instruction": "Sort.", "instances": [{"input": "b a", "output": "a b"}]},
     ("Sort.\n\nb a", "a b", 0)),
    ({"prompt": "Below is an instruction that describes a task. Write.\n\n### Instruction:\nDo it."
                "\n\n### Response:\n", "response": "Done."}, ("Do it.", "Done.", 0)),
]  # fmt: skip


@pytest.mark.parametrize(("row", "read"), ROWS)
def test_every_form_is_read(
    row: dict[str, Any], read: tuple[str, str, int], tmp_path: Path
) -> None:
    [record] = written(tmp_path, "a.jsonl", json.dumps(row)).records
    assert (record.instruction, record.output, len(record.history)) == read
    assert record.method == "general/a"
    assert record.system  # never the expert's, which tells to refuse
    assert record_messages(record)[0].content == record.system


def test_arrays_and_tables_are_read(tmp_path: Path) -> None:
    rows = [{"instruction": "Say\u2028hi.", "output": "Hi."}] * 2
    assert len(written(tmp_path, "a.json", json.dumps(rows)).records) == 2
    assert len(written(tmp_path, "b.json", json.dumps({"data": rows})).records) == 2
    raw = "\ufeff" + "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\r\n"
    assert len(written(tmp_path, "c.jsonl", raw).records) == 2
    table = 'question,answer\n"What, then?","One\ntwo"\nWhy?\nWho?,Me\n'
    found = written(tmp_path, "d.csv", table)
    assert [record.output for record in found.records] == ["One\ntwo", "Me"]
    assert [(item.line, item.reason) for item in found.bad] == [
        (4, "not as many cells as the header")
    ]


def test_every_bad_line_is_told_with_its_number(tmp_path: Path) -> None:
    lines = [
        json.dumps({"instruction": "Good.", "output": "Yes."}).encode(),
        b"{broken",
        b"",
        json.dumps([1]).encode(),
        json.dumps({"text": "x"}).encode(),
        json.dumps({"instruction": "x", "output": ""}).encode(),
        json.dumps({"instruction": "I am {{name}}", "output": "x"}).encode(),
        json.dumps({"conversations": [{"from": "function_call", "value": "{}"}]}).encode(),
        json.dumps({"conversations": [{"from": "gpt", "value": "x"}]}).encode(),
        json.dumps({"messages": "no"}).encode(),
        json.dumps({"messages": [{"role": "user", "content": "a"}], "label": False}).encode(),
        json.dumps({"instruction": 3, "output": "x"}).encode(),
        b'{"instruction": "\xff\xfe", "output": "x"}',
    ]
    found = written(tmp_path, "a.jsonl", b"\n".join(lines))
    assert len(found.records) == 1
    assert [item.line for item in found.bad] == [2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    assert all(item.reason for item in found.bad)
    with pytest.raises(InputEmpty, match="line 1"):
        written(tmp_path, "b.jsonl", "{broken\n")
    with pytest.raises(InputEmpty):
        written(tmp_path, "c.json", "[1, 2")
    with pytest.raises(InputNotFound):
        read_general_set(tmp_path / "none.jsonl")


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.5])
def test_the_share_is_reached_within_a_record(share: float, tmp_path: Path) -> None:
    general = written(tmp_path, "a.jsonl", alpaca(400))
    done = mix_general(domain(200), general, share=share, count_tokens=tokens, seed=1)
    longest = max(tokens(record) for record in general.records)
    assert abs(done.report.reached - share) <= longest / done.report.domain_tokens
    assert done.report.general_records == len(done.records) - 200
    kept = [record for record in done.records if record.method == "self_qa/pattern"]
    assert kept == domain(200)
    assert done.report.general_tokens == sum(
        tokens(record) for record in done.records if record.method != "self_qa/pattern"
    )


def test_each_language_gets_its_part_and_a_lack_is_stated(tmp_path: Path) -> None:
    general = written(tmp_path, "a.jsonl", alpaca(300) + "\n" + alpaca(8, "zh"))
    both = domain(100) + domain(100, "zh")
    done = mix_general(both, general, share=0.3, count_tokens=tokens, seed=1)
    report = done.report
    assert report.languages["zh"] < report.wanted["zh"]
    assert report.languages["en"] == pytest.approx(report.wanted["en"], rel=0.05)
    assert report.reached < 0.3


def test_the_seed_decides_and_spreads(tmp_path: Path) -> None:
    general = written(tmp_path, "a.jsonl", alpaca(300))
    one, again, other = (
        mix_general(domain(60), general, share=0.3, count_tokens=tokens, seed=seed)
        for seed in (1, 1, 2)
    )
    assert one == again
    assert one.records != other.records
    half = one.records[: len(one.records) // 2]
    added = sum(record.method.startswith("general") for record in half)
    assert abs(added - one.report.general_records / 2) <= 1


def test_leaks_copies_and_the_unfit_are_dropped_and_counted(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Which valve closes the inlet of the tank?", "output": "The red one."},
        {"instruction": "What is the weight of part 3?", "output": "3 kg."},
        {"instruction": "Write me a long poem.", "output": "la " * 400},
        {"instruction": "Mail somebody.", "output": "bad"},
        {"instruction": "Say good day.", "output": "Good day."},
    ]
    text = "\n".join(json.dumps(row) for row in [*rows, rows[-1]])
    general = written(tmp_path, "a.jsonl", text)
    question = Question(
        key="q1", question="which valve closes the inlet of the tank", answer="Red.", language="en"
    )
    done = mix_general(
        domain(50),
        general,
        share=0.9,
        count_tokens=tokens,
        seed=1,
        questions=[question],
        max_tokens=900,
        admit=lambda record: None if record.output == "bad" else record,
    )
    assert done.report.dropped == {
        "exact copy": 2,
        "graded bad": 1,
        "leakage question": 1,
        "too long": 1,
    }
    assert done.report.general_records == 1


def test_a_bad_share_is_refused(tmp_path: Path) -> None:
    general = written(tmp_path, "a.jsonl", alpaca(3))
    with pytest.raises(InputInvalid):
        mix_general(domain(3), general, share=1.0, count_tokens=tokens, seed=1)
    with pytest.raises(InputInvalid):
        mix_general([], general, share=0.1, count_tokens=tokens, seed=1)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no data sets in {DATA} (DOMAINSMITH_DATA)")
@pytest.mark.parametrize(
    ("name", "usable", "bad"),
    [
        ("instr_pref_llamafactory/alpaca_en_demo.jsonl", 999, 0),
        ("instr_pref_llamafactory/alpaca_zh_demo.jsonl", 1000, 0),
        ("instr_pref_llamafactory/identity.jsonl", 6, 85),
        ("instr_pref_llamafactory/dpo_zh_demo.jsonl", 300, 0),
        ("instr_dolly_hhrlhf/dolly_hhrlhf_train_small.jsonl", 1000, 0),
        ("instr_belle_zh/zh_seed_tasks.jsonl", 175, 0),
    ],
)
def test_real_sets_are_read(name: str, usable: int, bad: int) -> None:
    found = read_general_set(DATA / name)
    assert (len(found.records), len(found.bad)) == (usable, bad)
