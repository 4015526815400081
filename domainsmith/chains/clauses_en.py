"""English words as parts of questions and answers: how they begin, and where a clause ends."""

from __future__ import annotations

import re

from domainsmith.chains.words_en import ACTS, CLAUSE_END, IMPERATIVE, NOT_NOUN

__all__ = [
    "Asked",
    "as_answer",
    "first_clause",
    "is_noun",
    "lower_first",
    "short_answer",
    "with_alternative",
]

Asked = tuple[str, str, str]
"""Question, answer, name of the form."""

_OPEN_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        the a an each every all your if when to before after only do
        """,
    )
)
_LIST_END = re.compile(r", (?:and|or)\b")
_LISTED = re.compile(r",(?: [\w'-]+){1,3}$")
_ALTERNATIVE = re.compile(
    r"(?: (?:from|after|of|in|for|per|a|at|on) [^,;]{2,50})?(?:,? or|, unless|, except) [^;]{3,120}"
)


def lower_first(text: str) -> str:
    """Lower the first letter, unless the first word is a name or a code.

    Args:
        text: Words from the beginning of a sentence.
    """
    first = text.split(" ", 1)[0]
    ordinary = first.lower() in _OPEN_WORDS or first.lower() in ACTS
    return text[:1].lower() + text[1:] if ordinary else text


def as_answer(text: str) -> str:
    """Write words of a clause as a sentence.

    Args:
        text: Words of a sentence.
    """
    text = text.strip().rstrip(".;,")
    return text[:1].upper() + text[1:] + "."


def short_answer(text: str) -> str:
    """Take the part of a clause that answers, without what follows a but or a because.

    Args:
        text: What follows a verb.
    """
    return as_answer(first_clause(text))


def first_clause(text: str) -> str:
    """Cut a text where its first clause ends; a list belongs to it whole.

    Args:
        text: What follows a verb.
    """
    for end in CLAUSE_END.finditer(text):
        # "fluids, salts, and minerals" is one list, which ends where the clause does.
        if not (_LIST_END.match(end[0]) and _LISTED.search(text[: end.start()])):
            return text[: end.start()]
    return text


def with_alternative(question: str, answer: str, sentence: str) -> str:
    """Add to an answer the alternative or exception that its sentence goes on with.

    "2 years" is not what "The warranty lasts 2 years from delivery, or 500 hours" says.

    Args:
        question: Made of the sentence; what it names already is not repeated.
        answer: Words of the sentence, as :func:`as_answer` writes them.
        sentence: The whole sentence, without its full stop.

    Returns:
        The answer up to the sentence's end where such words follow it, else the answer.
    """
    words = answer.rstrip(".")
    start = sentence.lower().rfind(words.lower())
    if start < 0:
        return answer
    rest = sentence[start + len(words) :]
    if not _ALTERNATIVE.fullmatch(rest) or rest.strip(" ,") in question:
        return answer
    return as_answer(words + rest)


def is_noun(subject: str) -> bool:
    """Tell whether the words before a verb can be its subject.

    Args:
        subject: From the beginning of the sentence on.
    """
    run_on = re.search(r" (?:Is|Are|Being) ", subject)  # a heading that ran into its text
    return not NOT_NOUN.search(subject) and not IMPERATIVE.match(subject) and not run_on
