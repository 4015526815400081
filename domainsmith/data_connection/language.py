"""Which language a text is in, its words, its search terms and its sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from domainsmith.data_connection.scripts_zh import simplified
from domainsmith.records import Language

__all__ = [
    "compact",
    "content_terms",
    "detect_language",
    "normalise_width",
    "search_terms",
    "tokenize",
]

_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_KANA = "\u3040-\u30ff"
_RUN = re.compile(
    rf"(?P<cjk>[{_CJK}{_KANA}]+)"
    rf"|(?P<number>\d+(?:[.,:]\d+)+|\d+(?!\d|(?![{_CJK}{_KANA}])[^\W\d_]))"
    rf"|(?P<word>(?:(?![{_CJK}{_KANA}])[^\W_])+(?:['’](?:(?![{_CJK}{_KANA}])[^\W_])+)*)"
)
_ASCII_RUN = re.compile(r"\d+(?:[.,:]\d+)+|\d+(?![a-z\d])|[a-z\d]+(?:'[a-z\d]+)*", re.ASCII)
"""What :data:`_RUN` finds in lower-cased plain English, in a third of the time."""
_CJK_CHARACTER = re.compile(rf"[{_CJK}]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_MEASURED = re.compile(r"(\d+)([a-z]{1,3})")
# In ASCII a word ends before a Han character too: "E-21是什么".
_CODE_APART = re.compile(r"\b[a-z]{1,4}[-_ /.]\d+[a-z0-9]*\b|\b\d+[- ][a-z]\b", re.ASCII)

# Full-width forms are what Chinese keyboards type: "Ｅ２１" must find "E21".
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

_STOP_EN = frozenset(
    re.findall(
        r"\S+",
        "a about after all also am an and any are as at be because been before being but by "
        "can could did do does doing done for from get give had has have having he her here "
        "him his how i if in into is it its just let me mean means more most much my no nor "
        "not of on once only or other our out over own please s same shall she should so some "
        "such t tell than that the their them then there these they this those through to too "
        "under until up us very was we were what when where which while who whom whose why "
        "will with would you your yours many long often ",
    )
)
_STOP_ZH = frozenset(
    re.findall(
        r"\S+",
        "的 了 和 是 在 有 我 你 您 他 她 它 我们 你们 他们 这 那 这个 那个 哪 哪个 哪些 哪里 "
        "什么 怎么 怎样 怎么办 如何 为什么 为何 吗 呢 吧 啊 么 多少 几 请问 请 可以 能 能否 "
        "能不能 会 要 应 应该 需要 就 都 也 还 与 或 及 以及 并 而 但 被 把 对 从 到 于 之 其 "
        "上 下 中 里 时 时候 后 前 一个 一种 个 是否 不 没有 没 让 给 用 由 为 如果 应当 该 "
        "多久 多长 是什么",
    )
)


def normalise_width(text: str) -> str:
    """Turn full-width ASCII forms into plain ones; other characters stay."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def _plain(text: str) -> str:
    """Lower-case a text, in half-width forms and simplified characters."""
    return simplified(normalise_width(text).lower())


def compact(text: str) -> str:
    """Return a text lower-cased, without white space, punctuation or Markdown marks."""
    return re.sub(r"[\W_]+", "", normalise_width(text).lower())


def detect_language(text: str) -> Language:
    """Tell English and Chinese text apart.

    Args:
        text: Any text; only the first 20,000 characters are looked at.

    Returns:
        ``zh`` if there are at least half as many Han characters as Latin words, else ``en``.
    """
    sample = text[:20_000]
    han = len(_CJK_CHARACTER.findall(sample))
    if not han:
        return "en"
    words = sum(1 for word in _WORD.findall(sample) if not _CJK_CHARACTER.search(word))
    return "zh" if han * 2 >= words else "en"


@lru_cache(maxsize=1)
def _cut() -> Callable[..., list[str]]:
    import rjieba

    cut: Callable[..., list[str]] = rjieba.cut
    return cut


def _words_zh(run: str) -> Iterator[str]:
    """Cut a run of Han characters; the verb that a guessed word ends with (期是) stands alone."""
    for word in _cut()(run):
        if len(word) > 1 and word[-1] in "是为":
            yield from _cut()(word, False)  # words of the dictionary (但是, 行为) stay whole
        elif word.strip():
            yield word


