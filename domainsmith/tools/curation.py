"""The tool that lets the curator make a dataset to a target, unattended."""

from __future__ import annotations

from pydantic import Field

from domainsmith.errors import InternalError
from domainsmith.tools.tool import Tool, ToolArguments, ToolContext, ToolResult

__all__ = ["CURATE_DATA", "CurateData"]


class CurateData(ToolArguments):
    """Arguments of ``curate_data``."""

    count: int | None = Field(default=None, ge=1, le=1_000_000, description="Records wanted")
    wish: str | None = Field(
        default=None, min_length=1, max_length=2000, description="What to be stronger on, in words"
    )
    minutes: float | None = Field(default=None, gt=0, le=10_000, description="Working time")
    rounds: int | None = Field(default=None, ge=1, le=10_000, description="Rounds at most")
    tokens: int | None = Field(default=None, ge=1, description="Tokens through models at most")
    questions: str | None = Field(
        default=None, min_length=1, description="JSONL file of test questions to keep out"
    )


def _curate_data(ctx: ToolContext, arguments: CurateData) -> ToolResult:
    if ctx.curator is None:
        raise InternalError("This context has no curator", where="curate_data")
    return ctx.curator(ctx, arguments)


CURATE_DATA = Tool(
    name="curate_data",
    title={"en": "Curate training data", "zh": "自动整理训练数据"},
    description={
        "en": "Make a training set to a target on its own, round by round: cover all sections, "
        "ask the student model what it gets wrong, generate there, select, and stop at the "
        "target, a limit or a plateau.",
        "zh": "自动逐轮制作训练集直到达到目标：覆盖所有章节，考查学生模型的弱点，在薄弱处生成，"
        "筛选，并在达到目标、用完限额或不再进步时停止。",
    },
    arguments=CurateData,
    run=_curate_data,
    writes=True,
    requires=("passages",),
    produces=("selected_dataset",),
)
