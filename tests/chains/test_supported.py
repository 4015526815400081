"""Which of a model's words may be shown as the documents' answer."""

from __future__ import annotations

import pytest

from domainsmith.chains.evidence import Evidence
from domainsmith.chains.supported import is_supported
from domainsmith.records import Passage

TEXT = "The Tarn 610 and the Tarn 640 are 598 mm wide and 847 mm high."


@pytest.mark.parametrize(
    ("answer", "question", "supported"),
    [
        ("The Tarn 640 is 598 mm wide.", "How wide is the Tarn 640?", True),
        ("The Tarn 640 is 640 mm wide.", "How wide is the Tarn 640?", False),
        ("The 640 is 640. The Tarn 610 is 610.", "How wide is the Tarn?", False),
        ("The Tarn 640 is 599 mm wide.", "How wide is the Tarn 640?", False),
        ("The Tarn 610 and the Tarn 640 are wide.", "Which are wide?", True),
        ("The Tarn 640 is 598 mm wide. The Tarn 640 is 598 mm wide.", "How wide is it?", False),
    ],
)
def test_a_number_of_the_question_is_no_answer(answer, question, supported):
    passage = Passage(
        document_id="document_1",
        document_path="a.md",
        ordinal=0,
        text=TEXT,
        header="Sizes",
        start=0,
        end=len(TEXT),
        language="en",
        content="prose",
    )
    evidence = [Evidence(passage, TEXT, TEXT, 1.0, 1.0, 1.0)]
    assert is_supported(answer, evidence, question, "en") is supported