def tokenize(text: str, language: Language) -> list[str]:
    """Split a text into lower-cased words.

    Args:
        text: Any text; runs of Han characters and of other scripts may be mixed.
        language: Only says whether Han runs get words and bigrams (``zh``) or bigrams (``en``).

    Returns:
        Words and numbers in order; a run of Han characters gives its dictionary words, then
        those character bigrams that are not words already, all in simplified characters.
    """
    if text.isascii():
        return _ASCII_RUN.findall(text.lower())
    tokens: list[str] = []
    for match in _RUN.finditer(_plain(text)):
        run = match.group()
        if match.lastgroup != "cjk":
            tokens.append(run.replace("’", "'"))
            continue
        words = [word for word in _cut()(run) if word.strip()] if language == "zh" else []
        known = set(words)
        tokens.extend(words)
        if len(run) == 1 and not words:
            tokens.append(run)
        tokens.extend(run[i : i + 2] for i in range(len(run) - 1) if run[i : i + 2] not in known)
    return tokens


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    """Take common English endings off; made for matching, not for reading."""
    if word[0].isdigit() or not word.isascii():
        return word
    word = word.removesuffix("'s")
    for ending, least, put in (
        ("ational", 9, "ate"),
        ("ization", 9, "ize"),
        ("fulness", 9, "ful"),
        ("iness", 7, "y"),
        ("ements", 8, ""),
        ("ement", 8, ""),
        ("ments", 8, ""),
        ("ment", 7, ""),
        ("ations", 8, ""),
        ("ation", 8, ""),
        ("ings", 7, ""),
        ("ing", 6, ""),
        ("ies", 5, "y"),
        ("ied", 5, "y"),
        ("edly", 7, ""),
        ("ed", 5, ""),
        ("sses", 6, "ss"),
        ("ers", 6, ""),
        ("er", 6, ""),
        ("ly", 6, ""),
        ("es", 5, ""),
        ("s", 4, ""),
    ):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            word = word[: len(word) - len(ending)] + put
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


@lru_cache(maxsize=262_144)
def _token_terms(token: str) -> tuple[str, ...]:
    """Return what a word or number is found by: nothing if it is a function word."""
    if token in _STOP_EN:
        return ()
    if not token[0].isdigit():
        return (_stem(token),)
    measured = _MEASURED.fullmatch(token)
    return (_stem(token.replace(",", "")), *(measured.groups() if measured else ()))


def search_terms(text: str, language: Language) -> list[str]:
    """Return the terms that the lexical index holds for a text.

    Words are stemmed lightly, English function words are dropped, and a code written apart
    ("E-21", "E 21") also gives its joined form.

    Args:
        text: Passage or query.
        language: Its language.

    Returns:
        Terms in order, with repetitions.
    """
    lowered = _plain(text)
    terms: list[str] = []
    for token in tokenize(lowered, language):
        terms.extend(_token_terms(token))
    terms.extend(re.sub(r"[^a-z0-9]", "", code.group()) for code in _CODE_APART.finditer(lowered))
    if language == "zh":
        # Single characters carry statute and manual wording that words and bigrams miss.
        terms.extend(ch for ch in _CJK_CHARACTER.findall(lowered) if ch not in _STOP_ZH)
    return terms


def content_terms(text: str, language: Language) -> list[str]:
    """Return the terms of a text that carry its content, for coverage and support.

    Args:
        text: Question, answer or passage.
        language: Its language.

    Returns:
        Stemmed words and numbers without function words; Chinese as dictionary words (no
        bigrams, so that each thing said counts once).
    """
    lowered = _plain(text)
    terms: list[str] = []
    for match in _RUN.finditer(lowered):
        run = match.group()
        if match.lastgroup == "cjk":
            terms.extend(word for word in _words_zh(run) if word not in _STOP_ZH)
        elif run not in _STOP_EN and (len(run) > 1 or run.isdigit() or language == "zh"):
            terms.append(_stem(run.replace(",", "") if run[0].isdigit() else run))
    return terms
