"""Type numbers and codes in one form: "QX-20", "QX 20" and "QX20" are one thing."""

from __future__ import annotations

import re

from domainsmith.data_connection.language import normalise_width

__all__ = ["codes"]

_CODE = re.compile(r"(?<![A-Za-z\d])(?:[A-Za-z]{1,5}-?|[A-Z]{1,5}[ _])\d+[A-Za-z\d]*(?![A-Za-z\d])")


def codes(text: str) -> set[str]:
    """Return the codes of a text, such as ``qx20``; a row that has QX and 20 apart has none."""
    return {re.sub(r"[^a-z\d]", "", code.lower()) for code in _CODE.findall(normalise_width(text))}
