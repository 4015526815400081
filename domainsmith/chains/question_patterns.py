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

from domainsmith.chains.clauses_en import with_alternative
from domainsmith.chains.frames_zh import Frame, bare_heading
from domainsmith.chains.patterns_en import ENGLISH_FORMS, lower_first
from domainsmith.chains.patterns_science_en import science_question
from domainsmith.chains.patterns_zh import CHINESE_FORMS
from domainsmith.chains.sound_pairs import finished_en, finished_zh, stands_alone
from domainsmith.chains.titles_en import about_title
from domainsmith.data_connection.scripts_zh import in_script_of, simplified
from domainsmith.data_connection.sentences import sentences
from domainsmith.records import Language, Passage

__all__ = [
    "PatternQuestion",
    "clean_sentence",
    "opening_answer",
    "passage_sentences",
    "pattern_questions",
    "proper_names",
    "section_question",
    "stands_alone",
]

_LONGEST = 2_000
"""Characters from which a sentence has no form; no sentence of a language is that long, and some
forms take time with the square of its length."""
_LIST_MARK = re.compile(r"^(?:[-*+•▪]|\(?\d{1,2}[.)、）]|步骤\s*\d+[:：])\s*")
_ARTICLE = re.compile(
    r"^\s*第[一二三四五六七八九十百千零〇\d]+条(?:之[一二三四五六七八九十]+)?[\s\u3000]+"
)
_EMPHASIS = re.compile(r"\*\*|__|`|^>\s*|^#+\s*")
_INNER_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
_INNER_SMALL = re.compile(r"(?<=[a-z,] )[a-z]+")
_LABEL = re.compile(r"^【[^】]{1,20}】\s*")
_UNIT_END = re.compile(r"(?:(?<=\d [A-Z]\.)|(?<=°C\.)) (?=[A-Z])")


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
    """Take list marks, article numbers, labels and emphasis off a sentence and join its lines.

    A label in lenticular brackets (【贮藏】) is the heading of what follows it, as leaflets and
    standards set it, and no part of the sentence.

    Args:
        text: One sentence as it stands in the document.
    """
    joined = " ".join(_ARTICLE.sub("", text).split())
    joined = re.sub(r"(?<=[\u3400-\u9fff，。；：、]) (?=[\u3400-\u9fff，。；：、])", "", joined)
    return _LABEL.sub("", _LIST_MARK.sub("", _EMPHASIS.sub("", joined)).strip())


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
    if len(sentence) > _LONGEST:
        return
    text = re.sub(r"[.。;；!！]+$", "", clean_sentence(sentence))
    science = partial(science_question, work=work)
    forms: Sequence[Callable[[str], tuple[str, str, str] | None]]
    forms = CHINESE_FORMS if language == "zh" else (*ENGLISH_FORMS, science)
    about = frame or Frame()
    plain = simplified(text) if language == "zh" else text
    for form in forms:
        found = form(plain)
        if found is None:
            continue
        question, answer, name = found
        if language == "zh":
            question = finished_zh(question, answer, name, about)
            question, answer = (
                in_script_of(words, f"{text}\n{about.header}") for words in (question, answer)
            )
        else:
            general = form in ENGLISH_FORMS
            question, answer = finished_en(
                question,
                with_alternative(question, answer, text),
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


def opening_answer(passage: Passage) -> str:
    """Join the sentences of a passage from the first on, as many as answer its heading.

    Args:
        passage: Under a heading that is a question.

    Returns:
        Whole sentences; empty if the passage does not begin with one.
    """
    joint, most = ("", 90) if passage.language == "zh" else (" ", 240)
    sentences = passage_sentences(passage, shortest=1)
    answer = sentences[0]
    if not answer.endswith((".", "!", "。", "！", "；")):
        return ""
    for sentence in sentences[1:]:
        if len(answer) + len(sentence) > most or not sentence.endswith((".", "!", "。", "！")):
            break
        answer += joint + sentence
    return answer


_GENERAL = re.compile(
    r"(?:limits?|exclusions?|exceptions?|conditions?|general|overview|introduction|definitions?|scope"
    r"|notes?|details?|requirements?|restrictions?|usage|use|settings?|options?|parameters?|examples?"
    r"|description|summary|purpose|background|eligibility|benefits?|costs?|fees|procedure|steps)",
    re.IGNORECASE,
)
"""Headings that many sections of a document can have."""
_CLAUSE = re.compile(
    r"(?:what|when|where|who|whom|which|why|how|if|whether|do|does|is|are|can|should)\b"
    r"|.*\bthat (?:you|we|they|it)\b",
    re.IGNORECASE,
)
"""Headings that are half a sentence: "What is not covered", "Changes that you must tell us"."""


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
        named = bare_heading(simplified(section))
        return in_script_of(f"关于{named}，文档是怎么说的？", section) if named else ""
    if _CLAUSE.match(section):  # "about what is not covered" would ask for something else
        return f'What does the section "{section}" say?'
    above = parts[-2] if len(parts) > 2 else ""
    if above and _GENERAL.fullmatch(section):  # "about limits": of what, the heading above says
        whose = re.sub(r"^[\d.、]+\s*", "", above)
        return f'What do the documents say about {section.lower()} under "{whose}"?'
    return f"What do the documents say about {lower_first(section)}?"
