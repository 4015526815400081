"""Why a step failed, in the request's language; errors are written in English."""

from __future__ import annotations

import re

from domainsmith.records import Language

__all__ = ["reason_in"]

_ZH = {
    "No such file or folder": "没有这个文件或文件夹",
    "There is no such file": "没有这个文件",
    "Cannot access the path": "无法访问这个路径",
    "There is nothing to add: no file of a kind that can be loaded": "没有可以添加的文件",
    "Nothing could be read from the documents": "没有从文档中读到任何内容",
    "Not one file could be loaded": "没有一个文件能够读取",
    "No test questions were found beside the documents": "文档旁边没有测试问题文件",
    "There are no documents to tune search on": "没有可以用来调优检索的文档",
    "There is no generated dataset to select from": "还没有可供筛选的数据集",
    "There is no selected dataset to train on": "还没有可供训练的数据集",
    "There is no tuned model to evaluate": "还没有可以评估的微调模型",
    "There is nothing with this id": "没有这个编号对应的内容",
    "There is no whole dataset": "没有完整的数据集",
    "No such adapter": "没有这个适配器",
    "No adapter was promoted, so there is no tuned model to serve": "还没有采用任何适配器，"
    "因此没有可以部署的微调模型",
    "Check the name.": "请检查名称。",
    "Check the path.": "请检查路径。",
    "Check its permissions.": "请检查访问权限。",
}
"""The sentences that people meet most often; the longest that fits is taken first."""


def reason_in(reason: str, language: Language) -> str:
    """Say an error's text in a language.

    Args:
        reason: As the error is written: what was wrong, where in brackets, what to do.
        language: Of the person. Sentences without a translation stay in English.
    """
    if language == "en":
        return reason
    told = reason
    for sentence in sorted(_ZH, key=len, reverse=True):
        told = told.replace(sentence, _ZH[sentence])
    if told == reason:
        return reason
    return re.sub(r" \(([^()]*)\)\. ?", r"（\1）。", told)
