"""The one place where a question becomes chat messages.

The answer chain, the training data, the evaluation and the server all build their prompts here,
so a model is asked in exactly the form that it was trained on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from domainsmith.prompts import prompt_text, render
from domainsmith.records import Language, Message, Passage, Record

__all__ = [
    "expert_system",
    "format_context",
    "is_refusal",
    "qa_messages",
    "record_messages",
    "refusal_text",
]


def expert_system(language: Language) -> str:
    """Return the system text of the domain expert."""
    return prompt_text("expert", language)


def refusal_text(language: Language) -> str:
    """Return the one sentence that says that the documents hold no answer."""
    return prompt_text("refusal", language)


def qa_messages(
    question: str,
    *,
    context: str = "",
    language: Language,
    system: str | None = None,
    history: Sequence[tuple[str, str]] = (),
) -> list[Message]:
    """Build the messages that ask a question.

    Args:
        question: The user's words; surrounding white space is dropped.
        context: Formatted passages (see :func:`format_context`); empty asks without documents.
        language: Language of the prompts around the question.
        system: System text; None takes the expert's. An empty text stays an explicit empty system
            message, because some chat templates put a text of their own where there is none.
        history: Earlier (user, assistant) turns, oldest first.

    Returns:
        System message, earlier turns, and the question as the last user message.
    """
    text = question.strip()
    if context:
        text = render("grounded_question", language, context=context, question=text)
    first = expert_system(language) if system is None else system
    messages = [Message(role="system", content=first)]
    for user, assistant in history:
        messages.append(Message(role="user", content=user))
        messages.append(Message(role="assistant", content=assistant))
    messages.append(Message(role="user", content=text))
    return messages


def record_messages(record: Record) -> list[Message]:
    """Build the messages of a training record, its answer last.

    Args:
        record: ``input`` holds the formatted passages, empty for closed-book records. An empty
            ``system`` means the expert's system text, as in :func:`qa_messages`.

    Returns:
        The messages of :func:`qa_messages` and the assistant's answer.
    """
    asked = qa_messages(
        record.instruction,
        context=record.input,
        language=record.language,
        system=record.system or None,
        history=record.history,
    )
    return [*asked, Message(role="assistant", content=record.output)]


def format_context(
    passages: Sequence[Passage],
    language: Language,
    *,
    max_tokens: int = 0,
    max_characters: int = 0,
    count: Callable[[str], int] | None = None,
) -> str:
    """Write passages as numbered blocks, best first, as many as fit.

    Args:
        passages: In the order of their numbers.
        language: Unused by the present form, which is the same in both languages.
        max_tokens: Bound in tokens of ``count``; 0 for none.
        max_characters: Bound in characters; 0 for none.
        count: Counts the tokens of a text; needed with ``max_tokens``.

    Returns:
        ``[1] header``, a line break and the text, blocks parted by an empty line. Whole blocks are
        left out from the first that does not fit; the first block is cut rather than left out.
    """
    del language
    blocks: list[str] = []
    for number, passage in enumerate(passages, start=1):
        block = _block(number, passage)
        if _fits("\n\n".join([*blocks, block]), max_tokens, max_characters, count):
            blocks.append(block)
            continue
        if not blocks:
            blocks.append(_cut(block, max_tokens, max_characters, count))
        break
    return "\n\n".join(blocks)


def _block(number: int, passage: Passage) -> str:
    header = " ".join(passage.header.split())
    return (
        f"[{number}] {header}\n{passage.text.strip()}"
        if header
        else (f"[{number}] {passage.text.strip()}")
    )


def _fits(
    text: str, max_tokens: int, max_characters: int, count: Callable[[str], int] | None
) -> bool:
    if max_characters and len(text) > max_characters:
        return False
    return not (max_tokens and count is not None and count(text) > max_tokens)


def _cut(
    text: str, max_tokens: int, max_characters: int, count: Callable[[str], int] | None
) -> str:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(text[:middle], max_tokens, max_characters, count):
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip()


# Tuned models vary the sentence a little, so the pattern asks for its parts: the sources, a
# negation, and a verb of holding an answer, near the beginning and in this order.
_REFUSAL_EN = re.compile(
    r"^\W*(?:(?:i am |i'm )?sorry[,.;!]?\s*(?:but\s+)?)?"
    r"(?:"
    r"(?:the |these |this |your |my |available |given |provided )*"
    r"(?:documents?|documentation|passages?|texts?|sources?|context|manual|information)"
    r"(?: (?:provided|given|available|here|above))*"
    r"\s+(?:(?:do|does|did)(?: not|n[o']?t|n't)|cannot|can't|can not|never|contains? no|"
    r"holds? no|has no|have no|gives? no|provides? no)"
    r"(?:\s+(?:actually|directly|explicitly))?"
    r"(?:\s+(?:answers?|contain|hold|say|state|mention|cover|address|include|provide|give|tell|"
    r"specify|discuss|have|information|enough|sufficient|support))"
    r"|(?:the |these |this |that |any )?(?:\w+ )?(?:information|answer|documents|passages|context)"
    r" (?:is|are|was)(?: not|n't) (?:"
    r"(?:enough|sufficient)\b[^.]{0,20}\b(?:answer|say|tell)"
    # Without the place at the end, "the answer is not given by law" would be a refusal.
    r"|(?:available|given|provided|mentioned|included|stated|contained|specified|found|covered)?"
    r"\s?(?:[.!]|$|(?:in|by|from|within) (?:\w+ ){0,2}"
    r"(?:documents?|passages?|text|context|manual)))"
    r"|(?:this|the|that|your) question (?:is|was|can)\s?(?:not|n't)(?: be)? answered"
    r"(?: (?:in|by|from) the)?"
    r"|there is no (?:answer|information)\b[^.]{0,40}\b(?:documents?|passages?|text|context)"
    r"|i (?:can(?:not| not|'t)|could not|am unable to) (?:find|answer)\b[^.]{0,60}\b"
    r"(?:documents?|passages?|text|context|documentation)"
    r")",
    re.IGNORECASE,
)
_REFUSAL_ZH = re.compile(
    r"^\W*(?:抱歉|对不起|很抱歉)?\W*"
    r"(?:"
    r"(?:根据)?(?:这些|该|本|上述|所给|提供的|现有的?|给出的|以上)*(?:文档|文件|资料|材料|手册|段落|文本|上下文)"
    r"(?:中|里|内|里面|当中)?(?:都|也|均|并)?\s*"
    r"(?:没有|没|未|不|无|并未|并没有)(?:有|能|会|直接|明确)*\s*"
    r"(?:回答|答案|提及|提到|提供|说明|涉及|包含|包括|给出|记载|写明|解答|相关|信息|关于)"
    r"|(?:我)?(?:无法|不能|没法)(?:从|在|根据)[^。]{0,12}(?:文档|资料|材料|手册|文件)[^。]{0,12}"
    r"(?:找到|回答|得到|确定|得知)"
    r"|(?:我)?(?:在)?[^。]{0,10}(?:文档|资料|材料|手册)[^。]{0,4}(?:找不到|没有找到|未找到|查不到)"
    r")"
)


def is_refusal(text: str, language: Language | None = None) -> bool:
    """Tell whether an answer says that the documents do not hold it.

    Args:
        text: A model's answer.
        language: Tried alone if given; otherwise both.

    Returns:
        True for the exact sentence and for close variants at the beginning of the text.
    """
    words = " ".join(text.replace("\u2019", "'").split())
    english = language != "zh" and _REFUSAL_EN.match(words) is not None
    chinese = language != "en" and _REFUSAL_ZH.match(words) is not None
    return english or chinese
