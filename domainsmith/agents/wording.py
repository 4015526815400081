"""What the agent says in its own words, in both languages."""

from __future__ import annotations

import re

from domainsmith.records import Language

__all__ = ["ask_back", "nothing_to_do", "sentence"]

_SMALL_TALK = re.compile(
    r"(?:\W*+(?=\w))?"
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|how are you|thanks?|thank you"
    r"|thx|cheers|ok(?:ay)?|great|help(?: me)?|who are you|what (?:can|do) you do|what are you"
    r"|how (?:do|can) (?:i|we) (?:start|begin)|how does this work|(?:so much|very much|there|again)"
    r"|你好|您好|嗨|早上好|下午好|晚上好|谢谢(?:你|您)?|多谢|好的?|帮助|帮帮我|怎么用"
    r"|你是谁|你(?:会|能)(?:做)?(?:什么|些什么|干什么)|怎么开始|[\s,.!?，。！？呀啊吗])+",
    re.IGNORECASE,
)

_MISSING: dict[tuple[str, str], dict[Language, str]] = {
    ("add_documents", "path"): {
        "en": "Which folder or file shall I add?",
        "zh": "要添加哪个文件夹或文件？",
    },
    ("search_documents", "query"): {
        "en": "What shall I search the documents for?",
        "zh": "要在文档中搜索什么？",
    },
    ("answer_question", "question"): {
        "en": "What would you like to know from the documents?",
        "zh": "想从文档中了解什么？",
    },
    ("trace_lineage", "id"): {
        "en": "Which artifact shall I trace? Give its id, such as answer_0123456789abcdef.",
        "zh": "要追溯哪个产物？请给出它的编号，例如 answer_0123456789abcdef。",
    },
    ("show_job", "id"): {
        "en": "Which job shall I show? Give its id; `list the jobs` names them.",
        "zh": "要显示哪个任务？请给出编号；“列出任务”可以看到所有编号。",
    },
    ("cancel_job", "id"): {
        "en": "Which job shall I cancel? Give its id; `list the jobs` names them.",
        "zh": "要取消哪个任务？请给出编号；“列出任务”可以看到所有编号。",
    },
}

_SENTENCES: dict[str, dict[Language, str]] = {
    "nothing_to_do": {
        "en": "That is outside what I do. I learn documents, answer questions from them, make and "
        "select training data, train, evaluate and serve a model, trace where things come from, "
        "and look after jobs.",
        "zh": "这超出了我的工作范围。我可以学习文档、根据文档回答问题、生成和筛选训练数据、训练、"
        "评估和部署模型、追溯来源，以及管理任务。",
    },
    "small_talk": {
        "en": "I learn documents, answer questions from them, make and select training data, "
        "train, evaluate and serve a model, trace where things come from, and look after jobs. "
        "Ask something, or say what to do, such as: Add the folder PATH.",
        "zh": "我可以学习文档、根据文档回答问题、生成和筛选训练数据、训练、评估和部署模型、"
        "追溯来源，以及管理任务。请直接提问，或说要做什么，例如：添加文件夹 路径。",
    },
    "denied": {
        "en": "Step {number} ({tool}) was not approved and was left out.",
        "zh": "第 {number} 步（{tool}）未获批准，已跳过。",
    },
    "skipped": {
        "en": "Step {number} ({tool}) was skipped: it needs step {needs}.",
        "zh": "第 {number} 步（{tool}）已跳过：它需要第 {needs} 步的结果。",
    },
    "failed": {
        "en": "Step {number} ({tool}) failed: {reason}",
        "zh": "第 {number} 步（{tool}）失败：{reason}",
    },
    "budget": {
        "en": "The request was stopped: {reason}. Finished steps are kept.",
        "zh": "请求已停止：{reason}。已完成的步骤会保留。",
    },
    "prepared": {
        "en": "What step {number} ({tool}) needs does not exist yet, so I put {added} before it.",
        "zh": "第 {number} 步（{tool}）所需的东西还不存在，因此在它前面加上了 {added}。",
    },
    "replanned": {
        "en": "What step {number} ({tool}) needs did not exist, so I put {added} before it.",
        "zh": "第 {number} 步（{tool}）所需的东西不存在，因此在它前面加上了 {added}。",
    },
}


def ask_back(tool: str, argument: str, language: Language) -> str:
    """Return the question for a missing argument.

    Args:
        tool: Name of the tool.
        argument: Name of the argument.
        language: The request's language.

    Returns:
        One sentence.
    """
    found = _MISSING.get((tool, argument))
    if found is not None:
        return found[language]
    return {
        "en": f"What is the {argument} for {tool}?",
        "zh": f"{tool} 的参数 {argument} 是什么？",
    }[language]


def nothing_to_do(request: str, language: Language) -> str:
    """Answer a request that no step serves: small talk with what is done here, else a refusal.

    Args:
        request: The person's words.
        language: The request's language.

    Returns:
        One or two sentences.
    """
    name = "small_talk" if _SMALL_TALK.fullmatch(request.strip()) else "nothing_to_do"
    return sentence(name, language)


def sentence(name: str, language: Language, **values: object) -> str:
    """Return a fixed sentence with values put in.

    Args:
        name: Which one.
        language: The request's language.
        **values: What its braces stand for.

    Returns:
        The sentence.
    """
    return _SENTENCES[name][language].format(**values)
