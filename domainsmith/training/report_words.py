"""The words of a report, in both languages."""

from __future__ import annotations

from domainsmith.records import Language

__all__ = ["WORDS"]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Did tuning help?",
        "better": "better",
        "worse": "worse",
        "no clear difference": "no clear difference",
        "lead": "{n} held-out questions, {answerable} of which the documents answer. None of them "
        "is in the training data: that was checked again for this report.",
        "gain": "{pair}: {mean} on a scale from 0 to 1, 95 % interval {low} to {high}.",
        "scores": "Scores",
        "scores_note": "Mean over all questions: token F1 with the reference answer where the "
        "documents hold one, else 1 for a refusal and 0 for anything said. Bars are 95 % bootstrap "
        "intervals over questions.",
        "chain_note": " The other rows are the models' own words; “answer chain” is what a user "
        "gets with the tuned model: code refuses or quotes the documents where the model's words "
        "have no support. It takes no part in the verdict.",
        "overall": "overall",
        "answerable": "F1 if answerable",
        "recall": "refused when it should",
        "false": "refused wrongly",
        "speed": "s per question",
        "system": "system",
        "differences": "Differences",
        "differences_note": "Paired by question. An interval on one side of 0 is a clear "
        "difference; one that spans 0 is not.",
        "worse_title": "What got worse",
        "worse_none": "Nothing measured here got worse on average.",
        "worse_category": "{category}: {ours} {after} after {theirs} {before} ({n} questions)",
        "worse_answers": "{ours} answers worse what the documents answer, {after} after {theirs} "
        "{before}: a gain of the mean by refusing more does not count as better",
        "worse_false": "{ours} refuses {after} of the answerable questions wrongly; {theirs} "
        "refused {before}",
        "worse_refusal": "{ours} refuses {after} of the unanswerable questions; {theirs} refused "
        "{before}",
        "worse_questions": "{n} of {all} single questions score lower with {ours} than with "
        "{theirs}; {m} score higher",
        "categories": "By category",
        "category": "category",
        "questions": "questions",
        "loss": "Training loss",
        "loss_axis": "nats per answer token; the dot is the loss on records set aside",
        "steps": "optimizer step",
        "estimate": "Estimate and actual",
        "basis_measured": "measured in {id}",
        "basis_benchmark": "benchmark of this machine ({rate} GFLOP/s in matrix products)",
        "quantity": "",
        "estimated": "estimated",
        "actual": "actual",
        "seconds": "seconds",
        "tokens": "tokens",
        "tokens_per_second": "tokens per second",
        "steps_count": "steps",
        "samples": "Answers side by side",
        "samples_note": "First the largest gains, then the largest losses, then questions in "
        "between.",
        "all": "All {n} questions",
        "reference": "reference",
        "unanswerable": "the documents do not hold an answer",
        "refused": "refused",
        "lineage": "Where this comes from",
        "leaks": "Leaks found, by rule",
    },
    "zh": {
        "title": "微调有用吗？",
        "better": "更好",
        "worse": "更差",
        "no clear difference": "没有明显差别",
        "lead": "{n} 个留出问题，其中 {answerable} 个能由文档回答。训练数据里没有其中任何一个："
        "生成本报告时又检查了一遍。",
        "gain": "{pair}：{mean}（0 到 1 分），95 % 区间 {low} 到 {high}。",
        "scores": "得分",
        "scores_note": "所有问题的平均分：文档有答案时为与参考答案的词元 F1；没有答案时，"
        "拒答得 1 分，其他回答得 0 分。横线是按问题自助抽样的 95 % 区间。",
        "chain_note": "其余各行是模型自己的话；“answer chain”是用户使用微调模型时得到的结果："
        "模型的话没有依据时，由程序拒答或引用文档。它不参与结论。",
        "overall": "总分",
        "answerable": "可答问题 F1",
        "recall": "应拒而拒",
        "false": "误拒",
        "speed": "秒/题",
        "system": "系统",
        "differences": "差值",
        "differences_note": "按问题配对。区间全在 0 的一侧才算明显差别，跨过 0 则不算。",
        "worse_title": "变差的地方",
        "worse_none": "这里测量的各项平均值都没有变差。",
        "worse_category": "{category}：{ours} 为 {after}，{theirs} 为 {before}（{n} 题）",
        "worse_answers": "文档能回答的问题上 {ours} 得分 {after}，低于 {theirs} 的 {before}："
        "靠多拒答提高的均值不算更好",
        "worse_false": "{ours} 误拒了 {after} 的可答问题，{theirs} 误拒了 {before}",
        "worse_refusal": "{ours} 拒答了 {after} 的不可答问题，{theirs} 拒答了 {before}",
        "worse_questions": "{all} 题中有 {n} 题 {ours} 的得分低于 {theirs}，{m} 题更高",
        "categories": "按类别",
        "category": "类别",
        "questions": "题数",
        "loss": "训练损失",
        "loss_axis": "每个答案词元的奈特数；圆点为留出记录上的损失",
        "steps": "优化步数",
        "estimate": "预估与实际",
        "basis_measured": "依据 {id} 的实测速度",
        "basis_benchmark": "依据本机基准测试（矩阵乘法 {rate} GFLOP/s）",
        "quantity": "",
        "estimated": "预估",
        "actual": "实际",
        "seconds": "秒",
        "tokens": "词元",
        "tokens_per_second": "词元/秒",
        "steps_count": "步数",
        "samples": "回答对照",
        "samples_note": "先列得分提高最多的，再列下降最多的，最后是其余的几题。",
        "all": "全部 {n} 题",
        "reference": "参考答案",
        "unanswerable": "文档没有答案",
        "refused": "拒答",
        "lineage": "来源",
        "leaks": "各规则发现的泄漏",
    },
}
