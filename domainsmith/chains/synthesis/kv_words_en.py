"""English wording of questions about tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domainsmith.chains.synthesis.kv_table import KvTable
from domainsmith.chains.synthesis.kv_words import is_coded, scale
from domainsmith.chains.verbalize import head_words

__all__ = ["EnglishWords", "plural"]

_VERBS = {
    "fits": "fit", "covers": "cover", "needs": "need", "includes": "include", "uses": "use",
    "contains": "contain", "treats": "treat", "causes": "cause", "requires": "require",
}  # fmt: skip
_MEASURES = {
    "weighs": "weight", "costs": "cost", "lasts": "duration", "measures": "size",
    "holds": "capacity", "consumes": "consumption", "earns": "earnings", "born in": "year of birth",
}  # fmt: skip
"""Verbs that head a column of amounts: no row has "more weighs" than another."""
_ADJECTIVE = re.compile(
    r"(?:able|ible|ed|proof|active|open|free|stock|legal|valid|ready|public|private|resistant"
    r"|wireless|new|used|optional|mandatory|digital|online|safe)$",
    re.I,
)
_PERSON = re.compile(
    r"^(?:author|manager|owner|ceo|founder|director|president|teacher|head|leader|captain|coach"
    r"|inventor|composer|artist|spouse|wife|husband|mother|father|contact person|mayor)$",
    re.I,
)
_MOST = {
    "price": (("costs more", "is cheaper"), ("is the most expensive", "is the cheapest")),
    "date": (("later", "earlier"), ("latest", "earliest")),
    "time": (("longer", "shorter"), ("longest", "shortest")),
    "size": (("higher", "lower"), ("highest", "lowest")),
}
_LOOKUPS = (
    "What is the {head} of {row}?",
    "What {head} does {row} have?",
    "Can you tell me the {head} of {row}?",
)
_MANY = re.compile(
    r"(?<!\bsale)(?<!\bearning)(?<!\bcost)(?<!\bexpense)(?<!\bsaving)(?<!\bprofit)(?<![sui])s$"
)
_DONE = re.compile(r"^(?:[a-z]+ed|born|built|made|bought|sold|sent|paid|begun|written)$")


class EnglishWords:
    """See :class:`domainsmith.chains.synthesis.kv_words.KvWords`."""

    def row(self, table: KvTable, row: int, draw: float) -> str:
        """Name a row within a sentence."""
        cells = table.rows[row]
        if len(table.key) > 1:
            first, second = (f"{self._head(table, at)} {cells[at]}" for at in table.key)
            return f"{first} and {second}"
        key = cells[table.key[0]]
        if not is_coded(key):
            named = key.istitle() or (" " not in key and key[:1].isupper())
            return key if named else f'"{key}"'
        coded = f"{self._head(table, table.key[0])} {key}"
        if table.label is not None and cells[table.label] and draw < 0.5:
            return f"the {cells[table.label]} with {coded}"
        return coded

    def lookup(self, table: KvTable, row: int, column: int, draw: float) -> str:
        """Ask for a cell."""
        head = self._head(table, column)
        if column == table.label:
            if re.search(r"(?:name|title)$", head):
                return f"What is {self.row(table, row, 0.9)} called?"
            return f"Which {head} does {self.row(table, row, 0.9)} belong to?"
        return self._asked(table, column, head, self.row(table, row, draw * 7 % 1), draw)

    def _asked(self, table: KvTable, column: int, head: str, name: str, draw: float) -> str:
        kind = table.columns[column].kind
        if kind == "flag":
            return f"Is {name} {head}?" if _ADJECTIVE.search(head) else f"Does {name} have {head}?"
        if kind == "number" and re.search(r"^price$|^cost$|^fee$", head):
            return f"How much does {name} cost?"
        if kind == "date" and _DONE.match(head):
            return f"When was {name} {head}?"
        if kind == "number" and _MANY.search(head):
            return f"How many {head} does {name} have?"
        if verb := _VERBS.get(head):
            return f"What does {name} {verb}?"
        if _PERSON.match(head):
            return f"Who is the {head} of {name}?"
        if _MANY.search(head):
            return f"What are the {head} of {name}?"
        return _LOOKUPS[int(draw * 10) % len(_LOOKUPS)].format(head=head, row=name)

    def reverse(self, table: KvTable, column: int, value: str, many: int) -> str:
        """Ask which rows have a cell."""
        having = self._having(table, (column, value), many)
        return f"Which {self._thing(table, many)} {having}?"

    def joined(
        self, table: KvTable, row: int, via: int, other: KvTable, column: int, draw: float
    ) -> str:
        """Ask for a cell of another table's row, which a cell of this one names."""
        bridge = re.sub(r"\s*\b(?:id|no|number|code|name)$", "", self._head(table, via), flags=re.I)
        bridge = bridge or other.noun or self._head(table, via)
        name = f"the {bridge} of {self.row(table, row, draw * 7 % 1)}"
        return self._asked(other, column, self._head(other, column), name, 0.0)

    def within(self, table: KvTable, via: int, value: str, column: int) -> str:
        """Ask for a cell of the one row that has another cell."""
        thing = self._thing(table, 1)
        head = self._head(table, via)
        name = f"the {thing} whose {head} is {self._quoted(table, via, value)}"
        if _DONE.match(head) or _MANY.search(head) or head in _VERBS:
            name = f"the {thing} that {self._having(table, (via, value), 1)}"
        return self._asked(table, column, self._head(table, column), name, 0.0)

    def compare(
        self, table: KvTable, rows: tuple[int, int], column: int, more: bool, draw: float
    ) -> str:
        """Ask which of two rows has more."""
        a, b = (self.row(table, row, 0.9) for row in rows)
        how = _MOST[scale(table, column)][0][0 if more else 1]
        head = self._head(table, column)
        if _DONE.match(head):
            return f"Which was {head} {how}, {a} or {b}?"
        if _MANY.search(head) and scale(table, column) == "size":
            return f"Which has {'more' if more else 'fewer'} {head}, {a} or {b}?"
        if scale(table, column) == "price" and re.search(r"price|cost", head):
            return f"Which {how}, {a} or {b}?"
        how = {"costs more": "higher", "is cheaper": "lower"}.get(how, how)
        if draw < 0.5:
            return f"Which has the {how} {head}, {a} or {b}?"
        return f"Between {a} and {b}, which has the {how} {head}?"

    def count(self, table: KvTable, where: tuple[int, str] | None) -> str:
        """Ask how many rows there are."""
        things = self._thing(table, 2)
        if where is None:
            return f"How many {things} are listed?"
        return f"How many {things} {self._having(table, where, 2)}?"

    def extreme(
        self, table: KvTable, column: int, most: bool, where: tuple[int, str] | None
    ) -> str:
        """Ask which row has the most or least."""
        head, how = self._head(table, column), _MOST[scale(table, column)][1][0 if most else 1]
        asked = f"has the {how} {head}"
        if _DONE.match(head):
            asked = f"was {head} {'last' if most else 'first'}"
        elif _MANY.search(head) and scale(table, column) == "size":
            asked = f"has the {'most' if most else 'fewest'} {head}"
        if how.startswith("is the"):
            plain = {"is the most expensive": "highest", "is the cheapest": "lowest"}[how]
            named = re.search(r"price|cost", head)
            asked = how if named else f"has the {plain} {head}"
        if where is None:
            return f"Which {self._thing(table, 1)} {asked}?"
        things = f"{self._thing(table, 2)} that {self._having(table, where, 2)}"
        return f"Among the {things}, which one {asked}?"

    def total(
        self, table: KvTable, column: int, average: bool, where: tuple[int, str] | None
    ) -> str:
        """Ask for a sum or an average."""
        head, things = self._head(table, column), self._thing(table, 2)
        if where is not None:
            things += f" that {self._having(table, where, 2)}"
        if _MANY.search(head):
            head = f"number of {head}"
        if average:
            return f"What is the average {head} of the {things}?"
        head = re.sub(r"^total ", "", head)
        return f"What is the total {head} of the {things}?"

    def flag(self, value: bool) -> str:
        """Answer yes or no."""
        return "Yes" if value else "No"

    def listing(self, names: Sequence[str]) -> str:
        """Join names."""
        if len(names) > 1 and any("," in name for name in names):
            return "; ".join(names)
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

    def counted(self, many: int, names: Sequence[str]) -> str:
        """Answer how many, with their names if they are few."""
        return f"{many}: {self.listing(names)}" if names else str(many)

    def compared(self, winner: str, best: str, loser: str, other: str) -> str:
        """Answer a comparison with both values."""
        return f"{winner} ({best}, against {other} for {loser})"

    def found(self, names: Sequence[str], value: str, of: int | None) -> str:
        """Answer who has the most."""
        among = "" if of is None else f", of the {of} with a stated value"
        return f"{self.listing(names)} ({value}{among})"

    def computed(self, value: str, exact: bool, of: int | None) -> str:
        """Answer with a sum or an average."""
        among = "" if of is None else f", over the {of} with a stated value"
        return f"{'' if exact else 'About '}{value}{among}"

    def _head(self, table: KvTable, column: int) -> str:
        # "When was it founded?", "Is it available?": dates and flags are asked for by a verb.
        noun = table.columns[column].kind not in {"date", "flag"}
        head = table.columns[column].head
        head = _MEASURES.get(head.lower(), head)
        first, *rest = head_words(head, noun=noun).split(" ")
        if not any(letter.isupper() for letter in first[1:]):
            first = first.lower()
        return re.sub(r"\bid(s?)\b", r"ID\1", " ".join([first, *rest]), flags=re.I)

    def _thing(self, table: KvTable, many: int) -> str:
        if not table.noun:
            return f'{"entry" if many == 1 else "entries"} of "{table.data.name}"'
        return table.noun if many == 1 else plural(table.noun)

    def _quoted(self, table: KvTable, column: int, value: str) -> str:
        if value.endswith(".") or len(value.split()) > 3:
            return f'"{value.rstrip(".")}"'
        plain = table.columns[column].kind in {"number", "date", "category", "code"}
        return value if plain or value[:1].isupper() else f'"{value}"'

    def _having(self, table: KvTable, where: tuple[int, str], many: int) -> str:
        column, value = where
        head = self._head(table, column)
        if table.columns[column].kind == "flag":
            yes = value == "yes"
            if _ADJECTIVE.search(head):
                verb = "is" if many == 1 else "are"
                return f"{verb} {head}" if yes else f"{verb} not {head}"
            verb = "has" if many == 1 else "have"
            return f"{verb} {head}" if yes else f"{verb} no {head}"
        if _DONE.match(head):
            return f"{'was' if many == 1 else 'were'} {head} on {value}"
        if head in _VERBS:
            return f"{head if many == 1 else _VERBS[head]} {self._quoted(table, column, value)}"
        verb = "has" if many == 1 else "have"
        if table.columns[column].kind == "number" and _MANY.search(head):
            return f"{verb} {value} {head}"
        return f"{verb} the {head} {self._quoted(table, column, value)}"


def plural(noun: str) -> str:
    """Return the plural of a regular English noun."""
    if noun.isupper():
        return f"{noun}s"
    if re.search(r"(?:s|x|z|ch|sh)$", noun):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"
