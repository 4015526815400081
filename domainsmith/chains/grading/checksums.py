"""Check digits and ranges of numbers that belong to people and accounts."""

from __future__ import annotations

import ipaddress
import re

__all__ = [
    "is_card",
    "is_chinese_id",
    "is_iban",
    "is_personal_ip",
    "is_us_social_security",
    "luhn",
]

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# First digits and lengths by issuer: Visa, Mastercard (old, new), American Express, Diners, JCB,
# Discover, UnionPay. ISO/IEC 7812 fixes the check digit; the ranges are the issuers' own.
_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:2[2-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|5\d\d|4[4-9]\d)\d{12}"
    r"|62\d{14,17}"
)
# Characters of an IBAN by country, from the SWIFT registry.
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


def luhn(digits: str) -> bool:
    """Tell whether the last digit fits the others (ISO/IEC 7812, annex B).

    Args:
        digits: Digits alone.
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(text: str) -> bool:
    """Tell whether a text is the number of a payment card: issuer, length and check digit.

    Args:
        text: Digits, with single spaces or hyphens between groups.
    """
    digits = re.sub(r"[ -]", "", text)
    return _CARD.fullmatch(digits) is not None and luhn(digits) and len(set(digits)) > 1


def is_chinese_id(text: str) -> bool:
    """Tell whether a text is a Chinese citizen's number: date and check character (GB 11643).

    Args:
        text: 17 digits and a digit or X.
    """
    if re.fullmatch(r"[1-9]\d{16}[\dXx]", text) is None:
        return False
    year, month, day = int(text[6:10]), int(text[10:12]), int(text[12:14])
    if not (1880 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _ID_WEIGHTS, strict=False))
    return _ID_CHECKS[total % 11] == text[-1].upper()


def is_us_social_security(text: str) -> bool:
    """Tell whether a text is in the range of US social security numbers; they have no check digit.

    Args:
        text: ``AAA-GG-SSSS``, or the nine digits.
    """
    digits = text.replace("-", "").replace(" ", "")
    return (
        re.fullmatch(r"(?!000|666|9)\d{3}(?!00)\d\d(?!0000)\d{4}", digits) is not None
        and digits != "123456789"
        and len(set(digits)) > 1
    )


def is_iban(text: str) -> bool:
    """Tell whether a text is an international account number: length and check (ISO 13616).

    Args:
        text: Letters and digits, spaces between groups allowed.
    """
    joined = text.replace(" ", "").upper()
    if len(joined) != _IBAN_LENGTHS.get(joined[:2], 0) or not joined.isalnum():
        return False
    turned = joined[4:] + joined[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def is_personal_ip(text: str) -> bool:
    """Tell whether a text is an address that can belong to somebody's connection.

    Private, reserved and documentation ranges identify nobody. Four small numbers are more often
    a section or a version than an address, so ``1.2.3.4`` is none.

    Args:
        text: IPv4 or IPv6.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if address.version == 4:
        return address.is_global and max(address.packed) >= 30
    return address.is_global and text[0] in "23"
