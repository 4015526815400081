"""The little Chinese grammar that sentence forms need: verbs, subjects, full stops."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["end_zh", "lacks_subject", "names_something", "says_something", "tagged"]

_VERBS = frozenset(("v", "vd", "vi", "vg", "vq", "i", "l"))
_OPENERS = frozenset(("v", "vn", "vd", "vi", "p", "d", "vg"))
_NAMES = frozenset(("nr", "ns", "nt", "nz", "nrt", "nrfg", "eng"))
_NOT_VERBS = frozenset(["以后", "之后", "以前", "之前", "有关", "作为", "成", "死后", "可能"])
_MODIFIER = re.compile(r"[^，；：]*?(?:的|之)(?=[^，；：])")


@lru_cache(maxsize=4096)
def tagged(text: str) -> tuple[tuple[str, str], ...]:
    """Cut a text into words with their kinds, as jieba names them (``v``, ``n``, ``p``, ...).

    Args:
        text: Chinese.
    """
    import rjieba

    return tuple((word, tag) for word, tag in rjieba.tag(text))


def says_something(clause: str) -> bool:
    """Tell whether a clause has a verb of its own, outside the words before 的.

    Args:
        clause: Without commas.
    """
    bare = _MODIFIER.sub("", re.sub(r"《[^》]*》|“[^”]*”|「[^」]*」", "", clause))
    return any(tag in _VERBS and word not in _NOT_VERBS for word, tag in tagged(bare))


def names_something(text: str) -> bool:
    """Tell whether a text names a person, a place, a body, a title, or something in Latin letters.

    Args:
        text: Chinese.
    """
    return "《" in text or any(tag in _NAMES for _, tag in tagged(text))


def lacks_subject(clause: str) -> bool:
    """Tell whether a clause begins with a verb, or what goes with one: its subject is left out.

    Args:
        clause: From its beginning on.
    """
    words = tagged(clause)
    if not words or words[0][1] not in _OPENERS:
        return False
    # "生活" is a noun where another verb follows, "在" opens a place that a subject may follow.
    if words[0][1] == "p":
        return words[0][0] in {"由", "被", "以", "于", "与", "为"}
    return words[0][1] != "vn" or (len(words) > 1 and words[1][1] in {"p", "v"})


def end_zh(text: str) -> str:
    """End an answer with one full stop.

    Args:
        text: Words of a sentence.
    """
    return text.strip().rstrip("。；，：,.;、 ") + "。"
