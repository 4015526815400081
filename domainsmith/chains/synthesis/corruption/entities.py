"""Things of one kind that the documents name: what a name can be mistaken for."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from domainsmith.chains.markdown_tables import parse_tables
from domainsmith.chains.synthesis.corruption.edit import Edit
from domainsmith.records import Language, Passage

__all__ = ["EntityPool"]

_CODE = re.compile(r"(?<![A-Za-z0-9-])(?P<prefix>[A-Z]{1,5})-?\d{1,6}[A-Z]?(?![A-Za-z0-9-])")
_NAME = re.compile(
    r"(?<![\w-])(?P<before>in|by|at|from|near|using|called|named) "
    r"(?P<name>(?!May\b)[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,}){0,3})\b"
)
_TITLE = re.compile(r"《[^》]{2,30}》")
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔"
)
_PLACE_ENDS = ("省", "市", "县", "区", "镇", "国", "州", "岛")
_OFFICE_ENDS = (
    "公司",
    "检察院",
    "法院",
    "委员会",
    "大学",
    "学院",
    "医院",
    "银行",
    "协会",
    "部",
    "局",
    "署",
)
_CLOSED: dict[str, tuple[str, ...]] = {
    "colour": ("red", "green", "blue", "yellow", "orange", "purple", "white", "black", "grey",
               "brown", "pink"),
    "颜色": ("红色", "绿色", "蓝色", "黄色", "橙色", "紫色", "白色", "黑色", "灰色", "棕色"),
    "month": ("January", "February", "March", "April", "June", "July", "August", "September",
              "October", "November", "December"),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "material": ("steel", "rubber", "copper", "plastic", "aluminium", "brass", "ceramic"),
    "材料": ("钢板", "橡胶", "塑料", "铝", "黄铜", "陶瓷"),
}  # fmt: skip
_CLOSED_KIND = {word: kind for kind, words in _CLOSED.items() for word in words}
_CLOSED_WORD = re.compile(
    "|".join(
        rf"\b{word}\b" if word.isascii() else word
        for word in sorted(_CLOSED_KIND, key=lambda word: (-len(word), word))
    )
)
_MOST = 4000
"""Names kept of one kind: enough to choose from."""


class EntityPool:
    """Names by kind, found once in a collection.

    Args:
        passages: All that may be trained on.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        kinds: dict[str, dict[str, int]] = defaultdict(dict)
        for passage in passages:
            for kind, name in _named(passage.text, passage.language):
                if name in kinds[kind] or len(kinds[kind]) < _MOST:
                    kinds[kind][name] = kinds[kind].get(name, 0) + 1
            for kind, cell in _cells(passage):
                kinds[kind][cell] = 2
        # A Chinese name that was seen once may be a mistake of the tagger.
        self._kinds = {
            kind: sorted(name for name, many in names.items() if many > 1 or not _is_tagged(kind))
            for kind, names in sorted(kinds.items())
        }
        self._columns: dict[str, list[str]] = defaultdict(list)
        for kind, names in self._kinds.items():
            if kind.startswith("column "):
                for name in names:
                    self._columns[_bare(name)].append(kind)

    def edits(self, answer: str, language: Language, source: random.Random) -> Iterator[Edit]:
        """Propose other names of the same kind.

        Args:
            answer: The right answer. If it is a table's cell as a whole, other cells of the column
                are proposed.
            language: Its language.
            source: Of the choices.

        Yields:
            Edits of one name each, several for each name, in random order.
        """
        edits: list[Edit] = []
        bare = answer.rstrip(".。 ")
        for column in self._columns.get(_bare(bare), ()):
            for other in self._others(column, bare, source):
                text = other[:1].upper() + other[1:]
                edits.append(Edit("entity", 0, len(bare), text, other))
        for kind, start, end in _places(answer, language):
            name = answer[start:end]
            for other in self._others(kind, name, source):
                label = "entity" if kind.startswith(("code", *_CLOSED)) else "name"
                edits.append(Edit(label, start, end, other, other))
        source.shuffle(edits)
        yield from edits

    def _others(self, kind: str, name: str, source: random.Random) -> list[str]:
        names = self._kinds.get(kind) or ()
        if _is_tagged(kind) and name not in names:
            return []
        known = list(_CLOSED.get(kind, ())) or list(names)
        others = [
            other
            for other in known
            if _bare(other) != _bare(name) and _bare(name) not in _bare(other)
            and _bare(other) not in _bare(name)
        ]  # fmt: skip
        return source.sample(others, min(3, len(others)))


def _is_tagged(kind: str) -> bool:
    return kind.startswith(("person", "place ", "office "))


def _bare(text: str) -> str:
    return re.sub(r"[\s.。]+", " ", text).strip().casefold()


def _named(text: str, language: Language) -> Iterator[tuple[str, str]]:
    for kind, start, end in _places(text, language):
        yield kind, text[start:end]


def _places(text: str, language: Language) -> Iterator[tuple[str, int, int]]:
    """Find names with their kinds: (kind, start, end)."""
    for match in _CODE.finditer(text):
        yield f"code {match['prefix']}", match.start(), match.end()
    for match in _CLOSED_WORD.finditer(text):
        yield _CLOSED_KIND[match[0]], match.start(), match.end()
    if language == "zh":
        for match in _TITLE.finditer(text):
            yield "title", match.start(), match.end()
        yield from _tagged(text)
        return
    # What follows the same word is mostly of one kind: "in South Africa", "by Smith".
    for match in _NAME.finditer(text):
        if match["name"] not in _CLOSED_KIND:
            yield f"name after {match['before']}", *match.span("name")


def _tagged(text: str) -> Iterator[tuple[str, int, int]]:
    """Find Chinese names by their tags, only those whose form bears the tag out."""
    import rjieba

    at = 0
    for word, tag in rjieba.tag(text):
        start = text.find(word, at)
        if start < 0:
            continue
        at = start + len(word)
        if len(word) < 2:
            continue
        if tag == "nr" and _is_person(word, text[at : at + 1]):
            yield "person", start, at
        elif tag == "ns" and word.endswith(_PLACE_ENDS):
            yield f"place {word[-1]}", start, at
        elif tag == "nt" and word.endswith(_OFFICE_ENDS):
            yield f"office {next(end for end in _OFFICE_ENDS if word.endswith(end))}", start, at


def _is_person(word: str, after: str) -> bool:
    """Tell a whole Chinese name from the beginning of a longer one."""
    if word[0] not in _SURNAMES or not 2 <= len(word) <= 3:
        return False
    return (
        not "\u4e00" <= after <= "\u9fff" or after in "的是在于与和为被将曾任说认向对从获以出也由"
    )


def _cells(passage: Passage) -> Iterator[tuple[str, str]]:
    if passage.content != "table":
        return
    for table in parse_tables(passage.text):
        for column, head in enumerate(table.heads):
            for row in table.rows:
                cell = row[column].strip().rstrip(".。")
                if 1 < len(cell) <= 120 and not re.fullmatch(r"[\d.,\s%-]+", cell):
                    yield f"column {head}", cell
