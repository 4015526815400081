"""Chinese wording of questions about tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.synthesis.kv_table import KvTable
from domainsmith.chains.synthesis.kv_words import is_coded, scale

__all__ = ["ChineseWords"]

_MOST = {
    "price": (("贵", "便宜"), ("最贵", "最便宜")),
    "date": (("晚", "早"), ("最晚", "最早")),
    "time": (("长", "短"), ("最长", "最短")),
    "size": (("高", "低"), ("最高", "最低")),
}
_COUNTED = re.compile(r"数量|库存|销量|产量|人数|次数|件数|面积|体积|重量|容量|距离")
_LOOKUPS = ("{row}的{head}是什么？", "请问{row}的{head}是什么？", "{row}的{head}是？")
_NUMBERS = ("{row}的{head}是多少？", "请问{row}的{head}是多少？", "{row}的{head}有多少？")


class ChineseWords:
    """See :class:`domainsmith.chains.synthesis.kv_words.KvWords`."""

    def row(self, table: KvTable, row: int, draw: float) -> str:
        """Name a row within a sentence."""
        cells = table.rows[row]
        if len(table.key) > 1:
            first, second = (f"{table.columns[at].head}为{cells[at]}" for at in table.key)
            return f"{first}、{second}的{self._thing(table)}"
        key = cells[table.key[0]]
        if not is_coded(key):
            return key if len(key) <= 12 else f"“{key}”"
        coded = f"{table.columns[table.key[0]].head}为 {key} "
        if table.label is not None and cells[table.label] and draw < 0.5:
            return f"{coded}的{cells[table.label]}"
        return f"{coded}的{self._thing(table)}"

    def lookup(self, table: KvTable, row: int, column: int, draw: float) -> str:
        """Ask for a cell."""
        if column == table.label:
            name, head = self.row(table, row, 0.9), table.columns[column].head
            return f"{name}叫什么？" if re.search("名", head) else f"{name}是什么{head}？"
        return self._asked(table, column, self.row(table, row, draw * 7 % 1), draw)

    def _asked(self, table: KvTable, column: int, name: str, draw: float) -> str:
        found = table.columns[column]
        if found.kind == "flag":
            verb = "" if re.search(r"^(?:是否|可|能|有)", found.head) else "是否"
            asked = re.sub(r"^是否", "", found.head)
            return f"{name}是否{asked}？" if verb or asked != found.head else f"{name}{asked}吗？"
        if found.kind == "date":
            return f"{name}的{found.head}是哪一天？"
        if found.kind == "number":
            if scale(table, column) == "price" and re.search(
                r"^(?:价格|单价|售价|票价)$", found.head
            ):
                return f"{name}多少钱？"
            forms = _NUMBERS if _COUNTED.search(found.head) else _NUMBERS[:2]
            return forms[int(draw * 10) % len(forms)].format(row=name, head=found.head)
        if re.search(r"(?:人|者|长|经理|主任|教师|作者|导演)$", found.head):
            return f"{name}的{found.head}是谁？"
        form = _LOOKUPS[int(draw * 10) % 2]
        return form.format(row=name, head=found.head)

    def reverse(self, table: KvTable, column: int, value: str, many: int) -> str:
        """Ask which rows have a cell."""
        which = "哪个" if many == 1 else "哪些"
        return f"{which}{self._things(table)}{self._having(table, (column, value))}？"

    def joined(
        self, table: KvTable, row: int, via: int, other: KvTable, column: int, draw: float
    ) -> str:
        """Ask for a cell of another table's row, which a cell of this one names."""
        bridge = re.sub(r"(?:编号|代码|名称|号)$", "", table.columns[via].head)
        name = f"{self.row(table, row, draw * 7 % 1)}的{bridge or table.columns[via].head}"
        return self._asked(other, column, name, 0.0)

    def within(self, table: KvTable, via: int, value: str, column: int) -> str:
        """Ask for a cell of the one row that has another cell."""
        name = f"{table.columns[via].head}为{self._quoted(table, via, value)}的{self._thing(table)}"
        return self._asked(table, column, f"{name}，它", 0.0)

    def compare(
        self, table: KvTable, rows: tuple[int, int], column: int, more: bool, draw: float
    ) -> str:
        """Ask which of two rows has more."""
        a, b = (self.row(table, row, 0.9) for row in rows)
        how = self._how(table, column, 0, more)
        head = table.columns[column].head
        if scale(table, column) == "price":
            return (
                f"{a}和{b}，哪个更{how}？" if "价" in head else f"{a}和{b}，哪个的{head}更{how}？"
            )
        return f"{a}和{b}，{'哪个' if draw < 0.5 else '谁'}的{head}更{how}？"

    def count(self, table: KvTable, where: tuple[int, str] | None) -> str:
        """Ask how many rows there are."""
        thing = self._things(table)
        if where is None:
            return f"一共列出了多少个{thing}？"
        return f"有多少个{thing}{self._having(table, where)}？"

    def extreme(
        self, table: KvTable, column: int, most: bool, where: tuple[int, str] | None
    ) -> str:
        """Ask which row has the most or least."""
        head, how = table.columns[column].head, self._how(table, column, 1, most)
        asked = how if scale(table, column) == "price" and "价" in head else f"的{head}{how}"
        if where is None:
            return f"哪个{self._things(table)}{asked}？"
        return f"在{self._such(table, where)}的{self._things(table)}中，哪个{asked}？"

    def total(
        self, table: KvTable, column: int, average: bool, where: tuple[int, str] | None
    ) -> str:
        """Ask for a sum or an average."""
        thing, head = self._things(table), table.columns[column].head
        of = f"所有{thing}" if where is None else f"{self._such(table, where)}的{thing}"
        if average:
            return f"{of}的平均{head}是多少？"
        return f"{of}的{head}一共是多少？"

    def flag(self, value: bool) -> str:
        """Answer yes or no."""
        return "是" if value else "否"

    def listing(self, names: Sequence[str]) -> str:
        """Join names."""
        if len(names) > 1 and any(mark in name for name in names for mark in "、，和"):
            return "；".join(names)
        return names[0] if len(names) == 1 else f"{'、'.join(names[:-1])}和{names[-1]}"

    def counted(self, many: int, names: Sequence[str]) -> str:
        """Answer how many, with their names if they are few."""
        return f"{many} 个：{self.listing(names)}" if names else f"{many} 个"

    def compared(self, winner: str, best: str, loser: str, other: str) -> str:
        """Answer a comparison with both values."""
        return f"{winner}（{best}，{loser}是{other}）"

    def found(self, names: Sequence[str], value: str, of: int | None) -> str:
        """Answer who has the most."""
        among = "" if of is None else f"，共有 {of} 个写明了数值"
        return f"{self.listing(names)}（{value}{among}）"

    def computed(self, value: str, exact: bool, of: int | None) -> str:
        """Answer with a sum or an average."""
        among = "" if of is None else f"（按写明了数值的 {of} 个计算）"
        return f"{'' if exact else '约 '}{value}{among}"

    def _how(self, table: KvTable, column: int, form: int, more: bool) -> str:
        kind, head = scale(table, column), table.columns[column].head
        words = _MOST[kind][form]
        if kind == "price" and "价" not in head:
            words = _MOST["size"][form]
        if kind == "size" and re.search(r"面积|年龄|容量|体积|距离", head):
            words = (("大", "小"), ("最大", "最小"))[form]
        elif kind == "size" and re.search(r"重量|体重", head):
            words = (("重", "轻"), ("最重", "最轻"))[form]
        elif kind == "size" and _COUNTED.search(head):
            words = (("多", "少"), ("最多", "最少"))[form]
        return words[0 if more else 1]

    def _thing(self, table: KvTable) -> str:
        return table.noun or "条目"

    def _things(self, table: KvTable) -> str:
        """Name the rows where all of them are asked about."""
        return table.noun or f"“{table.data.name}”条目"

    def _quoted(self, table: KvTable, column: int, value: str) -> str:
        plain = table.columns[column].kind in {"number", "date"}
        return f" {value} " if plain else f"“{value.rstrip('。')}”"

    def _having(self, table: KvTable, where: tuple[int, str]) -> str:
        column, value = where
        head = table.columns[column].head
        if table.columns[column].kind == "flag":
            asked = re.sub(r"^是否", "", head)
            no = f"没{asked}" if asked.startswith("有") else f"不{asked}"
            return asked if value == "yes" else no
        return f"的{head}是{self._quoted(table, column, value).strip()}"

    def _such(self, table: KvTable, where: tuple[int, str]) -> str:
        return self._having(table, where).removeprefix("的")
