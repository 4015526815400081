"""Parts of English research prose: subjects that stand alone, and what answers a question."""

from __future__ import annotations

import re

from domainsmith.chains.science_words_en import TRANSITIVE

__all__ = ["Asked", "as_inner", "as_sentence", "object_of", "sound_part", "sound_subject"]

Asked = tuple[str, str, str]
"""Question, answer, name of the form."""

_EMPTY_START = re.compile(
    r"(?:this|these|that|those|such|both|all|some|most|many|several|other|others|another|one|two|"
    r"three|it|they|we|our|in|on|at|by|for|from|with|after|before|during|while|although|when|if|"
    r"as|since|to|there|here|each|its|their|his|her|no|not|so|then|also|only|even|given|using|"
    r"based|compared|following|among|between|despite|because|of|and|or|but|further|more|less|"
    r"what|how|why|whether|same|similar|different|various|certain|any|either|neither|comparable|"
    r"none|an? total|solid|dashed|dotted|red|blue|black|earlier|later|"
    r"specific|new|additional|important|key|main|\w+ing|"
    r"did|do|does|is|are|was|were|can|though|therefore|hence|however|moreover|"
    r"figures?|tables?|panels?|lanes?|\w+ly|\d\w*)\b",
    re.I,
)
_EMPTY_PART = re.compile(
    r"(?:this|these|that|those|it|they|such|both|all|each|one|two|three|to|in|on|at|by|for|from|"
    r"with|after|before|as|if|when|while|since|because|there|further|other|another|similar|same)\b",
    re.I,
)
_POINTS = re.compile(
    r"\b(?:it|they|them|this|these|those|its|their|we|our|us|here|above|below|latter|former|"
    r"respectively|following|aforementioned|present study|current study|authors?|et al|"
    r"former|figure|fig|table|as follows|same|latter|other two|there)\b|\bstud(?:y|ies)\b",
    re.I,
)
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        """
        patient patients virus viruses disease diseases infection infections result results data
        model models method methods group groups sample samples analysis analyses case cases
        participants subjects protein proteins cell cells gene genes effect effects response
        responses drug drugs treatment vaccine vaccines outbreak number rate rates age level
        levels increase decrease difference differences expression sequence sequences assay
        assays test tests animals mice children individuals people researchers scientists
        system systems process mechanism factor factors role activity approach procedure
        experiment experiments population country countries period time year years use part
        majority presence absence lack total mean median average overall finding findings
        evidence compound compounds primers antibodies antibody reaction values value
        questionnaire respondents interview interviews survey symptoms hospital hospitals author
        """,
    )
)
_OBJECT_END = re.compile(
    r"\s*(?:\[[\d,\s–-]+\]|\(\d[\d, –-]*\)"
    r"|\((?:[^()]*(?:et al|\d{4}|[Ff]ig|[Tt]able|see |e\.g|i\.e|ref)[^()]*)\))"
    r"|[;:]|, (?:which|but|so|while|whereas|although|with|where|who|thus|as|because|including|"
    r"such|suggesting|indicating|making|resulting|leading|especially|particularly|however|it|they|"
    r"we|the|a|an|\w+ing)\b"
    r"| (?:while|whereas|although|but|which|because|thereby|however|since|that (?:is|are|was|were|"
    r"has|have|can)) | and (?=(?:is|are|was|were|has|have|can|may|it|they|we|thus|therefore|\w+s "
    r"(?:to|the|a|an)) )| [–—] "
    r"|, and (?=[^,]*\b(?:is|are|was|were|has|have|had|can|may|could|will|it|they|we|thus)\b)"
    rf"| and (?=(?:{'|'.join(sorted(TRANSITIVE))})\b)"
    r"| and (?=\w+ed (?:by|with|in|to|as|for|from)\b)"
)
_OPEN_END = re.compile(
    r"\b(?:the|a|an|of|in|on|at|by|for|from|with|to|and|or|than|as|is|are|was|were|its|their|"
    r"not|between|into|both|that|which)$",
    re.I,
)


def as_sentence(text: str) -> str:
    """Write words of a text as a sentence; a name or code ("p38") keeps its first letter.

    Args:
        text: An answer.
    """
    text = text.strip().rstrip(".;,")
    plain = re.match(r"[a-z]+(?=[\s.,;:'/-]|$)", text)
    return (text[:1].upper() + text[1:] if plain else text) + "."


def sound_part(text: str) -> bool:
    """Tell whether words can be understood by one who knows the study that they are about.

    Args:
        text: A subject or an act.
    """
    return len(text.split()) <= 12 and not _POINTS.search(text) and not _EMPTY_PART.match(text)


def sound_subject(text: str) -> bool:
    """Tell whether words name something that a reader knows without the text around them.

    Args:
        text: What stands in front of a verb.
    """
    words = text.split()
    if not 1 <= len(words) <= 11 or _EMPTY_START.match(text) or _POINTS.search(text):
        return False
    if re.search(r"\b(?:to|not|than|as)\b", text) or _OPEN_END.search(text):
        return False
    definite = words[0].lower() in {"the", "a", "an"}
    body = words[1:] if definite else words
    telling = [w for w in body if len(w) > 3 and w.lower().rstrip("'s") not in _GENERIC]
    named = any(
        re.search(r"[A-Z]|\d", word[1:] if at == 0 else word) for at, word in enumerate(body)
    )
    if words[0].lower() == "the":
        return named or (len(telling) >= 2 and " of " in text)
    return named or bool(telling and (len(body) >= 2 or len(body[0]) > 7))


def object_of(text: str, *, most: int = 26) -> str:
    """Return the part of a predicate that answers a question, or nothing.

    Args:
        text: What follows a verb or a preposition.
        most: Words of the longest answer.

    Returns:
        The words up to where another clause, a citation or an aside begins; empty if they point
        at another sentence, or are not whole.
    """
    found = _OBJECT_END.split(text, maxsplit=1)[0].strip(" ,.")
    if not found or found.startswith("follows") or _POINTS.search(found) or _OPEN_END.search(found):
        return ""
    if found.count("(") != found.count(")") or found.count("“") != found.count("”"):
        return ""
    return found if len(found.split()) <= most and re.search(r"\w{2}", found) else ""


def as_inner(subject: str) -> str:
    """Lower an article that began a sentence; ordinary words are lowered by the caller.

    Args:
        subject: What stood there.
    """
    first, _, rest = subject.partition(" ")
    return f"{first.lower()} {rest}" if rest and first in {"The", "A", "An"} else subject
