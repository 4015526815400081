"""Forms of keys, tokens and passwords that should never be learned by heart."""

from __future__ import annotations

import re

__all__ = ["SECRETS"]

_LABEL = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret(?:[_ -]?key)?|api[_ -]?key"
    r"|access[_ -]?(?:key|token)|auth[_ -]?token|client[_ -]?secret)"
)
# A value counts only if no word looks like it: digits and letters, or a sign within.
_SIGN = r"[A-Za-z0-9!#$%&()*+./:=?@^_~-]"
_END = r"[A-Za-z0-9!#$%&*+/=@^_~-]"
_VALUE = rf"(?P<value>(?={_SIGN}*\d)(?={_SIGN}*[A-Za-z!@#$%^&*]){_SIGN}{{5,79}}{_END})"
_BEARER = re.compile(r"\bBearer\s+(?P<value>[A-Za-z0-9._~+/-]{20,}=*)", re.IGNORECASE)

SECRETS: tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, flags | re.ASCII), re.compile(hint, flags))
    for kind, pattern, flags, hint in (
        ("PRIVATE_KEY",
         r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
         r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)", 0, "PRIVATE KEY"),
        ("API_KEY",
         r"(?<![A-Za-z0-9_-])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}"
         r"|LTAI[0-9A-Za-z]{12,20}|sk-(?=[A-Za-z_-]{0,40}\d)[A-Za-z0-9_-]{20,200}"
         r"|[sr]k_(?:live|test)_[0-9A-Za-z]{16,99}|SG\.[\w-]{16,32}\.[\w-]{16,64})(?![A-Za-z0-9_-])",
         0, r"AKIA|ASIA|AIza|LTAI|sk-|k_live|k_test|SG\."),
        ("TOKEN",
         r"(?<![A-Za-z0-9_-])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}"
         r"|glpat-[\w-]{20,64}|hf_[A-Za-z0-9]{30,64}|xox[abeoprs]-[A-Za-z0-9-]{10,250}"
         r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,250}"
         r"|eyJ[\w-]{8,}\.eyJ[\w-]{4,}\.[\w-]{5,})(?![A-Za-z0-9_-])",
         0, r"gh[pousr]_|github_pat_|glpat-|hf_|xox|npm_|pypi-|eyJ"),
        ("TOKEN", _BEARER.pattern, re.IGNORECASE, "bearer"),
        ("PASSWORD",
         r"(?<=://)[^\s/:@]{1,64}:(?P<value>(?!\[|pass|pwd|secret|xxx|\*)[^\s/@]{3,64})(?=@)",
         0, "://"),
        ("PASSWORD",
         rf"(?<![A-Za-z]){_LABEL}\b[\"']?(?:\s*[:=]\s*|\s+(?:is|was)\s+)[\"'`]?{_VALUE}",
         re.IGNORECASE, "pass|pwd|secret|key|token"),
        ("PASSWORD", rf"(?:密码|口令|密钥)(?:\s*[:=]\s*|[是为]\s*)[\"'“]?{_VALUE}", 0,
         "密码|口令|密钥"),
    )
)  # fmt: skip
"""Kind, pattern and what a text must hold for the pattern to be tried. A group ``value`` is the
secret itself, where the pattern holds more."""
