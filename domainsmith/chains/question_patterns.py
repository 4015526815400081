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

from domainsmith.chains.frames_zh import Frame, bare_heading, framed_question
from domainsmith.chains.patterns_en import ENGLISH_FORMS, lower_first
from domainsmith.chains.patterns_science_en import science_question
from domainsmith.chains.patterns_zh import CHINESE_FORMS
from domainsmith.chains.studies import suits_study
from domainsmith.chains.titles_en import about_title
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
_MOST_WORDS = 28
"""Words of an English question that names no study."""
_AUTHORS = re.compile(r"\s*\([^()]*[A-Z][^()]*\b(?:19|20)\d\d[a-z]?[^()]*\)")
"""A citation in brackets."""
_UNFINISHED = re.compile(
    r"\b(?:includes?|including|are|is|was|were|the|and|or|following|play) ?\?$"
    r"|in accordance in"
)
_NO_ANSWER = re.compile(
    r"^(?!How|What|Whether|Where).*\b(?:includes?|including|are|is|may|can|the|of|and|or)\.$|^(?:And|Or)\b|^One .* to another\b"
    r"|^(?:Many|Several|Various|Different) (?:factors|ways|reasons|things)\.$|:\.?$"
    r"|^At (?:the same time|the time|risk|least)\b"
    r"|^In (?:the )?(?:text|older people|people|patients|children|adults|others)\b",
    re.I,
)
"""What is no answer: it breaks off, or is none of the place that was asked for."""
_GOES_ON = re.compile(
    r"\b(?:also|as well|too\?|however|therefore|thus|instead|likewise|furthermore)\b", re.I
)
"""What makes a question go on with something said before it."""
_POINTS_ZH = re.compile(r"前款|本条|下列|上述|如下")
"""What makes an answer point at another sentence."""
_PRONOUN_ZH = re.compile(
    r"它|其中|(?<!应)该[^如]|此[处时]|这|那|(?<!其)他(?!人)|她|牠|祂|上述|以下|如下|前者|后者|前款|本条"
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


def passage_sentences(passage: Passage, *, shortest: int = 4) -> list[str]:
    """Return the sentences of a passage's prose, cleaned, without headings and table rows.

    Args:
        passage: The passage.
        shortest: Characters of a sentence at least; 1 keeps a bare yes.
    """
    found = []
    for start, end in sentences(passage.text, passage.language):
        raw = passage.text[start:end].strip()
        if raw and not raw.startswith(("#", "|")):
            # A unit before the full stop looks like an initial: "below 60 °C. The ...".
            found += [part.strip() for part in _UNIT_END.split(clean_sentence(raw))]
    return [text for text in found if len(text) >= shortest]


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


def _is_balanced(text: str) -> bool:
    return all(
        text.count(left) == text.count(right)
        for left, right in ("“”", "《》", "「」", "（）", "()", "『』")
    )


def pattern_questions(
    sentence: str,
    language: Language,
    *,
    names: frozenset[str] = frozenset(),
    frame: Frame | None = None,
    work: str = "",
    title: str = "",
    study: bool = False,
) -> Iterator[PatternQuestion]:
    """Ask what a sentence answers by its form.

    Args:
        sentence: One sentence of a passage.
        language: Its language.
        names: From :func:`proper_names`.
        frame: What the passage is about, from :func:`~domainsmith.chains.frames_zh.frame_of`; a
            Chinese question that does not name it begins with it then.
        work: Title of the work, from :func:`~domainsmith.chains.studies.work_of`; an English
            question about its study names it.
        title: Of an English article, from :func:`~domainsmith.chains.titles_en.title_of`; a
            question that names nothing of its own begins with it.
        study: The text is research prose, whether or not its work has a title.

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
        if language == "zh":
            question = _finished_zh(question, answer, name, frame or Frame())
        else:
            general = form in ENGLISH_FORMS
            question, answer = _finished_en(
                _AUTHORS.sub("", question),
                answer,
                name,
                text,
                work=work,
                study=study or bool(work),
                general=general,
                names=names,
            )
            question = about_title(question, title) if question else ""
        if question:
            yield PatternQuestion(question, answer, name)


def _finished_zh(question: str, answer: str, form: str, frame: Frame) -> str:
    """Let a Chinese question name what it is about; empty if it or its answer leans on more."""
    if _POINTS_ZH.search(answer) or "formula_" in answer or not _is_balanced(answer):
        return ""
    if frame.is_story and form == "case" and not question.startswith(("如果", "当")):
        return ""  # "Then he was sent to the south": of a life story no case of anything
    question = framed_question(question, form, frame)
    leans = _LEANS.search(question) or not _is_balanced(question)
    return "" if leans or not stands_alone(question, "zh") else question


def _finished_en(
    question: str,
    answer: str,
    form: str,
    text: str,
    *,
    work: str,
    study: bool,
    general: bool,
    names: frozenset[str],
) -> tuple[str, str]:
    """Check an English question and its answer; two empty texts if they lean on more."""
    if study and general:
        if not suits_study(text, question, form):
            return "", ""
        answer = _CITED.sub("", answer).rstrip(" .") + "."
        if ":" in answer:
            return "", ""
    if "formula_" in answer or not stands_alone(question, "en"):
        return "", ""
    if _LEANS.search(question.replace(work, "") if work else question):
        return "", ""
    if not _is_balanced(question) or not _is_balanced(answer) or _GOES_ON.search(question):
        return "", ""
    if not work and len(question.split()) > _MOST_WORDS:
        return "", ""
    if _UNFINISHED.search(question) or _NO_ANSWER.search(answer):
        return "", ""
    return _lower_opening(question, text, names), answer


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
        section = bare_heading(section)
        return f"关于{section}，文档是怎么说的？" if section else ""
    return f"What do the documents say about {lower_first(section)}?"
