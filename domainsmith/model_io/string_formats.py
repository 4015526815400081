"""Patterns of JSON Schema's string formats: what matches is valid."""

from __future__ import annotations

__all__ = ["FORMAT_PATTERNS"]

_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_HEX = "[0-9a-f]"
# The 29th of February is left out: whether it exists depends on the year.
_DATE = (
    "[12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    "|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = f"{_CLOCK}:[0-5][0-9](Z|[+-]{_CLOCK})"
# Open repetitions cost one state each, counted ones a state a count and much time to compile: these
# texts may end after any character, so a bound while decoding is enough.
_LABEL = "[A-Za-z0-9]+(-[A-Za-z0-9]+)*"
_HOST = rf"{_LABEL}(\.{_LABEL}){{0,3}}"
_MAILBOX = r"[A-Za-z_]+(\.[A-Za-z_]+){0,2}[0-9]{0,4}"
_PATH = r"(/[A-Za-z0-9._~-]+)*/?(\?[A-Za-z0-9._~=&-]+)?"

FORMAT_PATTERNS = {
    "date": f"^{_DATE}$",
    "time": f"^{_TIME}$",
    "date-time": f"^{_DATE}T{_TIME}$",
    "duration": r"^P([0-9]{1,4}[YMWD]|[0-9]{1,4}DT[0-9]{1,4}[HMS]|T[0-9]{1,4}[HMS])$",
    "email": rf"^{_MAILBOX}@[A-Za-z0-9]+(-[A-Za-z0-9]+)?(\.[A-Za-z]+){{1,2}}$",
    "hostname": f"^{_HOST}$",
    "ipv4": rf"^{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}$",
    "ipv6": f"^(({_HEX}{{1,4}}:){{7}}{_HEX}{{1,4}}|({_HEX}{{1,4}}:){{1,6}}:{_HEX}{{1,4}})$",
    "uri": rf"^(https?|ftp)://{_HOST}(:[1-9][0-9]{{1,3}})?{_PATH}$",
    "uuid": f"^{_HEX}{{8}}-{_HEX}{{4}}-[1-5]{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}$",
}
"""By format name; other formats are notes only, as JSON Schema has it."""
