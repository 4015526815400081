"""How a relation of a knowledge graph is spoken of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from domainsmith.chains.synthesis.kv_words_en import plural
from domainsmith.records import Language

__all__ = ["Relation", "relation"]

_VERBS_EN = re.compile(
    r"^(?:treats|causes|contains|uses|includes|needs|requires|produces|affects|prevents|supports|"
    r"covers|follows|precedes|replaces|governs|regulates|connects|borders|feeds|drives|controls|"
    r"owns|employs|manages|leads|teaches|supplies|makes|sells|eats|inhibits|activates|binds|"
    r"inhabits|holds|opens|runs|fits|mentions|cites|amends|defines|allows|forbids|measures|"
    r"publishes|sponsors|reads|speaks|plays|represents|offers|stores|depends|belongs|lies|flows|"
    r"works|lives|leads|refers|applies|consists|interacts)\b"
)
_STATE_EN = re.compile(
    r"^(?:(?:is|was|are|were) )?(?:an? |the )?(?P<word>[a-z][a-z -]*)"
    r" (?P<preposition>in|of|by|to|from|at|on|with|for|as|into|against)$"
)
_DONE_EN = re.compile(
    r"(?:[a-z]+ed|born|built|written|made|found|known|led|held|taught|bought|sold|set|similar|"
    r"equal|close|near|next|related|due|responsible|part)$"
)
_WHERE = re.compile(r"(?:born|located|based|situated|buried|held|stored|kept|placed|installed)$")
_PAST = re.compile(
    r"(?:born|built|written|founded|invented|discovered|published|created|established|made|"
    r"painted|composed|designed|directed|acquired|developed|signed|released)$"
)
_PLACES_ZH = ("位于", "坐落于", "坐落在", "出生于", "出生在", "毕业于", "发源于", "起源于", "来自")
_VERBS_ZH = frozenset(
    re.findall(
        r"\w+",
        """
        治疗 导致 引起 包含 包括 使用 属于 需要 生产 影响 预防 支持 管理 拥有 流经 连接
        适用于 负责 采用 依据 规定 发明 发现 创作 出版 收购 隶属于 隶属 用于 产生 抑制 依赖
        提供 供应 创立 创办
        """,
    )
)


@dataclass(frozen=True)
class Relation:
    """A relation's wording.

    Args:
        words: As written, in words.
        form: ``noun`` (capital), ``verb`` (treats) or ``state`` (located in).
        language: Of the wording.
    """

    words: str
    form: Literal["noun", "verb", "state"]
    language: Language

    def ask(self, subject: str, many: int = 1, *, number: bool = False) -> str:
        """Ask for the objects.

        Args:
            subject: A name, or a phrase such as "the capital of France".
            many: How many objects there are.
            number: The object is a number.
        """
        if self.language == "zh":
            return self._ask_zh(subject, number)
        if self.form == "verb":
            verb, _, rest = self.words.partition(" ")
            return f"What does {subject} {_bare(verb)}{' ' + rest if rest else ''}?"
        if self.form == "state":
            return self._ask_state(subject)
        if many > 1:
            noun = self.words if self.words.endswith("s") else plural(self.words)
            return f"What are the {noun} of {subject}?"
        be = "are" if re.search(r"(?<![sui])s$", self.words) else "is"
        return f"What {be} the {self.words} of {subject}?"

    def phrase(self, subject: str) -> str:
        """Name the one object of a subject within a sentence.

        Args:
            subject: A name or a phrase.
        """
        if self.language == "zh":
            if self.words in _PLACES_ZH:
                return f"{subject}{self.words}的地方"
            return f"{subject}{'的' if self.form == 'noun' else '所'}{self._named()}"
        if self.form == "noun":
            return f"the {self.words} of {subject}"
        return f"the thing that {subject} {self._stated()}"

    def _named(self) -> str:
        """Return the Chinese words for the object: "首都", "治疗的事物"."""
        return self.words if self.form == "noun" else f"{self.words}的事物"

    def ask_back(self, thing: str, many: int) -> str:
        """Ask for the subjects.

        Args:
            thing: The object.
            many: How many subjects there are.
        """
        if self.language == "zh":
            which = "哪些事物" if many > 1 else "什么"
            if self.form == "noun":
                return (
                    f"{which}的{self.words}是{thing}？"
                    if many > 1
                    else f"谁或什么的{self.words}是{thing}？"
                )
            return f"{which}{self.words}{thing}？"
        if self.form == "noun":
            return f"What has {thing} as its {self.words}?"
        which = "Who or what" if "born" in self.words else "What"
        return f"{which} {self._stated()} {thing}?"

    def _ask_state(self, subject: str) -> str:
        """Ask for what something is "located in" or "a symptom of"."""
        match = _STATE_EN.match(self.words)
        assert match is not None
        word, preposition = match["word"], match["preposition"]
        be = "was" if _PAST.search(word) else "is"
        if _WHERE.search(word) and preposition in {"in", "at", "on"}:
            return f"Where {be} {subject} {word}?"
        by = "Who or what" if preposition == "by" else "What"
        return f"{by} {be} {subject} {_article(word)}{word} {preposition}?"

    def _stated(self) -> str:
        """Return the relation as a predicate: "treats", "is a symptom of"."""
        if self.form == "verb":
            return self.words
        match = _STATE_EN.match(self.words)
        assert match is not None
        be = "was" if _PAST.search(match["word"]) else "is"
        return f"{be} {_article(match['word'])}{match['word']} {match['preposition']}"

    def ask_number(self, subject: str) -> str:
        """Ask how many objects are listed; for nouns only.

        Args:
            subject: A name.
        """
        if self.language == "zh":
            return f"{subject}列出了几个{self.words}？"
        noun = self.words if self.words.endswith("s") else plural(self.words)
        return f"How many {noun} are listed for {subject}?"

    def _ask_zh(self, subject: str, number: bool) -> str:
        if self.form == "noun":
            return f"{subject}的{self.words}是{'多少' if number else '什么'}？"
        return f"{subject}{self.words}{'哪里' if self.words in _PLACES_ZH else '什么'}？"


def relation(name: str, language: Language) -> Relation:
    """Put a relation's name into words.

    Args:
        name: ``capital_of``, ``hasCapital``, ``http://example.org/treats``, 位于.
        language: Of the graph around it.
    """
    words = re.split(r"[/#]", name.rstrip("/#"))[-1] if "://" in name else name
    words = re.sub(r"(?<=[a-z])[A-Z](?=[a-z])", lambda at: f" {at[0].lower()}", words)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words).replace("_", " ")
    words = " ".join(words.split())
    if language == "zh" and re.search(r"[一-鿿]", words):
        verbal = words in _PLACES_ZH or words in _VERBS_ZH
        return Relation(re.sub(r"^(?:的|有)(?=.)", "", words), "verb" if verbal else "noun", "zh")
    if not words.isupper():
        words = words[:1].lower() + words[1:] if words[1:2].islower() else words
    words = re.sub(r"^has (?:a |an |the )?(?=.)", "", words)
    if _VERBS_EN.match(words):
        return Relation(words, "verb", "en")
    return Relation(words, "state" if _STATE_EN.match(words) else "noun", "en")


def _article(word: str) -> str:
    if _DONE_EN.search(word):
        return ""
    if word.startswith(("capital", "head")):
        return "the "
    return "an " if word[:1] in "aeiou" else "a "


def _bare(verb: str) -> str:
    if verb.endswith("ies"):
        return f"{verb[:-3]}y"
    if re.search(r"(?:ss|x|z|ch|sh)es$", verb):
        return verb[:-2]
    return verb.removesuffix("s")
