"""Questions from the form of a sentence, without a model.

A sentence of a manual mostly says what to do in a case, how to reach a goal, how much
something is, or what is forbidden. Each form has a question that the sentence answers by
construction. What fits no form gives no question: a missing one costs less than a wrong one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from domainsmith.chains.patterns_en import ENGLISH_FORMS, lower_first
from domainsmith.chains.patterns_science_en import science_question
from domainsmith.chains.patterns_zh import CHINESE_FORMS
from domainsmith.chains.studies import suits_study
from domainsmith.data_connection.language import content_terms
from domainsmith.data_connection.sentences import sentences
from domainsmith.records import Language, Passage

__all__ = [
    "PatternQuestion",
    "clean_sentence",
    "passage_sentences",
    "pattern_questions",
    "proper_names",
    "section_question",
    "stands_alone",
    "topic_of",
]

_LIST_MARK = re.compile(r"^(?:[-*+•▪]|\(?\d{1,2}[.)、）]|步骤\s*\d+[:：])\s*")
_ARTICLE = re.compile(
    r"^\s*第[一二三四五六七八九十百千零〇\d]+条(?:之[一二三四五六七八九十]+)?[\s\u3000]+"
)
_EMPHASIS = re.compile(r"\*\*|__|`|^>\s*|^#+\s*")
_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|this|these|those|that one|he|she)\b", re.I)
_INNER_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
_INNER_SMALL = re.compile(r"(?<=[a-z,] )[a-z]+")
_UNIT_END = re.compile(r"(?:(?<=\d [A-Z]\.)|(?<=°C\.)) (?=[A-Z])")
_ANCHOR = re.compile(r"\b(?:the|a|an|your|each|every) [a-z]", re.I)
_LEANS = re.compile(
    r"\b(?:Fig(?:ure|s)?|Tables? \d+|Eq|Equation|Section|Appendix|et al)\b|\[\d|\(see\b"
    r"|formula_|（）"
    r"|\b(?:our|we|us|such|latter|former|following|respectively)\b",
    re.I,
)
"""What points at something outside the question: figures, citations, earlier sentences."""
_CITED = re.compile(r"\s*\[[\d, –-]+\]\s*\.?$")
_WORK = re.compile(r"手册|条款|问题|说明|指南|规定|法$|条例|办法|报告|合同|协议|表$|\.\w+$|[_/]")
"""Titles of works: what they say is about something else."""
_POINTS_ZH = re.compile(r"前款|本条|下列|上述|如下")
"""What makes an answer point at another sentence."""
_PRONOUN_ZH = re.compile(
    r"它|其中|该[^如]|此[处时]|这|那|(?<!其)他(?!人)|她|牠|祂|上述|以下|如下|前者|后者|前款|本条"
    r"|[（(][一二三四五六七八九十]+[)）]|下列|本[届片剧书作曲]|^(?:生活|分布|居住|出生)在"
)


@dataclass(frozen=True)
class PatternQuestion:
    """A question and its answer, both cut from one sentence.

    Args:
        question: Ends with a question mark.
        answer: Words of the sentence, perhaps behind a yes or a no.
        form: Name of the sentence form.
    """

    question: str
    answer: str
    form: str


def clean_sentence(text: str) -> str:
    """Take list marks, article numbers and emphasis off a sentence and join its lines.

    Args:
        text: One sentence as it stands in the document.
    """
    joined = " ".join(_ARTICLE.sub("", text).split())
    joined = re.sub(r"(?<=[\u3400-\u9fff，。；：、]) (?=[\u3400-\u9fff，。；：、])", "", joined)
    return _LIST_MARK.sub("", _EMPHASIS.sub("", joined)).strip()


def passage_sentences(passage: Passage) -> list[str]:
    """Return the sentences of a passage's prose, cleaned, without headings and table rows.

    Args:
        passage: The passage.
    """
    found = []
    for start, end in sentences(passage.text, passage.language):
        raw = passage.text[start:end].strip()
        if raw and not raw.startswith(("#", "|")):
            # A unit before the full stop looks like an initial: "below 60 °C. The ...".
            found += [part.strip() for part in _UNIT_END.split(clean_sentence(raw))]
    return [text for text in found if len(text) > 3]


def stands_alone(question: str, language: Language) -> bool:
    """Tell whether a question can be understood without the text around it.

    Args:
        question: The question.
        language: Its language.

    Returns:
        False if a pronoun points out of it, or if it names fewer than two things.
    """
    if language == "zh":
        return not _PRONOUN_ZH.search(question) and len(question) >= 6
    if re.search(r"\b(?:them|these|those)\b", question):
        return False
    pronoun = _PRONOUN.search(question)
    if pronoun and not _ANCHOR.search(question[: pronoun.start()]):
        return False
    return len(content_terms(question, language)) >= 2


def proper_names(texts: Iterable[str]) -> frozenset[str]:
    """Find the words that are mostly written with a capital inside English sentences.

    Args:
        texts: Passages of one collection.

    Returns:
        Words; any other word that begins a sentence is lowered within a question.
    """
    names: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    for text in texts:
        names.update(_INNER_CAPITAL.findall(text))
        plain.update(_INNER_SMALL.findall(text))
    return frozenset(word for word, many in names.items() if many >= plain[word.lower()])


def _lower_opening(question: str, sentence: str, names: frozenset[str]) -> str:
    words = sentence.split(" ", 2)
    first, second = words[0], words[1] if len(words) > 1 else ""
    if not re.fullmatch(r"[A-Z][a-z]+", first) or first in names or second[:1].isupper():
        return question
    return re.sub(rf"(?<=\S ){first}\b", first.lower(), question, count=1)


def _is_balanced(question: str) -> bool:
    return all(
        question.count(left) == question.count(right) for left, right in ("“”", "《》", "「」")
    )


def pattern_questions(
    sentence: str,
    language: Language,
    *,
    names: frozenset[str] = frozenset(),
    topic: str = "",
    work: str = "",
) -> Iterator[PatternQuestion]:
    """Ask what a sentence answers by its form.

    Args:
        sentence: One sentence of a passage.
        language: Its language.
        names: From :func:`proper_names`.
        topic: What the whole text is about; a Chinese question that does not name it begins
            with it then, so that it may leave its subject out.
        work: Title of the work, from :func:`~domainsmith.chains.studies.work_of`; an English
            question about its study names it.

    Yields:
        One question for each form that fits and stands alone, the most telling form first.
    """
    text = re.sub(r"[.。;；!！]+$", "", clean_sentence(sentence))
    science = partial(science_question, work=work)
    forms: Sequence[Callable[[str], tuple[str, str, str] | None]]
    forms = CHINESE_FORMS if language == "zh" else (*ENGLISH_FORMS, science)
    for form in forms:
        found = form(text)
        if found is None:
            continue
        question, answer, name = found
        if work and form in ENGLISH_FORMS:
            if not suits_study(text, question, name):
                continue
            answer = _CITED.sub("", answer).rstrip(" .") + "."
            if ":" in answer:
                continue
        if _POINTS_ZH.search(answer) or "formula_" in answer:
            continue
        if topic and name == "case" and not question.startswith("如果"):
            continue  # "Then he was sent to the south": of a life story no case of anything
        if topic and language == "zh" and topic not in question:
            question = f"关于{topic}，{question}"
        elif not stands_alone(question, language):
            continue
        if _LEANS.search(question.replace(work, "") if work else question) or not _is_balanced(
            question
        ):
            continue
        if language == "en":
            question = _lower_opening(question, text, names)
        yield PatternQuestion(question, answer, name)


def topic_of(passage: Passage) -> str:
    """Name what an article is about: its title, if no section stands above and it is a name.

    Args:
        passage: Any.

    Returns:
        The title without what stands in brackets, or an empty text.
    """
    title = re.sub(r"[（(].*$", "", passage.header).strip()
    named = 2 <= len(title) <= 16 and ">" not in title and not _WORK.search(title)
    return title if named else ""


def section_question(header: str, language: Language) -> str:
    """Ask what a section says: for passages in which no sentence fits a form.

    Args:
        header: Document title > section > subsection.
        language: Of the question.

    Returns:
        A question, or an empty text if the header names no section.
    """
    parts = [part.strip() for part in header.split(">") if part.strip()]
    section = re.sub(r"^(?:[\d.、]+|第\S{1,4}[章节])\s*", "", parts[-1]) if len(parts) > 1 else ""
    if not section or len(section) > 60:
        return ""
    if section[-1] in "?？":
        return section
    if language == "zh":
        return f"关于{section}，文档是怎么说的？"
    return f"What do the documents say about {lower_first(section)}?"
