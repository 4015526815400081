"""Personal data: found where it is, left alone where it only looks like it, masked once."""

from __future__ import annotations

import gzip
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domainsmith.chains.grading import checksums
from domainsmith.chains.grading.private_data import find_private, mask_private

IBANS = ("DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "FR1420041010050500013M02606")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def chinese_id(source: random.Random) -> str:
    body = (
        source.choice(("110105", "310115", "440305", "330106"))
        + str(source.randint(1950, 2005))
        + f"{source.randint(1, 12):02}{source.randint(1, 28):02}{source.randint(0, 999):03}"
    )
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def card(source: random.Random) -> str:
    body = source.choice(("4", "51", "6217")) + "".join(source.choices("0123456789", k=20))
    body = body[:15]
    last = next(digit for digit in "0123456789" if checksums.luhn(body + digit))
    digits = body + last
    return (
        " ".join(digits[at : at + 4] for at in range(0, 16, 4)) if source.random() < 0.5 else digits
    )


def made(seed: int) -> list[tuple[str, str, str]]:
    """Sentences with one piece of personal data each: (kind, sentence, the piece)."""
    source = random.Random(seed)
    pick = source.choice

    def digits(many: int) -> str:
        return pick("23456789") + "".join(source.choices("0123456789", k=many - 1))

    name = pick(("li.wei", "anna.berg", "j_smith82", "zhao+lists"))
    pieces = [
        ("EMAIL", f"{name}@{pick(('mailbox.org', 'qq.com', 'uni-bonn.de'))}"),
        ("PHONE", f"1{pick('35789')}{digits(9)}"),
        ("PHONE", f"+86 1{pick('35789')}9 {digits(4)} {digits(4)}"),
        ("PHONE", f"+49 {digits(3)} {digits(7)}"),
        ("PHONE", f"(0{digits(2)}) {pick('2345678')}{digits(7)}"),
        ("PHONE", f"({digits(3)}) {digits(3)}-{digits(4)}"),
        ("ID_NUMBER", chinese_id(source)),
        ("ID_NUMBER", f"2{digits(2)}-4{digits(1)}-{digits(4)}"),
        ("CARD", card(source)),
        ("IBAN", pick(IBANS)),
        ("IP", ".".join(str(source.randint(50, 99)) for _ in range(4))),
        ("API_KEY", "AKIA" + "".join(source.choices("ABCDEFGHJKLMNPQRSTUVWXYZ234567", k=16))),
        ("TOKEN", "ghp_" + "".join(source.choices("abcdefABCDEF0123456789", k=36))),
    ]  # fmt: skip
    frames = (
        "Write to {} for more.",
        "联系人的信息是{}，请保密。",
        "{}",
        "His data ({}) stand here.",
    )
    return [(kind, pick(frames).format(piece), piece) for kind, piece in pieces]


def test_every_made_piece_is_found_with_its_kind() -> None:
    lost = [
        (kind, sentence)
        for seed in range(60)
        for kind, sentence, piece in made(seed)
        if [(item.kind, item.text) for item in find_private(sentence)] != [(kind, piece)]
    ]
    # A random number can be that of a hotline or of a made-up person (555-01xx): at most 1 %.
    assert len(lost) <= 0.01 * 60 * 13, lost[:5]


@pytest.mark.parametrize(
    "text",
    [
        "Write to service@oskavel.example or support@firma.de.",
        "Call 0800 123 4567 or 400-810-8888.",
        "The router has 192.168.1.1, the loopback is 127.0.0.1, see section 8.1.2.3.",
        "Firmware version 93.184.216.34 was withdrawn; v81.20.3.1 was not.",
        "The part number is 13812-345, the order 20190412-77, the price 1,234,567.89.",
        "Between 2019-2020 and on 2021-03-14 at 12:30:45 the value was 3.14159265358.",
        "身份证号码共 18 位；110105194912310021 的校验码不对。",
        "The card 4111 1111 1111 1112 has a wrong check digit.",
        "The account DE88 3704 0044 0532 0130 00 does not exist.",
        "A password is required; the password is required to be long.",
        "第十三条 罚款 15000 元，编号 OSK-4417，件号 OSK-9915。",
        "use std::vector<int> and a::b::c, isbn 978-3-16-148410-0",
        "pip install package@1.2.3, @dataclass, a@b",
        "id 65264b50-696b-4a33-ab5b-16210448870f and b12e-018-7045192b; x = -16666579378",
        "-0.004032258,0.2125,-0.001088933 and 157.240.0.0/16 for ftp://user:password@host",
        "The account 00125648 is closed.",
        "Table: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert find_private(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("密码是abc12345，请勿外传", "PASSWORD"),
        ("password: hunter2!x", "PASSWORD"),
        ("postgres://anna:s3cret@db/x", "PASSWORD"),
        ("Authorization: Bearer abcdefghij1234567890xyz", "TOKEN"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "PRIVATE_KEY"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\ncut off", "PRIVATE_KEY"),
        ("电话：０１０－６２３４５６７８转", "PHONE"),
        ("SSN 219 09 9999", "ID_NUMBER"),
        ("2a00:1450:4001:81b::200e", "IP"),
        ("sk-proj-abc123def456ghi789jkl012", "API_KEY"),
    ],
)
def test_other_forms(text: str, kind: str) -> None:
    assert [item.kind for item in find_private(text)] == [kind]
    assert f"[{kind}]" in mask_private(text).text


def test_an_allowed_value_stays() -> None:
    text = "Ask li.wei@qq.com, anna@firma.de or 138 1234 5678."
    kept = mask_private(text, allow=["@firma.de", "13812345678"])
    assert kept.text == "Ask [EMAIL], anna@firma.de or 138 1234 5678."
    assert kept.counts == Counter(EMAIL=1)


PIECES = st.sampled_from([piece for seed in range(6) for _, _, piece in made(seed)])
WORDS = st.text(alphabet="ab1 2-3.@+:()/\n密码电话pwd=x[]", max_size=12)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.one_of(PIECES, WORDS), max_size=8))
def test_masking_twice_is_masking_once(parts: list[str]) -> None:
    masked = mask_private("".join(parts))
    assert mask_private(masked.text).text == masked.text
    assert find_private(masked.text) == []


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    masked = mask_private(text)
    assert mask_private(masked.text).text == masked.text


def test_check_digits() -> None:
    assert checksums.is_chinese_id("11010519491231002X")
    assert not checksums.is_chinese_id("110105194912310021")
    assert checksums.is_iban("GB82 WEST 1234 5698 7654 32")
    assert not checksums.is_iban("GB82 WEST 1234 5698 7654 33")
    assert checksums.is_card("5500 0000 0000 0004")
    assert not checksums.is_us_social_security("666-12-3456")


DATA = Path(os.environ.get("DOMAINSMITH_DATA", "../shared/data"))


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no data sets in {DATA} (DOMAINSMITH_DATA)")
@pytest.mark.parametrize(
    ("name", "most"), [("zh_legal_stard/corpus.jsonl.gz", 0), ("en_covidqa/docs.jsonl.gz", 4)]
)
def test_statutes_and_papers_give_no_false_alarm(name: str, most: int) -> None:
    """Statutes name nobody; the papers hold a few real addresses of their authors."""
    with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
        texts = [line for _, line in zip(range(3000), lines, strict=False)]
    found = [item for text in texts for item in find_private(text[:20_000])]
    assert len(found) <= most, found
    assert {item.kind for item in found} <= {"EMAIL", "PHONE"}
