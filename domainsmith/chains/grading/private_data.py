"""Personal data and secrets in texts: found by exact patterns and checks, replaced by their kind.

What can be checked is checked (check digits, ranges, issuers); what cannot (a telephone number
without a country code) needs a form that nothing else has, or a word such as "tel." before it.
Addresses that speak for an office (``service@``), reserved names (``example.com``), toll-free
numbers and private networks belong to nobody and stay, because a manual is useless without them.
Names, postal addresses and dates of birth are not looked for: no pattern tells a customer's name
from that of an author.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from domainsmith.chains.grading.checksums import (
    is_card,
    is_chinese_id,
    is_iban,
    is_personal_ip,
    is_us_social_security,
)
from domainsmith.chains.grading.secrets import SECRETS
from domainsmith.data_connection.language import normalise_width

__all__ = ["MASK", "Find", "Masked", "find_private", "mask_private"]

MASK = re.compile(r"\[(?:EMAIL|PHONE|ID_NUMBER|CARD|IBAN|IP|API_KEY|TOKEN|PRIVATE_KEY|PASSWORD)\]")
"""What stands where something was masked."""


@dataclass(frozen=True)
class Find:
    """One piece of personal data.

    Args:
        kind: ``EMAIL``, ``PHONE``, ``ID_NUMBER``, ``CARD``, ``IBAN``, ``IP``, ``API_KEY``,
            ``TOKEN``, ``PRIVATE_KEY`` or ``PASSWORD``.
        start: Offset of its first character.
        end: Offset past its last one.
        text: As it stands.
    """

    kind: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Masked:
    """A text without personal data.

    Args:
        text: With ``[EMAIL]`` and so on in the places.
        counts: Places by kind.
    """

    text: str
    counts: Counter[str] = field(default_factory=Counter)


_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+@-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9@-])"
)
_RESERVED = re.compile(
    r"(?:^|[@.])(?:example\.(?:com|org|net|edu)|[a-z0-9-]+\.(?:example|test|invalid|localhost))$"
)
_OFFICE = re.compile(
    r"(?:info|contact|service|services|support|help|helpdesk|sales|office|press|media|hello|admin"
    r"|webmaster|postmaster|hostmaster|abuse|security|privacy|legal|billing|accounts|orders|order"
    r"|returns|parts|claims|warranty|feedback|enquiries|inquiries|reception|team|jobs|careers|hr"
    r"|newsletter|noreply|no-reply|donotreply|customer(?:[._-]?(?:care|service|services))?|git"
    r"|kefu|fuwu|bench|care|hotline|repair|repairs|permissions?|editor|editors|editorial"
    r"|subscriptions?|reprints?|library|archive|list|majordomo)(?:[._+-][a-z0-9-]{1,12})?@",
    re.IGNORECASE,
)
_CALL = (
    r"(?:tel(?:ephone|\.)?|phone|mobile|cell|fax|whatsapp|call(?: us)?(?: on| at)?|电话|手机号?码?"
    r"|传真|联系方式|致电|座机|微信)"
)
_PHONES = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        # Chinese mobile numbers, with or without the country code.
        r"(?<![A-Za-z0-9.])(?<![\d =(,][-/])(?:\+?86[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}"
        r"(?![A-Za-z0-9%]|[.-]\d)",
        # Chinese fixed lines with their area code.
        r"(?<![A-Za-z0-9.+-])(?:\(0\d{2,3}\) ?|0\d{2,3}-)[2-8]\d{6,7}(?:-\d{1,6})?"
        r"(?![A-Za-z0-9-])",
        # With a country code.
        r"(?<![\w+.,])(?<!\d[ -])(?:\+|00(?=[1-9](?:[ .()-]*\d){9}))"
        r"[1-9]\d{0,2}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?"
        r"(?:\d{1,5}[ .-]?){1,5}\d{2,5}(?![\w%]|[.-]\d)",
        # North America.
        r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[.-]\d{4}"
        r"(?![\w-]|\.\d)",
        # Anything of a number's length after a word that announces one.
        rf"(?:(?<![A-Za-z]){_CALL})(?: (?:no\.?|number))?\s*:?\s*"
        r"(?P<value>\(?\d[\d ()/.-]{5,18}\d)(?![\w%])",
    )
)
_TOLL_FREE = re.compile(
    r"^(?:\+?1)?(?:800|888|877|866|855|844|833)\d{7}$|^(?:\+?86)?[48]00\d{7}$"
    r"|^(?:\+\d{2}|00\d{2})?0?800\d{3,8}$|^0800\d{3,8}$|^\d{0,4}55501\d\d$"
)
_CHINESE_ID = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{16}[\dXx](?![0-9A-Za-z])", re.ASCII)
_US_ID = re.compile(r"(?<![\w.-])\d{3}-\d\d-\d{4}(?![\w-]|\.\d)", re.ASCII)
_US_ID_SAID = re.compile(
    r"(?:\bSSN|social security (?:number|no\.?))\W{0,3}(?:is )?(?P<value>\d{3}[- ]?\d\d[- ]?\d{4})"
    r"(?![\w-])",
    re.ASCII | re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){12,18}(?![\w-]|[.,]\d)", re.ASCII)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])",
    re.ASCII,
)
_IP4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|[./]\d)", re.ASCII)
_IP6 = re.compile(
    r"(?<![\w:.])[23][0-9a-fA-F]{3}:(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{0,4}(?![\w:])", re.ASCII
)
_VERSION = re.compile(
    r"(?:\bv|version|release|build|firmware|版本|第|§|section|no\.) ?$", re.IGNORECASE
)


def find_private(text: str, *, allow: Iterable[str] = ()) -> list[Find]:
    """Find personal data and secrets.

    Args:
        text: Any text.
        allow: What may stay: whole values (spaces, hyphens and case do not matter) or
            ``@domain`` for all addresses of a domain.

    Returns:
        Finds in the order of the text, none overlapping: of two that do, the kind that is
        checked more strictly stays.
    """
    allowed = _allowed(tuple(allow))
    found: list[Find] = []
    for item in _candidates(normalise_width(text)):  # one character for one: offsets stay
        if any(item.start < other.end and other.start < item.end for other in found):
            continue
        if not _is_allowed(item, allowed):
            found.append(item)
    return sorted(found, key=lambda item: item.start)


def mask_private(text: str, *, allow: Iterable[str] = ()) -> Masked:
    """Replace personal data and secrets by their kinds.

    Args:
        text: Any text.
        allow: As for :func:`find_private`.

    Returns:
        The text and what was replaced; masking it again changes nothing.
    """
    allow = tuple(allow)
    counts: Counter[str] = Counter()
    while found := find_private(text, allow=allow):
        pieces, at = [], 0
        for item in found:
            pieces += [text[at : item.start], f"[{item.kind}]"]
            at = item.end
            counts[item.kind] += 1
        text = "".join([*pieces, text[at:]])
    return Masked(text, counts)


def _candidates(text: str) -> Iterator[Find]:
    """Yield what looks like something, the strictest kinds first."""
    for kind, pattern, hint in SECRETS:
        if hint.search(text):
            yield from _matches(kind, pattern, text)
    if "@" in text:
        yield from _matches("EMAIL", _EMAIL, text, _is_personal_email)
    if not _has_number(text):
        return
    yield from _matches("ID_NUMBER", _CHINESE_ID, text, is_chinese_id)
    yield from _matches("IBAN", _IBAN, text, is_iban)
    yield from _matches("CARD", _CARD, text, is_card)
    yield from _matches("ID_NUMBER", _US_ID_SAID, text, is_us_social_security)
    yield from _matches("ID_NUMBER", _US_ID, text, is_us_social_security)
    yield from _matches("IP", _IP6, text, is_personal_ip)
    for item in _matches("IP", _IP4, text, is_personal_ip):
        if not _VERSION.search(text[max(0, item.start - 10) : item.start]):
            yield item
    for pattern in _PHONES:
        yield from _matches("PHONE", pattern, text, _is_personal_phone)


_NUMBER_LIKE = re.compile(r"\d(?:\D{0,2}\d){5}|[23][0-9a-fA-F]{3}:")


def _has_number(text: str) -> bool:
    return _NUMBER_LIKE.search(text) is not None


def _matches(
    kind: str, pattern: re.Pattern[str], text: str, check: Callable[[str], bool] | None = None
) -> Iterator[Find]:
    group: int | str = "value" if "value" in pattern.groupindex else 0
    for match in pattern.finditer(text):
        value = match[group]
        if check is None or check(value):
            yield Find(kind, match.start(group), match.end(group), value)


def _is_personal_email(value: str) -> bool:
    return not (_OFFICE.match(value) or _RESERVED.search(value.lower()))


def _is_personal_phone(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    if not 7 <= len(digits) <= 15 or len(set(digits)) < 3:
        return False
    # A run of years or a date ("2019-2020", "2019.03.12") is announced by "call" now and then.
    if re.fullmatch(r"(?:(?:19|20)\d\d[ /.-]+)+(?:19|20)?\d\d(?:[/.-]\d\d?)?", value):
        return False
    plus = "+" if value.startswith("+") else ""
    return _TOLL_FREE.match(plus + digits) is None


@cache
def _allowed(allow: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_plain(value) for value in allow if value.strip())


def _plain(value: str) -> str:
    return re.sub(r"[\s()./-]", "", value.strip()).casefold()


def _is_allowed(item: Find, allowed: frozenset[str]) -> bool:
    value = _plain(item.text)
    if value in allowed:
        return True
    return item.kind == "EMAIL" and value[value.index("@") :] in allowed
