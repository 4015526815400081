"""What the demo says in its summary, in both languages."""

from __future__ import annotations

from domainsmith.records import Language

__all__ = ["WORDS"]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "summary": "Summary",
        "step": "step",
        "outcome": "what came out",
        "seconds": "seconds",
        "failed": "FAILED: ",
        "scores": "Held-out questions, mean [95 % interval]",
        "no_step": "the agent's plan had no such step",
        "no_adapter": "there is no tuned model to serve",
        "refused": "it refused a question that the documents answer: ",
        "ask": "Ask {number}",
        "refuse": "Ask outside the documents",
        "serve": "Serve the model",
        "endpoint": "Ask the endpoint",
        "endpoint_alone": "Ask the tuned model alone",
        "trace": "Trace the answer",
        "lines": "{count} lines from {id}",
    },
    "zh": {
        "summary": "小结",
        "step": "步骤",
        "outcome": "结果",
        "seconds": "秒",
        "failed": "失败：",
        "scores": "留出的问题，平均值 [95% 区间]",
        "no_step": "智能体的计划中没有这一步",
        "no_adapter": "没有可以部署的微调模型",
        "refused": "拒绝了文档能够回答的问题：",
        "ask": "提问 {number}",
        "refuse": "提出文档之外的问题",
        "serve": "部署模型",
        "endpoint": "向服务提问",
        "endpoint_alone": "向单独的微调模型提问",
        "trace": "追溯答案的来源",
        "lines": "{count} 行，始于 {id}",
    },
}
"""Language -> name of a step or a phrase -> words."""
